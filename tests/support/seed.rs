//! Readers and summaries for tests.

#![allow(dead_code, reason = "each test file uses its part")]

use postrider::domain::subscriber::Suppression;
use postrider::domain::{Doi, EmailAddress, LocalPartRule, Slug, Summary, Timestamp};
use postrider::store::Store;
use postrider::store::arrivals::Arrival;
use postrider::store::subscribers::Subscriber;
use postrider::subscriptions::import::{ImportReport, ImportSettings, import};

/// 2026-01-10T00:00:00Z.
pub const NOW: Timestamp = Timestamp(1_768_003_200_000);

/// `NOW` plus so many seconds.
pub fn at(seconds: u64) -> Timestamp {
    NOW.plus(std::time::Duration::from_secs(seconds))
}

pub fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Digests `weekly` and `monthly`; categories `oncology`, `surgery` and `urology`.
pub fn settings() -> ImportSettings {
    ImportSettings {
        digests: ["weekly", "monthly"].map(slug).to_vec(),
        categories: ["oncology", "surgery", "urology"].map(slug).into(),
        local_part: LocalPartRule::Insensitive,
        skip_invalid: false,
        salt: "pepper".to_owned(),
    }
}

/// A list with the usual header, one line for each `email,name,digest,categories,status`; all agreed in 2025.
pub fn list(lines: &[&str]) -> String {
    let mut list = String::from("email,name,digest,categories,status,consent_at,consent_source\n");
    for line in lines {
        list.push_str(line);
        list.push_str(",2025-01-02,form\n");
    }
    list
}

/// Imports such a list.
pub async fn readers(store: &Store, lines: &[&str]) -> ImportReport {
    import(store, list(lines).as_bytes(), &settings(), NOW)
        .await
        .unwrap()
}

/// Imports `count` confirmed readers of `weekly` at `reader-N@readers.net`.
pub async fn many_readers(store: &Store, count: usize) -> ImportReport {
    let lines: Vec<_> = (0..count)
        .map(|n| format!("reader-{n}@readers.net,,weekly,,confirmed"))
        .collect();
    readers(store, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// Keeps the address with `hash` from being mailed.
pub async fn suppress(store: &Store, hash: &str, reason: Suppression) {
    let mut import = store.begin_import(NOW).await.unwrap();
    import.suppress(&[(hash.to_owned(), reason)]).await.unwrap();
    import.commit().await.unwrap();
}

/// The reader with `address`, who must be there.
pub async fn reader(store: &Store, address: &str) -> Subscriber {
    store
        .subscriber(&address.to_ascii_lowercase())
        .await
        .unwrap()
        .unwrap()
}

/// A summary with a title, a slug made of it, a DOI if given, and categories joined by `;`.
pub fn summary(title: &str, doi: Option<&str>, categories: &str) -> Summary {
    let mut summary = Summary::new(Slug::from_title(title).unwrap(), title.to_owned());
    summary.doi = doi.map(|doi| Doi::parse(doi).unwrap());
    summary.categories = categories
        .split(';')
        .filter(|c| !c.is_empty())
        .map(slug)
        .collect();
    summary
}

/// `summary` as it comes from the source `folder`.
pub fn arrival<'a>(summary: &'a Summary, hash: &'a str) -> Arrival<'a> {
    Arrival {
        source: "folder",
        key: summary.slug.as_str(),
        named: true,
        summary,
        entry_id: summary.slug.as_str(),
        canonical_url: summary.url.as_deref(),
        hash,
    }
}

/// Stores summaries named by `title|categories`; their numbers in that order.
pub async fn summaries(store: &Store, all: &[&str]) -> Vec<i64> {
    let mut ids = Vec::new();
    for line in all {
        let (title, categories) = line.split_once('|').unwrap_or((line, ""));
        let summary = summary(title, None, categories);
        store
            .insert_summary(&arrival(&summary, "hash"), NOW)
            .await
            .unwrap();
        ids.push(store.summary(&summary.slug).await.unwrap().id);
    }
    ids
}
