//! The pages of signing up, from the form to the button in the confirmation mail.

use serde::Serialize;

use super::Frame;
use super::form::{ChoicesContext, FaultContext, FieldContext, HiddenContext};
use crate::render::pages::Page;

/// `subscribe`: the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscribePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// What is wrong with the form that came back; empty for a fresh one.
    pub faults: Vec<FaultContext>,
    /// The reader's address.
    pub address: FieldContext,
    /// The reader's name, which may stay empty.
    pub name: FieldContext,
    /// The digests.
    pub digests: ChoicesContext,
    /// Whether there is more than one.
    pub several_digests: bool,
    /// The categories.
    pub categories: ChoicesContext,
    /// Whether a reader who chooses none receives the summaries of every category, or nothing.
    pub unchosen_all: bool,
    /// Whether mails should come as text only.
    pub text_only: bool,
    /// The sentence to agree to; it is recorded as it is shown.
    pub consent: String,
    /// Whether it was agreed to.
    pub agreed: bool,
    /// What is wrong with that, or null.
    pub consent_fault: Option<String>,
    /// When the form was shown, signed.
    pub stamp: String,
}

/// `ask_person`: one more button for whoever looks like a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskPersonPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Where the button posts to.
    pub action: String,
    /// What was filled in.
    pub fields: Vec<HiddenContext>,
}

/// `check_inbox`: a mail is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckInboxPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The address, as it was understood.
    pub address: String,
}

/// `too_many`: come back later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TooManyPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
}

/// `confirm`: what will be subscribed, and a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfirmPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// What the reader will be called in mails.
    pub name: Option<String>,
    /// The titles of the digests.
    pub digests: Vec<String>,
    /// The names of the categories; empty for no choice.
    pub categories: Vec<String>,
    /// Whether no choice means every category, or nothing.
    pub unchosen_all: bool,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// The sentence agreed to.
    pub consent: String,
    /// Whether it was confirmed before.
    pub confirmed: bool,
    /// Where the button posts to.
    pub action: String,
}

/// `confirmed`: the subscription has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfirmedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The titles of the digests.
    pub digests: Vec<String>,
    /// The names of the categories; empty for no choice.
    pub categories: Vec<String>,
    /// Whether no choice means every category, or nothing.
    pub unchosen_all: bool,
    /// Where the reader can change what they receive.
    pub preferences: String,
}

/// `refuse`: never to be written to again?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether the mail asked if a reader's mails should come to this address.
    pub new_address: bool,
    /// Whether mails come to this address now.
    pub receives: bool,
    /// Whether they go on: the button only keeps that reader from asking again.
    pub keeps: bool,
    /// Where the button posts to.
    pub action: String,
}

/// `refused`: it is done, or there is nothing to do any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether the owner's own mails go on: only another reader's were refused.
    pub keeps: bool,
}

impl Page for SubscribePage {
    const TEMPLATE: &'static str = "subscribe";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            faults: vec![FaultContext::sample("address")],
            address: FieldContext::sample(),
            name: FieldContext::sample(),
            digests: ChoicesContext::sample("digest"),
            several_digests: true,
            categories: ChoicesContext::sample("category"),
            unchosen_all: true,
            text_only: true,
            consent: "I agree to receive these mails.".to_owned(),
            agreed: true,
            consent_fault: Some("Please tick the box.".to_owned()),
            stamp: "sample-stamp".to_owned(),
        };
        let bare = Self {
            faults: Vec::new(),
            address: FieldContext::default(),
            name: FieldContext::default(),
            digests: ChoicesContext::bare_sample("digest"),
            several_digests: false,
            categories: ChoicesContext::bare_sample("category"),
            unchosen_all: false,
            text_only: false,
            agreed: false,
            consent_fault: None,
            ..full.clone()
        };
        vec![full, bare]
    }
}

impl Page for AskPersonPage {
    const TEMPLATE: &'static str = "ask_person";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            action: "subscribe".to_owned(),
            fields: vec![HiddenContext {
                name: "address".to_owned(),
                value: "ann@example.org".to_owned(),
            }],
        }]
    }
}

impl Page for CheckInboxPage {
    const TEMPLATE: &'static str = "check_inbox";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            address: "ann@example.org".to_owned(),
        }]
    }
}

impl Page for TooManyPage {
    const TEMPLATE: &'static str = "too_many";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
        }]
    }
}

impl Page for ConfirmPage {
    const TEMPLATE: &'static str = "confirm";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            name: Some("Ann Example".to_owned()),
            digests: vec!["Weekly research digest".to_owned()],
            categories: vec!["First Category".to_owned(), "Second Category".to_owned()],
            unchosen_all: true,
            text_only: true,
            consent: "I agree to receive these mails.".to_owned(),
            confirmed: true,
            action: "../confirm/sample-token".to_owned(),
        };
        let all = Self {
            categories: Vec::new(),
            text_only: false,
            confirmed: false,
            ..full.clone()
        };
        let none = Self {
            name: None,
            unchosen_all: false,
            ..all.clone()
        };
        vec![full, all, none]
    }
}

impl Page for ConfirmedPage {
    const TEMPLATE: &'static str = "confirmed";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            digests: vec!["Weekly research digest".to_owned()],
            categories: vec!["First Category".to_owned(), "Second Category".to_owned()],
            unchosen_all: true,
            preferences: "../p/sample-token".to_owned(),
        };
        let all = Self {
            categories: Vec::new(),
            ..full.clone()
        };
        let none = Self {
            unchosen_all: false,
            ..all.clone()
        };
        vec![full, all, none]
    }
}

impl Page for RefusePage {
    const TEMPLATE: &'static str = "refuse";

    fn samples() -> Vec<Self> {
        let keeping = Self {
            frame: Frame::sample(),
            new_address: true,
            receives: true,
            keeps: true,
            action: "../refuse/sample-token".to_owned(),
        };
        let ending = Self {
            keeps: false,
            ..keeping.clone()
        };
        let new = Self {
            receives: false,
            ..ending.clone()
        };
        let confirmed = Self {
            new_address: false,
            ..ending.clone()
        };
        let plain = Self {
            receives: false,
            ..confirmed.clone()
        };
        vec![keeping, ending, new, confirmed, plain]
    }
}

impl Page for RefusedPage {
    const TEMPLATE: &'static str = "refused";

    fn samples() -> Vec<Self> {
        [true, false]
            .map(|keeps| Self {
                frame: Frame::sample(),
                keeps,
            })
            .to_vec()
    }
}
