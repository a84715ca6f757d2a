//! Summary files: the shipped samples, and a corpus of faults.
//!
//! A file in `tests/corpus/content` with `<file>.json` or `<file>.error` beside it is a test; no code is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use async_trait::async_trait;
use postrider::domain::{FetchState, Result, Slug, Timestamp};
use postrider::gather::folder::{FolderSource, parse};
use postrider::gather::{FetchMemory, Source};
use std::path::Path;

struct NoMemory;
#[async_trait]
impl FetchMemory for NoMemory {
    async fn recall(&self, _: &str, _: &str) -> Result<FetchState> {
        Ok(FetchState::default())
    }
    async fn remember(&self, _: &str, _: &str, _: &FetchState) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nine_samples_are_shipped_and_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let source = FolderSource::new("content", path, support::categories());
    let pulled = source.pull(&NoMemory, Timestamp::default()).await.unwrap();
    let summaries: Vec<_> = pulled
        .items
        .into_iter()
        .map(|item| item.outcome.unwrap_or_else(|reason| panic!("{reason}")))
        .collect();
    assert_eq!(summaries.len(), 9);
    let mut dois = std::collections::BTreeSet::new();
    for summary in &summaries {
        assert!(
            dois.insert(summary.doi.clone().expect("a DOI")),
            "{} twice",
            summary.slug
        );
        assert!(
            summary.published.is_some() && summary.year.is_some() && summary.journal.is_some(),
            "{}",
            summary.slug
        );
        assert!(
            !summary.explanation.is_empty() && !summary.findings.is_empty(),
            "{}",
            summary.slug
        );
        assert!(summary.evidence.is_some() && summary.participants.is_some() && summary.duration.is_some());
    }
}

#[test]
fn every_file_of_the_corpus_gives_what_stands_beside_it() {
    let inputs = support::inputs(&support::corpus("content"));
    assert!(inputs.len() >= 15, "the corpus of summary files is gone");
    let categories = support::categories();
    let wrong: Vec<String> = inputs
        .iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let slug = Slug::parse(&path.file_stem().unwrap().to_string_lossy()).unwrap();
            support::compare(path, parse(&text, slug, &categories)).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
