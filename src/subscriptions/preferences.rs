//! What a reader chose, seen and changed by the link of their mails.

use super::link::Opened;
use super::token::Signer;
use crate::domain::subscriber::{Choice, State};
use crate::domain::{Problem, Result, Slug, Timestamp};
use crate::store::Store;

/// How a reader stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The digest whose mail held the link, when it is known.
    pub digest: Option<String>,
    /// The digests they receive, sorted.
    pub digests: Vec<String>,
    /// The categories they chose.
    pub categories: Choice,
    /// Their name.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// When a pause ends.
    pub paused_until: Option<Timestamp>,
    /// Where they stand. Only confirmed and paused ones can change anything; others sign up again.
    pub state: State,
}

/// What a reader wants from now on; all of it replaces what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChoices {
    /// The digests; none means to leave.
    pub digests: Vec<Slug>,
    /// The categories.
    pub categories: Choice,
    /// Their name.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
}

/// How the reader of `token` (`Purpose::Preferences`) stands; changes nothing.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn peek(_: &Store, _: &Signer, _token: &str) -> Result<Opened<Choices>> {
    Err(Problem::failed("not there yet"))
}

/// Changes what a confirmed or paused reader chose; of others nothing changes. How they stand then.
/// `wording` is the sentence about categories that they agreed to, as it was shown.
///
/// # Errors
/// As [`peek`].
pub async fn change(
    _: &Store,
    _: &Signer,
    _token: &str,
    _: &NewChoices,
    _wording: &str,
    _: Timestamp,
) -> Result<Opened<Choices>> {
    Err(Problem::failed("not there yet"))
}

/// Sends nothing to a confirmed or paused reader before `until`, at most a year from now.
///
/// # Errors
/// As [`peek`]; and when `until` has passed or is too far.
pub async fn pause(
    _: &Store,
    _: &Signer,
    _token: &str,
    _until: Timestamp,
    _: Timestamp,
) -> Result<Opened<Choices>> {
    Err(Problem::failed("not there yet"))
}

/// Ends the pause of a reader.
///
/// # Errors
/// As [`peek`].
pub async fn resume(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Choices>> {
    Err(Problem::failed("not there yet"))
}

/// Ends every subscription of a reader.
///
/// # Errors
/// As [`peek`].
pub async fn leave(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Choices>> {
    Err(Problem::failed("not there yet"))
}
