//! What search engines are told: which pages there are, and which they should leave alone.

use super::research::iso_day;
use super::{App, PublicDocument};
use crate::domain::Result;
use crate::domain::text::escape_html;
use std::fmt::Write;
use url::Url;

/// Summaries that are listed; a sitemap holds 50,000 addresses at most.
const SUMMARIES: i64 = 45_000;
/// Editions that are listed.
const EDITIONS: i64 = 1000;

impl App {
    /// The sitemap (sitemaps.org, 0.9): every page for everybody.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sitemap(&self) -> Result<PublicDocument> {
        let site = &self.config.site;
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
        );
        let mut add = |path: &str, changed: Option<String>| {
            let address = escape_html(&site.link(path));
            let changed = changed.map_or_else(String::new, |day| format!("<lastmod>{day}</lastmod>"));
            // Writing to a string can't fail.
            let _ = writeln!(xml, "<url><loc>{address}</loc>{changed}</url>");
        };
        for path in [
            "/",
            "/research",
            "/categories",
            "/archive",
            "/about",
            "/disclaimer",
            "/privacy",
            "/contact",
        ] {
            add(path, None);
        }
        for category in self.categories.iter() {
            add(&format!("/categories/{}", category.slug), None);
        }
        for (slug, updated) in self.store.summary_slugs(SUMMARIES).await? {
            add(&format!("/research/{slug}"), Some(iso_day(updated)));
        }
        for edition in self.store.archived_editions(0, EDITIONS).await? {
            add(&format!("/archive/{}", edition.id), Some(iso_day(edition.time)));
        }
        xml.push_str("</urlset>\n");
        Ok(PublicDocument::new("application/xml; charset=utf-8", xml))
    }

    /// What robots may not ask for (RFC 9309): readers' own links and the API.
    pub fn robots(&self) -> String {
        let site = &self.config.site;
        let base = Url::parse(&site.url).map_or_else(|_| String::new(), |url| url.path().to_owned());
        let base = base.trim_end_matches('/');
        let mut text = String::from("User-agent: *\n");
        for path in ["/u/", "/p/", "/api/"] {
            text.push_str(&format!("Disallow: {base}{path}\n"));
        }
        text + &format!("\nSitemap: {}\n", site.link("/sitemap.xml"))
    }
}
