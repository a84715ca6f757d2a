//! "Was this summary helpful?": a count for each answer, and who has answered today as keyed hashes.

use super::Store;
use super::fault::db;
use crate::domain::helpful::{Answer, Votes};
use crate::domain::{Result, Timestamp};
use sqlx::{Any, AssertSqlSafe, Executor, Row, Transaction};
use std::collections::HashMap;

/// How many answers of a network count for a summary within a day: browsers are easily made up.
const PER_NETWORK: u32 = 5;

impl Store {
    /// Counts `answer` for a summary, once for each `visitor` and [`PER_NETWORK`] times for each `network` until
    /// `expires`; says whether it did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn vote(
        &self,
        summary: i64,
        answer: Answer,
        (visitor, network): (&str, &str),
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        tx.execute(forget(now)).await.map_err(db)?;
        let mut counts = is_first(&mut tx, visitor, expires).await?;
        if counts {
            counts = false;
            for place in 0..PER_NETWORK {
                if is_first(&mut tx, &format!("{network}.{place}"), expires).await? {
                    counts = true;
                    break;
                }
            }
        }
        if counts {
            sqlx::query(
                "INSERT INTO vote (summary_id, answer, count) VALUES ($1, $2, 1)
                 ON CONFLICT (summary_id, answer) DO UPDATE SET count = vote.count + 1",
            )
            .bind(summary)
            .bind(answer.as_str())
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        }
        tx.commit().await.map_err(db)?;
        Ok(counts)
    }

    /// Forgets who answered, and which links and sessions of admins there were, as far as they have ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_ended(&self, now: Timestamp) -> Result<()> {
        for ended in ["vote_seen", "sign_in", "admin_session"] {
            let sql = format!("DELETE FROM {ended} WHERE expires <= $1");
            let done = sqlx::query(AssertSqlSafe(sql)).bind(now.0).execute(&self.pool);
            done.await.map_err(db)?;
        }
        Ok(())
    }

    /// The answers by the numbers of their summaries; a summary without any is missing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn votes(&self) -> Result<HashMap<i64, Votes>> {
        let rows = sqlx::query("SELECT summary_id, answer, count FROM vote")
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let mut found: HashMap<i64, Votes> = HashMap::new();
        for row in &rows {
            let votes = found.entry(row.try_get(0).map_err(db)?).or_default();
            let count: i64 = row.try_get(2).map_err(db)?;
            match Answer::parse(row.try_get(1).map_err(db)?) {
                Some(Answer::Yes) => votes.yes += count,
                Some(Answer::No) => votes.no += count,
                None => {}
            }
        }
        Ok(found)
    }
}

/// Notes `hash` until `expires`; whether it was not there yet.
async fn is_first(tx: &mut Transaction<'static, Any>, hash: &str, expires: Timestamp) -> Result<bool> {
    let seen = sqlx::query("INSERT INTO vote_seen (hash, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(hash.to_owned())
        .bind(expires.0)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    Ok(seen.rows_affected() > 0)
}

fn forget(now: Timestamp) -> sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments> {
    sqlx::query("DELETE FROM vote_seen WHERE expires <= $1").bind(now.0)
}
