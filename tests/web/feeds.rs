//! The nine feeds of a site whose summaries are out to break them.

use crate::reading::{dangers, entries, entries_of, feedparser, shown};
use crate::site::{Server, Site};
use crate::wire::get;
use chrono::DateTime;
use futures_util::future::join_all;
use postrider::app::feeds::Format;
use postrider::app::{App, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

const FORMATS: [&str; 3] = ["rss", "atom", "json"];
const NAMES: [&str; 3] = ["all", "urology", "pain-sleep"];
const BRAIN: &str = "\u{1F9E0}";

/// A plain summary, and one that has broken feeds in every way we know; it comes first in its feeds.
fn hostile_site() -> Site {
    let site = Site::new();
    site.configure(
        "",
        "[[category]]\nslug = \"pain-sleep\"\nname = \"Pain & <Sleep>\"\n",
    );
    site.summary("plain", "urology");
    let long = "very ".repeat(400);
    site.write(
        "content/zz-hostile.md",
        &format!(
            r#"+++
title = "A ]]> \u0001\u0008tale\uFFFE of <b>pain</b> &amp; & {BRAIN} \u202Bעברית\u202C\r\n{long}long"
journal = "<script>alert(1)</script> Journal"
doi = "10.5555/Hostile.1"
published = 2026-01-03
categories = ["pain-sleep", "urology"]
participants = "عشرون \u000B& \"twenty\""
+++

## Simple Explanation

Ends ]]> here {BRAIN} and &#8; there, 1 &lt; 2 &amp; 3, &#x1F9E0; &nbsp;&copy;.

<script>alert("run")</script><style>p {{ display: none }}</style>
<iframe src="https://example.com/frame"></iframe><img src="https://example.com/pixel.png" onerror="alert(1)">
<p onclick="alert(1)" style="color: red">A <a href="page.html">relative</a>, a <a href="/rooted">rooted</a>,
a <a href="//example.com/x">schemeless</a>, a <a href="javascript:alert(1)">running</a>,
a <a href=" JaVaScript:alert(1)">running in disguise</a>, a <a href="data:text/html,x">data</a>,
an <a href="https://example.org/good?a=1&amp;b=2" onmouseover="x()">absolute</a> link.</p>

[Markdown runs](javascript:alert(1)), [Markdown is relative](../up.html), [Markdown is well](https://example.org/md).

## Key Findings

1. One <svg onload="alert(1)"><script>x</script></svg> ]]> {BRAIN}
2. `<code>` & more

## Study Limitations

1. <object data="x"></object>Few people
"#
        ),
    );
    site.run(&["gather"]).expect_code(0);
    site
}

fn each_feed() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES
        .into_iter()
        .flat_map(|name| FORMATS.into_iter().map(move |format| (name, format)))
}

fn document(server: &Server, name: &str, format: &str) -> String {
    let answer = get(server, &format!("/feeds/{name}.{format}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text()
}

#[test]
fn feed_rs_reads_hostile_summaries_back() {
    let site = hostile_site();
    let server = site.serve(&[]);
    for (name, format) in each_feed() {
        let found = entries_of(&get(&server, &format!("/feeds/{name}.{format}")));
        assert_eq!(
            found.len(),
            if name == "pain-sleep" { 1 } else { 2 },
            "{name}.{format}"
        );
        let hostile = &found[0];
        assert!(
            hostile.title.starts_with(&format!(
                "A ]]> tale of <b>pain</b> &amp; & {BRAIN} \u{202B}עברית\u{202C} very very"
            )) && hostile.title.ends_with("very long"),
            "{format}: {:?}",
            hostile.title
        );
        assert_eq!(hostile.tags, ["Pain & <Sleep>", "Urology"], "{name}.{format}");
        assert_eq!(hostile.link, "https://site.example.org/research/zz-hostile");
        assert_eq!(dangers(&hostile.body), Vec::<String>::new(), "{}", hostile.body);
        let text = shown(&hostile.body);
        for part in [
            &format!("Ends ]]> here {BRAIN} and "),
            &format!("1 < 2 & 3, {BRAIN}"),
            "A relative, a rooted",
            "<script>alert(1)</script> Journal",
            "عشرون & \"twenty\"",
            "Few people",
            "This summary does not replace medical advice.",
        ] {
            assert!(text.contains(part), "{name}.{format} lacks {part:?}: {text}");
        }
        assert!(
            !text.contains("alert(\"run\")") && !text.contains("display: none"),
            "{text}"
        );
        assert!(
            hostile
                .body
                .contains("href=\"https://example.org/good?a=1&amp;b=2\""),
            "{}",
            hostile.body
        );
        assert!(
            hostile.body.contains("href=\"https://example.org/md\""),
            "{}",
            hostile.body
        );
    }
}

#[test]
fn feedparser_finds_no_fault_in_what_is_served() {
    let site = hostile_site();
    let server = site.serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, format) in each_feed().filter(|(_, format)| *format != "json") {
        let file = folder.path().join(format!("{name}.{format}"));
        fs::write(&file, document(&server, name, format)).unwrap();
        files.push(file);
    }
    assert_eq!(files.len(), 6);
    feedparser(folder.path(), &files, &["Pain & <Sleep>", "Urology"]);
}

#[test]
fn an_entry_has_one_id_everywhere() {
    let site = hostile_site();
    let server = site.serve(&[]);
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, format) in each_feed() {
        for entry in entries_of(&get(&server, &format!("/feeds/{name}.{format}"))) {
            ids.entry(entry.link).or_default().insert(entry.id);
        }
    }
    let expected = [
        (
            "https://site.example.org/research/plain",
            "https://doi.org/10.5555/plain",
        ),
        (
            "https://site.example.org/research/zz-hostile",
            "https://doi.org/10.5555/hostile.1",
        ),
    ];
    let found: Vec<_> = ids
        .iter()
        .flat_map(|(link, ids)| ids.iter().map(move |id| (&**link, &**id)))
        .collect();
    assert_eq!(found, expected);
}

/// The texts between `<tag…>` and its end, as they are written.
fn inside<'a>(document: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    document
        .split(&open)
        .skip(1)
        .map(|rest| rest.split(&close).next().unwrap())
        .collect()
}

#[test]
fn each_format_says_what_its_readers_look_for() {
    let site = hostile_site();
    let server = site.serve(&[]);
    let rss = document(&server, "urology", "rss");
    for part in [
        "<atom:link rel=\"self\" href=\"https://site.example.org/feeds/urology.rss\"|<atom:link href=\"https://site.example.org/feeds/urology.rss\" rel=\"self\"",
        "href=\"https://site.example.org/categories/urology\"",
        "rel=\"alternate\"",
        "<link>https://site.example.org/categories/urology</link>",
        "<title>Test Site: Urology</title>",
        "<guid isPermaLink=\"false\">https://doi.org/10.5555/plain</guid>",
        "<language>en</language>",
    ] {
        assert!(
            part.split('|').any(|form| rss.contains(form)),
            "{part} is not in {rss}"
        );
    }
    assert_eq!(inside(&rss, "dc:creator"), ["Test Site", "Test Site"]);
    assert_eq!(inside(&rss, "content:encoded").len(), 2);
    assert_eq!(rss.matches("<guid isPermaLink=\"false\">").count(), 2);
    assert!(!rss.contains("<author>"), "RSS wants an address there");
    let dates = inside(&rss, "pubDate");
    assert_eq!(dates.len(), 3);
    for date in dates {
        assert!(DateTime::parse_from_rfc2822(date).is_ok(), "{date}");
    }

    let atom = document(&server, "all", "atom");
    assert_eq!(inside(&atom, "name"), ["Test Site"; 3]);
    for date in inside(&atom, "updated").iter().chain(&inside(&atom, "published")) {
        assert!(DateTime::parse_from_rfc3339(date).is_ok(), "{date}");
    }

    let json: serde_json::Value = serde_json::from_str(&document(&server, "all", "json")).unwrap();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(json["home_page_url"], "https://site.example.org/");
    assert_eq!(json["feed_url"], "https://site.example.org/feeds/all.json");
    assert_eq!(json["authors"][0]["name"], "Test Site");
    assert_eq!(
        json["items"][0]["tags"],
        serde_json::json!(["Pain & <Sleep>", "Urology"])
    );
    for key in ["date_published", "date_modified"] {
        assert!(DateTime::parse_from_rfc3339(json["items"][0][key].as_str().unwrap()).is_ok());
    }
    for (format, kind) in FORMATS.into_iter().zip(["rss+xml", "atom+xml", "feed+json"]) {
        let answer = get(&server, &format!("/feeds/all.{format}"));
        assert_eq!(
            answer.header("content-type"),
            Some(&*format!("application/{kind}; charset=utf-8"))
        );
    }
}

#[test]
fn the_same_bytes_from_every_process_and_as_files() {
    let site = hostile_site();
    let servers = [site.serve(&[]), site.serve(&["--no-schedule"])];
    let first: Vec<_> = each_feed()
        .map(|(name, format)| get(&servers[0], &format!("/feeds/{name}.{format}")))
        .collect();
    let second: Vec<_> = each_feed()
        .map(|(name, format)| get(&servers[1], &format!("/feeds/{name}.{format}")))
        .collect();
    for server in servers {
        assert_eq!(server.stop(), 0);
    }
    let restarted = site.serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/feeds");
    site.run(&["feeds", "--out", out.to_str().unwrap()])
        .expect_code(0);
    for (n, (name, format)) in each_feed().enumerate() {
        let file = format!("{name}.{format}");
        let third = get(&restarted, &format!("/feeds/{file}"));
        for other in [&second[n], &third] {
            assert_eq!(first[n].lasting_headers(), other.lasting_headers(), "{file}");
            assert!(first[n].body == other.body, "{file} has other bytes");
        }
        assert!(
            fs::read(out.join(&file)).unwrap() == first[n].body,
            "{file} is written otherwise than served"
        );
    }
    // Oncology has no summaries, and feeds all the same.
    assert_eq!(fs::read_dir(&out).unwrap().count(), 12);
    for format in FORMATS {
        assert_eq!(
            entries(&fs::read(out.join(format!("oncology.{format}"))).unwrap()),
            []
        );
    }
}

/// After a change every feed reader asks at once: the document is made for one, and the others wait for it.
#[tokio::test]
async fn a_feed_is_made_once_for_all_who_ask() {
    let site = Site::new();
    site.summary("first", "urology");
    site.run(&["gather"]).expect_code(0);
    let options = Options {
        config: Some(site.path("config.toml")),
        ..Options::default()
    };
    let app = App::open(&options).await.unwrap();
    let polls = (0..20).map(|_| app.feed("all", Format::Rss));
    let documents: Vec<_> = join_all(polls).await.into_iter().map(Result::unwrap).collect();
    for document in &documents {
        assert!(Arc::ptr_eq(document, &documents[0]), "made twice");
    }
    site.summary("second", "urology");
    site.run(&["gather"]).expect_code(0);
    let newer = app.feed("all", Format::Rss).await.unwrap();
    assert_ne!(newer.etag, documents[0].etag);
}
