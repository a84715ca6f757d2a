//! What would harm a reader in other hands: it needs a fresh link, mailed to the registered address.

use serde_json::Value;
use std::time::Duration;

use super::addressing::Addressing;
use super::link::Opened;
use super::token::Signer;
use crate::domain::address::FullAddress;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::store::Store;

/// How long the link is good.
pub const LINK_LASTS: Duration = Duration::from_secs(30 * 60);

/// Who opened a link of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The registered address.
    pub address: FullAddress,
}

/// What became of a new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressChange {
    /// Mails go there from now on, or did already.
    Changed,
    /// It can't be done: the reader has to write to the admins.
    Impossible,
}

/// Mails the link to the address of the reader of `token` (`Purpose::Preferences`), unless enough of them
/// went there lately; nothing tells the difference.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn request_link(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}

/// Whose link `token` (`Purpose::Account`) is; changes nothing.
///
/// # Errors
/// As [`request_link`].
pub async fn peek(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Account>> {
    Err(Problem::failed("not there yet"))
}

/// Asks the owner of `address` by mail whether they want the reader's mails there. What is known of the
/// address makes no difference to the answer.
///
/// # Errors
/// As [`request_link`].
pub async fn request_address(
    _: &Store,
    _: &Signer,
    _token: &str,
    _: &EmailAddress,
    _: &Addressing,
    _: Timestamp,
) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}

/// Whether `token` (`Purpose::NewAddress`) is good; changes nothing.
///
/// # Errors
/// As [`request_link`].
pub async fn peek_address(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}

/// Mails go to the new address from now on; the old one is told so. Again is fine.
///
/// # Errors
/// As [`request_link`].
pub async fn confirm_address(
    _: &Store,
    _: &Signer,
    _token: &str,
    _: &Addressing,
    _: Timestamp,
) -> Result<Opened<AddressChange>> {
    Err(Problem::failed("not there yet"))
}

/// Everything that is kept about the reader of `token` (`Purpose::Account`).
///
/// # Errors
/// As [`request_link`].
pub async fn export(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<Value>> {
    Err(Problem::failed("not there yet"))
}

/// Erases the reader of `token` (`Purpose::Account`).
///
/// # Errors
/// As [`request_link`].
pub async fn erase(_: &Store, _: &Signer, _token: &str, _: Timestamp) -> Result<Opened<()>> {
    Err(Problem::failed("not there yet"))
}
