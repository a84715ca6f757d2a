//! Pages in the words of schema.org, for search engines.

use super::research::iso_day;
use crate::domain::Site;
use crate::domain::summary::StoredSummary;
use crate::render::SummaryContext;
use serde_json::{Value, json};

/// The site itself.
pub(super) fn website(site: &Site) -> Value {
    without_null(json!({
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": site.name,
        "url": site.link("/"),
        "description": some(&site.tagline),
        "inLanguage": site.language,
        "publisher": publisher(site),
    }))
}

/// The page of a summary: a `MedicalWebPage` for patients, based on the paper.
pub(super) fn summary(site: &Site, stored: &StoredSummary, shown: &SummaryContext) -> Value {
    let summary = &stored.summary;
    let url = site.link(&format!("/research/{}", summary.slug));
    let reviewed = iso_day(
        stored
            .marked
            .map_or(stored.updated, |marked| marked.max(stored.updated)),
    );
    let doi = summary.doi.as_ref();
    let paper = json!({
        "@type": "ScholarlyArticle",
        "name": summary.title,
        "identifier": doi.map(|doi| json!({
            "@type": "PropertyValue", "propertyID": "DOI", "value": doi.as_str(), "url": doi.url(),
        })),
        "sameAs": doi.map(crate::domain::Doi::url),
        "isPartOf": summary.journal.as_ref().map(|name| json!({"@type": "Periodical", "name": name})),
        "datePublished": summary.published.map(|date| date.to_string())
            .or_else(|| summary.year.map(|year| format!("{year:04}"))),
    });
    let categories = shown.categories.iter().map(|link| link.name.as_str());
    without_null(json!({
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "@id": url,
        "url": url,
        "name": shown.full_title,
        "description": some(&shown.description()),
        "inLanguage": site.language,
        "audience": {"@type": "Patient", "audienceType": "Patients and caregivers"},
        "keywords": categories.collect::<Vec<_>>(),
        "datePublished": shown.added_iso,
        "dateModified": iso_day(stored.updated),
        "lastReviewed": reviewed,
        "isBasedOn": paper,
        "isPartOf": {"@type": "WebSite", "name": site.name, "url": site.link("/")},
        "publisher": publisher(site),
    }))
}

fn publisher(site: &Site) -> Value {
    json!({"@type": "Organization", "name": site.name, "url": site.link("/")})
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// `value` without what is missing.
fn without_null(mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.retain(|_, value| !value.is_null());
        for inner in map.values_mut() {
            *inner = without_null(inner.take());
        }
    }
    value
}
