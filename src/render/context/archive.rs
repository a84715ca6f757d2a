//! The pages that show the editions that were sent.

use serde::Serialize;

use super::site::{Crumb, Pager, SummaryContext, sample_crumbs, sample_summaries};
use super::{Frame, PublicationContext, day, local_day, paragraphs};
use crate::domain::Timestamp;
use crate::render::pages::Page;

/// An edition in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedContext {
    /// Its number.
    pub number: i64,
    /// The day in the digest's time zone, such as `2 January 2026`.
    pub date: String,
    /// The same day, such as `2026-01-02`.
    pub date_iso: String,
    /// How many summaries it holds.
    pub count: i64,
}

impl EditionPage {
    /// The page of an edition: retractions, then corrections, come first, as in its mails.
    pub fn new(
        frame: Frame,
        digest: PublicationContext,
        edition: ArchivedContext,
        note: Option<&str>,
        mut summaries: Vec<SummaryContext>,
    ) -> Self {
        summaries.sort_by_key(|summary| summary.item.rank());
        let archive = Crumb {
            name: "Earlier editions".to_owned(),
            href: Some(format!("{}archive", frame.root)),
        };
        // The number tells apart what a digest sent on one day.
        let page_title = format!("{}, {}, edition {}", digest.title, edition.date, edition.number);
        let here = Crumb {
            name: page_title.clone(),
            href: None,
        };
        Self {
            frame,
            crumbs: vec![archive, here],
            page_title,
            digest,
            edition,
            note: paragraphs(note.unwrap_or_default()),
            summaries,
        }
    }
}

impl ArchivedContext {
    /// Edition `number` of `count` summaries, for which `time` stands.
    pub fn new(number: i64, time: Timestamp, zone: chrono_tz::Tz, count: i64) -> Self {
        let date = local_day(time, zone);
        Self {
            number,
            date: day(date),
            date_iso: date.to_string(),
            count,
        }
    }
}

/// The editions of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedDigest {
    /// Which digest.
    pub digest: PublicationContext,
    /// Newest first.
    pub editions: Vec<ArchivedContext>,
}

/// `archive`: the editions that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// Those that have editions.
    pub digests: Vec<ArchivedDigest>,
    /// Which page it is.
    pub pager: Pager,
}

/// `edition`: an edition as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// What stands in the title of the window.
    pub page_title: String,
    /// Which digest.
    pub digest: PublicationContext,
    /// Which edition.
    pub edition: ArchivedContext,
    /// The editor's note, paragraph by paragraph.
    pub note: Vec<String>,
    /// Retractions and corrections first.
    pub summaries: Vec<SummaryContext>,
}

impl Page for ArchivePage {
    const TEMPLATE: &'static str = "archive";

    fn samples() -> Vec<Self> {
        let sample = |digests| Self {
            frame: Frame::sample(),
            crumbs: sample_crumbs(),
            digests,
            pager: Pager::new("archive", 2, 3),
        };
        let digest = ArchivedDigest {
            digest: PublicationContext::sample(),
            editions: vec![ArchivedContext::sample()],
        };
        vec![sample(vec![digest]), sample(Vec::new())]
    }
}

impl Page for EditionPage {
    const TEMPLATE: &'static str = "edition";

    fn samples() -> Vec<Self> {
        let sample = |note: &[&str], summaries| Self {
            frame: Frame::sample(),
            crumbs: sample_crumbs(),
            page_title: "Weekly research digest, 2 January 2026, edition 7".to_owned(),
            digest: PublicationContext::sample(),
            edition: ArchivedContext::sample(),
            note: note.iter().map(|&line| line.to_owned()).collect(),
            summaries,
        };
        vec![
            sample(
                &["This is where a note from the editor stands."],
                sample_summaries(),
            ),
            sample(&[], Vec::new()),
        ]
    }
}

impl ArchivedContext {
    /// An edition of five summaries.
    pub fn sample() -> Self {
        Self {
            number: 7,
            date: "2 January 2026".to_owned(),
            date_iso: "2026-01-02".to_owned(),
            count: 5,
        }
    }
}
