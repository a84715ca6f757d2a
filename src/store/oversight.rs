//! What an admin looks at page by page: the deliveries of an edition, and how many readers a digest has.

use super::Store;
use super::fault::db;
use super::ledger::{REPORTED, read_report};
use super::summaries::NEW_TO;
use crate::domain::Result;
use crate::domain::delivery::{Report, State};
use sqlx::{AssertSqlSafe, Row};

/// Where a page of deliveries begins: behind this subscriber, in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPlace {
    /// The state whose deliveries come first.
    pub state: State,
    /// The last subscriber of the page before; 0 for none.
    pub after: i64,
}

/// What needs an admin's eye comes first.
const ORDER: [State; 6] = [
    State::Failed,
    State::Expired,
    State::Uncertain,
    State::Waiting,
    State::Sent,
    State::Excluded,
];

impl Store {
    /// At most `limit` deliveries of `edition` from `place` on (from the first, when `None`) in the states
    /// that `wanted` holds, failed ones first; and where the next page begins, if there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delivery_page(
        &self,
        edition: i64,
        wanted: &[State],
        place: Option<DeliveryPlace>,
        limit: usize,
    ) -> Result<(Vec<(i64, Report)>, Option<DeliveryPlace>)> {
        let begin = place.and_then(|place| ORDER.iter().position(|state| *state == place.state));
        let mut found: Vec<(i64, Report)> = Vec::new();
        for state in ORDER.into_iter().skip(begin.unwrap_or(0)) {
            if !wanted.contains(&state) {
                continue;
            }
            let after = place
                .filter(|place| place.state == state)
                .map_or(0, |place| place.after);
            // One more than fits tells that there is a next page.
            let missing = (limit + 1).saturating_sub(found.len());
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT {REPORTED} WHERE d.edition_id = $1 AND d.state = $2 AND d.subscriber_id > $3
                 ORDER BY d.subscriber_id LIMIT $4"
            )))
            .bind(edition)
            .bind(state.as_str())
            .bind(after)
            .bind(i64::try_from(missing).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
            for row in &rows {
                found.push(read_report(row)?);
            }
            if found.len() > limit {
                found.truncate(limit);
                let next = found.last().map(|(after, report)| DeliveryPlace {
                    state: report.state,
                    after: *after,
                });
                return Ok((found, next));
            }
        }
        Ok((found, None))
    }

    /// How many confirmed readers the digest `digest` has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_readers(&self, digest: &str) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM subscription p JOIN subscriber s ON s.id = p.subscriber_id
             WHERE p.digest = $1 AND p.active = 1 AND s.state = 'confirmed'",
        )
        .bind(digest)
        .fetch_one(&self.pool)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// How many summaries are new to `digest`, and the titles of at most `limit` of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new_titles(&self, digest: &str, limit: i64) -> Result<(i64, Vec<String>)> {
        let count = sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) FROM summary {NEW_TO}")))
            .bind(digest)
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(db)?;
        let titles = format!("SELECT title FROM summary {NEW_TO} ORDER BY first_seen, id LIMIT $2");
        let rows = sqlx::query(AssertSqlSafe(titles))
            .bind(digest)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let titles = rows.iter().map(|row| row.try_get(0).map_err(db));
        Ok((count, titles.collect::<Result<_>>()?))
    }
}
