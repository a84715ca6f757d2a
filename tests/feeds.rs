//! Feeds as readers parse them, hostile summaries included.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use feed_rs::model::FeedType;
use postrider::domain::summary::{Fault, Implication, Status, StoredSummary};
use postrider::domain::{Prose, Site, Slug, Summary, Timestamp};
use postrider::feed::{Channel, Entry, Format};
use postrider::render::{ChannelContext, EntryContext, Templates};
use std::process::Command;

const SECOND: i64 = 1000;

fn templates() -> Templates {
    Templates::load(None, &[]).unwrap_or_else(|problem| panic!("{problem}"))
}

fn site() -> Site {
    Site {
        name: "Example & Friends".to_owned(),
        url: "https://www.example.org".to_owned(),
        language: "en".to_owned(),
        tagline: "Research < jargon".to_owned(),
        copyright: "© Example".to_owned(),
        postal_address: "1 Example Street".to_owned(),
        pages: true,
    }
}

fn prose(html: &str) -> Prose {
    Prose::from_sanitised(html.to_owned())
}

fn stored(slug: &str, title: &str, seen: i64, change: impl FnOnce(&mut Summary)) -> StoredSummary {
    let mut summary = Summary::new(Slug::parse(slug).unwrap(), title.to_owned());
    summary.explanation = prose("<p>Explained.</p>");
    change(&mut summary);
    StoredSummary {
        id: seen,
        entry_id: format!("https://doi.org/10.5555/{slug}"),
        first_seen: Timestamp(1_767_300_000_000 + seen * SECOND),
        updated: Timestamp(1_767_300_000_500 + seen * SECOND),
        marked: None,
        removed: None,
        summary,
    }
}

/// Everything that has broken a feed before: the end of CDATA, controls, markup, emoji, right-to-left.
fn hostile() -> StoredSummary {
    stored(
        "hostile",
        "A ]]> \u{1}tale\u{FFFE} of <b>pain</b> & \u{1F9E0} \u{202B}עברית\u{202C}\r\nX",
        3,
        |summary| {
            summary.explanation = prose(
                "<p>Ends ]]&gt; here \u{1F9E0} and \u{8}there; in CDATA ]]> too: 1 &lt; 2 &amp; 3.</p>",
            );
            summary.journal = Some("<script>alert(1)</script> Journal".to_owned());
            summary.participants = Some("عشرون & \"twenty\"".to_owned());
            summary.findings = vec![prose("One <em>finding</em> \u{B}"), prose("Two")];
            summary.research_summary = prose("<p>The research.</p>");
            summary.implications = vec![Implication {
                name: "At home".to_owned(),
                text: prose("<p>Rest.</p>"),
            }];
            summary.limitations = vec![prose("Few people")];
        },
    )
}

fn summaries() -> Vec<StoredSummary> {
    vec![
        hostile(),
        stored("withdrawn", "Withdrawn", 2, |summary| {
            summary.status = Status::Retracted;
            summary.fault = Some(Fault::Paper);
            summary.note = Some("The data could not be found.".to_owned());
        }),
        stored("corrected", "Put right", 1, |summary| {
            summary.status = Status::Corrected;
            summary.fault = Some(Fault::Summary);
            summary.note = Some("We wrote 15 where the paper says 51.".to_owned());
        }),
    ]
}

fn entries(templates: &Templates) -> Vec<Entry> {
    let entry = |stored: &StoredSummary| {
        let categories = vec!["Pain & Sleep".to_owned(), "<Neurology>".to_owned()];
        let context = EntryContext::new(site(), stored, categories.clone());
        let text = templates.feed_entry(&context).unwrap();
        Entry {
            id: stored.entry_id.clone(),
            url: context.item.url,
            title: text.title,
            summary: text.summary,
            body_html: text.body,
            categories,
            published: stored.first_seen,
            updated: stored.updated,
        }
    };
    summaries().iter().map(entry).collect()
}

fn channel(templates: &Templates, format: Format) -> Channel {
    let text = templates
        .feed_channel(&ChannelContext::new(site(), None))
        .unwrap();
    Channel {
        title: text.title,
        description: text.description,
        home_url: site().url,
        feed_url: site().link(&format!("/feeds/all.{}", format.extension())),
        language: site().language,
        copyright: site().copyright,
        author_name: site().name,
        author_url: site().url,
    }
}

fn document(format: Format) -> Vec<u8> {
    let templates = templates();
    format
        .document(&channel(&templates, format), &entries(&templates))
        .unwrap()
}

#[test]
fn hostile_documents() {
    for format in Format::ALL {
        let text = String::from_utf8(document(format)).unwrap();
        insta::assert_snapshot!(format!("hostile_{}", format.extension()), text);
    }
}

#[test]
fn feed_rs_reads_what_was_written() {
    let templates = templates();
    let entries = entries(&templates);
    for format in Format::ALL {
        let feed = feed_rs::parser::parse(&document(format)[..]).unwrap();
        let expected_type = match format {
            Format::Rss => FeedType::RSS2,
            Format::Atom => FeedType::Atom,
            Format::Json => FeedType::JSON,
        };
        assert_eq!(feed.feed_type, expected_type);
        assert_eq!(feed.title.unwrap().content, "Example & Friends");
        assert_eq!(feed.description.unwrap().content, "Research < jargon");
        assert_eq!(feed.entries.len(), entries.len());
        for (read, written) in feed.entries.iter().zip(&entries) {
            assert_eq!(read.id, written.id, "{format:?}");
            let title = &read.title.as_ref().unwrap().content;
            assert_eq!(title, &written.title, "{format:?}");
            assert_eq!(
                read.content.as_ref().unwrap().body.as_ref().unwrap().trim(),
                written.body_html.trim()
            );
            assert_eq!(read.links[0].href, written.url);
            assert_eq!(read.published.unwrap().timestamp(), written.published.0 / SECOND);
            let names: Vec<_> = read
                .categories
                .iter()
                .map(|category| category.term.clone())
                .collect();
            assert_eq!(names, written.categories);
            assert_eq!(
                read.authors
                    .first()
                    .or(feed.authors.first())
                    .unwrap()
                    .name
                    .as_deref(),
                Some("Example & Friends")
            );
        }
        let hostile = &feed.entries[0];
        let title = &hostile.title.as_ref().unwrap().content;
        assert_eq!(
            title,
            "A ]]> tale of <b>pain</b> & \u{1F9E0} \u{202B}עברית\u{202C} X"
        );
        assert!(
            hostile
                .content
                .as_ref()
                .unwrap()
                .body
                .as_ref()
                .unwrap()
                .contains("in CDATA ]]> too")
        );
    }
}

#[test]
fn bodies_hold_every_section_and_say_what_changed() {
    let entries = entries(&templates());
    for part in [
        "Explained",
        "Key findings",
        "<em>finding</em>",
        "Research summary",
        "The research.",
        "Practical implications",
        "At home",
        "Rest.",
        "Limitations",
        "Few people",
        "عشرون",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ] {
        let found = entries.iter().any(|entry| entry.body_html.contains(part));
        assert!(found, "{part} is in no body");
    }
    assert_eq!(entries[1].title, "Retracted: Withdrawn");
    assert!(
        entries[1]
            .body_html
            .contains("The paper behind this summary was wrong")
    );
    assert!(entries[1].body_html.contains("The data could not be found."));
    assert!(entries[1].summary.contains("no longer rely on it"));
    assert_eq!(entries[2].title, "Put right");
    assert_eq!(
        entries[2].summary,
        "Corrected: We wrote 15 where the paper says 51. Explained."
    );
    assert!(entries[2].body_html.contains("Our summary was wrong"));
    assert!(
        entries[2]
            .body_html
            .contains("We wrote 15 where the paper says 51.")
    );
}

#[test]
fn the_same_entries_give_the_same_bytes_and_their_times() {
    for format in Format::ALL {
        assert_eq!(document(format), document(format));
    }
    let rss = String::from_utf8(document(Format::Rss)).unwrap();
    assert!(
        rss.contains("<lastBuildDate>Thu, 1 Jan 2026 20:40:03 +0000</lastBuildDate>"),
        "{rss}"
    );
    let atom = String::from_utf8(document(Format::Atom)).unwrap();
    assert!(
        atom.contains("<updated>2026-01-01T20:40:03+00:00</updated>"),
        "{atom}"
    );
}

#[test]
fn a_feed_without_entries_is_still_a_feed() {
    let templates = templates();
    for format in Format::ALL {
        let document = format.document(&channel(&templates, format), &[]).unwrap();
        let feed = feed_rs::parser::parse(&document[..]).unwrap();
        assert!(feed.entries.is_empty());
    }
}

#[test]
fn what_xml_forbids_does_not_get_through_even_if_nobody_cleaned() {
    let templates = templates();
    let dirty = "a\u{0}\u{1}\u{8}\u{B}\u{1F}\u{FFFE}\u{FDD0}\rb";
    let channel = Channel {
        title: dirty.to_owned(),
        description: dirty.to_owned(),
        author_name: dirty.to_owned(),
        copyright: dirty.to_owned(),
        ..channel(&templates, Format::Rss)
    };
    let mut entry = entries(&templates).remove(0);
    for field in [
        &mut entry.id,
        &mut entry.title,
        &mut entry.summary,
        &mut entry.body_html,
    ] {
        *field = dirty.to_owned();
    }
    entry.categories = vec![dirty.to_owned()];
    for format in Format::ALL {
        let text =
            String::from_utf8(format.document(&channel, std::slice::from_ref(&entry)).unwrap()).unwrap();
        let left: Vec<char> = text
            .chars()
            .filter(|c| !postrider::domain::text::is_allowed(*c))
            .collect();
        assert_eq!(left, Vec::<char>::new(), "{format:?}");
        assert!(!text.contains("\\u00"), "{format:?}: {text}");
        assert!(!text.contains('\r') && !text.contains("&#13;"), "{format:?}");
    }
}

/// `POSTRIDER_TEST_PYTHON` names a Python that has the PyPI package `feedparser`;
/// `scripts/test.sh` makes one.
#[test]
fn feedparser_finds_no_fault() {
    let python = std::env::var("POSTRIDER_TEST_PYTHON").expect(
        "POSTRIDER_TEST_PYTHON names no Python with feedparser: run scripts/test.sh, or make one with \
         `python3 -m venv target/python && target/python/bin/pip install feedparser`",
    );
    let folder = tempfile::tempdir().unwrap();
    let mut check = Command::new(python);
    check.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/feedparser_check.py"));
    for format in [Format::Rss, Format::Atom] {
        let path = folder.path().join(format!("all.{}", format.extension()));
        std::fs::write(&path, document(format)).unwrap();
        check.arg(path);
    }
    let output = check.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
