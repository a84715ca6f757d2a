//! "Was this summary helpful?": what readers answer.

use serde::{Deserialize, Serialize};

/// A reader's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It was helpful.
    Yes,
    /// It was not.
    No,
}

impl Answer {
    /// The word that forms and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Yes, Self::No]
            .into_iter()
            .find(|answer| answer.as_str() == text)
    }
}

/// How many readers gave each answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Votes {
    /// It was helpful.
    pub yes: i64,
    /// It was not.
    pub no: i64,
}
