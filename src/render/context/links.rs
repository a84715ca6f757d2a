//! The pages behind readers' links: leaving, preferences, and what needs a fresh link.

use serde::Serialize;

use super::form::{ChoicesContext, FaultContext, FieldContext};
use super::web::sample_digest;
use super::{Frame, PublicationContext};
use crate::render::pages::Page;

/// `preferences`: what a reader receives, to see and to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreferencesPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The digest that the link came with.
    pub digest: PublicationContext,
    /// Whether there is anything to change: the reader is confirmed or paused.
    pub active: bool,
    /// Whether a change was just saved.
    pub saved: bool,
    /// What is wrong with the form that came back; empty for a fresh one.
    pub faults: Vec<FaultContext>,
    /// The digests.
    pub digests: ChoicesContext,
    /// Whether there is more than one.
    pub several_digests: bool,
    /// The categories.
    pub categories: ChoicesContext,
    /// Whether a reader who chooses none receives the summaries of every category, or nothing.
    pub unchosen_all: bool,
    /// The sentence that saving agrees to; it is recorded as it is shown.
    pub consent: String,
    /// The reader's name.
    pub name: FieldContext,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// The last day of a pause, such as `5 March 2027`, or null.
    pub paused_until: Option<String>,
    /// How long to pause.
    pub pauses: ChoicesContext,
    /// Where the form posts to.
    pub action: String,
    /// Where the reader can leave.
    pub unsubscribe: String,
    /// Where the reader can ask for what needs a fresh link.
    pub account: String,
}

/// `account_link`: what needs a fresh link, and a button that mails it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountLinkPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Where the button posts to.
    pub action: String,
    /// Back to the preferences.
    pub preferences: String,
}

/// `lost_link`: an address, and the link is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostLinkPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// What is wrong with the form that came back; empty for a fresh one.
    pub faults: Vec<FaultContext>,
    /// The reader's address.
    pub address: FieldContext,
    /// When the form was shown, signed.
    pub stamp: String,
}

/// `link_sent`: a link is on its way, if there is anybody to send it to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkSentPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether it is the short-lived one, to the registered address.
    pub account: bool,
}

/// `link_expired`: a link of ours whose time is up, whose reader is gone, or has another address since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkExpiredPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether it was to begin a subscription: then one signs up again.
    pub sign_up: bool,
    /// Whether it was to say "it was not me": then one writes to us.
    pub refusal: bool,
    /// The address to write to.
    pub contact: String,
}

/// `account`: change the address, download everything, be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The registered address.
    pub registered: String,
    /// What is wrong with the form that came back; empty for a fresh one.
    pub faults: Vec<FaultContext>,
    /// The new address.
    pub address: FieldContext,
    /// Whether a mail has just gone to a new address.
    pub asked: bool,
    /// Where the forms post to.
    pub action: String,
    /// Where one is asked a second time before everything is deleted.
    pub erase: String,
}

/// `erase`: the second look before everything is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The registered address.
    pub registered: String,
    /// Where the button posts to.
    pub action: String,
    /// Back, with nothing done.
    pub account: String,
}

/// `erased`: it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
}

/// `new_address`: whether mails should come to this address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewAddressPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Where the button posts to.
    pub action: String,
}

/// `address_changed`: they do, or it could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressChangedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether they do.
    pub changed: bool,
    /// The address to write to.
    pub contact: String,
}

impl Page for PreferencesPage {
    const TEMPLATE: &'static str = "preferences";

    fn samples() -> Vec<Self> {
        vec![Self::sample(), Self::bare_sample(), Self::gone_sample()]
    }
}

impl PreferencesPage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            digest: sample_digest(),
            active: true,
            saved: true,
            faults: vec![FaultContext::sample("name")],
            digests: ChoicesContext::sample("digest"),
            several_digests: true,
            categories: ChoicesContext::sample("category"),
            unchosen_all: true,
            consent: "I agree to receive these mails.".to_owned(),
            name: FieldContext::sample(),
            text_only: true,
            paused_until: Some("5 March 2027".to_owned()),
            pauses: ChoicesContext::sample("pause"),
            action: "../p/sample-token".to_owned(),
            unsubscribe: "../u/sample-token".to_owned(),
            account: "../p/sample-token/account".to_owned(),
        }
    }

    /// A reader with one digest, who has nothing to be told.
    pub fn bare_sample() -> Self {
        Self {
            saved: false,
            faults: Vec::new(),
            digests: ChoicesContext::bare_sample("digest"),
            several_digests: false,
            categories: ChoicesContext::bare_sample("category"),
            unchosen_all: false,
            name: FieldContext::default(),
            text_only: false,
            paused_until: None,
            pauses: ChoicesContext::bare_sample("pause"),
            ..Self::sample()
        }
    }

    /// A reader who left.
    pub fn gone_sample() -> Self {
        Self {
            active: false,
            ..Self::bare_sample()
        }
    }
}

impl Page for AccountLinkPage {
    const TEMPLATE: &'static str = "account_link";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            action: "../../p/sample-token/account".to_owned(),
            preferences: "../../p/sample-token".to_owned(),
        }]
    }
}

impl Page for LostLinkPage {
    const TEMPLATE: &'static str = "lost_link";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            faults: vec![FaultContext::sample("address")],
            address: FieldContext::sample(),
            stamp: "sample-stamp".to_owned(),
        };
        let bare = Self {
            faults: Vec::new(),
            address: FieldContext::default(),
            ..full.clone()
        };
        vec![full, bare]
    }
}

impl Page for LinkSentPage {
    const TEMPLATE: &'static str = "link_sent";

    fn samples() -> Vec<Self> {
        [true, false]
            .map(|account| Self {
                frame: Frame::sample(),
                account,
            })
            .into()
    }
}

impl Page for LinkExpiredPage {
    const TEMPLATE: &'static str = "link_expired";

    fn samples() -> Vec<Self> {
        [(true, false), (false, true), (false, false)]
            .map(|(sign_up, refusal)| Self {
                frame: Frame::sample(),
                sign_up,
                refusal,
                contact: "contact@example.org".to_owned(),
            })
            .into()
    }
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "account";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            registered: "ann@example.org".to_owned(),
            faults: vec![FaultContext::sample("address")],
            address: FieldContext::sample(),
            asked: true,
            action: "../account/sample-token".to_owned(),
            erase: "../account/sample-token/delete".to_owned(),
        };
        let bare = Self {
            faults: Vec::new(),
            address: FieldContext::default(),
            asked: false,
            ..full.clone()
        };
        vec![full, bare]
    }
}

impl Page for ErasePage {
    const TEMPLATE: &'static str = "erase";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            registered: "ann@example.org".to_owned(),
            action: "../../account/sample-token/delete".to_owned(),
            account: "../../account/sample-token".to_owned(),
        }]
    }
}

impl Page for ErasedPage {
    const TEMPLATE: &'static str = "erased";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
        }]
    }
}

impl Page for NewAddressPage {
    const TEMPLATE: &'static str = "new_address";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            action: "../address/sample-token".to_owned(),
        }]
    }
}

impl Page for AddressChangedPage {
    const TEMPLATE: &'static str = "address_changed";

    fn samples() -> Vec<Self> {
        [true, false]
            .map(|changed| Self {
                frame: Frame::sample(),
                changed,
                contact: "mail@example.org".to_owned(),
            })
            .into()
    }
}
