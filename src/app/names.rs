//! Names and links that are signed: of editions' mails and of notices.

use crate::config::Config;
use crate::deliver::worker::Identity;
use crate::domain::{Result, Site, Timestamp};
use crate::store::Store;
use crate::subscriptions::token::{Purpose, Signer};
use std::collections::HashMap;
use std::sync::Arc;

/// Names and links of readers, signed.
pub(super) struct Names {
    signer: Arc<Signer>,
    site: Site,
    domain: String,
    return_path: String,
    digest_numbers: HashMap<String, i64>,
}

impl Names {
    pub(super) async fn new(config: &Config, store: &Store, signer: Arc<Signer>) -> Result<Self> {
        let mut digest_numbers = HashMap::new();
        for digest in &config.digests {
            let name = digest.name.as_str();
            digest_numbers.insert(name.to_owned(), store.digest_number(name).await?);
        }
        Ok(Self {
            signer,
            site: config.site.clone(),
            domain: config.mail.from.address.domain().to_owned(),
            return_path: config.mail.return_path.clone(),
            digest_numbers,
        })
    }

    fn link(&self, path: &str, token: &str) -> String {
        [self.site.url.as_str(), path, token].concat()
    }

    fn number(&self, digest: &str) -> i64 {
        self.digest_numbers.get(digest).copied().unwrap_or_default()
    }
}

impl Names {
    /// A link below `path` about the row `id`, good until `end`.
    pub(super) fn short_lived(&self, path: &str, purpose: Purpose, id: i64, end: Timestamp) -> String {
        self.link(path, &self.signer.short_lived_token(purpose, id, end))
    }

    /// The link to a reader's data, of the generation that holds for them now; good until `end`.
    pub(super) fn account_url(&self, subscriber: i64, generation: i64, end: Timestamp) -> String {
        self.link(
            "/account/",
            &self.signer.account_token(subscriber, generation, end),
        )
    }

    /// The Message-ID of a notice.
    pub(super) fn notice_message_id(&self, notice: i64) -> String {
        self.signer.notice_message_id(notice, &self.domain)
    }

    /// The envelope sender of a notice.
    pub(super) fn notice_return_path(&self, notice: i64) -> String {
        let token = self.signer.notice_return_path_token(notice);
        self.return_path.replace("{token}", &token)
    }
}

impl Identity for Names {
    fn message_id(&self, edition: i64, subscriber: i64) -> String {
        self.signer.message_id(edition, subscriber, &self.domain)
    }

    fn return_path(&self, edition: i64, subscriber: i64) -> String {
        let token = self.signer.return_path_token(edition, subscriber);
        self.return_path.replace("{token}", &token)
    }

    fn unsubscribe_url(&self, digest: &str, subscriber: i64) -> String {
        let number = self.number(digest);
        let token = self.signer.reader_token(Purpose::Unsubscribe, subscriber, number);
        self.link("/u/", &token)
    }

    fn preferences_url(&self, digest: &str, subscriber: i64, generation: i64) -> String {
        let number = self.number(digest);
        self.link(
            "/p/",
            &self.signer.preferences_token(subscriber, number, generation),
        )
    }
}
