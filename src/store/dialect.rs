//! Everything in which the two databases differ.

use crate::domain::{Problem, Result};
use std::path::{Path, PathBuf};

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file of this machine.
    Sqlite,
    /// A server, or anything that speaks its protocol.
    Postgres,
}

impl Dialect {
    /// Takes the dialect from a URL.
    ///
    /// # Errors
    /// When the scheme is neither `sqlite:` nor `postgres:`.
    pub fn of(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else {
            let scheme = url.split(':').next().unwrap_or_default();
            Err(
                Problem::configuration(format!("database URL has the unknown scheme {scheme:?}"))
                    .hint("write sqlite:PATH or postgres://user@host/name"),
            )
        }
    }

    /// Opens a transaction that will write; on SQLite it must take the write lock at once (error 517).
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// As [`Dialect::begin`], and every statement sees the database as it was at the first one.
    /// On PostgreSQL a write to a row that changed since then fails with [`super::fault::is_conflict`].
    pub(super) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        }
    }

    /// Ends a sub-select whose row is about to be updated by one of several workers.
    pub(super) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// The database's own clock in microseconds since 1970; SQLite's has whole milliseconds.
    pub(super) fn now_in_micros(self) -> &'static str {
        match self {
            Self::Sqlite => "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS BIGINT) * 1000)",
            Self::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
        }
    }

    /// A table `j` made from the JSON array of objects that is bound as `$1`.
    pub(super) fn rows(self, columns: &[(&str, Column)]) -> String {
        let list = |render: &dyn Fn(&str, Column) -> String| {
            columns
                .iter()
                .map(|&(name, kind)| render(name, kind))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Sqlite => format!(
                "(SELECT {} FROM json_each($1)) AS j",
                list(&|name, _| format!("json_extract(value, '$.{name}') AS {name}"))
            ),
            Self::Postgres => format!(
                "jsonb_to_recordset(CAST($1 AS jsonb)) AS j({})",
                list(&|name, kind| format!("{name} {}", kind.sql()))
            ),
        }
    }
}

impl Dialect {
    /// One text for all rows of `from`: a JSON array with an array for each. A row by itself costs the
    /// driver several microseconds.
    pub(super) fn gathered(self, columns: &str, from: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT json_group_array(json_array({columns})) FROM {from}"),
            Self::Postgres => format!(
                "SELECT CAST(COALESCE(json_agg(json_build_array({columns})), '[]') AS TEXT) FROM {from}"
            ),
        }
    }
}

/// SQLite alone: records alike outcomes; `$1` is a JSON object with the text of each subscriber.
/// A join would take the object apart for each row, or scan the table.
pub(super) const RECORD_ALIKE: &str = "UPDATE delivery SET state = $2, attempts = attempts + $3,
         code = COALESCE($4, code), relay = COALESCE($5, relay), next_attempt = $6,
         text = COALESCE(json_extract($1, '$.\"' || subscriber_id || '\"'), text)
     WHERE edition_id = $7 AND subscriber_id IN (SELECT CAST(key AS INTEGER) FROM json_each($1))
         AND (state IN ('waiting', 'uncertain') OR ($2 = 'sent' AND state <> 'sent'))";

/// The type of a column of [`Dialect::rows`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Text,
    Number,
}

impl Column {
    fn sql(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Number => "BIGINT",
        }
    }
}

/// The path in `sqlite:PATH`, without options.
pub(super) fn sqlite_path(url: &str) -> PathBuf {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    PathBuf::from(path.split('?').next().unwrap_or(path))
}

/// The URL under which the driver opens `path`; it decodes percent signs.
pub(super) fn sqlite_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    // Not made here: a connection that comes later must not put an empty file where one was taken away.
    url + "?mode=rw"
}
