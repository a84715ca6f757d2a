//! The headings under which a summary's text stands, on pages and in files alike.

/// A part of a summary that has a heading of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Section {
    Explanation,
    Duration,
    Participants,
    Evidence,
    Findings,
    Research,
    Implications,
    Limitations,
}

impl Section {
    /// Every section, in the order of a page.
    pub(super) const ALL: [Self; 8] = [
        Self::Explanation,
        Self::Duration,
        Self::Participants,
        Self::Evidence,
        Self::Findings,
        Self::Research,
        Self::Implications,
        Self::Limitations,
    ];

    /// The words of the heading.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Explanation => "Simple Explanation",
            Self::Duration => "Study Duration",
            Self::Participants => "Participants",
            Self::Evidence => "Evidence Level",
            Self::Findings => "Key Findings",
            Self::Research => "Research Summary",
            Self::Implications => "Practical Implications",
            Self::Limitations => "Study Limitations",
        }
    }

    /// The section that `text` is the heading of, whatever the case.
    pub(super) fn find(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|section| section.heading().eq_ignore_ascii_case(text))
    }

    /// Whether a file states it as a key of its front matter.
    pub(super) fn is_fact(self) -> bool {
        matches!(self, Self::Duration | Self::Participants | Self::Evidence)
    }
}
