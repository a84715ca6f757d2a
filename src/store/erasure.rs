//! Erasing a person: every row about them, every trace of the address in what relays said, and on SQLite
//! the bytes in the file. What stays is the salted hash that keeps lists from bringing them back.

use super::Store;
use super::changes::Change;
use super::dialect::Dialect;
use super::fault::db;
use crate::domain::subscriber::Suppression;
use crate::domain::{Result, Timestamp};
use sqlx::{AssertSqlSafe, Executor, Row};
use std::collections::BTreeSet;

/// Whom to erase.
#[derive(Debug)]
pub struct Person<'a> {
    /// The subscriber's number, where there is one.
    pub subscriber: Option<i64>,
    /// The full address, as it was typed.
    pub address: &'a str,
    /// Its salted hash.
    pub hash: &'a str,
    /// The salted hash of its mailbox.
    pub mailbox: &'a str,
}

/// Where texts that are not ours may hold an address.
const TEXTS: [(&str, &str); 4] = [
    ("delivery", "text"),
    ("notice", "text"),
    ("edition", "trouble"),
    ("relay_state", "why"),
];

/// The addresses that reader `$1` gave up and that nobody else has now.
const FORMER: &str = "SELECT f.address_hash FROM former_address f WHERE f.subscriber_id = $1
    AND NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.address_hash = f.address_hash)";

impl Store {
    /// The hashes of the addresses that subscriber `id` gave up and that nobody else has now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn former_addresses(&self, id: i64) -> Result<Vec<String>> {
        let rows = sqlx::query(FORMER).bind(id).fetch_all(&self.pool).await;
        rows.map_err(db)?
            .iter()
            .map(|row| row.try_get(0).map_err(db))
            .collect()
    }

    /// Erases `person`; whether there was a subscriber. Doing it again changes nothing.
    ///
    /// # Errors
    /// When the database does not answer. What was erased by then stays so; the same call can be made again.
    pub async fn erase_person(&self, person: &Person<'_>, now: Timestamp) -> Result<bool> {
        let mut change = self.begin_change(now).await?;
        if self.dialect == Dialect::Sqlite {
            // For this transaction: what is deleted is overwritten.
            change.tx.execute("PRAGMA secure_delete = ON").await.map_err(db)?;
        }
        let was_there = erase(&mut change, person).await?;
        change.commit().await?;
        self.sweep().await?;
        Ok(was_there)
    }

    /// Leaves nothing of deleted rows in the files.
    async fn sweep(&self) -> Result<()> {
        let mut connection = self.pool.acquire().await.map_err(db)?;
        if self.dialect == Dialect::Postgres {
            connection
                .execute(
                    "VACUUM subscriber, subscription, reader_event, sign_up, sign_up_request, address_change,
                         address_refusal, address_turn, former_address, notice, delivery, edition, relay_state",
                )
                .await
                .map_err(db)?;
            return Ok(());
        }
        connection.execute("VACUUM").await.map_err(db)?;
        let row = connection
            .fetch_one("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
            .map_err(db)?;
        if row.try_get::<i64, _>(0).map_err(db)? != 0 {
            return Err(crate::domain::Problem::database(
                "the reader is erased, but the database's log could not be emptied",
            )
            .hint("somebody reads from it for long; do the same again in a minute"));
        }
        Ok(())
    }
}

async fn erase(change: &mut Change, person: &Person<'_>) -> Result<bool> {
    // Whoever is deciding about a sign-up of this address is waited for.
    change.take_turn(person.mailbox).await?;
    let id = person.subscriber.unwrap_or_default();
    let spellings = change.spellings(person).await?;
    for hash in change.former_hashes(id).await? {
        change.suppress(&hash, Suppression::Erased).await?;
    }
    for sql in [
        // An excluded one has our own word for the reason there, by which it is counted.
        "UPDATE delivery SET text = NULL WHERE subscriber_id = $1 AND state <> 'excluded' AND $2 = $2",
        "DELETE FROM notice WHERE subscriber_id = $1 OR address_hash = $2",
        "DELETE FROM address_change WHERE subscriber_id = $1 OR address_hash = $2",
        "DELETE FROM former_address WHERE subscriber_id = $1 OR address_hash = $2",
        "DELETE FROM sign_up_request WHERE address_hash = $2 AND $1 = $1",
        "DELETE FROM sign_up WHERE subscriber_id = $1 AND $2 = $2",
        "DELETE FROM reader_event WHERE subscriber_id = $1 AND $2 = $2",
        "DELETE FROM subscription WHERE subscriber_id = $1 AND $2 = $2",
    ] {
        sqlx::query(sql)
            .bind(id)
            .bind(person.hash)
            .execute(&mut *change.tx)
            .await
            .map_err(db)?;
    }
    sqlx::query("DELETE FROM address_turn WHERE mailbox_hash = $1")
        .bind(person.mailbox)
        .execute(&mut *change.tx)
        .await
        .map_err(db)?;
    let was_there = sqlx::query("DELETE FROM subscriber WHERE id = $1")
        .bind(id)
        .execute(&mut *change.tx)
        .await
        .map_err(db)?
        .rows_affected()
        > 0;
    for spelling in &spellings {
        scrub(change, spelling).await?;
        forget_messages(change, spelling).await?;
    }
    change.suppress(person.hash, Suppression::Erased).await?;
    Ok(was_there)
}

/// Deletes notices that name `address`, such as what a visitor wrote to the admins: not those of somebody
/// whose address merely ends or begins like it.
async fn forget_messages(change: &mut Change, address: &str) -> Result<()> {
    for form in forms(address) {
        let rows = sqlx::query(
            "SELECT id, lower(data), lower(COALESCE(address, '')) FROM notice
             WHERE lower(data) LIKE $1 ESCAPE '!' OR lower(address) LIKE $1 ESCAPE '!'",
        )
        .bind(pattern(&form))
        .fetch_all(&mut *change.tx)
        .await
        .map_err(db)?;
        for row in &rows {
            let texts: [String; 2] = [row.try_get(1).map_err(db)?, row.try_get(2).map_err(db)?];
            if texts.iter().any(|text| names(text, &form)) {
                sqlx::query("DELETE FROM notice WHERE id = $1")
                    .bind(row.try_get::<i64, _>(0).map_err(db)?)
                    .execute(&mut *change.tx)
                    .await
                    .map_err(db)?;
            }
        }
    }
    Ok(())
}

/// Whether `text` holds `form` as a whole: no character of an address stands before or behind it.
fn names(text: &str, form: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "!#$&*+/=?^_`{|}~-.%".contains(c);
    text.match_indices(form).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let mut behind = text.get(at + form.len()..).unwrap_or_default().chars();
        let ends = match behind.next() {
            // A full stop ends a sentence, unless the domain goes on.
            Some('.') => !behind.next().is_some_and(char::is_alphanumeric),
            next => !next.is_some_and(goes_on),
        };
        !before.is_some_and(goes_on) && ends
    })
}

/// Takes away what relays said where it holds `address`.
async fn scrub(change: &mut Change, address: &str) -> Result<()> {
    for pattern in forms(address).iter().map(|form| pattern(form)) {
        for (table, column) in TEXTS {
            let sql = format!("UPDATE {table} SET {column} = NULL WHERE lower({column}) LIKE $1 ESCAPE '!'");
            sqlx::query(AssertSqlSafe(sql))
                .bind(&pattern)
                .execute(&mut *change.tx)
                .await
                .map_err(db)?;
        }
    }
    Ok(())
}

impl Change {
    /// Notes that reader `id` gave up `address` for another one: nothing but its keyed hash stays of it, so
    /// that what is left of it outside the database can be erased with them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_up_address(&mut self, id: i64, address: &str, hash: &str) -> Result<()> {
        scrub(self, address).await?;
        sqlx::query(
            "INSERT INTO former_address (subscriber_id, address_hash, given_up)
             SELECT id, $2, $3 FROM subscriber WHERE id = $1 AND address_hash <> $2
             ON CONFLICT (subscriber_id, address_hash) DO UPDATE SET given_up = excluded.given_up",
        )
        .bind(id)
        .bind(hash)
        .bind(self.now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        // One that they came back to is none.
        sqlx::query(
            "DELETE FROM former_address WHERE subscriber_id = $1
                 AND address_hash = (SELECT address_hash FROM subscriber WHERE id = $1)",
        )
        .bind(id)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// The address of `person` in all the ways in which it is written down.
    async fn spellings(&mut self, person: &Person<'_>) -> Result<BTreeSet<String>> {
        let rows = sqlx::query(
            "SELECT address FROM subscriber WHERE id = $1
             UNION SELECT address FROM sign_up_request WHERE address_hash = $2
             UNION SELECT address FROM address_change WHERE address_hash = $2
             UNION SELECT address FROM notice WHERE address_hash = $2 AND address IS NOT NULL",
        )
        .bind(person.subscriber.unwrap_or_default())
        .bind(person.hash)
        .fetch_all(&mut *self.tx)
        .await
        .map_err(db)?;
        let mut spellings = BTreeSet::from([person.address.to_owned()]);
        for row in &rows {
            spellings.insert(row.try_get(0).map_err(db)?);
        }
        Ok(spellings)
    }

    async fn former_hashes(&mut self, id: i64) -> Result<Vec<String>> {
        let rows = sqlx::query(FORMER).bind(id).fetch_all(&mut *self.tx).await;
        rows.map_err(db)?
            .iter()
            .map(|row| row.try_get(0).map_err(db))
            .collect()
    }
}

/// The ways in which an address is written, in lower case: as it is, percent-encoded, and in JSON.
fn forms(address: &str) -> BTreeSet<String> {
    let encoded = |keep: &[u8]| {
        let mut text = String::with_capacity(address.len() * 3);
        for &byte in address.as_bytes() {
            if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02x}"));
            }
        }
        text
    };
    [
        address.to_owned(),
        address.to_ascii_lowercase(),
        encoded(b"-._~"),
        encoded(b""),
        address.replace('@', "%40"),
        // In JSON.
        address.replace('\\', "\\\\").replace('"', "\\\""),
    ]
    .into_iter()
    .map(|form| form.to_lowercase())
    .collect()
}

/// What LIKE finds a form by.
fn pattern(form: &str) -> String {
    let mut pattern = String::from("%");
    for c in form.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_a_pattern_and_no_wildcard_of_its_own() {
        let found: BTreeSet<String> = forms("Ann_B+x@readers.net")
            .iter()
            .map(|form| pattern(form))
            .collect();
        for expected in [
            "%ann!_b+x@readers.net%",
            "%ann!_b!%2bx!%40readers.net%",
            "%ann!%5fb!%2bx!%40readers!%2enet%",
            "%ann!_b+x!%40readers.net%",
        ] {
            assert!(found.contains(expected), "{expected} {found:?}");
        }
    }

    #[test]
    fn nobody_is_taken_for_somebody_whose_address_is_longer() {
        for (text, whole) in [
            ("{\"from\":\"e@readers.net\",\"text\":\"\"}", true),
            ("write to e@readers.net.", true),
            ("<e@readers.net>", true),
            ("e@readers.net", true),
            ("jane@readers.net", false),
            ("j.e@readers.net", false),
            ("e@readers.network", false),
            ("e@readers.net.example", false),
            ("jane@readers.net, e@readers.net", true),
        ] {
            assert_eq!(names(text, "e@readers.net"), whole, "{text}");
        }
    }
}
