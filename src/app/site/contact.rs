//! What visitors write to the admins.

use super::App;
use crate::app::reader_pages::{Gate, Outcome, ReaderPage, Sentry};
use crate::domain::notice::NoticeData;
use crate::domain::text::{one_line, strip_illegal};
use crate::domain::{EmailAddress, Result};
use crate::render::{ContactPage, ContactSentPage};
use crate::store::notices::NewNotice;
use crate::subscriptions::import::address_hash;
use std::net::IpAddr;

/// The longest name, in characters.
const NAME: usize = 100;
/// The longest message, in characters.
const MESSAGE: usize = 5000;
/// From `/contact` to the start page.
const ROOT: &str = "./";

/// What a visitor typed.
#[derive(Debug, Clone, Default)]
pub struct ContactForm {
    /// How they call themselves; may be empty.
    pub name: String,
    /// Where the answer goes.
    pub email: String,
    /// What they write.
    pub message: String,
    /// What tells people from programs.
    pub sentry: Sentry,
}

impl App {
    /// The form.
    ///
    /// # Errors
    /// When its template fails.
    pub fn contact_page(&self) -> Result<ReaderPage> {
        self.reader_page(&self.empty_contact_page()?, Outcome::Good)
    }

    fn empty_contact_page(&self) -> Result<ContactPage> {
        let text = self.texts.text("contact", &self.config.site)?;
        let description = format!("Write to {}.", self.config.site.name);
        let frame = self.frame(ROOT).public("/contact", &description).here("contact");
        Ok(ContactPage::new(frame, text, self.stamp()))
    }

    /// Passes a message on to every admin; what looks like a program's presses one more button first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn send_message(&self, form: ContactForm, visitor: IpAddr) -> Result<ReaderPage> {
        let mut page = self.empty_contact_page()?;
        page.name.fault = too_long(&form.name, NAME, "Your name");
        page.email.fault = match EmailAddress::parse(&form.email) {
            Ok(_) => None,
            Err(_) if form.email.trim().is_empty() => {
                Some("Please give your email address, so that we can answer.".to_owned())
            }
            Err(_) => Some("This is no email address. One looks like name@example.org.".to_owned()),
        };
        let text = strip_illegal(form.message.trim())
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        page.message.fault = if text.trim().is_empty() {
            Some("Please write a message.".to_owned())
        } else {
            too_long(&text, MESSAGE, "Your message")
        };
        let errors = [&page.name, &page.email, &page.message];
        page.has_errors = errors.iter().any(|field| field.fault.is_some());
        let (Ok(from), false) = (EmailAddress::parse(&form.email), page.has_errors) else {
            page.frame = self.frame(ROOT).here("contact");
            page.name.value = form.name;
            page.email.value = form.email;
            page.message.value = form.message;
            return self.reader_page(&page, Outcome::Faulty);
        };
        if self.is_suspect(&form.sentry) {
            let fields = [
                ("name", form.name.as_str()),
                ("email", &form.email),
                ("message", &form.message),
            ];
            return self.ask_person(ROOT, "contact", &fields);
        }
        if self.admitted(Gate::Contact, visitor).await?.is_none() {
            return self.too_many(ROOT);
        }
        let name = Some(one_line(&form.name)).filter(|name| !name.is_empty());
        self.tell_admins(&from, name, &text).await?;
        let sent = ContactSentPage {
            frame: self.frame(ROOT),
        };
        self.reader_page(&sent, Outcome::Good)
    }

    async fn tell_admins(&self, from: &EmailAddress, name: Option<String>, text: &str) -> Result<()> {
        let notices: Vec<NewNotice> = self
            .admin_addresses()
            .into_iter()
            .map(|admin| {
                let key = admin.key(self.config.subscribers.local_part);
                NewNotice {
                    subscriber: None,
                    address: Some(admin.full()),
                    address_hash: address_hash(&key, &self.salt),
                    mailbox_hash: None,
                    data: NoticeData::Contact {
                        from: from.full().into(),
                        name: name.clone(),
                        text: text.to_owned(),
                    },
                }
            })
            .collect();
        self.store.add_notices(&notices, self.clock.now()).await?;
        self.notices_waiting();
        Ok(())
    }

    /// Who looks after the site: those of the configuration, else whoever readers' answers go to.
    pub(crate) fn admin_addresses(&self) -> Vec<EmailAddress> {
        let named = &self.config.admin.addresses;
        if named.is_empty() {
            let mail = &self.config.mail;
            return vec![mail.reply_to.as_ref().unwrap_or(&mail.from).address.clone()];
        }
        named.clone()
    }
}

fn too_long(text: &str, most: usize, what: &str) -> Option<String> {
    let length = text.trim().chars().count();
    (length > most).then(|| format!("{what} has {length} characters; please keep it to {most}."))
}
