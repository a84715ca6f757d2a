//! Leaving by a signed link: one click, no questions, and again as often as they like.

use super::link::read_reader;
use super::token::{Purpose, Signer};
use crate::domain::reader_event::Way;
use crate::domain::{Result, Timestamp};
use crate::store::Store;

/// Whom a link of a digest is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The digest's name; `None` when it was never ours, as after a change of databases.
    pub digest: Option<String>,
}

/// What the page of a link shows before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The digest's name; `None` when it was never ours.
    pub digest: Option<String>,
    /// Whether the reader receives it at present.
    pub subscribed: bool,
}

/// Ends the subscription that `token` names, by the link or by one click of a mail program. A valid token of a
/// reader who is gone is fine.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn unsubscribe(
    store: &Store,
    signer: &Signer,
    token: &str,
    way: Way,
    now: Timestamp,
) -> Result<Left> {
    let reader = read_reader(signer, Purpose::Unsubscribe, token)?;
    let digest = store.digest_of_number(reader.digest_number).await?;
    if let Some(digest) = &digest {
        store
            .end_subscription(reader.subscriber, digest, way, now)
            .await?;
    }
    Ok(Left { digest })
}

/// What `token` would end; changes nothing.
///
/// # Errors
/// As [`unsubscribe`].
pub async fn peek(store: &Store, signer: &Signer, token: &str) -> Result<Peek> {
    let reader = read_reader(signer, Purpose::Unsubscribe, token)?;
    let digest = store.digest_of_number(reader.digest_number).await?;
    let subscribed = match &digest {
        Some(digest) => store.is_subscribed(reader.subscriber, digest).await?,
        None => false,
    };
    Ok(Peek { digest, subscribed })
}
