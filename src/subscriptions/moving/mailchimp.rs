//! Mailchimp: an audience is exported as one file for each standing, which the file's name begins with.

use std::path::Path;

use super::columns::{Field, Known, Row};
use super::{Stand, own_word};
use crate::domain::subscriber::State;
use crate::domain::{Problem, Result};
use crate::subscriptions::cell::shown;
use crate::subscriptions::fate::has_left;

/// The columns of an export; the address's is named by the account.
pub(super) const COLUMNS: &[Known] = &[
    (Field::Email, &["Email Address", "Email"]),
    (Field::FirstName, &["First Name"]),
    (Field::LastName, &["Last Name"]),
    (Field::ConsentAt, &["CONFIRM_TIME", "OPTIN_TIME"]),
    (Field::LeftAt, &["UNSUB_TIME"]),
    (Field::LeftWhy, &["UNSUB_REASON", "UNSUB_REASON_OTHER"]),
    (Field::DeadAt, &["CLEAN_TIME"]),
];

const NEVER: Stand = Stand::Skipped("never subscribed to the newsletter");

/// What the first word of a file's name, or a cell, says of a reader.
fn word(word: &str) -> Option<Stand> {
    match word {
        "subscribed" => Some(Stand::Is(State::Confirmed)),
        "unsubscribed" => Some(Stand::Is(State::Unsubscribed)),
        "cleaned" => Some(Stand::Is(State::Bounced)),
        "nonsubscribed" | "non-subscribed" | "transactional" => Some(NEVER),
        _ => None,
    }
}

/// What a file says of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    stand: Stand,
    /// Whether a person says so, rather than the file.
    by_hand: bool,
}

/// What the file `name` says of its rows, or else what a person says.
///
/// # Errors
/// When neither says anything and no column does, or a person wants back who the file says has left.
pub(super) fn kind(name: &str, unsaid: Option<State>, has_status: bool) -> Result<Kind> {
    let stem = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    let stem = stem.to_ascii_lowercase();
    let first = stem
        .split(|c: char| !c.is_ascii_alphabetic() && c != '-')
        .next()
        .unwrap_or_default();
    let by_name = word(first);
    match (by_name, unsaid) {
        (Some(Stand::Is(left)), Some(wanted)) if has_left(left) && !has_left(wanted) => {
            Err(Problem::configuration(format!(
                "the file's name begins with {first:?}: these readers don't become {}",
                wanted.as_str()
            ))
            .hint("import this file without --as; who left can only come back by themselves"))
        }
        (_, Some(state)) => Ok(Kind {
            stand: Stand::Is(state),
            by_hand: true,
        }),
        (Some(stand), None) => Ok(Kind {
            stand,
            by_hand: false,
        }),
        (None, None) if has_status => Ok(Kind {
            stand: Stand::Unsaid,
            by_hand: false,
        }),
        (None, None) => Err(
            Problem::configuration("the file's name does not say how its readers stand").hint(
                "name it as Mailchimp did, such as subscribed_members.csv, or say it: --as confirmed, --as unsubscribed",
            ),
        ),
    }
}

/// Where the reader of `row` stands, in a file of `kind`.
pub(super) fn stand(row: &Row<'_>, kind: Kind) -> std::result::Result<Stand, String> {
    let status = row.get(Field::Status).to_ascii_lowercase();
    let stand = match status.as_str() {
        "" => kind.stand,
        status => word(status).or_else(|| own_word(status)).ok_or_else(|| {
            format!(
                "status {} is none of subscribed, unsubscribed, cleaned",
                shown(status)
            )
        })?,
    };
    // What a person says of a whole file does not bring back those of whom the file knows better.
    let stand = match stand {
        Stand::Is(state) if kind.by_hand && !has_left(state) => {
            if !row.get(Field::DeadAt).is_empty() {
                Stand::Is(State::Bounced)
            } else if !row.get(Field::LeftAt).is_empty() {
                Stand::Is(State::Unsubscribed)
            } else {
                stand
            }
        }
        stand => stand,
    };
    let complained = row.all(Field::LeftWhy).any(is_complaint);
    Ok(if stand == Stand::Is(State::Unsubscribed) && complained {
        Stand::Is(State::Complained)
    } else {
        stand
    })
}

fn is_complaint(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["abuse", "spam", "complain"]
        .iter()
        .any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_files_name_says_how_its_readers_stand() {
        let is = |state| Some(Stand::Is(state));
        for (name, unsaid, expected) in [
            ("a/subscribed_members_export_0a1.csv", None, is(State::Confirmed)),
            ("Unsubscribed_email_audience.csv", None, is(State::Unsubscribed)),
            ("cleaned.csv", None, is(State::Bounced)),
            ("nonsubscribed_x.csv", None, Some(NEVER)),
            ("transactional_x.csv", None, Some(NEVER)),
            ("subscribed_x.csv", Some(State::Pending), is(State::Pending)),
            (
                "unsubscribed_x.csv",
                Some(State::Complained),
                is(State::Complained),
            ),
            ("unsubscribed_x.csv", Some(State::Confirmed), None),
            ("cleaned_x.csv", Some(State::Pending), None),
            ("nonsubscribed_x.csv", Some(State::Pending), is(State::Pending)),
            ("readers.csv", Some(State::Confirmed), is(State::Confirmed)),
            ("readers_subscribed.csv", None, None),
            ("", None, None),
        ] {
            let found = kind(name, unsaid, false).ok().map(|kind| kind.stand);
            assert_eq!(found, expected, "{name} {unsaid:?}");
        }
    }

    #[test]
    fn complaints_are_known_by_their_words() {
        for (reason, expected) in [
            ("SPAM", true),
            ("N/A (Abuse complaint)", true),
            ("NORMAL", false),
            ("", false),
        ] {
            assert_eq!(is_complaint(reason), expected, "{reason}");
        }
    }
}
