//! Feeds as independent parsers see them.

use crate::wire::Answer;
use scraper::{Html, Node};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a feed reader makes of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: String,
    pub title: String,
    pub body: String,
    pub tags: Vec<String>,
    pub link: String,
}

/// What `feed-rs` finds in a document.
pub fn entries(document: &[u8]) -> Vec<Entry> {
    let feed = feed_rs::parser::parse(document).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(document));
    });
    feed.entries
        .into_iter()
        .map(|entry| Entry {
            id: entry.id,
            title: entry.title.unwrap().content,
            body: entry.content.unwrap().body.unwrap(),
            tags: entry
                .categories
                .into_iter()
                .map(|category| category.term)
                .collect(),
            link: entry.links[0].href.clone(),
        })
        .collect()
}

pub fn entries_of(answer: &Answer) -> Vec<Entry> {
    assert_eq!(answer.status, 200, "{answer:?}");
    entries(&answer.body)
}

/// What would act or lead astray in a body: elements that run or embed, handlers, and references that are not absolute.
pub fn dangers(body: &str) -> Vec<String> {
    let mut found = Vec::new();
    for node in Html::parse_fragment(body).tree.nodes() {
        let Node::Element(element) = node.value() else {
            continue;
        };
        if [
            "script", "iframe", "object", "embed", "form", "style", "img", "base", "svg",
        ]
        .contains(&element.name())
        {
            found.push(element.name().to_owned());
        }
        for (name, value) in element.attrs() {
            let absolute = ["https://", "http://", "mailto:"]
                .iter()
                .any(|scheme| value.starts_with(scheme));
            if name != "href" || !absolute {
                found.push(format!("{}[{name}={value:?}]", element.name()));
            }
        }
    }
    found
}

/// The text that a body shows.
pub fn shown(body: &str) -> String {
    Html::parse_fragment(body).root_element().text().collect()
}

/// Lets PyPI's `feedparser` read `files`, the first entry of each being the hostile one with these `tags`.
pub fn feedparser(folder: &Path, files: &[PathBuf], tags: &[&str]) {
    let python = std::env::var("POSTRIDER_TEST_PYTHON")
        .expect("POSTRIDER_TEST_PYTHON names no Python with feedparser: run scripts/test.sh");
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/feedparser_check.py"))
        .args(["--tags", &tags.join("|")])
        .args(files)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
