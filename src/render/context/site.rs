//! What the templates of the site's pages see of summaries and categories.

use serde::Serialize;

use super::item::opening;
use super::{Frame, ItemContext, day, local_day};
use crate::domain::Timestamp;
use crate::domain::summary::StoredSummary;

/// A link of a breadcrumb; the page itself has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crumb {
    /// What it says.
    pub name: String,
    /// Where it leads, or null.
    pub href: Option<String>,
}

/// A category as a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryLink {
    /// Stands in addresses.
    pub slug: String,
    /// What people read.
    pub name: String,
    /// Whether it has a page: the configuration knows it.
    pub has_page: bool,
}

/// A category in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryContext {
    /// Stands in addresses.
    pub slug: String,
    /// What people read.
    pub name: String,
    /// One sentence, or empty.
    pub description: String,
    /// How many summaries it has.
    pub count: i64,
}

/// How much of an explanation stands in a list, in characters.
const EXCERPT: usize = 240;
/// How much of it stands in the head of a page.
const DESCRIPTION: usize = 160;

/// A summary on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryContext {
    /// The summary.
    #[serde(flatten)]
    pub item: ItemContext,
    /// The title, which says so when the summary was retracted. (`title` is the page's in the layout.)
    pub full_title: String,
    /// As links, in the place of the item's names; the main one first.
    pub categories: Vec<CategoryLink>,
    /// The beginning of the explanation, or null.
    pub excerpt: Option<String>,
    /// The day on which it came to the site, such as `2 January 2026`.
    pub added: String,
    /// The same day, such as `2026-01-02`.
    pub added_iso: String,
    /// The day on which it was corrected or retracted, or null.
    pub marked: Option<String>,
    /// The same day, such as `2026-01-02`, or null.
    pub marked_iso: Option<String>,
}

impl SummaryContext {
    /// `item` on a page; days are those of UTC.
    pub fn new(item: ItemContext, stored: &StoredSummary, categories: Vec<CategoryLink>) -> Self {
        let date = |time: Timestamp| local_day(time, chrono_tz::UTC);
        let marked = stored.marked.filter(|_| item.is_retraction || item.is_correction);
        let retracted = if item.is_retraction { "Retracted: " } else { "" };
        Self {
            full_title: [retracted, &item.title].concat(),
            excerpt: item
                .explanation_line
                .as_deref()
                .map(|line| opening(line, EXCERPT)),
            item,
            categories,
            added: day(date(stored.first_seen)),
            added_iso: date(stored.first_seen).to_string(),
            marked: marked.map(|time| day(date(time))),
            marked_iso: marked.map(|time| date(time).to_string()),
        }
    }

    /// What search engines and other sites show of it.
    pub fn description(&self) -> String {
        let line = self.item.explanation_line.as_deref().unwrap_or_default();
        opening(line, DESCRIPTION)
    }

    /// A corrected summary with every value present.
    pub fn sample() -> Self {
        Self {
            item: ItemContext {
                is_correction: true,
                status: "corrected",
                ..ItemContext::sample()
            },
            full_title: "A sample summary: where the title of the paper stands".to_owned(),
            categories: vec![
                CategoryLink {
                    slug: "first-category".to_owned(),
                    name: "First Category".to_owned(),
                    has_page: true,
                },
                CategoryLink {
                    slug: "gone".to_owned(),
                    name: "Second & Third".to_owned(),
                    has_page: false,
                },
            ],
            excerpt: Some("Where the explanation begins …".to_owned()),
            added: "3 January 2026".to_owned(),
            added_iso: "2026-01-03".to_owned(),
            marked: Some("4 January 2026".to_owned()),
            marked_iso: Some("2026-01-04".to_owned()),
        }
    }

    /// Nothing but what every summary has.
    pub fn bare_sample() -> Self {
        Self {
            item: ItemContext::bare_sample(),
            categories: Vec::new(),
            excerpt: None,
            marked: None,
            marked_iso: None,
            ..Self::sample()
        }
    }
}

/// Where a page stands in a list of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pager {
    /// From 1.
    pub number: i64,
    /// How many pages there are; at least 1.
    pub count: i64,
    /// Whether there is more than one.
    pub several: bool,
    /// Leads to the page before, or null.
    pub previous: Option<String>,
    /// Leads to the page after, or null.
    pub next: Option<String>,
}

impl Pager {
    /// Page `number` of `count`; `path` leads from the page to the first one.
    pub fn new(path: &str, number: i64, count: i64) -> Self {
        let link = |number: i64| match number {
            1 => path.to_owned(),
            _ => format!("{path}?page={number}"),
        };
        Self {
            number,
            count,
            several: count > 1,
            previous: (number > 1).then(|| link(number - 1)),
            next: (number < count).then(|| link(number + 1)),
        }
    }
}

pub(super) fn sample_crumbs() -> Vec<Crumb> {
    vec![
        Crumb {
            name: "Research".to_owned(),
            href: Some("../research".to_owned()),
        },
        Crumb {
            name: "A sample".to_owned(),
            href: None,
        },
    ]
}

pub(super) fn sample_category() -> CategoryContext {
    CategoryContext {
        slug: "first-category".to_owned(),
        name: "First Category".to_owned(),
        description: "Where the category's description stands.".to_owned(),
        count: 7,
    }
}

pub(super) fn bare_category() -> CategoryContext {
    CategoryContext {
        description: String::new(),
        count: 0,
        ..sample_category()
    }
}

pub(super) fn sample_summaries() -> Vec<SummaryContext> {
    let mut retracted = SummaryContext::sample();
    retracted.item.is_correction = false;
    retracted.item.is_retraction = true;
    vec![SummaryContext::sample(), retracted, SummaryContext::bare_sample()]
}

/// The frame of the page `name`, one step below the start page.
pub(super) fn sample_frame(full: bool) -> Frame {
    if full {
        Frame::sample()
    } else {
        Frame::bare_sample()
    }
}
