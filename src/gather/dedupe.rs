//! What makes two texts the same, and two papers one.

use aws_lc_rs::digest::{SHA256, digest};
use url::Url;

use crate::domain::Summary;
use crate::domain::text::hex;

/// SHA-256, in hex, of everything that a reader sees of a summary, its marks included.
///
/// The slug is left out (it names the summary), and a field that is missing adds nothing, so that a new
/// kind of field leaves the hashes of old summaries as they are.
pub fn content_hash(summary: &Summary) -> String {
    let mut seen = Vec::with_capacity(4096);
    let mut add = |tag: &str, text: &str| {
        if !text.is_empty() {
            // The length in front keeps two neighbouring fields from flowing into each other.
            seen.extend_from_slice(format!("{tag}:{}:{text}\n", text.len()).as_bytes());
        }
    };
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    add("title", &summary.title);
    add("journal", &text(&summary.journal));
    add(
        "year",
        &summary.year.map(|year| year.to_string()).unwrap_or_default(),
    );
    add("doi", summary.doi.as_ref().map_or("", |doi| doi.as_str()));
    add(
        "published",
        &summary.published.map(|date| date.to_string()).unwrap_or_default(),
    );
    for category in &summary.categories {
        add("category", category.as_str());
    }
    add("status", summary.status.as_str());
    add("note", &text(&summary.note));
    add("fault", summary.fault.map_or("", |fault| fault.as_str()));
    add("explanation", summary.explanation.html());
    add("duration", &text(&summary.duration));
    add("participants", &text(&summary.participants));
    add("evidence", &text(&summary.evidence));
    for finding in &summary.findings {
        add("finding", finding.html());
    }
    add("research", summary.research_summary.html());
    for implication in &summary.implications {
        add("implication", &implication.name);
        add("meaning", implication.text.html());
    }
    for limitation in &summary.limitations {
        add("limitation", limitation.html());
    }
    add("url", &text(&summary.url));
    hex(digest(&SHA256, &seen).as_ref())
}

/// One spelling of an address: no fragment, no default port, no campaign parameters, no trailing slash.
///
/// `None` when the text is no absolute http or https address.
pub fn canonical_url(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let kept: Vec<&str> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_campaign(pair.split('=').next().unwrap_or_default()))
        .collect();
    let query = kept.join("&");
    url.set_query((!query.is_empty()).then_some(query.as_str()));
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    let mut text = url.to_string();
    if url.path() == "/" && url.query().is_none() {
        text.truncate(text.trim_end_matches('/').len());
    }
    Some(text)
}

/// Whether a query parameter only tells where a visitor came from.
fn is_campaign(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_")
        || matches!(
            name.as_str(),
            "fbclid"
                | "gclid"
                | "dclid"
                | "msclkid"
                | "yclid"
                | "igshid"
                | "mc_cid"
                | "mc_eid"
                | "_ga"
                | "_gl"
        )
}

/// The permanent id of a summary's feed entry, a URI: from its DOI, else its address, else its page at `site_url`.
pub fn entry_id(summary: &Summary, site_url: &str) -> String {
    if let Some(doi) = &summary.doi {
        return doi.url();
    }
    summary
        .url
        .as_deref()
        .and_then(canonical_url)
        .unwrap_or_else(|| format!("{}/research/{}", site_url.trim_end_matches('/'), summary.slug))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::summary::{Fault, Implication, Status};
    use crate::domain::{Doi, Prose, Slug};

    fn summary() -> Summary {
        Summary::new(Slug::parse("a").unwrap(), "A title".to_owned())
    }

    #[test]
    fn every_field_that_a_reader_sees_changes_the_hash() {
        let prose = || Prose::from_sanitised("<p>x</p>".to_owned());
        let changes: [fn(&mut Summary, Prose); 19] = [
            |s, _| s.title = "B".to_owned(),
            |s, _| s.journal = Some("x".to_owned()),
            |s, _| s.year = Some(2020),
            |s, _| s.doi = Doi::parse("10.1234/x").ok(),
            |s, _| s.published = chrono::NaiveDate::from_ymd_opt(2020, 1, 1),
            |s, _| s.categories = vec![Slug::parse("x").unwrap()],
            |s, _| s.status = Status::Corrected,
            |s, _| s.note = Some("x".to_owned()),
            |s, _| s.fault = Some(Fault::Paper),
            |s, p| s.explanation = p,
            |s, _| s.duration = Some("x".to_owned()),
            |s, _| s.participants = Some("x".to_owned()),
            |s, _| s.evidence = Some("x".to_owned()),
            |s, p| s.findings = vec![p],
            |s, p| s.research_summary = p,
            |s, p| {
                s.implications = vec![Implication {
                    name: String::new(),
                    text: p,
                }]
            },
            |s, p| {
                s.implications = vec![Implication {
                    name: "x".to_owned(),
                    text: p,
                }]
            },
            |s, p| s.limitations = vec![p],
            |s, _| s.url = Some("https://example.org/".to_owned()),
        ];
        let mut seen = std::collections::HashSet::from([content_hash(&summary())]);
        for (n, change) in changes.iter().enumerate() {
            let mut changed = summary();
            change(&mut changed, prose());
            assert!(seen.insert(content_hash(&changed)), "change {n}");
        }
        let mut renamed = summary();
        renamed.slug = Slug::parse("b").unwrap();
        assert_eq!(content_hash(&renamed), content_hash(&summary()));
    }

    #[test]
    fn one_address_has_one_spelling() {
        for (from, to) in [
            (
                "HTTPS://Example.ORG:443/a/?utm_source=x#y",
                "https://example.org/a",
            ),
            ("https://example.org/", "https://example.org"),
            (
                "https://example.org/?b=2&fbclid=1&a=1&UTM_x=1",
                "https://example.org/?b=2&a=1",
            ),
            ("https://u:p@example.org:8443/a//", "https://example.org:8443/a"),
        ] {
            assert_eq!(canonical_url(from).as_deref(), Some(to), "{from}");
            assert_eq!(canonical_url(to).as_deref(), Some(to), "{to}");
        }
        for wrong in ["", "a", "/a", "mailto:a@example.org", "file:///a", "urn:x:y"] {
            assert_eq!(canonical_url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_come_from_doi_then_address_then_slug() {
        let mut s = summary();
        assert_eq!(
            entry_id(&s, "https://example.org/"),
            "https://example.org/research/a"
        );
        s.url = Some("https://example.com/p/?utm_medium=x".to_owned());
        assert_eq!(entry_id(&s, "https://example.org"), "https://example.com/p");
        s.doi = Doi::parse("10.1234/A#b[1]é").ok();
        assert_eq!(
            entry_id(&s, "https://example.org"),
            "https://doi.org/10.1234/a%23b%5B1%5D%C3%A9"
        );
    }
}
