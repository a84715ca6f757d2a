//! What is going on, as admins see it: digests, editions, relays.

use serde::Serialize;

use super::AdminFrame;
use crate::render::pages::Page;

/// `admin/start`: what waits, and what is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// In the configuration's order.
    pub digests: Vec<DigestRow>,
    /// Editions that wait for approval.
    pub drafts: Vec<EditionRow>,
    /// Editions that are not finished.
    pub under_way: Vec<EditionRow>,
    /// Relays with which something is wrong.
    pub relays: Vec<RelayRow>,
}

/// A digest in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestRow {
    /// Stands in addresses.
    pub name: String,
    /// What readers see; a value called `title` would be taken for the page's.
    pub heading: String,
    /// How many new summaries wait.
    pub waiting: i64,
    /// When the next edition is made by itself, or null.
    pub next_run: Option<String>,
    /// Confirmed readers.
    pub readers: String,
}

/// An edition in a list, with its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionRow {
    /// Its number.
    pub number: i64,
    /// The digest's title.
    pub digest: String,
    /// Where it stands, as a word such as `sending`.
    pub state: &'static str,
    /// How many summaries it holds.
    pub summaries: usize,
    /// The day it was made.
    pub made: String,
    /// Whether its audience is frozen.
    pub is_planned: bool,
    /// Readers in all.
    pub audience: String,
    /// The relay took the message.
    pub sent: String,
    /// Not final yet.
    pub waiting: String,
    /// Refused for good, or too old.
    pub failed: String,
    /// Not mailed.
    pub excluded: String,
    /// The last trouble, or null.
    pub trouble: Option<String>,
}

/// A relay with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelayRow {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub condition: String,
}

/// `admin/digest`: one digest, and the button that prepares its next edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The digest.
    pub digest: DigestRow,
    /// Titles of the new summaries.
    pub titles: Vec<String>,
    /// Fewer new summaries than this wait.
    pub least: u32,
    /// The edition that waits for approval, or null.
    pub draft: Option<i64>,
    /// Its editions that are not finished.
    pub under_way: Vec<EditionRow>,
}

/// `admin/editions`: every edition, page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionsPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// Newest first.
    pub editions: Vec<EditionRow>,
    /// Whether these are the newest.
    pub is_first: bool,
    /// The number below which the next page begins, or null.
    pub older: Option<i64>,
    /// Whether there is more than this page.
    pub is_paged: bool,
}

impl DigestRow {
    fn sample() -> Self {
        Self {
            name: "weekly".to_owned(),
            heading: "Weekly research digest".to_owned(),
            waiting: 3,
            next_run: Some("Mon 5 Jan 2026 07:00 GMT".to_owned()),
            readers: "412 readers".to_owned(),
        }
    }

    fn bare_sample() -> Self {
        Self {
            name: "monthly".to_owned(),
            heading: "Monthly research digest".to_owned(),
            waiting: 0,
            next_run: None,
            readers: "1 reader".to_owned(),
        }
    }
}

impl EditionRow {
    pub(super) fn sample() -> Self {
        Self {
            number: 3,
            digest: "Weekly research digest".to_owned(),
            state: "waiting",
            summaries: 5,
            made: "2 January 2026".to_owned(),
            is_planned: true,
            audience: "412".to_owned(),
            sent: "400".to_owned(),
            waiting: "8".to_owned(),
            failed: "3".to_owned(),
            excluded: "1".to_owned(),
            trouble: Some("relay main: 535 authentication failed".to_owned()),
        }
    }

    pub(super) fn bare_sample() -> Self {
        let none = || "0".to_owned();
        Self {
            number: 4,
            state: "draft",
            is_planned: false,
            audience: none(),
            sent: none(),
            waiting: none(),
            failed: none(),
            excluded: none(),
            trouble: None,
            ..Self::sample()
        }
    }
}

impl Page for StartPage {
    const TEMPLATE: &'static str = "admin/start";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            digests: vec![DigestRow::sample(), DigestRow::bare_sample()],
            drafts: vec![EditionRow::bare_sample()],
            under_way: vec![EditionRow::sample()],
            relays: vec![RelayRow {
                name: "main".to_owned(),
                condition: "open until 08:05 UTC, 3 failures".to_owned(),
            }],
        };
        let bare = Self {
            frame: AdminFrame::bare_sample(),
            drafts: Vec::new(),
            under_way: Vec::new(),
            relays: Vec::new(),
            ..full.clone()
        };
        vec![full, bare]
    }
}

impl Page for DigestPage {
    const TEMPLATE: &'static str = "admin/digest";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            digest: DigestRow::sample(),
            titles: vec!["Sample summary".to_owned()],
            least: 2,
            draft: Some(4),
            under_way: vec![EditionRow::sample()],
        };
        let bare = Self {
            frame: AdminFrame::bare_sample(),
            digest: DigestRow::bare_sample(),
            titles: Vec::new(),
            draft: None,
            under_way: Vec::new(),
            ..full.clone()
        };
        vec![full, bare]
    }
}

impl Page for EditionsPage {
    const TEMPLATE: &'static str = "admin/editions";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            editions: vec![EditionRow::sample(), EditionRow::bare_sample()],
            is_first: false,
            older: Some(2),
            is_paged: true,
        };
        let bare = Self {
            frame: AdminFrame::bare_sample(),
            editions: Vec::new(),
            is_first: true,
            older: None,
            is_paged: false,
        };
        vec![full, bare]
    }
}
