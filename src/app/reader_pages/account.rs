//! What would harm a reader in other hands: it takes a fresh link, mailed to the registered address.

use super::super::App;
use super::fields::{Faults, field, read_address};
use super::{Gate, Outcome, ReaderPage};
use crate::domain::Result;
use crate::render::{AccountLinkPage, AccountPage, ErasePage, ErasedPage, LinkSentPage};
use crate::subscriptions::account::{self, Account};
use crate::subscriptions::link::Opened;
use crate::subscriptions::preferences;
use std::net::IpAddr;

/// From `/account/TOKEN` to the start page.
const ROOT: &str = "../";
/// From a page one step further down.
const DEEP_ROOT: &str = "../../";

/// Which of the page's forms was sent.
#[derive(Clone)]
pub enum AccountForm {
    /// A new address.
    Address(String),
    /// Everything that is kept.
    Download,
}

/// What comes of it.
#[derive(Debug)]
pub enum AccountAnswer {
    /// A mail goes to the new address, unless enough of them did lately.
    Asked,
    /// A file of JSON.
    Data(String),
    /// Something is to be seen first.
    Page(ReaderPage),
}

impl App {
    /// What a fresh link is for, and the button that mails it; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn account_link_page(&self, token: &str) -> Result<ReaderPage> {
        match preferences::peek(&self.store, &self.signer, token).await {
            Ok(Opened::Expired) => self.expired_link(DEEP_ROOT, false),
            Ok(Opened::Good(_) | Opened::Gone) => self.good(&AccountLinkPage {
                frame: self.frame(DEEP_ROOT),
                action: format!("../../p/{token}/account"),
                preferences: format!("../../p/{token}"),
            }),
            Err(problem) => self.bad_link(problem, DEEP_ROOT),
        }
    }

    /// Mails a fresh link to the registered address of the reader of `token`, if there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mail_account_link(&self, token: &str) -> Result<ReaderPage> {
        match account::request_link(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Expired) => self.expired_link(DEEP_ROOT, false),
            Ok(Opened::Good(()) | Opened::Gone) => self.good(&LinkSentPage {
                frame: self.frame(DEEP_ROOT),
                account: true,
            }),
            Err(problem) => self.bad_link(problem, DEEP_ROOT),
        }
    }

    /// What the reader of a fresh link can do; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn account_page(&self, token: &str, asked: bool) -> Result<ReaderPage> {
        match account::peek(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(account)) => self.account_form(token, &account, "", &Faults::default(), asked),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(ROOT, false),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    fn account_form(
        &self,
        token: &str,
        account: &Account,
        typed: &str,
        faults: &Faults,
        asked: bool,
    ) -> Result<ReaderPage> {
        let page = AccountPage {
            frame: self.frame(ROOT),
            registered: account.address.as_str().to_owned(),
            faults: faults.0.clone(),
            address: field(typed, "address", faults),
            asked,
            action: format!("../account/{token}"),
            erase: format!("../account/{token}/delete"),
        };
        let faulty = !faults.0.is_empty();
        self.reader_page(&page, if faulty { Outcome::Faulty } else { Outcome::Good })
    }

    /// Does what one of the forms asks for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_account(
        &self,
        token: &str,
        form: &AccountForm,
        visitor: IpAddr,
    ) -> Result<AccountAnswer> {
        let now = self.clock.now();
        let account = match account::peek(&self.store, &self.signer, token, now).await {
            Ok(Opened::Good(account)) => account,
            Ok(Opened::Expired | Opened::Gone) => {
                return Ok(AccountAnswer::Page(self.expired_link(ROOT, false)?));
            }
            Err(problem) => return Ok(AccountAnswer::Page(self.bad_link(problem, ROOT)?)),
        };
        let done = match form {
            AccountForm::Download => {
                let data = account::export(&self.store, &self.signer, token, &self.addressing(), now).await?;
                data.good().map(|data| AccountAnswer::Data(format!("{data:#}\n")))
            }
            AccountForm::Address(typed) => {
                let mut faults = Faults::default();
                let Some(address) = faults.take("address", read_address(typed)) else {
                    let page = self.account_form(token, &account, typed, &faults, false)?;
                    return Ok(AccountAnswer::Page(page));
                };
                if self.admitted(Gate::NewAddress, visitor).await?.is_none() {
                    return Ok(AccountAnswer::Page(self.too_many(ROOT)?));
                }
                let addressing = self.addressing();
                account::request_address(&self.store, &self.signer, token, &address, &addressing, now)
                    .await?
                    .good()
                    .map(|()| {
                        self.bell.notify_one();
                        AccountAnswer::Asked
                    })
            }
        };
        match done {
            Some(answer) => Ok(answer),
            None => Ok(AccountAnswer::Page(self.expired_link(ROOT, false)?)),
        }
    }

    /// The second look before everything is deleted; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn erase_page(&self, token: &str) -> Result<ReaderPage> {
        match account::peek(&self.store, &self.signer, token, self.clock.now()).await {
            Ok(Opened::Good(account)) => self.good(&ErasePage {
                frame: self.frame(DEEP_ROOT),
                registered: account.address.as_str().to_owned(),
                action: format!("../../account/{token}/delete"),
                account: format!("../../account/{token}"),
            }),
            Ok(Opened::Expired | Opened::Gone) => self.expired_link(DEEP_ROOT, false),
            Err(problem) => self.bad_link(problem, DEEP_ROOT),
        }
    }

    /// Erases the reader of a fresh link; again is fine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn erase(&self, token: &str) -> Result<ReaderPage> {
        let (addressing, now) = (self.addressing(), self.clock.now());
        match account::traces(&self.store, &self.signer, token, &addressing, now).await {
            Ok(opened @ (Opened::Good(_) | Opened::Gone)) => {
                if let Opened::Good(traces) = opened {
                    for left in self.forget_person(&traces).await?.left {
                        tracing::warn!("a reader was erased, but {left}");
                    }
                }
                self.good(&ErasedPage {
                    frame: self.frame(DEEP_ROOT),
                })
            }
            Ok(Opened::Expired) => self.expired_link(DEEP_ROOT, false),
            Err(problem) => self.bad_link(problem, DEEP_ROOT),
        }
    }
}
