//! Waiting for a database that may never answer: a connection that is cut silently says nothing.

use std::future::Future;
use std::time::Duration;

use crate::domain::{Problem, Result};

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
