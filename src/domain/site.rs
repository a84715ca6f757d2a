//! The site that publishes.

use serde::{Deserialize, Serialize};
use url::Url;

/// Who publishes, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The publisher's name; also the creator of every feed entry.
    pub name: String,
    /// Where the site lives; every link starts here. Ends without a slash.
    pub url: String,
    /// BCP 47, such as `en`.
    pub language: String,
    /// One sentence.
    pub tagline: String,
    /// One line, such as `© 2026 Example`.
    pub copyright: String,
    /// Where the sender can be reached by post; required in digests by law in many places.
    pub postal_address: String,
    /// Whether the pages of the site are ours; otherwise links lead to those that summaries have at their sources.
    pub pages: bool,
}

impl Site {
    /// The absolute address of `path`, which starts with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The page of a summary: ours, or the source's own where we have no pages.
    pub fn summary_url(&self, summary: &super::Summary) -> String {
        summary
            .url
            .clone()
            .filter(|_| !self.pages)
            .unwrap_or_else(|| self.link(&format!("/research/{}", summary.slug)))
    }

    /// The host of the site's address; `localhost` when it has none.
    pub fn host(&self) -> String {
        Url::parse(&self.url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_else(|| "localhost".to_owned())
    }
}
