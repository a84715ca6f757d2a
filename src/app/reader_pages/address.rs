//! The link that went to a new address: whether the reader's mails should come there.

use super::super::App;
use super::ReaderPage;
use crate::domain::Result;
use crate::render::{AddressChangedPage, NewAddressPage};
use crate::subscriptions::account::{self, AddressChange};
use crate::subscriptions::link::Opened;

/// From `/address/TOKEN` to the start page.
const ROOT: &str = "../";

impl App {
    /// Asks whether mails should come to the new address; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new_address_page(&self, token: &str) -> Result<ReaderPage> {
        match account::peek_address(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(())) => self.good(&NewAddressPage {
                frame: self.frame(ROOT),
                action: format!("../address/{token}"),
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(ROOT, false),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    /// Has mails come to the new address from now on; again is fine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn confirm_new_address(&self, token: &str) -> Result<ReaderPage> {
        let addressing = self.addressing();
        let now = self.clock.now();
        match account::confirm_address(&self.store, &self.signer, token, &addressing, now).await {
            Ok(Opened::Good(change)) => self.good(&AddressChangedPage {
                frame: self.frame(ROOT),
                changed: change == AddressChange::Changed,
                contact: self.contact(),
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(ROOT, false),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }
}
