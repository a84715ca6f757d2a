//! Many subscribers in one transaction: what is known of them, and what becomes of them.

use super::Store;
use super::dialect::{Column, Dialect};
use super::fault::db;
use super::lists::on_second_suppression;
use super::summary_row::Query;
use crate::domain::address::FullAddress;
use crate::domain::reader_event::Way;
use crate::domain::subscriber::Suppression;
use crate::domain::{Problem, Result, Timestamp};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::collections::{HashMap, HashSet};

/// A subscriber to be written; subscriptions follow with [`Import::subscribe`].
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The full address.
    pub address: FullAddress,
    /// What its spellings have in common; unique.
    pub key: FullAddress,
    /// The salted hash by which suppressions know it.
    pub hash: String,
    /// 1 when the domain can't belong to anybody.
    pub reserved: i64,
    /// The reader's name.
    pub name: Option<String>,
    /// The state word; an existing subscriber keeps its own unless [`Import::set_states`] is called.
    pub state: &'static str,
    /// Who caused the state.
    pub cause: &'static str,
    /// Chosen categories, as stored.
    pub categories: String,
    /// When the reader agreed.
    pub consent_at: Option<i64>,
    /// Where the reader agreed.
    pub consent_source: Option<String>,
    /// The state word that [`Import::set_states`] must still find; empty for new subscribers.
    pub was: &'static str,
}

/// One reader and one digest.
#[derive(Debug, Clone, Serialize)]
pub struct Subscribing {
    /// The address key of the subscriber.
    pub key: FullAddress,
    /// The digest's name.
    pub digest: String,
}

/// A running import; nothing is kept before [`Import::commit`].
#[derive(Debug)]
pub struct Import {
    pub(super) tx: Transaction<'static, Any>,
    pub(super) dialect: Dialect,
    pub(super) now: Timestamp,
}

impl Store {
    /// Begins an import.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_import(&self, now: Timestamp) -> Result<Import> {
        Ok(Import {
            tx: self.begin().await?,
            dialect: self.dialect,
            now,
        })
    }
}

impl Import {
    /// Adds new subscribers, and updates name and categories of those who are there and whose own choice no
    /// list would undo; states stay.
    /// The numbers of those who were added or changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write(&mut self, entries: &[Entry]) -> Result<Vec<i64>> {
        let sql = format!(
            "INSERT INTO subscriber (address, address_key, address_hash, reserved, name, state, cause,
                 categories, consent_at, consent_source, created, changed)
             SELECT j.address, j.key, j.hash, j.reserved, j.name, j.state, j.cause, j.categories,
                 j.consent_at, j.consent_source, $2, $2 FROM {} WHERE true
             ON CONFLICT (address_key) DO UPDATE SET name = COALESCE(excluded.name, subscriber.name),
                 categories = excluded.categories
             WHERE (COALESCE(excluded.name, subscriber.name, '') <> COALESCE(subscriber.name, '')
                     OR excluded.categories <> subscriber.categories)
                 AND (subscriber.chosen_by IS NULL OR excluded.cause <> 'import')
             RETURNING id",
            self.entries()
        );
        self.run(&sql, json(&entries)?).await
    }

    /// Gives existing subscribers the state, cause and consent that their entries say, unless a reader
    /// or a server changed the state in the meantime. Which changes are allowed is the caller's to decide.
    /// The numbers of those who were changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_states(&mut self, entries: &[Entry]) -> Result<Vec<i64>> {
        let sql = format!(
            "UPDATE subscriber SET state = j.state, cause = j.cause, changed = $2, paused_until = NULL,
                 consent_at = COALESCE(j.consent_at, subscriber.consent_at),
                 consent_source = COALESCE(j.consent_source, subscriber.consent_source)
             FROM {} WHERE subscriber.address_key = j.key AND subscriber.state = j.was
             RETURNING subscriber.id",
            self.entries()
        );
        self.run(&sql, json(&entries)?).await
    }

    /// Adds subscriptions; one that a reader ended stays ended. The numbers of those who got one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn subscribe(&mut self, rows: &[Subscribing]) -> Result<Vec<i64>> {
        let sql = format!(
            "INSERT INTO subscription (subscriber_id, digest, active, created, changed)
             SELECT s.id, j.digest, 1, $2, $2 FROM {} JOIN subscriber s ON s.address_key = j.key WHERE true
             ON CONFLICT (subscriber_id, digest) DO UPDATE SET active = 1, changed = excluded.changed
             WHERE subscription.active = 0 AND COALESCE(subscription.ended_by, '') <> 'reader'
             RETURNING subscriber_id",
            self.subscribings()
        );
        self.run(&sql, json(&rows)?).await
    }

    /// Ends the subscriptions that the list does not name any more, without touching what readers ended;
    /// who has none of the named ones, because they left those, keeps the others.
    /// The numbers of those who lost one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_others(&mut self, rows: &[Subscribing]) -> Result<Vec<i64>> {
        let mut named: HashMap<&str, HashSet<&str>> = HashMap::new();
        for row in rows {
            named.entry(row.key.as_str()).or_default().insert(&row.digest);
        }
        // Told apart here: in SQL it is a NOT IN of two lists, for which PostgreSQL takes seconds.
        let mut has: HashMap<i64, (bool, Vec<String>)> = HashMap::new();
        for row in self.active(&named).await? {
            let key: String = row.try_get(0).map_err(db)?;
            let id: i64 = row.try_get(1).map_err(db)?;
            let digest: String = row.try_get(2).map_err(db)?;
            let (keeps, others) = has.entry(id).or_default();
            if named
                .get(key.as_str())
                .is_some_and(|named| named.contains(digest.as_str()))
            {
                *keeps = true;
            } else {
                others.push(digest);
            }
        }
        let ends: Vec<_> = has
            .iter()
            .filter(|(_, (keeps, _))| *keeps)
            .flat_map(|(id, (_, others))| others.iter().map(move |digest| (id, digest)))
            .map(|(id, digest)| serde_json::json!({"id": id, "digest": digest}))
            .collect();
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        // A reader may have ended one since it was read above: that word stays theirs.
        let sql = format!(
            "UPDATE subscription SET active = 0, ended_by = 'import', changed = $2 FROM {}
             WHERE subscription.subscriber_id = j.id AND subscription.digest = j.digest
                 AND subscription.active = 1
             RETURNING subscription.subscriber_id",
            self.dialect
                .rows(&[("id", Column::Number), ("digest", Column::Text)])
        );
        self.run(&sql, json(&ends)?).await
    }

    /// Address key, number and digest of every active subscription of the named.
    async fn active(&mut self, named: &HashMap<&str, HashSet<&str>>) -> Result<Vec<AnyRow>> {
        let keys: Vec<_> = named.keys().map(|key| serde_json::json!({"k": key})).collect();
        let sql = format!(
            "SELECT j.k, s.id, p.digest FROM {} JOIN subscriber s ON s.address_key = j.k
             JOIN subscription p ON p.subscriber_id = s.id WHERE p.active = 1",
            self.dialect.rows(&[("k", Column::Text)])
        );
        sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .bind(json(&keys)?)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(db)
    }

    /// Ends every subscription of the subscribers with these address keys.
    /// The numbers of those who lost one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_all(&mut self, keys: &[String]) -> Result<Vec<i64>> {
        let rows: Vec<_> = keys.iter().map(|key| serde_json::json!({"k": key})).collect();
        let sql = format!(
            "UPDATE subscription SET active = 0, ended_by = 'import', changed = $2
             WHERE active = 1
                 AND subscriber_id IN (SELECT s.id FROM {} JOIN subscriber s ON s.address_key = j.k)
             RETURNING subscriber_id",
            self.dialect.rows(&[("k", Column::Text)])
        );
        self.run(&sql, json(&rows)?).await
    }

    /// The digests that the subscriber with the address key `key` receives, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn digests_of(&mut self, key: &str) -> Result<Vec<String>> {
        sqlx::query(
            "SELECT p.digest FROM subscription p JOIN subscriber s ON s.id = p.subscriber_id
             WHERE s.address_key = $1 AND p.active = 1 ORDER BY p.digest",
        )
        .bind(key)
        .fetch_all(&mut *self.tx)
        .await
        .map_err(db)?
        .iter()
        .map(|row| row.try_get(0).map_err(db))
        .collect()
    }

    /// Records that each of these subscribers has come into the state of its entry, by `way`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&mut self, entries: &[Entry], way: Way) -> Result<()> {
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| {
                serde_json::json!({"k": entry.key, "what": entry.state, "detail": entry.consent_source})
            })
            .collect();
        let sql = format!(
            "INSERT INTO reader_event (subscriber_id, at, what, way, detail)
             SELECT s.id, $2, j.what, '{}', j.detail FROM {} JOIN subscriber s ON s.address_key = j.k",
            way.as_str(),
            self.dialect
                .rows(&["k", "what", "detail"].map(|name| (name, Column::Text)))
        );
        self.query(&sql, json(&rows)?)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Keeps addresses from being mailed; a harder reason replaces a softer one. Pairs of hash and reason.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn suppress(&mut self, rows: &[(String, Suppression)]) -> Result<()> {
        let rows: Vec<_> = rows
            .iter()
            .map(|(hash, reason)| serde_json::json!({"h": hash, "reason": reason.as_str()}))
            .collect();
        let sql = format!(
            "INSERT INTO suppression (address_hash, reason, created)
             SELECT j.h, j.reason, $2 FROM {} WHERE true {}",
            self.dialect
                .rows(&[("h", Column::Text), ("reason", Column::Text)]),
            on_second_suppression()
        );
        self.query(&sql, json(&rows)?)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Keeps everything.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then.
    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await.map_err(db)
    }

    /// Keeps nothing.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then either.
    pub async fn abandon(self) -> Result<()> {
        self.tx.rollback().await.map_err(db)
    }

    async fn run(&mut self, sql: &str, rows: String) -> Result<Vec<i64>> {
        self.query(sql, rows)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(db)?
            .iter()
            .map(|row| row.try_get(0).map_err(db))
            .collect()
    }

    /// Planned anew for each group of rows: PostgreSQL would keep the plan it made while the table was small.
    fn query<'q>(&self, sql: &str, rows: String) -> Query<'q> {
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .persistent(false)
            .bind(rows)
            .bind(self.now.0)
    }

    fn subscribings(&self) -> String {
        self.dialect
            .rows(&[("key", Column::Text), ("digest", Column::Text)])
    }

    fn entries(&self) -> String {
        self.dialect.rows(&[
            ("address", Column::Text),
            ("key", Column::Text),
            ("hash", Column::Text),
            ("reserved", Column::Number),
            ("name", Column::Text),
            ("state", Column::Text),
            ("cause", Column::Text),
            ("categories", Column::Text),
            ("consent_at", Column::Number),
            ("consent_source", Column::Text),
            ("was", Column::Text),
        ])
    }
}

pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Problem::failed("rows can't be written").because(error))
}
