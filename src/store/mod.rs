//! The only SQL. One text for SQLite and PostgreSQL; what differs is in `dialect`.

pub mod audience;
mod dialect;
pub mod editions;
mod fault;
mod feeds;
mod fetch;
pub mod import;
pub mod lease;
pub mod ledger;
mod lists;
mod migrate;
pub mod owner;
pub mod schedule;
pub mod subscribers;
pub mod summaries;
mod summary_row;
mod tokens;

use crate::domain::{Problem, Result};
use dialect::Dialect;
use fault::db;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Executor, Transaction};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// How long a process waits for a lock of SQLite.
const BUSY: Duration = Duration::from_secs(30);

/// An open database whose schema is up to date.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
}

impl Store {
    /// Opens the database at `url`, makes it when missing (SQLite), and migrates it.
    ///
    /// # Errors
    /// When it can't be reached or written, or is newer than this program.
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let address = match dialect {
            Dialect::Sqlite => {
                let path = dialect::sqlite_path(url);
                make_private_file(&path)?;
                dialect::sqlite_url(&path)
            }
            Dialect::Postgres => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&address)
            .map_err(|error| Problem::configuration("the database URL can't be read").because(error))?;
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(BUSY)
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect)))
            .connect_with(options)
            .await
            .map_err(|error| {
                db(error).hint("check `[database] url`, and that the database can be reached")
            })?;
        let store = Self { pool, dialect };
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
}

/// Sets what SQLite needs for several processes: a write-ahead log, patience, and foreign keys.
async fn prepare(connection: &mut AnyConnection, dialect: Dialect) -> sqlx::Result<()> {
    if dialect == Dialect::Sqlite {
        let patience = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
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
    }
    Ok(())
}

/// Makes the file and its folder before SQLite does, so that nobody else can read it.
fn make_private_file(path: &Path) -> Result<()> {
    let trouble = |error: std::io::Error| {
        Problem::failed(format!("database {}", path.display()))
            .because(error)
            .hint("check `[database] url`, and that its folder can be written")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(trouble)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(trouble)?;
    Ok(())
}
