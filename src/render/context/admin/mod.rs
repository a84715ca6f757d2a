//! What the templates of the admins' pages see.

mod edition;
mod ledger;
mod overview;
mod sign_in;

pub use edition::{Choice, DraftPage, EntryContext, Preview, SendPage};
pub use ledger::{CancelPage, DeliveriesPage, DeliveryContext, Filter, LedgerPage};
pub use overview::{DigestPage, DigestRow, EditionRow, EditionsPage, RelayRow, StartPage};
pub use sign_in::{LinkUsedPage, SessionPage, SignInPage, SignInSentPage, TroublePage};

use serde::Serialize;

use super::Frame;

/// What every page of a signed-in admin needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdminFrame {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The page's title.
    pub page_title: String,
    /// Who is signed in.
    pub admin: AdminContext,
    /// What was just done, or null.
    pub said: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdminContext {
    /// Their full address.
    pub address: String,
    /// What every form of theirs carries.
    pub form_token: String,
    /// The page they look at: `start`, `editions`, or empty.
    pub here: &'static str,
}

impl AdminFrame {
    fn sample() -> Self {
        Self {
            frame: Frame::bare_sample(),
            page_title: "Edition 3 of Weekly research digest".to_owned(),
            admin: AdminContext {
                address: "editor@example.org".to_owned(),
                form_token: "0123456789abcdef".to_owned(),
                here: "start",
            },
            said: Some("The note is saved.".to_owned()),
        }
    }

    fn bare_sample() -> Self {
        let mut bare = Self::sample();
        bare.admin.here = "editions";
        bare.said = None;
        bare
    }
}
