//! The links of the confirmation mail: yes, or never again.

use super::link::Opened;
use super::token::Signer;
use crate::domain::subscriber::Choice;
use crate::domain::{Problem, Result, Slug, Timestamp};
use crate::store::Store;

/// What a link of the confirmation mail would begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The subscriber's number.
    pub subscriber: i64,
    /// Whether this was done already, by this link or another one: confirming again changes nothing.
    pub confirmed: bool,
    /// The digests.
    pub digests: Vec<Slug>,
    /// The categories; none stands for no choice.
    pub categories: Choice,
    /// The name that was typed in.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// The sentence agreed to.
    pub wording: String,
}

/// What `token` (`Purpose::Confirm`) would begin; changes nothing.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn peek(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Offer>> {
    Err(Problem::failed("not there yet"))
}

/// Begins the subscription; again is fine. The offer says with `confirmed` whether it had begun before.
///
/// # Errors
/// As [`peek`].
pub async fn confirm(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Offer>> {
    Err(Problem::failed("not there yet"))
}

/// Whether `token` (`Purpose::Refuse`) is good; changes nothing.
///
/// # Errors
/// As [`peek`].
pub async fn peek_refusal(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}

/// Nobody is to write to this address again, whoever types it into a form. Again is fine. `Gone` when the
/// mail is not known any more, and nothing could be done.
///
/// # Errors
/// As [`peek`].
pub async fn refuse(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}
