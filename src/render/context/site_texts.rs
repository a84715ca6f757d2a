//! The pages of the site that show texts, the contact form, and what is not there.

use serde::Serialize;

use super::form::FieldContext;
use super::site::{Crumb, sample_crumbs};
use super::{Frame, day, local_day};
use crate::domain::Timestamp;
use crate::render::pages::Page;
use crate::render::texts::Text;

/// `text`: about, disclaimer or privacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// Plain.
    pub heading: String,
    /// HTML.
    pub body_html: String,
}

/// `contact`: a form that mails the admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// Plain.
    pub heading: String,
    /// The text above the form; HTML.
    pub body_html: String,
    /// Where the form posts to.
    pub action: String,
    /// Whether something has to be put right.
    pub has_errors: bool,
    /// How the visitor calls themselves.
    pub name: FieldContext,
    /// Where the answer goes.
    pub email: FieldContext,
    /// What they write.
    pub message: FieldContext,
    /// The time at which the form is shown, signed.
    pub stamp: String,
}

/// `contact_sent`: the message is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactSentPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
}

/// `not_found`: nothing is at this address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotFoundPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
}

/// `removed`: a summary was here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemovedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Why it is gone, or empty.
    pub note: String,
    /// Since when, such as `2 January 2026`.
    pub date: String,
    /// The same day, such as `2026-01-02`.
    pub date_iso: String,
}

impl RemovedPage {
    /// The page of what was removed at `time`; its day is that of UTC.
    pub fn new(frame: Frame, note: &str, time: Timestamp) -> Self {
        let date = local_day(time, chrono_tz::UTC);
        Self {
            frame,
            note: note.to_owned(),
            date: day(date),
            date_iso: date.to_string(),
        }
    }
}

impl TextPage {
    /// The page of `text`.
    pub fn new(frame: Frame, text: Text) -> Self {
        let crumb = Crumb {
            name: text.title.clone(),
            href: None,
        };
        Self {
            frame,
            crumbs: vec![crumb],
            heading: text.title,
            body_html: text.html,
        }
    }
}

impl ContactPage {
    /// The form below `text`, shown at the time of `stamp`, with nothing in it.
    pub fn new(frame: Frame, text: Text, stamp: String) -> Self {
        let page = TextPage::new(frame, text);
        Self {
            action: format!("{}contact", page.frame.root),
            frame: page.frame,
            crumbs: page.crumbs,
            heading: page.heading,
            body_html: page.body_html,
            has_errors: false,
            name: FieldContext::default(),
            email: FieldContext::default(),
            message: FieldContext::default(),
            stamp,
        }
    }
}

fn sample_text() -> Text {
    Text {
        title: "A title".to_owned(),
        html: "<p>Where the text stands.</p>".to_owned(),
    }
}

impl Page for TextPage {
    const TEMPLATE: &'static str = "text";

    fn samples() -> Vec<Self> {
        vec![Self::new(Frame::sample(), sample_text())]
    }
}

impl Page for ContactPage {
    const TEMPLATE: &'static str = "contact";

    fn samples() -> Vec<Self> {
        let wrong = FieldContext {
            value: "Where the words of the visitor stand".to_owned(),
            fault: Some("What is wrong with them.".to_owned()),
        };
        let bare = Self::new(Frame::sample(), sample_text(), "sample-stamp".to_owned());
        let full = Self {
            crumbs: sample_crumbs(),
            has_errors: true,
            name: wrong.clone(),
            email: wrong.clone(),
            message: wrong,
            ..bare.clone()
        };
        vec![full, bare]
    }
}

impl Page for ContactSentPage {
    const TEMPLATE: &'static str = "contact_sent";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::bare_sample(),
        }]
    }
}

impl Page for NotFoundPage {
    const TEMPLATE: &'static str = "not_found";

    fn samples() -> Vec<Self> {
        let mut without_pages = Frame::bare_sample();
        without_pages.site.pages = false;
        let frame = Frame::bare_sample();
        vec![Self { frame }, Self { frame: without_pages }]
    }
}

impl Page for RemovedPage {
    const TEMPLATE: &'static str = "removed";

    fn samples() -> Vec<Self> {
        let sample = |note: &str| Self {
            frame: Frame::bare_sample(),
            note: note.to_owned(),
            date: "2 January 2026".to_owned(),
            date_iso: "2026-01-02".to_owned(),
        };
        vec![sample("Where the reason stands."), sample("")]
    }
}
