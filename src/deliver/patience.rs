//! Waiting for a database that may never answer: a connection that is cut silently says nothing.

use std::future::Future;
use std::time::Duration;

use crate::domain::{Problem, Result};

/// How long a statement of delivery may take: longer than a process waits for the lock of a SQLite file.
pub(super) const STATEMENT: Duration = Duration::from_secs(40);
/// The same for what goes through a whole edition.
pub(super) const LONG_STATEMENT: Duration = Duration::from_secs(600);

/// The outcome of a statement, which may take as long as [`STATEMENT`].
///
/// # Errors
/// As [`in_time`].
pub(super) async fn answered<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    in_time(STATEMENT, asked).await
}

/// The outcome of `asked`, which may take as long as `limit`.
///
/// # Errors
/// As `asked`, and when time is up: the statement may then still be carried out.
pub(super) async fn in_time<T>(limit: Duration, asked: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        Err(Problem::database(format!(
            "the database did not answer within {} s",
            limit.as_secs_f64()
        ))
        .hint("look whether it can be reached; what was not recorded is tried again"))
    })
}
