//! Erasing a person: every row about them, and every trace of the address in what relays said. What stays is
//! the salted hash that keeps lists from bringing them back.

use super::Store;
use super::changes::Change;
use super::fault::db;
use super::spellings::Spellings;
use super::unconfirmed;
use crate::domain::subscriber::Suppression;
use crate::domain::{Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor, Row};
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

/// How often the transaction is begun when it meets others.
const TRIES: u32 = 5;

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
        texts(&rows.map_err(db)?)
    }

    /// Erases `person`; whether there was a subscriber. Doing it again changes nothing. A sweep of the files is
    /// due afterwards.
    ///
    /// What names the address without being the person's is looked for before and after the transaction that
    /// others wait for: before, so that a crash leaves nothing behind that only this call knows of; after,
    /// since others may have written meanwhile. What relays said of the person's own deliveries goes within.
    ///
    /// # Errors
    /// When the database does not answer. What was erased by then stays so; the same call can be made again.
    pub async fn erase_person(&self, person: &Person<'_>, now: Timestamp) -> Result<bool> {
        let mut addresses = spellings(&self.pool, person).await?;
        self.scrub(&Spellings::of_person(&addresses)).await?;
        let mut tries = 1;
        let was_there = loop {
            match self.erase_rows(person, &mut addresses, now).await {
                // Others lock in another order where they must.
                Err(problem) if problem.is_passing() && tries < TRIES => tries += 1,
                erased => break erased?,
            }
        };
        let late = self.scrub(&Spellings::of_person(&addresses)).await?;
        if late > 0 {
            // One may have begun in between.
            self.ask_for_sweep(now).await?;
        }
        Ok(was_there)
    }

    /// The transaction that others wait for; `addresses` are added to.
    async fn erase_rows(
        &self,
        person: &Person<'_>,
        addresses: &mut BTreeSet<String>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut change = self.begin_change(now).await?;
        // Whoever is deciding about a sign-up of this address is waited for.
        change.take_turn(person.mailbox).await?;
        let found = change.whom_to_erase(person).await?;
        let person = Person {
            subscriber: found.as_ref().map(|(id, _)| *id),
            ..*person
        };
        addresses.append(&mut spellings(&mut *change.tx, &person).await?);
        let was_there = erase(&mut change, &person).await?;
        if let Some((_, hash)) = found {
            change.suppress(&hash, Suppression::Erased).await?;
        }
        change.ask_for_sweep().await?;
        change.commit().await?;
        Ok(was_there)
    }
}

async fn erase(change: &mut Change, person: &Person<'_>) -> Result<bool> {
    let id = person.subscriber.unwrap_or_default();
    for hash in change.former_hashes(id).await? {
        change.suppress(&hash, Suppression::Erased).await?;
    }
    change.keep_mails_to_others(id, person.hash).await?;
    change.drop_requests(person.hash).await?;
    for sql in [
        // An excluded one has our own word for the reason there, by which it is counted.
        "UPDATE delivery SET text = NULL WHERE subscriber_id = $1 AND state <> 'excluded'
             AND text IS NOT NULL AND $2 = $2",
        "DELETE FROM notice WHERE subscriber_id = $1 OR address_hash = $2",
        "DELETE FROM address_change WHERE subscriber_id = $1 OR address_hash = $2",
        "DELETE FROM former_address WHERE subscriber_id = $1 OR address_hash = $2",
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
    change.suppress(person.hash, Suppression::Erased).await?;
    Ok(was_there)
}

/// The address of `person` in all the ways in which it is written down.
async fn spellings<'c>(
    database: impl Executor<'c, Database = Any>,
    person: &Person<'_>,
) -> Result<BTreeSet<String>> {
    let rows = sqlx::query(
        "SELECT address FROM subscriber WHERE id = $1
         UNION SELECT address FROM sign_up_request WHERE address_hash = $2
         UNION SELECT address FROM address_change WHERE address_hash = $2
         UNION SELECT address FROM notice WHERE address_hash = $2 AND address IS NOT NULL",
    )
    .bind(person.subscriber.unwrap_or_default())
    .bind(person.hash)
    .fetch_all(database)
    .await
    .map_err(db)?;
    let mut spellings: BTreeSet<String> = texts(&rows)?;
    spellings.insert(person.address.to_owned());
    Ok(spellings)
}

/// The first column of each row.
fn texts<C: FromIterator<String>>(rows: &[AnyRow]) -> Result<C> {
    rows.iter().map(|row| row.try_get(0).map_err(db)).collect()
}

impl Change {
    /// Notes that reader `id` gave up `address` for another one: nothing but its keyed hash stays of it, so
    /// that what is left of it outside the database can be erased with them. Of what relays said, that of the
    /// reader's own deliveries goes here; the rest is [`Store::scrub`]'s.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_up_address(&mut self, id: i64, address: &str, hash: &str) -> Result<()> {
        let spellings = Spellings::given_up(address);
        let mut own = sqlx::query(AssertSqlSafe(format!(
            "UPDATE delivery SET text = NULL
             WHERE subscriber_id = $1 AND state <> 'excluded' AND ({})",
            spellings.like(&["text"], 2)
        )))
        .bind(id);
        for pattern in spellings.patterns() {
            own = own.bind(pattern);
        }
        own.execute(&mut *self.tx).await.map_err(db)?;
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

    /// Number and hash of the address of the subscriber to erase as they stand now: they may have signed up, or
    /// moved, since `person` was looked for. Nobody changes them until this change ends.
    async fn whom_to_erase(&mut self, person: &Person<'_>) -> Result<Option<(i64, String)>> {
        let sql = match person.subscriber {
            Some(_) => {
                "UPDATE subscriber SET state = state WHERE id = $1 AND $2 = $2 RETURNING id, address_hash"
            }
            None => {
                "UPDATE subscriber SET state = state WHERE address_hash = $2 AND $1 = $1 RETURNING id, address_hash"
            }
        };
        let row = sqlx::query(sql)
            .bind(person.subscriber.unwrap_or_default())
            .bind(person.hash)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        row.map(|row| Ok((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?)))
            .transpose()
    }

    /// That mails went to addresses which reader `id` asked for, and never had, stays known without the reader:
    /// it limits what strangers are sent, and lets them say "never write again".
    async fn keep_mails_to_others(&mut self, id: i64, hash: &str) -> Result<()> {
        let others = "subscriber_id = $1 AND kind = 'new_address' AND address_hash <> $3
            AND address_hash NOT IN (SELECT f.address_hash FROM former_address f WHERE f.subscriber_id = $1)";
        sqlx::query(AssertSqlSafe(unconfirmed::without_reader(others)))
            .bind(id)
            .bind(self.now.0)
            .bind(hash)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    async fn former_hashes(&mut self, id: i64) -> Result<Vec<String>> {
        let rows = sqlx::query(FORMER).bind(id).fetch_all(&mut *self.tx).await;
        texts(&rows.map_err(db)?)
    }
}
