//! Leaving: the page behind an unsubscribe link, and what it does.

use super::super::App;
use super::ReaderPage;
use crate::domain::Result;
use crate::domain::reader_event::Way;
use crate::render::{UnsubscribePage, UnsubscribedPage};
use crate::subscriptions::unsubscribe;

/// From `/u/TOKEN` to the start page.
const ROOT: &str = "../";

impl App {
    /// The page behind an unsubscribe link; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unsubscribe_page(&self, token: &str) -> Result<ReaderPage> {
        let peek = match unsubscribe::peek(&self.store, &self.signer, token).await {
            Ok(peek) => peek,
            Err(problem) => return self.bad_link(problem, ROOT),
        };
        self.good(&UnsubscribePage {
            frame: self.frame(ROOT),
            digest: self.publication(peek.digest.as_deref()),
            subscribed: peek.subscribed,
            action: format!("../u/{token}"),
            // No link to their choices: this page is in the headers of mails, which others read.
            fewer: format!("{ROOT}lost-link"),
        })
    }

    /// Ends the subscription that `token` names. A repeat is fine, and so is a reader who is gone. `one_click`
    /// tells that a mail program asked for it, and not the page: both do the same, and it is recorded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unsubscribe(&self, token: &str, one_click: bool) -> Result<ReaderPage> {
        let way = if one_click { Way::OneClick } else { Way::Link };
        match unsubscribe::unsubscribe(&self.store, &self.signer, token, way, self.clock.now()).await {
            Ok(left) => self.good(&UnsubscribedPage {
                frame: self.frame(ROOT),
                digest: self.publication(left.digest.as_deref()),
            }),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }
}
