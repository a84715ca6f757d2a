//! What the templates of the pages see.

use serde::Serialize;

use super::{Frame, PublicationContext};
use crate::render::pages::Page;

/// `unsubscribe`: asks before anything changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsubscribePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The digest that would stop.
    pub digest: PublicationContext,
    /// Whether the reader receives it at present.
    pub subscribed: bool,
    /// Where the button posts to.
    pub action: String,
}

/// `unsubscribed`: says that it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsubscribedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The digest that stopped.
    pub digest: PublicationContext,
}

/// `link_invalid`: a link whose token is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkInvalidPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The address to write to, or null.
    pub contact: Option<String>,
}

/// `preferences`: what a reader receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreferencesPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The digest that the link came with.
    pub digest: PublicationContext,
    /// Whether the reader receives it.
    pub subscribed: bool,
    /// The names of the chosen categories; empty for none.
    pub categories: Vec<String>,
    /// Whether a reader who chose none receives the summaries of every category, or nothing.
    pub unchosen_all: bool,
    /// The address to write to.
    pub contact: String,
    /// Where the reader can leave.
    pub unsubscribe: String,
}

fn sample_digest() -> PublicationContext {
    PublicationContext {
        name: "weekly".to_owned(),
        title: "Weekly research digest".to_owned(),
    }
}

impl Page for UnsubscribePage {
    const TEMPLATE: &'static str = "unsubscribe";

    fn samples() -> Vec<Self> {
        vec![Self::sample()]
    }
}

impl Page for UnsubscribedPage {
    const TEMPLATE: &'static str = "unsubscribed";

    fn samples() -> Vec<Self> {
        vec![Self::sample()]
    }
}

impl Page for LinkInvalidPage {
    const TEMPLATE: &'static str = "link_invalid";

    fn samples() -> Vec<Self> {
        vec![Self::sample(), Self::bare_sample()]
    }
}

impl Page for PreferencesPage {
    const TEMPLATE: &'static str = "preferences";

    fn samples() -> Vec<Self> {
        vec![Self::sample(), Self::bare_sample()]
    }
}

impl UnsubscribePage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            digest: sample_digest(),
            subscribed: true,
            action: "../u/sample-token".to_owned(),
        }
    }
}

impl UnsubscribedPage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            digest: sample_digest(),
        }
    }
}

impl LinkInvalidPage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            contact: Some("mail@example.org".to_owned()),
        }
    }

    /// No address to write to.
    pub fn bare_sample() -> Self {
        Self {
            frame: Frame::bare_sample(),
            contact: None,
        }
    }
}

impl PreferencesPage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            digest: sample_digest(),
            subscribed: true,
            categories: vec!["First Category".to_owned(), "Second Category".to_owned()],
            unchosen_all: true,
            contact: "mail@example.org".to_owned(),
            unsubscribe: "../u/sample-token".to_owned(),
        }
    }

    /// A reader who left.
    pub fn bare_sample() -> Self {
        Self {
            subscribed: false,
            categories: Vec::new(),
            ..Self::sample()
        }
    }
}
