//! What is known of the addresses of an import.

use super::dialect::Column;
use super::fault::db;
use super::import::{Import, json};
use super::summary_row::unreadable;
use crate::domain::Result;
use crate::domain::subscriber::{State, Suppression};
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;

/// What the store knows of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The subscriber's number and state, when there is one.
    pub subscriber: Option<(i64, State)>,
    /// Why the address is not mailed, if so.
    pub suppressed: Option<Suppression>,
    /// Whether the reader chose for themselves: no list has a say in name, digests and categories then.
    pub chosen: bool,
}

/// By what an address is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// What its spellings have in common.
    pub key: &'a str,
    /// The salted hash of the key.
    pub hash: &'a str,
    /// The salted hash of its mailbox.
    pub mailbox: &'a str,
}

impl Import {
    /// What is known of the addresses, by key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn standings(&mut self, addresses: &[Sought<'_>]) -> Result<HashMap<String, Standing>> {
        let rows: Vec<_> = addresses
            .iter()
            .map(|of| serde_json::json!({"k": of.key, "h": of.hash, "m": of.mailbox}))
            .collect();
        let sql = format!(
            "SELECT j.k, s.id, s.state, b.reason, s.chosen_by, r.mailbox_hash FROM {}
             LEFT JOIN subscriber s ON s.address_key = j.k
             LEFT JOIN suppression b ON b.address_hash = j.h
             LEFT JOIN refused_mailbox r ON r.mailbox_hash = j.m",
            self.dialect
                .rows(&["k", "h", "m"].map(|name| (name, Column::Text)))
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .bind(json(&rows)?)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(db)?;
        let mut standings = HashMap::with_capacity(rows.len());
        for row in &rows {
            let key: String = row.try_get(0).map_err(db)?;
            let id: Option<i64> = row.try_get(1).map_err(db)?;
            let state: Option<String> = row.try_get(2).map_err(db)?;
            let reason: Option<String> = row.try_get(3).map_err(db)?;
            let chosen_by: Option<String> = row.try_get(4).map_err(db)?;
            let refused: Option<String> = row.try_get(5).map_err(db)?;
            let state = state
                .map(|state| State::parse(&state).ok_or_else(|| unreadable("state", &state)))
                .transpose()?;
            let suppressed = reason
                .map(|reason| Suppression::parse(&reason).ok_or_else(|| unreadable("reason", &reason)))
                .transpose()?;
            // Who had subscribed with another address of the mailbox stays a reader.
            let reads = matches!(state, Some(State::Confirmed | State::Paused));
            let refused = refused.filter(|_| !reads).map(|_| Suppression::Refused);
            standings.insert(
                key,
                Standing {
                    subscriber: id.zip(state),
                    suppressed: suppressed.or(refused),
                    chosen: chosen_by.is_some(),
                },
            );
        }
        Ok(standings)
    }
}
