//! Text of a summary with light markup.

use serde::{Deserialize, Serialize};

/// An HTML fragment that gather has sanitised; empty when the section is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Prose(String);

impl Prose {
    /// Wraps a fragment that was sanitised already; `gather::clean` is the only maker of new ones.
    pub fn from_sanitised(html: String) -> Self {
        Self(html)
    }

    /// The fragment.
    pub fn html(&self) -> &str {
        &self.0
    }

    /// Whether the section is missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
