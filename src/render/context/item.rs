//! A summary as templates see it.

use chrono::NaiveDate;
use serde::Serialize;

use super::day;
use crate::domain::edition::ItemKind;
use crate::domain::summary::{Fault, Status, StoredSummary};
use crate::domain::text::escape_html;
use crate::domain::{Prose, Site};
use crate::render::text::{from_html, line_from_html};

/// One numbered finding or limitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PointContext {
    /// Counts from 1.
    pub number: usize,
    /// An inline HTML fragment.
    pub html: String,
    /// The same as text.
    pub text: String,
}

/// What a summary may mean in practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImplicationContext {
    /// A few words, or nothing.
    pub name: Option<String>,
    /// An HTML fragment.
    pub html: String,
    /// The same as text.
    pub text: String,
}

/// A summary, in a digest or a feed. Missing values are null; lists may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemContext {
    /// Stands in addresses.
    pub slug: String,
    /// Plain text, one line.
    pub title: String,
    /// The page of the summary; absolute.
    pub url: String,
    /// Where readers say whether it was helpful, followed by `?answer=yes` or `no`; null where there is no such
    /// page, or no room.
    pub helpful_url: Option<String>,
    /// Where the paper appeared.
    pub journal: Option<String>,
    /// When the paper appeared.
    pub year: Option<i32>,
    /// The bare DOI.
    pub doi: Option<String>,
    /// The DOI as a link.
    pub doi_url: Option<String>,
    /// Such as `2 January 2026`.
    pub published: Option<String>,
    /// Such as `2026-01-02`.
    pub published_iso: Option<String>,
    /// Names; the main category first.
    pub categories: Vec<String>,
    /// Who took part.
    pub participants: Option<String>,
    /// When or how long the study ran.
    pub duration: Option<String>,
    /// How strong the evidence is.
    pub evidence: Option<String>,
    /// The simple explanation as HTML.
    pub explanation_html: Option<String>,
    /// The simple explanation as text.
    pub explanation_text: Option<String>,
    /// The simple explanation in one line, without the addresses of links.
    pub explanation_line: Option<String>,
    /// Key findings.
    pub findings: Vec<PointContext>,
    /// How many findings a shortened mail leaves out.
    pub findings_left_out: usize,
    /// The research summary as HTML.
    pub research_html: Option<String>,
    /// The research summary as text.
    pub research_text: Option<String>,
    /// Practical implications.
    pub implications: Vec<ImplicationContext>,
    /// Study limitations.
    pub limitations: Vec<PointContext>,
    /// How many limitations a shortened mail leaves out.
    pub limitations_left_out: usize,
    /// What was corrected, or why it was retracted.
    pub note: Option<String>,
    /// Whose mistake it was: `paper` or `summary`.
    pub fault: Option<&'static str>,
    /// `published`, `corrected` or `retracted`.
    pub status: &'static str,
    /// Readers have not had it before.
    pub is_new: bool,
    /// It was corrected.
    pub is_correction: bool,
    /// It was retracted.
    pub is_retraction: bool,
    /// Whether something was left out so that the mail fits.
    pub shortened: bool,
}

impl ItemContext {
    /// A summary in an edition. A retracted one is never shown as if it stood, whatever its kind.
    pub fn in_edition(site: &Site, stored: &StoredSummary, kind: ItemKind, categories: Vec<String>) -> Self {
        let retracted = kind == ItemKind::Retraction || stored.summary.status == Status::Retracted;
        Self {
            is_retraction: retracted,
            is_correction: !retracted
                && (kind == ItemKind::Correction || stored.summary.status == Status::Corrected),
            is_new: kind == ItemKind::New,
            helpful_url: (site.pages && !retracted)
                .then(|| format!("{}/helpful", site.summary_url(&stored.summary))),
            ..Self::of(site, stored, categories)
        }
    }

    /// A summary in a feed: its status says whether it is shown as corrected or retracted.
    pub fn in_feed(site: &Site, stored: &StoredSummary, categories: Vec<String>) -> Self {
        Self {
            is_retraction: stored.summary.status == Status::Retracted,
            is_correction: stored.summary.status == Status::Corrected,
            ..Self::of(site, stored, categories)
        }
    }

    fn of(site: &Site, stored: &StoredSummary, categories: Vec<String>) -> Self {
        let summary = &stored.summary;
        Self {
            slug: summary.slug.to_string(),
            title: crate::domain::text::one_line(&summary.title),
            url: site.summary_url(summary),
            helpful_url: None,
            journal: filled(summary.journal.as_deref()),
            year: summary.year,
            doi: summary.doi.as_ref().map(ToString::to_string),
            doi_url: summary.doi.as_ref().map(crate::domain::doi::Doi::url),
            published: summary.published.map(day),
            published_iso: summary.published.map(|date: NaiveDate| date.to_string()),
            categories,
            participants: filled(summary.participants.as_deref()),
            duration: filled(summary.duration.as_deref()),
            evidence: filled(summary.evidence.as_deref()),
            explanation_html: html(&summary.explanation),
            explanation_text: html(&summary.explanation).map(|html| from_html(&html)),
            explanation_line: html(&summary.explanation).map(|html| line_from_html(&html)),
            findings: points(&summary.findings),
            findings_left_out: 0,
            research_html: html(&summary.research_summary),
            research_text: html(&summary.research_summary).map(|html| from_html(&html)),
            implications: summary
                .implications
                .iter()
                .map(|implication| ImplicationContext {
                    name: filled(Some(&implication.name)),
                    html: implication.text.html().to_owned(),
                    text: from_html(implication.text.html()),
                })
                .collect(),
            limitations: points(&summary.limitations),
            limitations_left_out: 0,
            note: filled(summary.note.as_deref()).map(sentence),
            fault: summary.fault.map(Fault::as_str),
            status: summary.status.as_str(),
            is_new: true,
            is_correction: false,
            is_retraction: false,
            shortened: false,
        }
    }

    /// Where it stands among others: retractions first, then corrections.
    pub(super) fn rank(&self) -> u8 {
        match (self.is_retraction, self.is_correction) {
            (true, _) => 0,
            (_, true) => 1,
            _ => 2,
        }
    }

    /// Leaves out the findings and limitations after the first `findings` and `limitations`.
    pub(super) fn cut_points(&mut self, findings: usize, limitations: usize) {
        let cut = |points: &mut Vec<PointContext>, keep: usize| {
            let left_out = points.len().saturating_sub(keep);
            points.truncate(keep);
            left_out
        };
        let left_out = cut(&mut self.findings, findings);
        self.findings_left_out += left_out;
        let limits_left_out = cut(&mut self.limitations, limitations);
        self.limitations_left_out += limits_left_out;
        self.shortened |= left_out + limits_left_out > 0;
    }

    /// Shortens the explanation to whole words of at most `characters`; none at all for 0.
    pub(super) fn cut_explanation(&mut self, characters: usize) {
        let Some(line) = self.explanation_line.clone() else {
            return;
        };
        if characters == 0 {
            (
                self.explanation_html,
                self.explanation_text,
                self.explanation_line,
            ) = (None, None, None);
            self.shortened = true;
        } else if line.chars().nth(characters).is_some() {
            let words = opening(&line, characters);
            self.explanation_html = Some(format!("<p>{}</p>", escape_html(&words)));
            self.explanation_text = Some(words.clone());
            self.explanation_line = Some(words);
            self.shortened = true;
        }
    }

    /// Leaves out participants, duration, evidence and categories.
    pub(super) fn cut_facts(&mut self) {
        (self.participants, self.duration, self.evidence) = (None, None, None);
        self.categories.clear();
        self.helpful_url = None;
        self.shortened = true;
    }

    /// Every value present; a text that is longer than one would wish.
    pub(super) fn sample() -> Self {
        let point = |number: usize, what: &str| PointContext {
            number,
            html: format!("This is where <em>{what}</em> number {number} of the summary stands."),
            text: format!("This is where {what} number {number} of the summary stands."),
        };
        let prose = "This is where the summary explains the study in a few short sentences. They say what was \
                     asked, how it was done, and what came out, in words that everybody knows.";
        Self {
            slug: "sample-summary".to_owned(),
            title: "A sample summary: where the title of the paper stands".to_owned(),
            url: "https://www.example.org/research/sample-summary".to_owned(),
            helpful_url: Some("https://www.example.org/research/sample-summary/helpful".to_owned()),
            journal: Some("Journal of Samples".to_owned()),
            year: Some(2026),
            doi: Some("10.5555/sample.2026.1".to_owned()),
            doi_url: Some("https://doi.org/10.5555/sample.2026.1".to_owned()),
            published: Some("2 January 2026".to_owned()),
            published_iso: Some("2026-01-02".to_owned()),
            categories: vec!["First Category".to_owned(), "Second & Third".to_owned()],
            participants: Some("Where the number of people stands".to_owned()),
            duration: Some("March 2024 to July 2025".to_owned()),
            evidence: Some("Not specified".to_owned()),
            explanation_html: Some(format!("<p>{prose}</p>")),
            explanation_text: Some(prose.to_owned()),
            explanation_line: Some(prose.to_owned()),
            findings: (1..=3).map(|number| point(number, "finding")).collect(),
            findings_left_out: 0,
            research_html: Some("<p>This is where the research summary stands.</p>".to_owned()),
            research_text: Some("This is where the research summary stands.".to_owned()),
            implications: vec![ImplicationContext {
                name: Some("A name".to_owned()),
                html: "<p>This is where an implication stands.</p>".to_owned(),
                text: "This is where an implication stands.".to_owned(),
            }],
            limitations: (1..=2).map(|number| point(number, "limitation")).collect(),
            limitations_left_out: 0,
            note: Some("This is where the note on a correction or retraction stands.".to_owned()),
            fault: Some("summary"),
            status: "published",
            is_new: true,
            is_correction: false,
            is_retraction: false,
            shortened: false,
        }
    }

    /// Nothing but what every summary has.
    pub(super) fn bare_sample() -> Self {
        Self {
            helpful_url: None,
            journal: None,
            year: None,
            doi: None,
            doi_url: None,
            published: None,
            published_iso: None,
            categories: Vec::new(),
            participants: None,
            duration: None,
            evidence: None,
            explanation_html: None,
            explanation_text: None,
            explanation_line: None,
            findings: Vec::new(),
            research_html: None,
            research_text: None,
            implications: Vec::new(),
            limitations: Vec::new(),
            note: None,
            fault: None,
            ..Self::sample()
        }
    }
}

/// Whole words of `line`, at most `characters`, and a mark where there is more.
pub(super) fn opening(line: &str, characters: usize) -> String {
    let Some((end, _)) = line.char_indices().nth(characters) else {
        return line.to_owned();
    };
    let head = line.get(..end).unwrap_or_default();
    let words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{} …", words.trim_end_matches([',', ';', ':', ' ']))
}

/// `note` with a mark at its end, since templates put text behind it.
fn sentence(note: String) -> String {
    match note.chars().last() {
        Some('.' | '!' | '?' | '…' | ')' | '"' | '”') | None => note,
        Some(_) => note + ".",
    }
}

fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn html(prose: &Prose) -> Option<String> {
    (!prose.is_empty()).then(|| prose.html().to_owned())
}

fn points(points: &[Prose]) -> Vec<PointContext> {
    points
        .iter()
        .enumerate()
        .map(|(index, point)| PointContext {
            number: index + 1,
            html: point.html().to_owned(),
            text: from_html(point.html()),
        })
        .collect()
}
