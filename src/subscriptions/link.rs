//! What opening a signed link gives.

use super::token::{Purpose, ReaderRef, Signer, TokenFault};
use crate::domain::{Problem, Result};
use crate::store::subscribers::Subscriber;

/// What a link of ours leads to. One that is not ours is a [`Problem`] of the kind `NotFound`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// It is good.
    Good(T),
    /// Its time is up, or the reader's mails go to another address since.
    Expired,
    /// What it was for is no more: the reader was erased, or never confirmed.
    Gone,
}

impl<T> Opened<T> {
    /// What was opened, if it was.
    pub fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Expired | Self::Gone => None,
        }
    }

    /// `None` stands for what is no more.
    pub(super) fn or_gone(found: Option<T>) -> Self {
        found.map_or(Self::Gone, Self::Good)
    }
}

/// The number in a token that was read; `None` when its time is up.
pub(super) fn number(read: std::result::Result<i64, TokenFault>) -> Result<Option<i64>> {
    opened(read)
}

/// What a token that was read holds; `None` when its time is up.
pub(super) fn opened<T>(read: std::result::Result<T, TokenFault>) -> Result<Option<T>> {
    match read {
        Ok(held) => Ok(Some(held)),
        Err(TokenFault::Expired) => Ok(None),
        Err(fault) => Err(unusable(fault)),
    }
}

/// Whether `link` is in a mail that went to an address which `reader` has given up since.
pub(super) fn is_of_old_address(link: ReaderRef, reader: &Subscriber) -> bool {
    link.generation < reader.link_generation
}

/// Whom a link that does not run out is for.
pub(super) fn read_reader(signer: &Signer, purpose: Purpose, token: &str) -> Result<ReaderRef> {
    signer.read_reader_token(purpose, token).map_err(unusable)
}

fn unusable(fault: TokenFault) -> Problem {
    Problem::not_found("this link can't be used")
        .because(fault)
        .hint("open the link of a newer mail, or ask for a new one")
}
