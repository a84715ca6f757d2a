//! What the database's errors mean to a person.

use crate::domain::Problem;

/// SQLite's primary result codes (sqlite.org/rescode.html) that deserve words of their own.
const BUSY: i64 = 5;
const READ_ONLY: i64 = 8;
const CORRUPT: i64 = 11;
const IO: i64 = 10;
const FULL: i64 = 13;
const NOT_A_DATABASE: i64 = 26;

fn sqlite_code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xFF)
}

/// Whether another process holds the lock.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    // SQLSTATE codes have five characters, SQLite's have at most four.
    let short = error
        .as_database_error()
        .and_then(|e| e.code())
        .is_some_and(|code| code.len() < 5);
    short && sqlite_code(error) == Some(BUSY)
}

/// Whether PostgreSQL ended a transaction for the sake of another: 40001 (its snapshot is outdated) or
/// 40P01 (a deadlock). It asks for the transaction to be run again.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|e| e.code())
        .is_some_and(|code| code == "40001" || code == "40P01")
}

/// Turns a driver's error into one that says what to do.
pub(super) fn db(error: sqlx::Error) -> Problem {
    let code = error
        .as_database_error()
        .and_then(|e| e.code())
        .map(|code| code.into_owned())
        .unwrap_or_default();
    let problem = |what: &str, hint: &str| Problem::database(what).hint(hint);
    let problem = match (code.len(), sqlite_code(&error)) {
        (5, _) if code.starts_with("53") => problem(
            "the database server is out of resources",
            "free disk space or connections there; nothing was lost, run it again",
        ),
        (5, _) if is_conflict(&error) => problem(
            "another process changed the same rows at the same time",
            "nothing was lost, run it again",
        )
        .as_passing(),
        (5, _) => Problem::database(format!("the database refused a statement (SQLSTATE {code})")),
        (1..=4, Some(BUSY)) => problem(
            "the database is locked by another process",
            "wait until it is done, or find it with `fuser`; nothing was lost, run it again",
        ),
        (1..=4, Some(FULL)) => problem(
            "the disk that holds the database is full",
            "free some space and run it again; what was recorded so far is kept",
        ),
        // SQLite gives this, not FULL, when the disk has no room for the index of its log.
        (1..=4, Some(IO)) => problem(
            "the disk that holds the database is full, or can't be read or written",
            "look at its free space and at the system's log; what was recorded so far is kept",
        ),
        (1..=4, Some(READ_ONLY)) => problem(
            "the database can't be written",
            "check the owner and mode of the file and its folder",
        ),
        (1..=4, Some(CORRUPT | NOT_A_DATABASE)) => problem(
            "the database file is damaged or is no SQLite database",
            "check `[database] url`; restore the file from a backup",
        ),
        _ => Problem::database("the database could not be used"),
    };
    // The driver's own words stand before and in its source: once is enough.
    match &error {
        sqlx::Error::Database(inner) => problem.because(inner.message().to_owned()),
        _ => problem.because(error),
    }
}
