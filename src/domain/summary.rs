//! One plain-language account of one published paper.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::doi::Doi;
use super::prose::Prose;
use super::slug::Slug;

/// Whether a summary stands as it was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It stands.
    #[default]
    Published,
    /// Something in it was wrong and was put right; the note says what.
    Corrected,
    /// It should no longer be relied on; the note says why.
    Retracted,
}

impl Status {
    /// The word that the store and the front matter use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Corrected => "corrected",
            Self::Retracted => "retracted",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Published, Self::Corrected, Self::Retracted]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// Whose mistake a correction or retraction puts right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The paper was wrong.
    Paper,
    /// Our summary was wrong.
    Summary,
}

impl Fault {
    /// The word that the store and the front matter use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Summary => "summary",
        }
    }

    /// Whose mistake it usually is: ours that we correct, the paper's that makes us retract.
    pub fn usual(status: Status) -> Option<Self> {
        match status {
            Status::Published => None,
            Status::Corrected => Some(Self::Summary),
            Status::Retracted => Some(Self::Paper),
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Paper, Self::Summary]
            .into_iter()
            .find(|fault| fault.as_str() == text)
    }
}

/// A practical implication: what it is about, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Implication {
    /// A few words; empty when the source gave none.
    pub name: String,
    /// What it means for readers.
    pub text: Prose,
}

/// The unit of content. Plain fields hold one line of text; prose fields hold sanitised HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Stands in addresses; unique.
    pub slug: Slug,
    /// Plain text, never empty.
    pub title: String,
    /// Where the paper appeared.
    pub journal: Option<String>,
    /// When the paper appeared.
    pub year: Option<i32>,
    /// The paper's DOI.
    pub doi: Option<Doi>,
    /// The date that the source gives for the publication.
    pub published: Option<NaiveDate>,
    /// The first one is the main category.
    pub categories: Vec<Slug>,
    /// Whether it stands.
    pub status: Status,
    /// What was corrected, or why it was retracted; plain text.
    pub note: Option<String>,
    /// Whose mistake it was, for corrected and retracted ones.
    pub fault: Option<Fault>,
    /// A few short sentences.
    pub explanation: Prose,
    /// When or how long the study ran.
    pub duration: Option<String>,
    /// Who took part.
    pub participants: Option<String>,
    /// How strong the evidence is.
    pub evidence: Option<String>,
    /// Key findings in order; each an inline fragment.
    pub findings: Vec<Prose>,
    /// What the study did and found, at more length.
    pub research_summary: Prose,
    /// What it may mean in practice.
    pub implications: Vec<Implication>,
    /// Study limitations in order; each an inline fragment.
    pub limitations: Vec<Prose>,
    /// The page at the source, when it has one; absolute.
    pub url: Option<String>,
}

impl Summary {
    /// A summary with a title and nothing else.
    pub fn new(slug: Slug, title: String) -> Self {
        Self {
            slug,
            title,
            journal: None,
            year: None,
            doi: None,
            published: None,
            categories: Vec::new(),
            status: Status::Published,
            note: None,
            fault: None,
            explanation: Prose::default(),
            duration: None,
            participants: None,
            evidence: None,
            findings: Vec::new(),
            research_summary: Prose::default(),
            implications: Vec::new(),
            limitations: Vec::new(),
            url: None,
        }
    }
}

/// A summary as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSummary {
    /// The store's number.
    pub id: i64,
    /// The permanent id of its feed entry: from the DOI, else the canonical URL.
    pub entry_id: String,
    /// When it was first gathered.
    pub first_seen: super::Timestamp,
    /// When its content, status or note last changed.
    pub updated: super::Timestamp,
    /// When it was last marked as corrected or retracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<super::Timestamp>,
    /// It is no longer shown anywhere; since when, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removal>,
    /// The content.
    #[serde(flatten)]
    pub summary: Summary,
}

/// Why a summary is no longer shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Since when.
    pub at: super::Timestamp,
    /// The reason, in words for readers.
    pub note: String,
}
