//! Being forgotten, everywhere: in the lists, in the outboxes, and in the database. For a reader by their
//! link, for an admin by address.

use super::App;
use crate::deliver::outbox_erasure;
use crate::domain::relay::RelayAddress;
use crate::domain::{EmailAddress, Result};
use crate::subscriptions::erase::{self, Traces};
use crate::subscriptions::{list_erasure, sweep};
use serde::Serialize;
use serde_json::Value;

/// What was erased.
#[derive(Debug, Serialize)]
pub struct Forgotten {
    /// The address, masked.
    pub address: String,
    /// Whether there was a subscriber.
    pub subscriber: bool,
    /// Messages that were deleted from outboxes.
    pub messages: u64,
    /// Rows that were taken out of lists.
    pub rows: u64,
    /// The lists that were written anew.
    pub lists: Vec<String>,
    /// What is left to do by hand.
    pub left: Vec<String>,
}

impl App {
    /// Erases everything about whoever has `address`, down to the bytes of the database's files; what stays
    /// is the keyed hash by which no list brings them back. Doing it again changes nothing.
    ///
    /// # Errors
    /// When something can't be written; the same call goes on.
    pub async fn forget(&self, address: &EmailAddress) -> Result<Forgotten> {
        let traces = erase::traces(&self.store, address, &self.addressing()).await?;
        let mut forgotten = self.forget_person(&traces).await?;
        sweep::at_once(&self.store, self.clock.now()).await?;
        forgotten.address = address.to_string();
        Ok(forgotten)
    }

    /// Everything that the database keeps about whoever has `address`.
    ///
    /// # Errors
    /// When that is nothing.
    pub async fn data_of(&self, address: &EmailAddress) -> Result<Value> {
        erase::data_by_address(&self.store, address, &self.addressing()).await
    }

    /// [`App::forget`] of somebody who is found already; the database's files are swept soon.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn forget_person(&self, traces: &Traces) -> Result<Forgotten> {
        let (addressing, now) = (self.addressing(), self.clock.now());
        let folder = &self.config.subscribers.folder;
        // The database comes last: by what it knows, the rest is found again after a crash in between.
        let cleaned = list_erasure::clean(&self.store, folder, traces, &addressing, now).await?;
        let before = self.empty_outboxes_of(traces)?;
        let subscriber = erase::erase(&self.store, traces, now).await?;
        // What was under way meanwhile.
        let after = self.empty_outboxes_of(traces)?;
        let forgotten = Forgotten {
            address: String::new(),
            subscriber,
            messages: before + after,
            rows: cleaned.rows,
            lists: cleaned.lists,
            left: cleaned.left,
        };
        tracing::info!(
            subscriber,
            messages = forgotten.messages,
            rows = forgotten.rows,
            "somebody was erased"
        );
        Ok(forgotten)
    }

    fn empty_outboxes_of(&self, traces: &Traces) -> Result<u64> {
        let addressing = self.addressing();
        let mut erased = 0;
        for relay in &self.config.relays {
            if let RelayAddress::Outbox(folder) = &relay.address {
                erased += outbox_erasure::erase(folder, |address| traces.is_theirs(address, &addressing))?;
            }
        }
        Ok(erased)
    }
}
