//! The pages on which readers sign up, choose and leave.

mod account;
mod address;
mod confirm;
mod fields;
mod leave;
mod lost_link;
mod preferences;
mod sentry;
mod sign_up;
mod wording;

pub use account::{AccountAnswer, AccountForm};
pub use fields::ReaderFields;
pub use lost_link::LostLinkForm;
pub use preferences::{PreferencesAnswer, PreferencesForm};
pub use sentry::Sentry;
pub use sign_up::{ApiAnswer, ApiFault, ApiSignUp, SubscribeForm};

use super::App;
use crate::domain::problem::Kind;
use crate::domain::{Problem, Result};
use crate::render::{LinkExpiredPage, LinkInvalidPage, Page, PublicationContext, TooManyPage};
use crate::subscriptions::addressing::Addressing;
pub(in crate::app) use crate::subscriptions::limits::Gate;
use crate::subscriptions::limits::{Admission, Limits, admit};
use std::net::IpAddr;

/// A page for a reader, and how it answers the request.
#[derive(Debug)]
pub struct ReaderPage {
    /// The whole HTML document.
    pub html: String,
    /// What became of the request.
    pub outcome: Outcome,
}

/// What became of a request for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Good,
    /// Something in the form has to be put right.
    Faulty,
    /// The token was not made by us, its key is revoked, or its time is up.
    BadLink,
    /// There were enough of these for now.
    TooMany,
}

/// The time that limits count by, in seconds: whoever is sent away may come back after it.
pub const LIMIT_SPAN: u32 = 3_600;

impl App {
    pub(super) fn addressing(&self) -> Addressing {
        Addressing {
            local_part: self.config.subscribers.local_part,
            salt: self.salt.clone(),
            network_salt: self.signer.visitors_salt().to_owned(),
        }
    }

    /// A page that answers as `outcome` says.
    pub(in crate::app) fn reader_page(&self, page: &impl Page, outcome: Outcome) -> Result<ReaderPage> {
        let html = match outcome {
            Outcome::Faulty => self.templates.faulty_page(page),
            _ => self.templates.page(page),
        };
        Ok(ReaderPage { html: html?, outcome })
    }

    fn good(&self, page: &impl Page) -> Result<ReaderPage> {
        self.reader_page(page, Outcome::Good)
    }

    /// A page for a link that is not ours; other trouble stays an error. `root` leads to the start page.
    fn bad_link(&self, problem: Problem, root: &str) -> Result<ReaderPage> {
        if problem.kind() != Kind::NotFound {
            return Err(problem);
        }
        let page = LinkInvalidPage {
            frame: self.frame(root),
            contact: Some(self.contact()),
        };
        self.reader_page(&page, Outcome::BadLink)
    }

    /// A page for a link of ours that leads nowhere any more.
    fn expired_link(&self, root: &str, sign_up: bool) -> Result<ReaderPage> {
        let page = LinkExpiredPage {
            frame: self.frame(root),
            sign_up,
            refusal: false,
            contact: self.contact(),
        };
        self.reader_page(&page, Outcome::BadLink)
    }

    /// The same for a link with which somebody wants to say that it was not them.
    fn expired_refusal(&self, root: &str) -> Result<ReaderPage> {
        let page = LinkExpiredPage {
            frame: self.frame(root),
            sign_up: false,
            refusal: true,
            contact: self.contact(),
        };
        self.reader_page(&page, Outcome::BadLink)
    }

    /// The page for whoever comes too often.
    pub(in crate::app) fn too_many(&self, root: &str) -> Result<ReaderPage> {
        let page = TooManyPage {
            frame: self.frame(root),
        };
        self.reader_page(&page, Outcome::TooMany)
    }

    /// Counts a form of the visitor's network; the hash of the network, unless there were enough.
    pub(in crate::app) async fn admitted(&self, gate: Gate, visitor: IpAddr) -> Result<Option<String>> {
        let network = self.addressing().network(visitor);
        let limits = Limits {
            per_network: self.config.subscribe.per_network_per_hour,
            total: self.config.subscribe.total_per_hour,
        };
        let admission = admit(&self.store, gate, &network, limits, self.clock.now()).await?;
        Ok((admission == Admission::Admitted).then_some(network))
    }

    /// An absolute link of ours, as a page one step below the start page names it.
    fn relative(&self, link: &str) -> String {
        link.strip_prefix(&self.config.site.url)
            .map_or_else(|| link.to_owned(), |path| format!("..{path}"))
    }

    /// The address to write to.
    pub(in crate::app) fn contact(&self) -> String {
        let mail = &self.config.mail;
        mail.reply_to.as_ref().unwrap_or(&mail.from).address.full()
    }

    /// The digest that readers see; its own name when the configuration no longer has it.
    pub(in crate::app) fn publication(&self, name: Option<&str>) -> PublicationContext {
        let known = self
            .digests
            .iter()
            .find(|digest| Some(digest.name.as_str()) == name);
        known.map_or_else(
            || PublicationContext {
                name: name.unwrap_or_default().to_owned(),
                title: name.unwrap_or(&self.config.site.name).to_owned(),
            },
            PublicationContext::from,
        )
    }
}
