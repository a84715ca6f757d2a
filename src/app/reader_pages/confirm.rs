//! The links of the confirmation mail: yes, or never again.

use super::super::App;
use super::ReaderPage;
use crate::deliver::worker::Identity;
use crate::domain::digest::Unchosen;
use crate::domain::subscriber::Choice;
use crate::domain::{Result, Slug};
use crate::render::{ConfirmPage, ConfirmedPage, RefusePage, RefusedPage};
use crate::subscriptions::confirm::{self, Offer};
use crate::subscriptions::link::Opened;

/// From `/confirm/TOKEN` and `/refuse/TOKEN` to the start page.
const ROOT: &str = "../";

impl App {
    /// What a confirmation link would begin; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn confirm_page(&self, token: &str) -> Result<ReaderPage> {
        match confirm::peek(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(offer)) => self.good(&ConfirmPage {
                frame: self.frame(ROOT),
                name: offer.name,
                digests: self.titles(&offer.digests),
                categories: self.names_of(&offer.categories),
                unchosen_all: self.unchosen_all(&offer.digests),
                text_only: offer.text_only,
                consent: offer.wording,
                confirmed: offer.confirmed,
                action: format!("../confirm/{token}"),
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(ROOT, true),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    /// Begins the subscription; again is fine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn confirm(&self, token: &str) -> Result<ReaderPage> {
        match confirm::confirm(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(offer)) => self.confirmed_page(&offer),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(ROOT, true),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    fn confirmed_page(&self, offer: &Offer) -> Result<ReaderPage> {
        let digest = offer.digests.first().map_or("", Slug::as_str);
        self.good(&ConfirmedPage {
            frame: self.frame(ROOT),
            digests: self.titles(&offer.digests),
            categories: self.names_of(&offer.categories),
            unchosen_all: self.unchosen_all(&offer.digests),
            preferences: self.relative(&self.names.preferences_url(
                digest,
                offer.subscriber,
                offer.link_generation,
            )),
        })
    }

    /// Asks whether the address is never to be written to again; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refuse_page(&self, token: &str) -> Result<ReaderPage> {
        match confirm::peek_refusal(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(refusal)) => self.good(&RefusePage {
                frame: self.frame(ROOT),
                new_address: refusal.new_address,
                receives: refusal.receives,
                keeps: refusal.keeps,
                action: format!("../refuse/{token}"),
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_refusal(ROOT),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    /// Never writes to the address again, whoever types it in; but an owner who reads here keeps their mails,
    /// when it is another reader's that they refuse. Again is fine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refuse(&self, token: &str) -> Result<ReaderPage> {
        match confirm::refuse(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(refusal)) => self.good(&RefusedPage {
                frame: self.frame(ROOT),
                keeps: refusal.keeps,
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_refusal(ROOT),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    fn names_of(&self, chosen: &Choice) -> Vec<String> {
        chosen.slugs().map(|slug| self.category_name(slug)).collect()
    }

    fn titles(&self, digests: &[Slug]) -> Vec<String> {
        let title = |digest: &Slug| self.publication(Some(digest.as_str())).title;
        digests.iter().map(title).collect()
    }

    /// Whether a reader of these digests who chose no category receives every summary of one of them.
    pub(super) fn unchosen_all(&self, digests: &[Slug]) -> bool {
        let all = |name: &Slug| {
            let known = self.digests.iter().find(|digest| digest.name == *name);
            known.is_some_and(|digest| digest.unchosen == Unchosen::All)
        };
        digests.iter().any(all)
    }
}
