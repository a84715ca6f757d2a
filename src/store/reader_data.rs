//! Everything that is kept about one reader, as JSON: what they may ask for.

use super::Store;
use super::erasure::Person;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

/// Columns that are instants.
const TIMES: [&str; 16] = [
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
    "given_up",
    "taken",
    "refused",
];
/// Columns that are yes or no.
const FLAGS: [&str; 3] = ["active", "text_only", "reserved"];

/// A part of the answer: its name, the columns, and where they come from. `$1` is the subscriber's number,
/// `$2` the hash of the address, `$3` the pattern of a message that names the address as its sender's, `$4` the
/// hash of the mailbox.
type Part = (&'static str, &'static [&'static str], &'static str);

const PARTS: [Part; 14] = [
    (
        "subscriber",
        &[
            "id",
            "address",
            "address_key",
            "address_hash",
            "reserved",
            "name",
            "state",
            "cause",
            "categories",
            "consent_at",
            "consent_source",
            "paused_until",
            "text_only",
            "chosen_by",
            "link_generation",
            "created",
            "changed",
        ],
        "FROM subscriber t WHERE id = $1",
    ),
    (
        "subscriptions",
        &["digest", "active", "ended_by", "created", "changed"],
        "FROM subscription t WHERE subscriber_id = $1",
    ),
    (
        "events",
        &["id", "at", "what", "way", "wording", "detail"],
        "FROM reader_event t WHERE subscriber_id = $1",
    ),
    (
        "deliveries",
        &[
            "edition_id",
            "digest",
            "planned",
            "segment_id",
            "batch_no",
            "state",
            "attempts",
            "code",
            "text",
            "relay",
            "next_attempt",
        ],
        "FROM (SELECT d.*, e.digest, e.planned
             FROM delivery d LEFT JOIN edition e ON e.id = d.edition_id WHERE d.subscriber_id = $1) t",
    ),
    (
        "summaries",
        &["edition_id", "slug", "title"],
        "FROM (SELECT d.edition_id, s.slug, s.title FROM delivery d
             JOIN segment_item g ON g.segment_id = d.segment_id JOIN summary s ON s.id = g.summary_id
             WHERE d.subscriber_id = $1) t",
    ),
    (
        "notices",
        &[
            "id",
            "kind",
            "address",
            "address_hash",
            "mailbox_hash",
            "data",
            "created",
            "expires",
            "state",
            "attempts",
            "code",
            "text",
            "relay",
            "next_attempt",
            "owner",
            "until",
            "ended",
        ],
        // What became of a mail to an address that they asked for tells of its owner.
        "FROM notice t WHERE subscriber_id = $1 AND kind <> 'new_address' OR address_hash = $2
             OR kind = 'contact' AND lower(data) LIKE $3 ESCAPE '!'",
    ),
    (
        "sign_ups",
        &[
            "id",
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
        "FROM sign_up t WHERE subscriber_id = $1",
    ),
    (
        "requests",
        &[
            "id",
            "address",
            "address_hash",
            "mailbox_hash",
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
        "FROM sign_up_request t WHERE address_hash = $2",
    ),
    (
        "address_changes",
        &[
            "id",
            "address",
            "address_hash",
            "mailbox_hash",
            "created",
            "expires",
        ],
        "FROM address_change t WHERE subscriber_id = $1 OR address_hash = $2",
    ),
    (
        "former_addresses",
        &["address_hash", "given_up"],
        "FROM former_address t WHERE subscriber_id = $1 OR address_hash = $2",
    ),
    (
        // Theirs is what they refused; what others refused them is the others'.
        "refusals",
        &["mailbox_hash", "refused"],
        "FROM address_refusal t WHERE mailbox_hash = $4",
    ),
    (
        "suppression",
        &["address_hash", "reason", "created"],
        "FROM suppression t WHERE address_hash = $2",
    ),
    (
        "refused_mailbox",
        &["mailbox_hash", "created"],
        "FROM refused_mailbox t WHERE mailbox_hash = $4",
    ),
    (
        "turn",
        &["mailbox_hash", "taken"],
        "FROM address_turn t WHERE mailbox_hash = $4",
    ),
];

/// Parts of which there is at most one.
const SINGLE: [&str; 4] = ["subscriber", "suppression", "refused_mailbox", "turn"];

impl Store {
    /// Everything that is kept about `person`; `None` when that is nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reader_data(&self, person: &Person<'_>) -> Result<Option<Value>> {
        let mut data = Map::new();
        let mut is_known = false;
        for (part, columns, from) in PARTS {
            let mut found = self.objects(columns, from, person).await?;
            is_known |= !found.is_empty();
            let value = if SINGLE.contains(&part) {
                found.pop().unwrap_or(Value::Null)
            } else {
                Value::Array(found)
            };
            data.insert(part.to_owned(), value);
        }
        Ok(is_known.then_some(Value::Object(data)))
    }

    async fn objects(&self, columns: &[&str], from: &str, person: &Person<'_>) -> Result<Vec<Value>> {
        let list: Vec<String> = columns.iter().map(|column| format!("t.{column}")).collect();
        // Each part uses its own of the four.
        let bound = "$1 = $1 AND $2 = $2 AND $3 = $3 AND $4 = $4";
        let sql = format!(
            "SELECT {} FROM (SELECT 1 AS one WHERE {bound}) o CROSS JOIN (SELECT t.* {from}) t ORDER BY 1, 2",
            list.join(", ")
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(person.subscriber.unwrap_or_default())
            .bind(person.hash)
            .bind(sender_pattern(person.address))
            .bind(person.mailbox)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?
            .iter()
            .map(|row| object(row, columns))
            .collect()
    }
}

/// What LIKE finds the sender's address of a message to the admins by, in lower case.
fn sender_pattern(address: &str) -> String {
    let mut pattern = String::from("%\"from\":\"");
    for c in address.chars().flat_map(char::to_lowercase) {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "\"%"
}

fn object(row: &AnyRow, columns: &[&str]) -> Result<Value> {
    let mut object = Map::with_capacity(columns.len());
    for (n, &column) in columns.iter().enumerate() {
        // Whole numbers and texts are all that there is.
        let value = match row.try_get::<Option<i64>, _>(n) {
            Ok(Some(number)) if TIMES.contains(&column) => Value::from(Timestamp(number).rfc3339()),
            Ok(Some(number)) if FLAGS.contains(&column) => Value::from(number != 0),
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
