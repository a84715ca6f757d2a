//! One message for one reader, complete before any of it goes.

use super::message::Envelope;
use super::relay::Relay;
use super::segment_mail::SegmentMail;
use super::splice::ReaderValues;
use super::worker::Courier;
use crate::domain::{EmailAddress, Result};
use crate::store::ledger::{Batch, Due};

/// A message and its envelope.
pub(super) struct Letter {
    pub(super) address: EmailAddress,
    pub(super) message_id: String,
    pub(super) return_path: String,
    /// CRLF line ends, no final dot.
    pub(super) message: Vec<u8>,
}

/// The message of a digest for one reader.
pub(super) struct ReaderLetter {
    /// Without name and address: what the ledger needs.
    pub(super) due: Due,
    pub(super) letter: Letter,
}

impl ReaderLetter {
    /// Writes the message into `message`, whose room is used again, and signs it as `relay` wants it.
    ///
    /// # Errors
    /// When a template fails for this reader, or the message can't be signed.
    pub(super) async fn write(
        courier: &Courier,
        relay: &Relay,
        batch: &Batch,
        mail: &SegmentMail,
        due: &Due,
        address: EmailAddress,
        mut message: Vec<u8>,
    ) -> Result<Self> {
        let identity = &courier.identity;
        let message_id = identity.message_id(batch.edition, due.subscriber);
        message.clear();
        mail.write_as(
            &ReaderValues {
                to: &address,
                name: due.name.as_deref(),
                message_id: &message_id,
                date: &courier.clock.now().rfc2822(),
                unsubscribe_url: &identity.unsubscribe_url(&mail.digest, due.subscriber),
                preferences_url: &identity.preferences_url(&mail.digest, due.subscriber, due.link_generation),
            },
            due.text_only,
            &mut message,
        )?;
        relay.sign(&mut message, courier.clock.now()).await?;
        Ok(Self {
            due: Due {
                subscriber: due.subscriber,
                address: None,
                name: None,
                text_only: due.text_only,
                link_generation: due.link_generation,
                attempts: due.attempts,
                left: None,
            },
            letter: Letter {
                return_path: identity.return_path(batch.edition, due.subscriber),
                address,
                message_id,
                message,
            },
        })
    }
}

impl Letter {
    pub(super) fn envelope(&self) -> Envelope<'_> {
        Envelope {
            from: &self.return_path,
            to: &self.address,
            message_id: &self.message_id,
        }
    }
}
