//! Everything that is kept about one reader, as JSON: what they may ask for.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

/// Columns that are instants.
const TIMES: [&str; 13] = [
    "at",
    "consent_at",
    "created",
    "changed",
    "expires",
    "confirmed",
    "paused_until",
    "next_attempt",
    "ended",
    "planned",
    "finished",
    "since",
    "until",
];

/// Each part with its columns and where they come from; `$1` is the subscriber's number.
const PARTS: [(&str, &[&str], &str); 7] = [
    (
        "subscriptions",
        &["digest", "active", "ended_by", "created", "changed"],
        "FROM subscription t WHERE subscriber_id = $1 ORDER BY digest",
    ),
    (
        "events",
        &["at", "what", "way", "wording", "detail"],
        "FROM reader_event t WHERE subscriber_id = $1 ORDER BY id",
    ),
    (
        "deliveries",
        &[
            "edition_id",
            "digest",
            "planned",
            "state",
            "attempts",
            "code",
            "text",
            "relay",
            "next_attempt",
        ],
        "FROM (SELECT d.edition_id, e.digest, e.planned, d.state, d.attempts, d.code, d.text, d.relay,
                 d.next_attempt
             FROM delivery d LEFT JOIN edition e ON e.id = d.edition_id WHERE d.subscriber_id = $1) t
         ORDER BY edition_id",
    ),
    (
        "notices",
        &[
            "kind", "address", "created", "expires", "state", "attempts", "code", "text", "relay", "ended",
        ],
        "FROM notice t WHERE subscriber_id = $1 ORDER BY id",
    ),
    (
        "sign_ups",
        &[
            "name",
            "digests",
            "categories",
            "text_only",
            "wording",
            "way",
            "created",
            "expires",
            "confirmed",
        ],
        "FROM sign_up t WHERE subscriber_id = $1 ORDER BY id",
    ),
    (
        "requests",
        &[
            "address",
            "kind",
            "name",
            "digests",
            "categories",
            "text_only",
            "wording",
            "way",
            "network",
            "created",
        ],
        "FROM sign_up_request t WHERE address_hash = (SELECT address_hash FROM subscriber WHERE id = $1)
         ORDER BY id",
    ),
    (
        "address_changes",
        &["address", "created", "expires"],
        "FROM address_change t WHERE subscriber_id = $1 ORDER BY id",
    ),
];

const SUBSCRIBER: [&str; 15] = [
    "id",
    "address",
    "address_key",
    "address_hash",
    "name",
    "state",
    "cause",
    "categories",
    "consent_at",
    "consent_source",
    "paused_until",
    "text_only",
    "chosen_by",
    "created",
    "changed",
];

impl Store {
    /// Everything that is kept about the subscriber `id`; `None` when there is no such reader.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reader_data(&self, id: i64) -> Result<Option<Value>> {
        let found = self
            .objects(&SUBSCRIBER, "FROM subscriber t WHERE id = $1", id)
            .await?;
        let Some(Value::Object(subscriber)) = found.into_iter().next() else {
            return Ok(None);
        };
        let mut data = Map::new();
        data.insert("subscriber".to_owned(), Value::Object(subscriber));
        for (part, columns, from) in PARTS {
            data.insert(
                part.to_owned(),
                Value::Array(self.objects(columns, from, id).await?),
            );
        }
        let suppression = "FROM suppression t WHERE address_hash =
             (SELECT address_hash FROM subscriber WHERE id = $1)";
        let suppression = self.objects(&["reason", "created"], suppression, id).await?;
        data.insert(
            "suppression".to_owned(),
            suppression.into_iter().next().unwrap_or(Value::Null),
        );
        Ok(Some(Value::Object(data)))
    }

    async fn objects(&self, columns: &[&str], from: &str, id: i64) -> Result<Vec<Value>> {
        let list: Vec<String> = columns.iter().map(|column| format!("t.{column}")).collect();
        sqlx::query(AssertSqlSafe(format!("SELECT {} {from}", list.join(", "))))
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?
            .iter()
            .map(|row| object(row, columns))
            .collect()
    }
}

fn object(row: &AnyRow, columns: &[&str]) -> Result<Value> {
    let mut object = Map::with_capacity(columns.len());
    for (n, &column) in columns.iter().enumerate() {
        // Whole numbers and texts are all that there is.
        let value = match row.try_get::<Option<i64>, _>(n) {
            Ok(Some(number)) if TIMES.contains(&column) => Value::from(Timestamp(number).rfc3339()),
            Ok(Some(number)) if matches!(column, "active" | "text_only") => Value::from(number != 0),
            Ok(number) => number.map_or(Value::Null, Value::from),
            Err(_) => row
                .try_get::<Option<String>, _>(n)
                .map_err(db)?
                .map_or(Value::Null, Value::from),
        };
        object.insert(column.to_owned(), value);
    }
    Ok(Value::Object(object))
}
