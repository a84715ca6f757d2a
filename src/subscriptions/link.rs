//! What opening a signed link gives.

use super::token::TokenFault;
use crate::domain::{Problem, Result};

/// What a link of ours leads to. One that is not ours is a [`Problem`] of the kind `NotFound`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// It is good.
    Good(T),
    /// Its time is up.
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
pub(super) fn number<T>(read: std::result::Result<T, TokenFault>) -> Result<Option<T>> {
    match read {
        Ok(number) => Ok(Some(number)),
        Err(TokenFault::Expired) => Ok(None),
        Err(fault) => Err(Problem::not_found("this link can't be used")
            .because(fault)
            .hint("open the link of a newer mail, or ask for a new one")),
    }
}
