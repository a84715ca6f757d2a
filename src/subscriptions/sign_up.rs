//! Signing up: what the form and the API write down, and what becomes of it later.

use super::addressing::Addressing;
use crate::domain::reader_event::Way;
use crate::domain::subscriber::Choice;
use crate::domain::{EmailAddress, Problem, Result, Slug, Timestamp};
use crate::store::Store;

/// What somebody typed into the form, or sent to the API; nobody knows yet whether the address is theirs.
#[derive(Debug, Clone)]
pub struct SignUpRequest {
    /// The address that they say is theirs.
    pub address: EmailAddress,
    /// How they call themselves; no mail shows it before they have confirmed.
    pub name: Option<String>,
    /// The chosen digests; at least one.
    pub digests: Vec<Slug>,
    /// The chosen categories.
    pub categories: Choice,
    /// Whether they want mails as text only.
    pub text_only: bool,
    /// The sentence they agreed to, as it was shown; without the address.
    pub wording: String,
    /// The form or the API.
    pub way: Way,
    /// [`Addressing::network`] of the client.
    pub network: String,
}

/// Writes a sign-up down. Nothing is looked up: this takes the same steps whatever is known of the address.
///
/// # Errors
/// When the database does not answer.
pub async fn request(_: &Store, _: &SignUpRequest, _: &Addressing, _: Timestamp) -> Result<()> {
    Err(Problem::failed("not there yet"))
}

/// Writes down that the owner of `address` asks for the link to their choices; otherwise as [`request`].
///
/// # Errors
/// When the database does not answer.
pub async fn request_link(
    _: &Store,
    _: &EmailAddress,
    _network: &str,
    _: &Addressing,
    _: Timestamp,
) -> Result<()> {
    Err(Problem::failed("not there yet"))
}

/// Takes what was written down off the queue, each in a transaction with what it changes and the mail it
/// causes; how many there were. Several processes may do this at once.
///
/// # Errors
/// When the database does not answer; what is left stays on the queue.
pub async fn process(_: &Store, _: &Addressing, _: Timestamp) -> Result<u64> {
    Err(Problem::failed("not there yet"))
}
