//! The feed source: a corpus of feeds, and the ways in which a server or a feed can be wrong.
//!
//! A feed in `tests/corpus/feeds` with `<feed>.json` beside it is a test; no code is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use postrider::domain::{Result, Slug};
use postrider::gather::feed::{FeedOptions, FeedSource};
use postrider::gather::fetch::{Fetcher, Limits};
use postrider::gather::reach::anywhere;
use postrider::gather::{Pulled, Source};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use support::http::{Memory, NOW, Reply, Server};
use url::Url;

fn source(url: Url, category: Option<&str>) -> FeedSource {
    let slug = |text| Slug::parse(text).unwrap();
    let options = FeedOptions {
        map: [("hot drinks".to_owned(), slug("gastroenterology"))].into(),
        category: category.map(slug),
    };
    let fetcher = Arc::new(Fetcher::new(Limits::default(), anywhere()).unwrap());
    FeedSource::new("source", url, options, support::categories(), fetcher)
}

async fn pull(memory: &Memory, url: &Url) -> Result<Pulled> {
    source(url.clone(), Some("neurology")).pull(memory, NOW).await
}

/// What a feed as the body of an answer gives, as an error's text when it gives nothing.
async fn served(body: Vec<u8>, content_type: &'static str) -> std::result::Result<Pulled, String> {
    let server = Server::start(move |_| Reply::ok(body.clone()).header("Content-Type", content_type)).await;
    let url = server.url("/feed");
    pull(&Memory::default(), &url)
        .await
        .map_err(|problem| problem.to_string().replace(url.as_str(), "URL"))
}

fn titles(pulled: &Pulled) -> Vec<&str> {
    pulled
        .items
        .iter()
        .map(|item| {
            item.outcome
                .as_ref()
                .map_or("-", |summary| summary.title.as_str())
        })
        .collect()
}

#[tokio::test]
async fn every_feed_of_the_corpus_gives_what_stands_beside_it() {
    let inputs = support::inputs(&support::corpus("feeds"));
    assert!(inputs.len() >= 4, "the corpus of feeds is gone");
    let mut wrong = Vec::new();
    for path in inputs {
        let body = std::fs::read(&path).unwrap();
        let server = Server::start(move |_| Reply::ok(body.clone())).await;
        let memory = Memory::default();
        let pulled = pull(&memory, &server.url("/feeds/all")).await.unwrap();
        let items: Vec<_> = pulled
            .items
            .iter()
            .map(|item| json!({ "key": item.key, "outcome": item.outcome }))
            .collect();
        let got = json!({ "items": items, "notes": pulled.notes, "remembered": !pulled.fetched.is_empty() });
        let got = serde_json::to_string_pretty(&got)
            .unwrap()
            .replace(server.url("").as_str(), "http://SERVER/");
        let beside = PathBuf::from(format!("{}.json", path.display()));
        if std::fs::read_to_string(&beside).unwrap_or_default().trim_end() != got {
            wrong.push(format!("{} gave\n{got}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const GOOD: &str = "<item><title>Good</title><guid>1</guid></item>";

fn rss(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>")
}

#[tokio::test]
async fn an_unchanged_feed_is_not_read_again_and_a_moved_one_is_noted() {
    let server = Server::start(
        |request| match (request.path.as_str(), request.header("if-none-match")) {
            ("/old", _) => Reply::new(301).header("Location", "/new"),
            (_, Some("\"1\"")) => Reply::new(304),
            _ => Reply::ok(rss(GOOD)).header("ETag", "\"1\""),
        },
    )
    .await;
    let (memory, url) = (Memory::default(), server.url("/old"));
    let first = pull(&memory, &url).await.unwrap();
    assert_eq!(titles(&first), ["Good"]);
    assert_eq!(
        first.notes,
        [format!(
            "{url} has moved for good: write {} in the configuration",
            server.url("/new")
        )]
    );
    memory.stored(&first.fetched).await;
    let second = pull(&memory, &url).await.unwrap();
    assert_eq!(
        (second.items.len(), second.untouched, second.notes.len()),
        (0, 1, 0)
    );
    assert_eq!(server.paths(), ["/old", "/new", "/new"]);
}

#[tokio::test]
async fn a_feed_that_is_gone_or_wants_to_wait_says_so_each_time() {
    let server = Server::start(|request| match request.path.as_str() {
        "/gone" => Reply::new(410),
        "/missing" => Reply::new(404),
        _ => Reply::new(429).header("Retry-After", "60"),
    })
    .await;
    let (memory, url) = (Memory::default(), server.url("/gone"));
    for _ in 0..2 {
        let message = pull(&memory, &url).await.unwrap_err().to_string();
        assert!(
            message.starts_with(&format!(
                "gone for good (410), not asked any more: {url}\n  hint: "
            )),
            "{message}"
        );
    }
    for _ in 0..2 {
        let waiting = pull(&memory, &server.url("/busy")).await.unwrap();
        let until = NOW.plus(Duration::from_secs(60));
        assert_eq!(
            waiting.notes,
            [format!(
                "{} asks to be left alone until {until}",
                server.url("/busy")
            )]
        );
        assert_eq!(waiting.untouched, 1);
    }
    assert_eq!(server.paths(), ["/gone", "/busy"]);
    let message = pull(&memory, &server.url("/missing"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!("{}: answered 404 Not Found", server.url("/missing"))),
        "{message}"
    );
}

#[tokio::test]
async fn a_web_page_is_no_feed_and_the_feed_it_names_is_told() {
    let page = "<!DOCTYPE html><html><head><link rel=alternate type=application/rss+xml href=/f.xml></head><p>hi</html>";
    let message = served(page.into(), "text/html").await.unwrap_err();
    assert!(
        message.starts_with(
            "URL: not a feed: it is a web page (HTML)\n  hint: the page names this feed: http://"
        )
    );
    assert!(message.ends_with("/f.xml"), "{message}");
    let message = served("Good day".into(), "text/plain").await.unwrap_err();
    assert!(
        message.starts_with("URL: not a feed: it begins neither with < nor with {"),
        "{message}"
    );
}

#[tokio::test]
async fn utf_16_and_old_charsets_are_read() {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>{}",
        rss("<item><title>Größe 😀</title><guid>1</guid></item>")
    );
    for mark in ["", "\u{FEFF}"] {
        for big in [true, false] {
            let units = format!("{mark}{text}");
            let units = units.encode_utf16();
            let body = units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            assert_eq!(
                titles(&served(body, "application/rss+xml").await.unwrap()),
                ["Größe 😀"],
                "{mark:?} {big}"
            );
        }
    }
    let body = rss("<item><title>Gr\u{0}\u{1}e</title><guid>1</guid></item>").replace("\u{0}\u{1}", "X");
    let latin: Vec<u8> = body
        .bytes()
        .flat_map(|byte| {
            if byte == b'X' {
                vec![0xF6, 0xDF]
            } else {
                vec![byte]
            }
        })
        .collect();
    assert_eq!(
        titles(&served(latin, "text/xml; charset=ISO-8859-1").await.unwrap()),
        ["Größe"]
    );
    // What the parser panics on must not get out: half a character, and bytes that are none.
    for body in [
        &b"\xFE\xFF\x00<"[..],
        b"\xFF\xFE<\x00r\x00",
        b"\xFF\xFE",
        b"<\x00",
        b"\xFF\xFF<rss>",
    ] {
        assert!(served(body.to_vec(), "text/xml").await.is_err(), "{body:?}");
    }
}

#[tokio::test]
async fn entities_are_never_expanded() {
    let bomb = format!(
        "<!DOCTYPE rss [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
        rss("<item><title>&b;</title><guid>1</guid></item>")
    );
    let message = served(bomb.into(), "text/xml").await.unwrap_err();
    assert!(
        message.starts_with("URL: not read: the document declares entities"),
        "{message}"
    );
    let file = "<!DOCTYPE rss [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><rss/>";
    assert!(served(file.into(), "text/xml").await.is_err());
    // A document type alone is harmless, and old feeds have one.
    let old = format!(
        "<!DOCTYPE rss PUBLIC \"-//X//DTD RSS//EN\" \"http://127.0.0.1:1/rss.dtd\">{}",
        rss(GOOD)
    );
    assert_eq!(titles(&served(old.into(), "text/xml").await.unwrap()), ["Good"]);
}

#[tokio::test]
async fn one_bad_item_costs_no_other_and_a_feed_with_one_is_asked_again() {
    let bad = [
        "<item><title>No id</title></item>",
        "<item><guid>2</guid></item>",
        "<item><title>Open <b></title><guid>3</guid></item>",
        "<item><title>&#0;&#xD800;&#x110000;</title><guid>4</guid></item>",
        "<item/>",
        "<item><title a=1 a=2 <x></title></item>",
    ];
    for bad in bad {
        let pulled = served(rss(&format!("{GOOD}{bad}{GOOD}")).into(), "text/xml")
            .await
            .unwrap();
        let titles = titles(&pulled);
        assert_eq!(
            titles.iter().filter(|title| **title == "Good").count(),
            2,
            "{bad}: {pulled:?}"
        );
        if pulled.items.iter().any(|item| item.outcome.is_err()) {
            assert!(pulled.fetched.is_empty(), "{bad}");
        }
    }
    let cut_short = rss(&format!("{GOOD}{GOOD}<item><title>Half"));
    let pulled = served(cut_short.split("</channel>").next().unwrap().into(), "text/xml")
        .await
        .unwrap();
    assert_eq!(titles(&pulled), ["Good", "Good", "-"]);
    let reason = pulled.items[2].outcome.as_ref().unwrap_err();
    assert!(
        reason.contains("the rest of the feed can't be read: it ends within an item"),
        "{reason}"
    );
}

#[tokio::test]
async fn without_a_default_an_unknown_category_rejects_the_item_and_names_it() {
    let body = rss("<item><title>a</title><guid>1</guid><category>Astrology</category></item>");
    let server = Server::start(move |_| Reply::ok(body.clone())).await;
    let pulled = source(server.url("/"), None)
        .pull(&Memory::default(), NOW)
        .await
        .unwrap();
    let reason = pulled.items[0].outcome.as_ref().unwrap_err();
    assert!(
        reason.contains("the item has no known category: \"Astrology\"\n  hint: set `category`"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_feed_of_countless_items_is_cut_short_and_says_so() {
    let pulled = served(rss(&"<item/>".repeat(10_002)).into(), "text/xml")
        .await
        .unwrap();
    assert_eq!(pulled.items.len(), 10_000);
    assert_eq!(
        pulled.notes,
        ["the feed has more than 10000 items, and what follows them was left out: ask for a shorter feed"]
    );
}
