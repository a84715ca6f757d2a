//! An edition that was approved: its account, and who got what.

use serde::Serialize;

use super::{AdminFrame, EditionRow};
use crate::render::pages::Page;

/// `admin/ledger`: the account of an edition, and what can be done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The edition.
    pub edition: EditionRow,
    /// What its state means for people.
    pub stands: &'static str,
    /// Titles of its entries.
    pub titles: Vec<String>,
    /// The note on top, or null.
    pub note: Option<String>,
    /// Readers for whom all is settled.
    pub settled: i64,
    /// Readers in all.
    pub audience: i64,
    /// The share that is settled, in whole percent.
    pub percent: i64,
    /// Who was left out, and why, such as `3 readers: nothing for them`.
    pub left_out: Vec<String>,
    /// What may have arrived and waits for an admin's word, such as `1 message`; or null.
    pub held: Option<String>,
    /// Whether it is being delivered, so that the account changes.
    pub is_moving: bool,
    /// Whether the page loads itself again.
    pub is_watched: bool,
    /// Whether it can be paused.
    pub can_pause: bool,
    /// Whether it can go on.
    pub can_resume: bool,
    /// What can be sent again, such as `what failed`; or null.
    pub again: Option<&'static str>,
    /// Whether it can be ended.
    pub can_cancel: bool,
}

/// `admin/cancel`: the second look before an edition ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The edition.
    pub edition: EditionRow,
    /// Who would not receive it any more, such as `8 readers`.
    pub waiting: String,
    /// Whether it was something else when the admin looked before.
    pub is_changed: bool,
}

/// `admin/deliveries`: who got what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveriesPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The edition.
    pub edition: EditionRow,
    /// What can be looked at.
    pub filters: Vec<Filter>,
    /// What this page lists.
    pub deliveries: Vec<DeliveryContext>,
    /// Whether it is the first page.
    pub is_first: bool,
    /// The address of the first page, relative to this one.
    pub first: String,
    /// The address of the next page, or null.
    pub next: Option<String>,
    /// Whether there is more than this page.
    pub is_paged: bool,
}

/// A part of the deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Its name.
    pub name: &'static str,
    /// Its address, relative to this page.
    pub href: String,
    /// Whether it is what is shown.
    pub is_here: bool,
}

/// One message to one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryContext {
    /// The full address; empty when the reader was erased.
    pub address: String,
    /// Where it stands, as a word.
    pub state: &'static str,
    /// How often a relay was asked.
    pub attempts: i64,
    /// The relay's code, or null.
    pub code: Option<i64>,
    /// The relay's last words, or our reason; or null.
    pub text: Option<String>,
    /// When it is tried again, or null.
    pub next_attempt: Option<String>,
}

impl Page for LedgerPage {
    const TEMPLATE: &'static str = "admin/ledger";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            edition: EditionRow::sample(),
            stands: "Some messages are tried again later.",
            titles: vec!["Sample summary".to_owned()],
            note: Some("A word before.".to_owned()),
            settled: 404,
            audience: 412,
            percent: 98,
            left_out: vec!["1 reader: unsubscribed".to_owned()],
            held: Some("1 message".to_owned()),
            is_moving: true,
            is_watched: true,
            can_pause: true,
            can_resume: true,
            again: Some("what failed"),
            can_cancel: true,
        };
        let still = Self {
            is_watched: false,
            note: None,
            ..full.clone()
        };
        let mut bare = Self {
            frame: AdminFrame::bare_sample(),
            titles: Vec::new(),
            left_out: Vec::new(),
            held: None,
            is_moving: false,
            can_pause: false,
            can_resume: false,
            again: None,
            can_cancel: false,
            ..still.clone()
        };
        bare.edition.trouble = None;
        vec![full, still, bare]
    }
}

impl Page for CancelPage {
    const TEMPLATE: &'static str = "admin/cancel";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            edition: EditionRow::sample(),
            waiting: "8 readers".to_owned(),
            is_changed: true,
        };
        let draft = Self {
            frame: AdminFrame::bare_sample(),
            edition: EditionRow::bare_sample(),
            is_changed: false,
            ..full.clone()
        };
        vec![full, draft]
    }
}

impl Page for DeliveriesPage {
    const TEMPLATE: &'static str = "admin/deliveries";

    fn samples() -> Vec<Self> {
        let tried = DeliveryContext {
            address: "reader@example.org".to_owned(),
            state: "waiting",
            attempts: 2,
            code: Some(451),
            text: Some("4.7.1 try again later".to_owned()),
            next_attempt: Some("Mon 5 Jan 2026 07:00 GMT".to_owned()),
        };
        let erased = DeliveryContext {
            address: String::new(),
            state: "left out",
            attempts: 0,
            code: None,
            text: None,
            next_attempt: None,
        };
        let filter = |name, is_here| Filter {
            name,
            href: "deliveries?state=failed".to_owned(),
            is_here,
        };
        let full = Self {
            frame: AdminFrame::sample(),
            edition: EditionRow::sample(),
            filters: vec![filter("All", true), filter("Failed", false)],
            deliveries: vec![tried, erased],
            is_first: false,
            first: "deliveries".to_owned(),
            next: Some("deliveries?from=sent.7".to_owned()),
            is_paged: true,
        };
        let bare = Self {
            frame: AdminFrame::bare_sample(),
            deliveries: Vec::new(),
            is_first: true,
            next: None,
            is_paged: false,
            ..full.clone()
        };
        vec![full, bare]
    }
}
