//! What the layout of every page needs: the site, the way to the start page, and the head.

use serde::Serialize;
use serde_json::Value;

use super::sample_site;
use crate::domain::Site;

/// What the layout of every page needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Who publishes.
    pub site: Site,
    /// Leads from the page to the start page, such as `../`; every link within the site begins with it.
    pub root: String,
    /// Whether anybody can sign up: else no link leads there.
    pub sign_up_open: bool,
    /// What the page says of itself to browsers and search engines.
    pub head: Head,
}

/// The head of a page. Without anything, search engines leave the page out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Head {
    /// Whether search engines may list the page.
    pub indexed: bool,
    /// Whether it answers a form in which something is to be put right: the title begins with that, because it is
    /// what a screen reader says first.
    pub is_faulty: bool,
    /// Whether it is the start page, whose title holds the site's name already.
    pub is_home: bool,
    /// Which entry of the header's navigation the page is: `about`, `categories`, `research`, `contact`,
    /// `subscribe`, or empty.
    pub here: &'static str,
    /// Open Graph's `og:type`; shown when there is a canonical address.
    pub kind: &'static str,
    /// One sentence on what the page holds.
    pub description: Option<String>,
    /// The one address of the page; absolute.
    pub canonical: Option<String>,
    /// The page before this one in a list.
    pub previous: Option<String>,
    /// The page after this one in a list.
    pub next: Option<String>,
    /// Feeds with the same content.
    pub feeds: Vec<FeedLink>,
    /// JSON-LD, safe inside a script element.
    pub json_ld: Option<String>,
}

/// A feed that a page offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedLink {
    /// The feed's title with its format.
    pub name: String,
    /// `RSS`, `Atom` or `JSON Feed`.
    pub format: &'static str,
    /// The value of `type`.
    pub media_type: &'static str,
    /// Leads there from the page.
    pub href: String,
}

impl Frame {
    /// The frame of a page that search engines leave out; `root` leads from there to the start page.
    pub fn new(site: Site, root: &str, sign_up_open: bool) -> Self {
        Self {
            site,
            root: root.to_owned(),
            sign_up_open,
            head: Head::default(),
        }
    }

    /// A page for everybody at `path`, which starts with a slash.
    #[must_use]
    pub fn public(mut self, path: &str, description: &str) -> Self {
        self.head.indexed = true;
        self.head.kind = "website";
        self.head.canonical = Some(self.site.link(path));
        self.head.description = Some(description.to_owned()).filter(|text| !text.is_empty());
        self
    }

    /// The start page: its title is the site's name, and it has no other behind it.
    #[must_use]
    pub fn home(mut self) -> Self {
        self.head.is_home = true;
        self
    }

    /// Marks `entry` of the header's navigation as this page.
    #[must_use]
    pub fn here(mut self, entry: &'static str) -> Self {
        self.head.here = entry;
        self
    }

    /// Offers the feeds of `slug` (`all`, or a category's), which are called `title`.
    #[must_use]
    pub fn with_feeds(mut self, slug: &str, title: &str) -> Self {
        let formats = [
            ("RSS", "rss", "application/rss+xml"),
            ("Atom", "atom", "application/atom+xml"),
            ("JSON Feed", "json", "application/feed+json"),
        ];
        self.head.feeds = formats
            .map(|(format, extension, media_type)| FeedLink {
                name: format!("{title} ({format})"),
                format,
                media_type,
                href: format!("{}feeds/{slug}.{extension}", self.root),
            })
            .to_vec();
        self
    }

    /// Describes the page in the words of schema.org.
    #[must_use]
    pub fn with_data(mut self, data: &Value) -> Self {
        self.head.json_ld = Some(script_safe(data));
        self
    }

    /// The frame of a page one step below the start page, with every value present.
    pub fn sample() -> Self {
        let mut frame = Self::new(sample_site(), "../", true)
            .public("/research/sample-summary", "One sentence on what the page holds.")
            .here("research")
            .with_feeds("all", "Sample Site")
            .with_data(&serde_json::json!({"@context": "https://schema.org"}));
        frame.head.previous = Some("../research".to_owned());
        frame.head.next = Some("../research?page=3".to_owned());
        frame.head.is_faulty = true;
        frame
    }

    /// The frame of a page that search engines leave out.
    pub fn bare_sample() -> Self {
        Self::new(sample_site(), "../", false)
    }
}

/// JSON that can end neither a script element nor begin a comment in it.
fn script_safe(data: &Value) -> String {
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_the_script() {
        let hostile = "</script><!-- & \u{2028}\"\\";
        let frame = Frame::bare_sample().with_data(&serde_json::json!({"name": hostile}));
        let json = frame.head.json_ld.unwrap_or_default();
        assert!(!json.contains(['<', '>', '&']), "{json}");
        let read: Value = serde_json::from_str(&json).unwrap_or_default();
        assert_eq!(read, serde_json::json!({"name": hostile}));
    }
}
