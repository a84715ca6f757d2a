//! Brings the schema up to date: at start, never downward, one process at a time.

use super::dialect::Dialect;
use super::fault::db;
use super::{Store, lease};
use crate::domain::{Clock, Problem, Result, SystemClock};
use sqlx::Executor;
use sqlx::migrate::{MigrateError, Migrator};
use std::time::Duration;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long another process may take for its migrations.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lease table guards the migrations too, so it is made before them.
const LEASE_TABLE: &str = "CREATE TABLE IF NOT EXISTS lease (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL
)";

impl Store {
    /// Runs the migrations that the database lacks.
    pub(super) async fn migrate(&self) -> Result<()> {
        self.make_lease_table().await?;
        let guard = lease::wait_for(self, "migrate", &SystemClock, PATIENCE).await?;
        let outcome = self.run_migrations().await;
        guard.release().await?;
        outcome
    }

    async fn make_lease_table(&self) -> Result<()> {
        // Two servers that create one table at the same time collide in PostgreSQL's catalogue.
        let start = SystemClock.now();
        while let Err(error) = self.pool.execute(LEASE_TABLE).await {
            if SystemClock.now().since(start) > Duration::from_secs(5) {
                return Err(db(error));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn run_migrations(&self) -> Result<()> {
        let embedded = match self.dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
        };
        // The driver's own lock is an advisory one, which distributed databases lack.
        let mut migrator = Migrator::with_migrations(embedded.iter().cloned().collect());
        migrator.set_locking(false);
        migrator.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => Problem::failed(format!(
                "the database is newer than this program: it has migration {version}"
            ))
            .hint("install the newer postrider again, or restore a backup of the database"),
            MigrateError::VersionMismatch(version) => Problem::failed(format!(
                "migration {version} of the database differs from this program's"
            ))
            .hint("this database was made by another build; use that one, or restore a backup"),
            other => Problem::failed("the database could not be brought up to date").because(other),
        })
    }
}
