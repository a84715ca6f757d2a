//! The only SQL. One text for SQLite and PostgreSQL; what differs is in `dialect`.

mod account;
pub mod address_changes;
pub mod admin_sessions;
pub mod arrivals;
pub mod audience;
pub mod backlog;
pub mod bounces;
pub mod changes;
mod dialect;
mod drafts;
pub mod editions;
mod endings;
pub mod erasure;
mod fault;
mod feeds;
mod fetch;
mod file_system;
mod forecast;
pub mod import;
pub mod interventions;
pub mod lease;
pub mod ledger;
pub mod listings;
mod lists;
mod mailboxes;
pub mod mentions;
mod migrate;
mod network_uses;
pub mod notice_ledger;
pub mod notice_outcomes;
pub mod notices;
mod outcomes;
pub mod oversight;
pub mod owner;
mod private_file;
pub mod pruning;
pub mod rates;
mod reader_data;
pub mod reader_events;
pub mod reader_upkeep;
pub mod refusals;
pub mod relay_states;
mod removals;
pub mod schedule;
pub mod scrubbing;
pub mod sign_ups;
pub mod spellings;
pub mod standings;
pub mod subscribers;
pub mod summaries;
mod summary_row;
pub mod sweeping;
mod tokens;
pub mod unconfirmed;
mod votes;

use crate::domain::{Problem, Result};
use dialect::Dialect;
use fault::db;
pub use outcomes::Clerk;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor, Transaction};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection that is asked whether it is alive may take.
const PING_TIME: Duration = Duration::from_secs(5);
/// After this long in the pool a connection is asked.
const RESTED: Duration = Duration::from_secs(1);

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The most connections at a time.
    pub connections: u32,
    /// How long to wait for a connection, or for another process's lock on SQLite.
    pub patience: Duration,
    /// How many pages of 4 KiB a SQLite file may grow to; beyond that the disk counts as full.
    pub most_pages: Option<u32>,
}

impl Opening {
    /// What every command uses: half a minute of patience, and the whole disk.
    pub fn with(connections: u32) -> Self {
        Self {
            connections,
            patience: Duration::from_secs(30),
            most_pages: None,
        }
    }
}

/// An open database whose schema is up to date.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    /// Held by the one look for an address that is under way.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens the database at `url`, makes it when missing (SQLite), and migrates it.
    ///
    /// # Errors
    /// When it can't be reached or written, or is newer than this program.
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        Self::open_with(url, Opening::with(connections)).await
    }

    /// [`Store::open`] with a say in every limit.
    ///
    /// # Errors
    /// As there.
    pub async fn open_with(url: &str, opening: Opening) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let address = match dialect {
            Dialect::Sqlite => {
                let path = dialect::sqlite_path(url);
                private_file::make(&path)?;
                dialect::sqlite_url(&path)
            }
            Dialect::Postgres => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&address)
            .map_err(|error| Problem::configuration("the database URL can't be read").because(error))?
            // The driver would log the text of every statement that takes a second.
            .disable_statement_logging();
        let trouble = |error| db(error).hint("check `[database] url`, and that the database can be reached");
        // The pool tries again until its patience ends and then says nothing of the reason.
        let mut first = options.connect().await.map_err(trouble)?;
        prepare(&mut first, dialect, opening).await.map_err(db)?;
        first.close().await.map_err(trouble)?;
        let pool = AnyPoolOptions::new()
            .max_connections(opening.connections)
            .acquire_timeout(opening.patience)
            // Pinged when it was given back; a rest is time enough for a server to go away.
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for > RESTED {
                        answers(connection).await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect, opening)))
            .after_release(move |connection, _| Box::pin(is_at_rest(connection, dialect)))
            .connect_with(options)
            .await
            .map_err(trouble)?;
        let store = Self {
            pool,
            dialect,
            looking: Arc::default(),
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Closes every connection; on SQLite this also folds the write-ahead log back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Answers when the database does.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.pool.execute("SELECT 1").await.map_err(db)?;
        Ok(())
    }

    /// A transaction that will write.
    async fn begin(&self) -> Result<Transaction<'static, Any>> {
        self.pool.begin_with(self.dialect.begin()).await.map_err(db)
    }

    /// A transaction that will write, and sees nothing of what others write meanwhile.
    async fn begin_snapshot(&self) -> Result<Transaction<'static, Any>> {
        let begin = self.dialect.begin_snapshot();
        self.pool.begin_with(begin).await.map_err(db)
    }
}

/// Sets what SQLite needs for several processes: a write-ahead log, patience, and foreign keys.
async fn prepare(connection: &mut AnyConnection, dialect: Dialect, opening: Opening) -> sqlx::Result<()> {
    if dialect == Dialect::Sqlite {
        let patience = format!("PRAGMA busy_timeout = {}", opening.patience.as_millis());
        connection.execute(AssertSqlSafe(patience)).await?;
        // Switching a fresh file to WAL does not wait for the other process that does the same.
        let mut tries = 0;
        while let Err(error) = connection.execute("PRAGMA journal_mode = WAL").await {
            tries += 1;
            if tries > 200 || !fault::is_locked(&error) {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        connection.execute("PRAGMA synchronous = NORMAL").await?;
        connection.execute("PRAGMA foreign_keys = ON").await?;
        // Kibibytes. What a query walks through is read once; more would only fill memory.
        connection.execute("PRAGMA cache_size = -1024").await?;
        // Pages. A page that is written again and again goes into the file once.
        connection.execute("PRAGMA wal_autocheckpoint = 4000").await?;
        // Bytes, for all connections together: beyond it pages are used again before further ones are asked for.
        connection.execute("PRAGMA soft_heap_limit = 6291456").await?;
        // What is deleted is overwritten, also what readers leave behind day by day.
        connection.execute("PRAGMA secure_delete = ON").await?;
        if let Some(pages) = opening.most_pages {
            let limit = format!("PRAGMA max_page_count = {pages}");
            connection.execute(AssertSqlSafe(limit)).await?;
        }
    }
    Ok(())
}

/// Whether a connection can be used again. On a full disk SQLite rolls a transaction back by itself;
/// the driver then believes for ever that the connection is in one.
async fn is_at_rest(connection: &mut AnyConnection, dialect: Dialect) -> sqlx::Result<bool> {
    if dialect == Dialect::Postgres {
        // One that was cut off silently is closed here; the pool's own ping would wait for ever.
        answers(connection).await?;
        return Ok(true);
    }
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A rollback may be on its way; the answer to this comes behind it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Fails when `connection` does not answer soon, as when the way to the server is cut.
async fn answers(connection: &mut AnyConnection) -> sqlx::Result<()> {
    let silent = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(PING_TIME, connection.ping())
        .await
        .map_err(silent)?
}
