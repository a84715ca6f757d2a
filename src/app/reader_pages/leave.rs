//! Leaving: the page behind an unsubscribe link, and what it does.

use super::super::App;
use super::ReaderPage;
use crate::domain::Result;
use crate::render::{UnsubscribePage, UnsubscribedPage};
use crate::subscriptions::token::Purpose;
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
        let preferences = self.other_link(Purpose::Unsubscribe, token, Purpose::Preferences);
        self.good(&UnsubscribePage {
            frame: self.frame(ROOT),
            digest: self.publication(peek.digest.as_deref()),
            subscribed: peek.subscribed,
            action: format!("../u/{token}"),
            fewer: format!("../p/{preferences}#mails"),
        })
    }

    /// Ends the subscription that `token` names. A repeat is fine, and so is a reader who is gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unsubscribe(&self, token: &str) -> Result<ReaderPage> {
        match unsubscribe::unsubscribe(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(left) => self.good(&UnsubscribedPage {
                frame: self.frame(ROOT),
                digest: self.publication(left.digest.as_deref()),
            }),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    /// The token for another purpose of whom a good `token` is for.
    fn other_link(&self, from: Purpose, token: &str, to: Purpose) -> String {
        let read = self.signer.read_reader_token(from, token);
        read.map(|reader| {
            self.signer
                .reader_token(to, reader.subscriber, reader.digest_number)
        })
        .unwrap_or_default()
    }
}
