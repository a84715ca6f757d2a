//! listmonk: `uuid,email,name,attributes,status,created_at,updated_at`, which does not say who confirmed;
//! lists and the standing with them come from a query of one's own.

use super::columns::{Columns, Field, Known, Row};
use super::{Stand, own_word};
use crate::domain::subscriber::State;
use crate::domain::{Problem, Result};
use crate::subscriptions::cell::shown;

/// The columns of an export, and what queries of the database call the others.
pub(super) const COLUMNS: &[Known] = &[
    (Field::Email, &["email"]),
    (Field::Name, &["name"]),
    (Field::Status, &["status"]),
    (Field::Confirmation, &["subscription_status"]),
    (Field::Digests, &["lists"]),
    (Field::ConsentAt, &["created_at"]),
];

/// Refuses a file that leaves open who confirmed, where nobody says it either.
///
/// # Errors
/// When it does, or has no status.
pub(super) fn check(columns: &Columns, unsaid: Option<State>) -> Result<()> {
    if !columns.has(Field::Status) {
        return Err(columns.lacking("there is no column \"status\", which says who is blocked"));
    }
    if unsaid.is_none() && !columns.has(Field::Confirmation) {
        return Err(
            Problem::configuration("listmonk does not say whether the enabled readers confirmed").hint(
                "add --as confirmed if all of them did (export the list's confirmed subscribers alone), else --as pending",
            ),
        );
    }
    Ok(())
}

/// Where the reader of `row` stands.
pub(super) fn stand(row: &Row<'_>) -> std::result::Result<Stand, String> {
    let status = row.get(Field::Status).to_ascii_lowercase();
    match status.as_str() {
        "blocklisted" | "blacklisted" => Ok(Stand::Is(State::Complained)),
        "disabled" => Ok(Stand::Is(State::Unsubscribed)),
        "enabled" => confirmation(row.get(Field::Confirmation)),
        "" => Err("has no status".to_owned()),
        other => own_word(other).ok_or_else(|| {
            format!(
                "status {} is none of enabled, disabled, blocklisted",
                shown(other)
            )
        }),
    }
}

fn confirmation(word: &str) -> std::result::Result<Stand, String> {
    match word.to_ascii_lowercase().as_str() {
        "" => Ok(Stand::Unsaid),
        "confirmed" => Ok(Stand::Is(State::Confirmed)),
        "unconfirmed" => Ok(Stand::Is(State::Pending)),
        "unsubscribed" => Ok(Stand::Is(State::Unsubscribed)),
        other => Err(format!(
            "subscription_status {} is none of confirmed, unconfirmed, unsubscribed",
            shown(other)
        )),
    }
}
