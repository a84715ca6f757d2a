//! Signing in: a mailed link, a button, and a session that ends by itself.

use super::super::App;
use super::{Admin, AdminPage, Outcome, Visit};
use crate::domain::{EmailAddress, Problem, Result};
use crate::render::admin::{LinkUsedPage, SessionPage, SignInPage, SignInSentPage};
use crate::store::admin_sessions::{Asked, SignInAsked};
use crate::subscriptions::admin_session;
use crate::subscriptions::token::Purpose;
use std::net::IpAddr;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// How long a link is good, and over which time the limits count.
const LINK: Duration = Duration::from_secs(15 * 60);
/// How many links an address gets in that time.
const LINKS: i64 = 3;
/// How often a network may ask in that time.
const ASKS: i64 = 12;
/// How long a session lasts at most.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// How long it lasts when nobody asks for a page.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// What became of a link.
#[derive(Debug)]
pub enum Opened {
    /// Somebody is signed in: what their browser is to hold.
    Session(String),
    /// It was used, is too old, or not ours.
    Page(AdminPage),
}

impl Admin {
    /// What every form of theirs carries.
    pub(super) fn form_token(&self) -> String {
        admin_session::form_token(&self.token)
    }

    /// Whether a form that carries `presented` is from a page of this session.
    pub fn sent_form(&self, presented: &str) -> bool {
        admin_session::is_form_token(&self.token, presented)
    }
}

impl App {
    /// The page that asks for an address.
    ///
    /// # Errors
    /// When a template fails.
    pub fn sign_in_page(&self, said: Option<&str>) -> Result<AdminPage> {
        self.admin_page(&SignInPage {
            frame: self.frame("../"),
            address: String::new(),
            error: None,
            said: said.and_then(super::said).map(str::to_owned),
        })
    }

    /// Mails a link to `address` when it is an admin's; the page is the same for everybody.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask_to_sign_in(&self, address: &str, visitor: IpAddr) -> Result<AdminPage> {
        let parsed = match EmailAddress::parse(address.trim()) {
            Ok(parsed) => parsed,
            Err(_) => {
                let page = SignInPage {
                    frame: self.frame("../"),
                    address: address.to_owned(),
                    error: Some("Write the whole address, such as editor@example.org".to_owned()),
                    said: None,
                };
                return self.faulty_admin_page(&page);
            }
        };
        let now = self.clock.now();
        let hash = self.addressing().known(&parsed).hash;
        let mail_to = self.admin_with(&hash).map(EmailAddress::full);
        let asked = SignInAsked {
            address_hash: &hash,
            network: &self.addressing().network(visitor),
            mail_to: mail_to.as_deref(),
            limits: (LINKS, ASKS),
            since: now.minus(LINK),
            expires: now.plus(LINK),
        };
        let asked = self.store.ask_to_sign_in(&asked, now).await?;
        tracing::info!(address = %parsed, outcome = ?asked, "a link to sign in was asked for");
        self.notices_waiting();
        let page = SignInSentPage {
            frame: self.frame("../"),
            minutes: LINK.as_secs() / 60,
        };
        let mut page = self.admin_page(&page)?;
        if asked == Asked::TooMany {
            page.outcome = Outcome::TooMany;
        }
        Ok(page)
    }

    /// The page behind a mailed link: a button. Nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session_page(&self, token: &str) -> Result<AdminPage> {
        let now = self.clock.now();
        match self.signer.read_short_lived(Purpose::SignIn, token, now) {
            Ok(id) if self.store.is_sign_in_open(id, now).await? => self.admin_page(&SessionPage {
                frame: self.frame("../../"),
                action: format!("../../admin/session/{token}"),
            }),
            _ => self.link_used(),
        }
    }

    /// Signs in with a mailed link, once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_session(&self, token: &str) -> Result<Opened> {
        let now = self.clock.now();
        let Ok(id) = self.signer.read_short_lived(Purpose::SignIn, token, now) else {
            return Ok(Opened::Page(self.link_used()?));
        };
        let session = admin_session::new_session(&*self.random)?;
        let kept = admin_session::kept(&session);
        let hash = self.store.use_sign_in(id, &kept, now.plus(SESSION), now).await?;
        // One who was taken out of the configuration since they asked signs in no more.
        let Some(address) = hash.as_deref().and_then(|hash| self.admin_with(hash)) else {
            self.store.end_admin_session(&kept).await?;
            return Ok(Opened::Page(self.link_used()?));
        };
        tracing::info!(admin = %address, "signed in");
        Ok(Opened::Session(session))
    }

    fn link_used(&self) -> Result<AdminPage> {
        let page = LinkUsedPage {
            frame: self.frame("../../"),
        };
        Ok(AdminPage::of(Outcome::Missing, self.templates.page(&page)?))
    }

    /// Who holds the session `token`; `None` when it has ended, or its admin is one no more. That they were
    /// seen is written down once a minute: it is how long a session rests, and nothing that a page shows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn admin_of(&self, token: &str) -> Result<Option<Admin>> {
        let kept = admin_session::kept(token);
        let Some(session) = self.store.admin_session(&kept).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let admin = self.admin_with(&session.address_hash);
        let Some(address) = admin.filter(|_| session.expires > now && session.seen.plus(IDLE) > now) else {
            self.store.end_admin_session(&kept).await?;
            return Ok(None);
        };
        if now.since(session.seen) >= MINUTE {
            self.store.admin_seen(&kept, now).await?;
        }
        Ok(Some(Admin {
            address: address.clone(),
            token: token.to_owned(),
        }))
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_out(&self, visit: &Visit) -> Result<()> {
        let kept = admin_session::kept(&visit.admin.token);
        self.store.end_admin_session(&kept).await?;
        tracing::info!(admin = %visit.admin.address, "signed out");
        Ok(())
    }

    /// How long a browser keeps a session, in seconds.
    pub fn session_seconds(&self) -> u64 {
        SESSION.as_secs()
    }

    /// The path under which the browser sends a session: that of the admins' pages.
    ///
    /// # Errors
    /// When the site's address can't be read.
    pub fn admin_path(&self) -> Result<String> {
        let url = url::Url::parse(&self.config.site.url)
            .map_err(|error| Problem::configuration("the site's url can't be read").because(error))?;
        Ok(format!("{}/admin", url.path().trim_end_matches('/')))
    }

    /// The admin whose address has this hash.
    fn admin_with(&self, hash: &str) -> Option<&EmailAddress> {
        let addressing = self.addressing();
        let mut admins = self.config.admin.addresses.iter();
        admins.find(|admin| addressing.known(admin).hash == hash)
    }
}
