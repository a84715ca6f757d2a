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
    /// Where the reader can ask for the link by which to choose fewer mails instead.
    pub fewer: String,
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

pub(super) fn sample_digest() -> PublicationContext {
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

impl UnsubscribePage {
    /// Every value present.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            digest: sample_digest(),
            subscribed: true,
            action: "../u/sample-token".to_owned(),
            fewer: "../lost-link".to_owned(),
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
