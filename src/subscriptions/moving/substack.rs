//! Substack: `email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at`, which says
//! who has mail turned off, and not who confirmed.

use super::columns::{Columns, Field, Known, Row};
use super::{Stand, own_word};
use crate::domain::subscriber::State;
use crate::domain::{Problem, Result};
use crate::subscriptions::cell::shown;

/// The columns of an export; older and newer ones have some of them.
pub(super) const COLUMNS: &[Known] = &[
    (Field::Email, &["email"]),
    (Field::Name, &["name"]),
    (Field::Off, &["email_disabled"]),
    (Field::ConsentAt, &["created_at"]),
];

/// Refuses a file that leaves open who wants mail, where nobody says it either.
///
/// # Errors
/// When it does, or does not say who has mail turned off.
pub(super) fn check(columns: &Columns, unsaid: Option<State>) -> Result<()> {
    if !columns.has(Field::Off) && !columns.has(Field::Status) {
        return Err(columns.lacking("there is no column \"email_disabled\", which says who has left"));
    }
    if unsaid.is_none() {
        return Err(
            Problem::configuration("Substack does not say whether its readers confirmed")
                .hint("add --as confirmed if all of them agreed to your mail, else --as pending"),
        );
    }
    Ok(())
}

/// Where the reader of `row` stands.
pub(super) fn stand(row: &Row<'_>) -> std::result::Result<Stand, String> {
    let status = row.get(Field::Status);
    if let Some(stand) = own_word(status) {
        return Ok(stand);
    }
    if !status.is_empty() {
        return Err(format!("status {} is no state", shown(status)));
    }
    off(row.get(Field::Off))
}

fn off(word: &str) -> std::result::Result<Stand, String> {
    match word.to_ascii_lowercase().as_str() {
        "" | "false" | "f" | "no" | "0" => Ok(Stand::Unsaid),
        "true" | "t" | "yes" | "1" => Ok(Stand::Is(State::Unsubscribed)),
        why if why.contains("bounce") => Ok(Stand::Is(State::Bounced)),
        why if why.contains("spam") || why.contains("complain") => Ok(Stand::Is(State::Complained)),
        _ => Err(format!(
            "email_disabled {} is neither true nor false",
            shown(word)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_that_is_off_says_why() {
        for (word, expected) in [
            ("FALSE", Some(Stand::Unsaid)),
            ("", Some(Stand::Unsaid)),
            ("true", Some(Stand::Is(State::Unsubscribed))),
            ("hard bounce", Some(Stand::Is(State::Bounced))),
            ("marked as spam", Some(Stand::Is(State::Complained))),
            ("perhaps", None),
        ] {
            assert_eq!(off(word).ok(), expected, "{word}");
        }
    }
}
