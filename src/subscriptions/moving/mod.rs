//! Moving in: what other newsletter programs export, read as lists of ours.

mod columns;
mod listmonk;
mod mailchimp;
mod substack;
mod translator;
mod values;

use super::group::Voice;
use super::line::{ImportSettings, instant};
use crate::domain::reader_event::Way;
use crate::domain::subscriber::State;
use crate::domain::{Problem, Result, Slug, Timestamp};

pub use columns::Field;
pub(super) use translator::Translator;

/// A program whose exports are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The files of an audience export.
    Mailchimp,
    /// The subscribers, of one list or of all.
    Listmonk,
    /// The email list.
    Substack,
}

impl Program {
    /// Every program.
    pub const ALL: [Self; 3] = [Self::Mailchimp, Self::Listmonk, Self::Substack];

    /// Its name; also the source of consent, where nothing else is said.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailchimp => "mailchimp",
            Self::Listmonk => "listmonk",
            Self::Substack => "substack",
        }
    }
}

/// What a person says of an export.
#[derive(Debug, Clone)]
pub struct Export {
    /// Where it comes from.
    pub program: Program,
    /// The state of readers of whom the file does not say one.
    pub unsaid: Option<State>,
    /// Columns, by name, and what they hold; they go before those that the program is known for.
    pub columns: Vec<(String, Field)>,
    /// Values of the columns of categories, such as tags, and the categories that they stand for.
    pub categories: Vec<(String, Slug)>,
    /// Lists of the other program, and the digests that they become.
    pub lists: Vec<(String, Slug)>,
    /// Digests for every reader of the files.
    pub digests: Vec<Slug>,
    /// When readers agreed of whom the file does not say it: a date, or a time of RFC 3339.
    pub consent_at: Option<String>,
    /// Where they agreed; the program's name when not given.
    pub consent_source: Option<String>,
}

impl Export {
    /// What is said, if it can be meant.
    pub(super) fn checked(&self, settings: &ImportSettings, now: Timestamp) -> Result<&Self> {
        let wrong = |reason: String| Problem::configuration(reason);
        let digests = self
            .digests
            .iter()
            .chain(self.lists.iter().map(|(_, digest)| digest));
        for digest in digests {
            if !settings.digests.contains(digest) {
                return Err(wrong(format!("there is no digest {:?}", digest.as_str()))
                    .hint("the configuration lists them as [[digest]]"));
            }
        }
        for (_, category) in &self.categories {
            if !settings.categories.contains(category) {
                return Err(wrong(format!("there is no category {:?}", category.as_str()))
                    .hint("the configuration lists them as [[category]]"));
            }
        }
        if !self.categories.is_empty() && !self.maps(Field::Categories) {
            return Err(wrong("no column holds the values of --category".to_owned())
                .hint("name it, such as --map TAGS=categories"));
        }
        if self.unsaid == Some(State::Paused) {
            return Err(wrong("nobody moves in as paused".to_owned())
                .hint("--as takes pending, confirmed, unsubscribed, bounced or complained"));
        }
        instant(self.consent_at.as_deref().unwrap_or_default(), now)
            .map_err(|reason| wrong(format!("--consent-at: {reason}")))?;
        Ok(self)
    }

    /// What it may change of readers who are there already: what was named for it, and nothing by default.
    pub(super) fn voice(&self) -> Voice {
        Voice {
            way: Way::Import,
            describes: self.maps(Field::Categories),
            subscribes: !self.digests.is_empty() || !self.lists.is_empty(),
            // Another program's list says nothing of digests that it does not know.
            ends_others: false,
        }
    }

    fn maps(&self, field: Field) -> bool {
        self.columns.iter().any(|(_, mapped)| *mapped == field)
    }
}

/// Where a row says that its reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// There.
    Is(State),
    /// It does not say.
    Unsaid,
    /// They never were a reader, for this reason.
    Skipped(&'static str),
}

/// The state that one of our own words means, for a column that was mapped by hand.
fn own_word(word: &str) -> Option<Stand> {
    State::parse(&word.to_ascii_lowercase()).map(Stand::Is)
}
