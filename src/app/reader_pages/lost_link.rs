//! For readers who have no mail of ours at hand: the link to their choices, by mail.

use super::super::App;
use super::fields::{Faults, field, read_address};
use super::sentry::Sentry;
use super::{Gate, Outcome, ReaderPage};
use crate::domain::Result;
use crate::render::{LinkSentPage, LostLinkPage};
use crate::subscriptions::sign_up;
use std::net::IpAddr;

/// From `/lost-link` to the start page.
const ROOT: &str = "./";

/// The form as it was sent.
#[derive(Clone, Default)]
pub struct LostLinkForm {
    /// The address.
    pub address: String,
    /// What tells people from programs.
    pub sentry: Sentry,
}

impl App {
    /// The empty form.
    ///
    /// # Errors
    /// When its template fails.
    pub fn lost_link_page(&self) -> Result<ReaderPage> {
        self.lost_link_form(&LostLinkForm::default(), &Faults::default())
    }

    fn lost_link_form(&self, form: &LostLinkForm, faults: &Faults) -> Result<ReaderPage> {
        let page = LostLinkPage {
            frame: self.frame(ROOT),
            faults: faults.0.clone(),
            address: field(&form.address, "address", faults),
            stamp: self.stamp(),
        };
        let faulty = !faults.0.is_empty();
        self.reader_page(&page, if faulty { Outcome::Faulty } else { Outcome::Good })
    }

    /// Takes the form: the same page, status and work for every address.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask_for_link(&self, form: &LostLinkForm, visitor: IpAddr) -> Result<ReaderPage> {
        let mut faults = Faults::default();
        let Some(address) = faults.take("address", read_address(&form.address)) else {
            return self.lost_link_form(form, &faults);
        };
        if self.is_suspect(&form.sentry) {
            return self.ask_person(ROOT, "lost-link", &[("address", form.address.as_str())]);
        }
        let Some(network) = self.admitted(Gate::LostLink, visitor).await? else {
            return self.too_many(ROOT);
        };
        let now = self.clock.now();
        sign_up::request_link(&self.store, &address, &network, &self.addressing(), now).await?;
        self.bell.notify_one();
        self.good(&LinkSentPage {
            frame: self.frame(ROOT),
            account: false,
        })
    }
}
