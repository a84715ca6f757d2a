//! What the templates of a digest mail see, and how a digest that is too long is shortened.

use serde::Serialize;

use super::{ItemContext, day, local_day, sample_site};
use crate::domain::{Digest, Site, Timestamp};

/// A digest as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicationContext {
    /// Stands in addresses.
    pub name: String,
    /// What readers see.
    pub title: String,
}

impl PublicationContext {
    /// A digest that comes once a week.
    pub(super) fn sample() -> Self {
        Self {
            name: "weekly".to_owned(),
            title: "Weekly research digest".to_owned(),
        }
    }
}

impl From<&Digest> for PublicationContext {
    fn from(digest: &Digest) -> Self {
        Self {
            name: digest.name.to_string(),
            title: digest.title.clone(),
        }
    }
}

/// An edition as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionContext {
    /// The edition's number.
    pub number: i64,
    /// The day in the digest's time zone, such as `2 January 2026`.
    pub date: String,
    /// The same day, such as `2026-01-02`.
    pub date_iso: String,
    /// The instant in RFC 3339.
    pub time: String,
    /// The edition in the browser, without personal links, or null.
    pub web_url: Option<String>,
    /// The editor's note, paragraph by paragraph; empty when there is none.
    pub note: Vec<String>,
}

/// What the templates of a digest mail see. The reader's values are added as slots when it is rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestContext {
    /// Who sends.
    pub site: Site,
    /// Which digest.
    pub digest: PublicationContext,
    /// Which issue of it.
    pub edition: EditionContext,
    /// Retractions and corrections first.
    pub items: Vec<ItemContext>,
    /// How many items there are.
    pub count: usize,
    /// How many of them are new summaries.
    pub new_count: usize,
    /// How many are corrections or retractions.
    pub changes_count: usize,
    /// Whether a list of contents is worth its space: more than three items.
    pub contents_list: bool,
    /// Whether entries were shortened so that the mail fits.
    pub shortened: bool,
}

impl DigestContext {
    /// The context of one segment. Retractions, then corrections, come first; the rest keeps its order.
    ///
    /// `time` is the instant that stands for the edition; its day is taken in the digest's zone.
    pub fn new(
        site: Site,
        digest: &Digest,
        number: i64,
        time: Timestamp,
        note: Option<&str>,
        mut items: Vec<ItemContext>,
    ) -> Self {
        let date = local_day(time, digest.timezone);
        let has_page = site.pages && number > 0;
        let web_url = has_page.then(|| site.link(&format!("/archive/{number}")));
        items.sort_by_key(ItemContext::rank);
        let count = items.len();
        let changes_count = items.iter().filter(|item| !item.is_new).count();
        Self {
            site,
            digest: digest.into(),
            edition: EditionContext {
                number,
                date: day(date),
                date_iso: date.to_string(),
                time: time.rfc3339(),
                web_url,
                note: paragraphs(note.unwrap_or_default()),
            },
            items,
            count,
            new_count: count - changes_count,
            changes_count,
            contents_list: count > 3,
            shortened: false,
        }
    }

    /// The same digest with its entries at `level`.
    pub(crate) fn at(&self, level: Level) -> Self {
        let mut context = self.clone();
        for item in &mut context.items {
            match level {
                Level::Whole => {}
                Level::FirstPoints => item.cut_points(3, 2),
                Level::Explained => item.cut_points(0, 0),
                Level::Opening => {
                    item.cut_points(0, 0);
                    item.cut_explanation(300);
                }
                Level::Bare => {
                    item.cut_points(0, 0);
                    item.cut_explanation(0);
                    item.cut_facts();
                }
            }
        }
        context.shortened = context.items.iter().any(|item| item.shortened);
        context
    }

    /// Every value present; more than three items, a retraction and a correction among them.
    pub fn sample() -> Self {
        let whole = ItemContext::sample();
        let item = |number: usize| ItemContext {
            slug: format!("sample-summary-{number}"),
            title: format!("A sample summary, number {number}: where the title of the paper stands"),
            url: format!("https://www.example.org/research/sample-summary-{number}"),
            helpful_url: Some(format!(
                "https://www.example.org/research/sample-summary-{number}/helpful"
            )),
            ..whole.clone()
        };
        Self {
            site: sample_site(),
            digest: PublicationContext::sample(),
            edition: EditionContext {
                number: 7,
                date: "2 January 2026".to_owned(),
                date_iso: "2026-01-02".to_owned(),
                time: "2026-01-02T06:00:00Z".to_owned(),
                web_url: Some("https://www.example.org/archive/7".to_owned()),
                note: vec![
                    "This is where a note from the editor stands.".to_owned(),
                    "It may have more than one paragraph.".to_owned(),
                ],
            },
            items: vec![
                ItemContext {
                    is_new: false,
                    is_retraction: true,
                    helpful_url: None,
                    status: "retracted",
                    fault: Some("paper"),
                    ..item(1)
                },
                ItemContext {
                    is_new: false,
                    is_correction: true,
                    status: "corrected",
                    ..item(2)
                },
                item(3),
                item(4),
                ItemContext {
                    slug: "sample-summary-5".to_owned(),
                    ..ItemContext::bare_sample()
                },
            ],
            count: 5,
            new_count: 3,
            changes_count: 2,
            contents_list: true,
            shortened: false,
        }
    }

    /// One item with nothing but its title; no note.
    pub fn bare_sample() -> Self {
        let full = Self::sample();
        Self {
            edition: EditionContext {
                note: Vec::new(),
                web_url: None,
                ..full.edition
            },
            items: vec![ItemContext::bare_sample()],
            count: 1,
            new_count: 1,
            changes_count: 0,
            contents_list: false,
            ..full
        }
    }
}

/// How much of its entries a digest mail holds; the first level that fits is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Everything.
    Whole,
    /// The first three findings and two limitations.
    FirstPoints,
    /// No findings and no limitations: one without the other would oversell.
    Explained,
    /// The explanation's first 300 characters.
    Opening,
    /// Title, where it appeared, notes, and the link.
    Bare,
}

impl Level {
    /// From the whole to the shortest.
    pub(crate) const ALL: [Self; 5] = [
        Self::Whole,
        Self::FirstPoints,
        Self::Explained,
        Self::Opening,
        Self::Bare,
    ];
}

pub(super) fn paragraphs(note: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in note.lines().map(crate::domain::text::one_line) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(&line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}
