//! Sign-ups: what was written down by the form, and what confirmation mails offer.

use super::Store;
use super::changes::Change;
use super::fault::db;
use super::import::Import;
use super::summary_row::unreadable;
use crate::domain::address::FullAddress;
use crate::domain::reader_event::Way;
use crate::domain::subscriber::Choice;
use crate::domain::{Result, Slug, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor, Row};

/// What somebody asks for, before anybody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// To receive digests.
    SignUp,
    /// The link to the choices.
    LostLink,
    /// That a reader's mails come to this address.
    NewAddress,
}

impl RequestKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::LostLink => "lost_link",
            Self::NewAddress => "new_address",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::SignUp, Self::LostLink, Self::NewAddress]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What a sign-up asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The reader's name.
    pub name: Option<String>,
    /// The digests.
    pub digests: Vec<Slug>,
    /// The categories.
    pub categories: Choice,
    /// Whether mails are to come as text only.
    pub text_only: bool,
    /// The sentence agreed to.
    pub wording: String,
    /// The form or the API.
    pub way: Way,
}

/// A request on the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRequest {
    /// The address as it was typed.
    pub address: FullAddress,
    /// Its salted hash.
    pub address_hash: String,
    /// The salted hash of its mailbox.
    pub mailbox_hash: String,
    /// What is asked for.
    pub kind: RequestKind,
    /// Who asks for another address; none for what anybody can ask for.
    pub subscriber: Option<i64>,
    /// What would be begun.
    pub wish: Wish,
    /// The hash of the client's network; empty where it is known who asks.
    pub network: String,
}

/// What a confirmation mail offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    /// The subscriber's number.
    pub subscriber: i64,
    /// What it begins.
    pub wish: Wish,
    /// When it was asked for.
    pub created: Timestamp,
    /// When the link ends.
    pub expires: Timestamp,
    /// When it was taken up, if it was.
    pub confirmed: Option<Timestamp>,
}

/// A subscriber to be.
#[derive(Debug)]
pub struct NewPending<'a> {
    /// The full address.
    pub address: &'a str,
    /// What its spellings have in common.
    pub key: &'a str,
    /// The salted hash of the key.
    pub hash: &'a str,
    /// Whether the domain can't belong to anybody.
    pub reserved: bool,
}

const WISH: &str = "name, digests, categories, text_only, wording, way";

impl Store {
    /// Puts a request at the end of the queue.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_request(&self, request: &QueuedRequest, now: Timestamp) -> Result<()> {
        queue(&self.pool, request, now).await
    }

    /// Whether a request waits on the queue. Takes no lock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_requests(&self) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM sign_up_request LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// What the confirmation mail `id` offers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_up(&self, id: i64) -> Result<Option<SignUp>> {
        let row = sqlx::query(AssertSqlSafe(select_sign_up()))
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.as_ref().map(read_sign_up).transpose()
    }
}

impl Import {
    /// [`Store::queue_request`] as part of this import.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_request(&mut self, request: &QueuedRequest) -> Result<()> {
        queue(&mut *self.tx, request, self.now).await
    }
}

async fn queue<'c>(
    database: impl Executor<'c, Database = Any>,
    request: &QueuedRequest,
    now: Timestamp,
) -> Result<()> {
    let wish = &request.wish;
    sqlx::query(
        "INSERT INTO sign_up_request (address, address_hash, kind, name, digests, categories, text_only,
             wording, way, network, created, mailbox_hash, subscriber_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(request.address.as_str())
    .bind(&request.address_hash)
    .bind(request.kind.as_str())
    .bind(wish.name.as_deref())
    .bind(joined(&wish.digests))
    .bind(wish.categories.to_string())
    .bind(i64::from(wish.text_only))
    .bind(&wish.wording)
    .bind(wish.way.as_str())
    .bind(&request.network)
    .bind(now.0)
    .bind(&request.mailbox_hash)
    .bind(request.subscriber)
    .execute(database)
    .await
    .map_err(db)?;
    Ok(())
}

impl Change {
    /// Takes the oldest request off the queue that nobody else is at; it is back there if this change is
    /// not kept. One that can't be read is off the queue all the same, with what is wrong with it instead.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_request(&mut self) -> Result<Option<Result<QueuedRequest>>> {
        let sql = format!(
            // `=` and not `IN`: PostgreSQL may run a sub-select of `IN` more than once.
            "DELETE FROM sign_up_request WHERE id =
                 (SELECT id FROM sign_up_request ORDER BY id LIMIT 1 {})
             RETURNING {WISH}, address, address_hash, kind, network, mailbox_hash, subscriber_id",
            self.dialect.skip_locked()
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(row.as_ref().map(read_request))
    }

    /// Takes the other requests about an address off the queue that nobody else is at; how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drop_requests(&mut self, address_hash: &str) -> Result<u64> {
        self.drop_requests_where("address_hash", address_hash).await
    }

    /// [`Change::drop_requests`] about all addresses of a mailbox.
    ///
    /// # Errors
    /// As there.
    pub async fn drop_requests_of_mailbox(&mut self, mailbox_hash: &str) -> Result<u64> {
        self.drop_requests_where("mailbox_hash", mailbox_hash).await
    }

    async fn drop_requests_where(&mut self, column: &str, hash: &str) -> Result<u64> {
        let sql = format!(
            "DELETE FROM sign_up_request WHERE id IN
                 (SELECT id FROM sign_up_request WHERE {column} = $1 {})",
            self.dialect.skip_locked()
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(hash)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(done.rows_affected())
    }

    /// Adds a pending subscriber, unless the address has one; whether it was added.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_pending(&mut self, new: &NewPending<'_>) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO subscriber (address, address_key, address_hash, reserved, state, cause, created, changed)
             VALUES ($1, $2, $3, $4, 'pending', 'reader', $5, $5) ON CONFLICT (address_key) DO NOTHING",
        )
        .bind(new.address)
        .bind(new.key)
        .bind(new.hash)
        .bind(i64::from(new.reserved))
        .bind(self.now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps what a confirmation mail to `subscriber` offers until `expires`; its number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_sign_up(&mut self, subscriber: i64, wish: &Wish, expires: Timestamp) -> Result<i64> {
        let row = sqlx::query(
            "INSERT INTO sign_up (subscriber_id, name, digests, categories, text_only, wording, way, created,
                 expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        )
        .bind(subscriber)
        .bind(wish.name.as_deref())
        .bind(joined(&wish.digests))
        .bind(wish.categories.to_string())
        .bind(i64::from(wish.text_only))
        .bind(&wish.wording)
        .bind(wish.way.as_str())
        .bind(self.now.0)
        .bind(expires.0)
        .fetch_one(&mut *self.tx)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// [`Store::sign_up`] as part of this change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_up(&mut self, id: i64) -> Result<Option<SignUp>> {
        let row = sqlx::query(AssertSqlSafe(select_sign_up()))
            .bind(id)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        row.as_ref().map(read_sign_up).transpose()
    }

    /// Notes that the sign-ups of `subscriber` were taken up: who confirmed one needs no other.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn close_sign_ups(&mut self, subscriber: i64) -> Result<()> {
        sqlx::query("UPDATE sign_up SET confirmed = $2 WHERE subscriber_id = $1 AND confirmed IS NULL")
            .bind(subscriber)
            .bind(self.now.0)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Ends the links of all confirmation mails about `subscriber`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drop_sign_ups(&mut self, subscriber: i64) -> Result<()> {
        sqlx::query("DELETE FROM sign_up WHERE subscriber_id = $1")
            .bind(subscriber)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }
}

fn select_sign_up() -> String {
    format!("SELECT {WISH}, subscriber_id, created, expires, confirmed FROM sign_up WHERE id = $1")
}

fn read_sign_up(row: &AnyRow) -> Result<SignUp> {
    Ok(SignUp {
        wish: read_wish(row)?,
        subscriber: row.try_get(6).map_err(db)?,
        created: Timestamp(row.try_get(7).map_err(db)?),
        expires: Timestamp(row.try_get(8).map_err(db)?),
        confirmed: row.try_get::<Option<i64>, _>(9).map_err(db)?.map(Timestamp),
    })
}

fn read_request(row: &AnyRow) -> Result<QueuedRequest> {
    let kind: String = row.try_get(8).map_err(db)?;
    Ok(QueuedRequest {
        wish: read_wish(row)?,
        address: row.try_get::<String, _>(6).map_err(db)?.into(),
        address_hash: row.try_get(7).map_err(db)?,
        mailbox_hash: row.try_get(10).map_err(db)?,
        kind: RequestKind::parse(&kind).ok_or_else(|| unreadable("kind", &kind))?,
        subscriber: row.try_get(11).map_err(db)?,
        network: row.try_get(9).map_err(db)?,
    })
}

/// Reads the columns [`WISH`].
fn read_wish(row: &AnyRow) -> Result<Wish> {
    let digests: String = row.try_get(1).map_err(db)?;
    let way: String = row.try_get(5).map_err(db)?;
    Ok(Wish {
        name: row.try_get(0).map_err(db)?,
        digests: digests
            .split(';')
            .filter(|digest| !digest.is_empty())
            .map(Slug::parse)
            .collect::<Result<_>>()?,
        categories: Choice::parse(&row.try_get::<String, _>(2).map_err(db)?)?,
        text_only: row.try_get::<i64, _>(3).map_err(db)? != 0,
        wording: row.try_get(4).map_err(db)?,
        way: Way::parse(&way).ok_or_else(|| unreadable("way", &way))?,
    })
}

fn joined(digests: &[Slug]) -> String {
    digests.iter().map(Slug::as_str).collect::<Vec<_>>().join(";")
}
