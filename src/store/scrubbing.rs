//! Texts that are not ours and may name an address: what relays said, and messages to the admins. They are
//! looked through by reading alone, a piece at a time, and what is found is changed by its key: nobody who
//! delivers waits for the look.

use super::Store;
use super::fault::db;
use super::mentions::Mention;
use super::spellings::Spellings;
use crate::domain::Result;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

/// Rows that one statement looks at: some milliseconds, after which the connection is free for others.
const PIECE: i64 = 20_000;

/// A look through everything that may name a person, one table after the other.
#[derive(Debug)]
pub struct Look<'a> {
    store: &'a Store,
    spellings: &'a Spellings,
    next: Next,
}

/// Where the look goes on.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// Behind this edition and subscriber.
    Deliveries(i64, i64),
    /// Behind this number.
    Notices(i64),
    Editions,
    Relays,
    Nowhere,
}

impl Store {
    /// Begins a look for `spellings`.
    pub fn look_for<'a>(&'a self, spellings: &'a Spellings) -> Look<'a> {
        Look {
            store: self,
            spellings,
            next: Next::Deliveries(i64::MIN, i64::MIN),
        }
    }

    /// Takes away what was found; what has changed since then is left as it is. Each row by itself: whoever
    /// delivers gets the database in between.
    ///
    /// # Errors
    /// When the database does not answer; what was taken away by then stays so.
    pub async fn take_away(&self, found: &[Mention]) -> Result<()> {
        for mention in found {
            mention.take_away(&self.pool).await?;
        }
        Ok(())
    }

    /// Looks once through everything and takes away what names the person; how often something did.
    ///
    /// # Errors
    /// As [`Store::take_away`].
    pub async fn scrub(&self, spellings: &Spellings) -> Result<usize> {
        // One at a time: several would have the connections that delivery needs.
        let _turn = self.looking.lock().await;
        let (mut look, mut all) = (self.look_for(spellings), 0);
        while let Some(found) = look.next_piece().await? {
            self.take_away(&found).await?;
            all += found.len();
        }
        Ok(all)
    }
}

impl Look<'_> {
    /// What the next piece holds; `None` after the last one. Nothing is held between two pieces.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_piece(&mut self) -> Result<Option<Vec<Mention>>> {
        let found = match self.next {
            Next::Deliveries(edition, subscriber) => self.deliveries(edition, subscriber).await?,
            Next::Notices(id) => self.notices(id).await?,
            Next::Editions => self.editions().await?,
            Next::Relays => self.relays().await?,
            Next::Nowhere => return Ok(None),
        };
        Ok(Some(found))
    }

    async fn deliveries(&mut self, edition: i64, subscriber: i64) -> Result<Vec<Mention>> {
        let end = sqlx::query(
            "SELECT edition_id, subscriber_id FROM delivery WHERE (edition_id, subscriber_id) > ($1, $2)
             ORDER BY edition_id, subscriber_id LIMIT 1 OFFSET $3",
        )
        .bind(edition)
        .bind(subscriber)
        .bind(PIECE)
        .fetch_optional(&self.store.pool)
        .await
        .map_err(db)?;
        let end: Option<(i64, i64)> = match end {
            Some(row) => Some((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?)),
            None => None,
        };
        let last = end.unwrap_or((i64::MAX, i64::MAX));
        let sql = format!(
            "SELECT edition_id, subscriber_id, text FROM delivery
             WHERE (edition_id, subscriber_id) > ($1, $2) AND (edition_id, subscriber_id) <= ($3, $4)
                 AND ({})",
            self.spellings.like(&["text"], 5)
        );
        let rows = self.rows(sql, &[edition, subscriber, last.0, last.1]).await?;
        self.next = end.map_or(Next::Notices(i64::MIN), |(edition, subscriber)| {
            Next::Deliveries(edition, subscriber)
        });
        self.found(&rows, |row| {
            Ok(Some(Mention::Delivery {
                edition: row.try_get(0)?,
                subscriber: row.try_get(1)?,
                text: row.try_get(2)?,
            }))
        })
    }

    async fn notices(&mut self, after: i64) -> Result<Vec<Mention>> {
        let end = sqlx::query("SELECT id FROM notice WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2")
            .bind(after)
            .bind(PIECE)
            .fetch_optional(&self.store.pool)
            .await
            .map_err(db)?;
        let end: Option<i64> = end.map(|row| row.try_get(0).map_err(db)).transpose()?;
        let sql = format!(
            "SELECT id, text, data, address FROM notice WHERE id > $1 AND id <= $2 AND ({})",
            self.spellings.like(&["text", "data", "address"], 3)
        );
        let rows = self.rows(sql, &[after, end.unwrap_or(i64::MAX)]).await?;
        self.next = end.map_or(Next::Editions, Next::Notices);
        let spellings = self.spellings;
        self.found(&rows, |row| {
            let id = row.try_get(0)?;
            let data: String = row.try_get(2)?;
            let address: Option<String> = row.try_get(3)?;
            if spellings.are_meant_by(&data) || address.is_some_and(|text| spellings.are_meant_by(&text)) {
                return Ok(Some(Mention::Message { id }));
            }
            let text: Option<String> = row.try_get(1)?;
            Ok(text.map(|text| Mention::Notice { id, text }))
        })
    }

    async fn editions(&mut self) -> Result<Vec<Mention>> {
        let like = self.spellings.like(&["trouble"], 1);
        let sql = format!("SELECT id, trouble FROM edition WHERE {like}");
        let rows = self.rows(sql, &[]).await?;
        self.next = Next::Relays;
        self.found(&rows, |row| {
            Ok(Some(Mention::Edition {
                id: row.try_get(0)?,
                text: row.try_get(1)?,
            }))
        })
    }

    async fn relays(&mut self) -> Result<Vec<Mention>> {
        let like = self.spellings.like(&["why"], 1);
        let sql = format!("SELECT relay, node, why FROM relay_state WHERE {like}");
        let rows = self.rows(sql, &[]).await?;
        self.next = Next::Nowhere;
        self.found(&rows, |row| {
            Ok(Some(Mention::Relay {
                relay: row.try_get(0)?,
                node: row.try_get(1)?,
                text: row.try_get(2)?,
            }))
        })
    }

    /// The rows of `sql`, to which `keys` are bound and behind them the patterns.
    async fn rows(&self, sql: String, keys: &[i64]) -> Result<Vec<AnyRow>> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for key in keys {
            query = query.bind(*key);
        }
        for pattern in self.spellings.patterns() {
            query = query.bind(pattern);
        }
        query.fetch_all(&self.store.pool).await.map_err(db)
    }

    /// Those of the rows that hold a spelling to the letter: a pattern finds too much.
    fn found(
        &self,
        rows: &[AnyRow],
        read: impl Fn(&AnyRow) -> sqlx::Result<Option<Mention>>,
    ) -> Result<Vec<Mention>> {
        let mut found = Vec::new();
        for row in rows {
            let mention = read(row).map_err(db)?;
            found.extend(mention.filter(|mention| mention.is_sure(self.spellings)));
        }
        Ok(found)
    }
}
