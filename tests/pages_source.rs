//! The pages source: a folder of saved pages, and a site over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use postrider::domain::{Result, Timestamp};
use postrider::gather::fetch::{Fetcher, Limits};
use postrider::gather::pages::{PageOptions, PagesSource, Start};
use postrider::gather::reach::anywhere;
use postrider::gather::{Pulled, Source};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::http::{Memory, NOW, Reply, Request, Server};

fn options() -> PageOptions {
    PageOptions {
        delay: Duration::ZERO,
        ..PageOptions::default()
    }
}

async fn pull(memory: &Memory, start: Start, options: PageOptions, now: Timestamp) -> Result<Pulled> {
    let fetcher = Arc::new(Fetcher::new(Limits::default(), anywhere()).unwrap());
    PagesSource::site("source", start, options, support::categories(), fetcher)
        .pull(memory, now)
        .await
}

async fn pull_sitemap(memory: &Memory, server: &Server, options: PageOptions) -> Result<Pulled> {
    pull(memory, Start::Sitemap(server.url("/sitemap.xml")), options, NOW).await
}

fn page(title: &str) -> String {
    format!(
        "<html><head><meta charset=utf-8></head><body><h1>{title}</h1><p>Tea, 2020</p>\
         <p><a href=/categories/urology>Urology</a></p><h2>Simple Explanation</h2><p>Text.</p></body></html>"
    )
}

fn sitemap(pages: &[&str]) -> String {
    let list: String = pages
        .iter()
        .map(|page| format!("<url><loc>{page}</loc></url>"))
        .collect();
    format!("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{list}</urlset>")
}

fn keys(pulled: &Pulled) -> Vec<&str> {
    pulled
        .items
        .iter()
        .map(|item| item.key.rsplit('/').next().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn a_folder_of_pages_gives_summaries_by_the_names_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let text = std::fs::read(support::corpus("pages").join("full.txt")).unwrap();
    write("frames.txt", &text);
    write("tea.html", page("Tea").as_bytes());
    write(
        "Latin Page.htm",
        &page("Caf\u{1}")
            .replace("utf-8", "latin1")
            .bytes()
            .map(|b| if b == 1 { 0xE9 } else { b })
            .collect::<Vec<_>>(),
    );
    write("broken.txt", b"\xFF\xFE\x00");
    write("notes.md", b"not a page");
    let source = PagesSource::folder("source", folder.path(), support::categories());
    let pulled = source.pull(&Memory::default(), NOW).await.unwrap();
    let found: Vec<(&str, String)> = pulled
        .items
        .iter()
        .map(|item| {
            (
                item.key.as_str(),
                item.outcome
                    .as_ref()
                    .map_or_else(Clone::clone, |s| format!("{} {}", s.slug, s.title)),
            )
        })
        .collect();
    let broken = folder.path().join("broken.txt").display().to_string();
    assert_eq!(
        found,
        [
            ("Latin Page", "caf Café".to_owned()),
            (
                "broken",
                format!("{broken}: not UTF-8 text\n  hint: save the page as UTF-8")
            ),
            (
                "frames",
                "frames Standing frames and mood: a small trial".to_owned()
            ),
            ("tea", "tea Tea".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_sitemap_leads_to_pages_and_robots_txt_keeps_us_from_some() {
    let server = Server::start(|request| match request.path.as_str() {
        "/robots.txt" => Reply::ok("User-agent: *\nDisallow: /\n\nUser-agent: postrider\nDisallow: /research/secret\n"),
        "/sitemap.xml" => Reply::ok("<sitemapindex><sitemap><loc>/part.xml</loc></sitemap><sitemap><loc>/deep.xml</loc></sitemap></sitemapindex>"),
        "/deep.xml" => Reply::ok("<sitemapindex><sitemap><loc>/never.xml</loc></sitemap></sitemapindex>"),
        "/part.xml" => Reply::ok(sitemap(&[
            "/research/tea", "/research/secret", "https://example.org/research/x", "/research/tea#part", "/research/water", "/research/milk",
        ])),
        path => Reply::ok(page(path.rsplit('/').next().unwrap())),
    })
    .await;
    let limited = PageOptions {
        max_pages: 2,
        ..options()
    };
    let pulled = pull_sitemap(&Memory::default(), &server, limited).await.unwrap();
    assert_eq!(keys(&pulled), ["tea", "water"]);
    let summary = pulled.items[0].outcome.as_ref().unwrap();
    assert_eq!(summary.slug.as_str(), "tea");
    assert_eq!(summary.url, Some(server.url("/research/tea").to_string()));
    assert_eq!(
        server.paths(),
        [
            "/robots.txt",
            "/sitemap.xml",
            "/part.xml",
            "/deep.xml",
            "/research/tea",
            "/research/water"
        ]
    );
    assert_eq!(
        pulled.notes,
        [
            format!(
                "{} is an index within an index, and left out",
                server.url("/deep.xml")
            ),
            "left out 1 pages at other hosts".to_owned(),
            "left out 1 pages that robots.txt forbids".to_owned(),
            "left 1 pages for the next pull: this one took 2 (max_pages)".to_owned(),
        ]
    );
}

#[tokio::test]
async fn only_pages_that_were_understood_are_asked_for_conditionally() {
    let server = Server::start(
        |request| match (request.path.as_str(), request.header("if-none-match")) {
            ("/robots.txt", _) => Reply::new(404),
            ("/sitemap.xml", None) => {
                Reply::ok(sitemap(&["/good", "/bad", "/gone", "/away", "/missing"])).header("ETag", "\"s\"")
            }
            ("/good", Some("\"1\"")) => Reply::new(304),
            ("/good", None) => Reply::ok(page("Good")).header("ETag", "\"1\""),
            ("/bad", None) => Reply::ok("<h1>No summary</h1>").header("ETag", "\"2\""),
            ("/bad", Some(_)) => Reply::new(304),
            ("/gone", _) => Reply::new(410),
            ("/away", _) => Reply::new(302).header("Location", "http://localhost:1/"),
            ("/missing", _) => Reply::new(404),
            _ => panic!("{request:?}"),
        },
    )
    .await;
    let memory = Memory::default();
    let first = pull_sitemap(&memory, &server, options()).await.unwrap();
    assert_eq!(keys(&first), ["good", "bad", "away", "missing"]);
    let reason = |pulled: &Pulled, index: usize| pulled.items[index].outcome.as_ref().unwrap_err().clone();
    assert!(reason(&first, 1).contains("/bad: the page has none of the headings of a summary"));
    assert!(reason(&first, 2).contains("/away: leads to another host: http://localhost:1/"));
    assert!(reason(&first, 3).contains("/missing: answered 404 Not Found"));
    assert_eq!(
        first.notes,
        [format!(
            "{} is gone for good (410) and not asked for any more",
            server.url("/gone")
        )]
    );
    memory.stored(&first.fetched).await;

    let before = server.paths().len();
    let second = pull_sitemap(&memory, &server, options()).await.unwrap();
    assert_eq!(keys(&second), ["bad", "away", "missing"]);
    assert_eq!((second.untouched, second.fetched.len()), (2, 0));
    assert!(!server.paths()[before..].contains(&"/gone".to_owned()));
}

#[tokio::test]
async fn a_site_that_wants_to_be_left_alone_is() {
    let server = Server::start(|request| match request.path.as_str() {
        "/robots.txt" => Reply::new(404),
        "/busy" => Reply::new(429).header("Retry-After", "60"),
        path => Reply::ok(page(path)),
    })
    .await;
    let memory = Memory::default();
    let start = || Start::Addresses(vec![server.url("/a"), server.url("/busy"), server.url("/b")]);
    let first = pull(&memory, start(), options(), NOW).await.unwrap();
    let until = NOW.plus(Duration::from_secs(60));
    assert_eq!((keys(&first), first.untouched), (vec!["a"], 2));
    assert_eq!(
        first.notes,
        [format!(
            "{} asks to be left alone until {until}",
            server.url("/busy")
        )]
    );
    assert_eq!(server.paths(), ["/robots.txt", "/a", "/busy"]);
    let second = pull(&memory, start(), options(), NOW).await.unwrap();
    assert_eq!(
        (second.items.len(), server.paths().len()),
        (0, 3),
        "nothing is asked before its time"
    );
    assert_eq!(second.notes.len(), 1);
    pull(&memory, start(), options(), until).await.unwrap();
    assert!(server.paths().len() > 3);
}

#[tokio::test]
async fn a_robots_txt_that_can_not_be_read_stops_the_source() {
    for reply in [
        Reply::new(500),
        Reply::new(429),
        Reply::new(301).header("Location", "http://localhost:1/"),
    ] {
        let server = Server::start(move |_: &Request| reply.clone()).await;
        let error = pull_sitemap(&Memory::default(), &server, options())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(server.url("/robots.txt").as_str()), "{error}");
        assert!(
            error.contains("hint: nothing is asked of a site whose robots.txt can't be read"),
            "{error}"
        );
        assert_eq!(server.paths(), ["/robots.txt"]);
    }
}

#[tokio::test]
async fn requests_are_spaced_by_the_longer_of_the_two_delays() {
    for (crawl_delay, ours) in [("0.15", 0), ("0.001", 150)] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/robots.txt" => Reply::ok(format!("User-agent: *\nCrawl-delay: {crawl_delay}\n")),
            "/sitemap.xml" => Reply::ok(sitemap(&["/a", "/b"])),
            path => Reply::ok(page(path)),
        })
        .await;
        let begun = Instant::now();
        let options = PageOptions {
            delay: Duration::from_millis(ours),
            ..PageOptions::default()
        };
        let pulled = pull_sitemap(&Memory::default(), &server, options).await.unwrap();
        assert_eq!(keys(&pulled), ["a", "b"]);
        assert!(
            begun.elapsed() >= Duration::from_millis(450),
            "three pauses of 150 ms"
        );
    }
}

#[tokio::test]
async fn a_pull_ends_in_time_and_the_next_one_goes_on() {
    let server = Server::start(|request| match request.path.as_str() {
        "/robots.txt" => Reply::new(404),
        "/sitemap.xml" => Reply::ok(sitemap(&["/a", "/b", "/c"])),
        path => Reply::ok(page(path.trim_start_matches('/'))),
    })
    .await;
    let memory = Memory::default();
    let next = async || {
        let hurried = PageOptions {
            time: Duration::ZERO,
            ..options()
        };
        let pulled = pull_sitemap(&memory, &server, hurried).await.unwrap();
        memory.stored(&pulled.fetched).await;
        (keys(&pulled).join(" "), pulled.notes)
    };
    let note = "left 2 pages for the next pull: this one had its 0 s".to_owned();
    for expected in ["a", "b", "c", "a"] {
        assert_eq!(next().await, (expected.to_owned(), vec![note.clone()]));
    }
    // Without a hurry everything is asked for, those first that were left.
    let pulled = pull_sitemap(&memory, &server, options()).await.unwrap();
    assert_eq!(keys(&pulled), ["b", "c", "a"]);
    memory.stored(&pulled.fetched).await;
    assert_eq!(
        keys(&pull_sitemap(&memory, &server, options()).await.unwrap()),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn every_page_of_every_part_has_its_turn() {
    let server = Server::start(|request| match request.path.as_str() {
        "/robots.txt" => Reply::new(404),
        "/sitemap.xml" => Reply::ok("<sitemapindex><sitemap><loc>/1.xml</loc></sitemap><sitemap><loc>/2.xml</loc></sitemap></sitemapindex>"),
        "/1.xml" => Reply::ok(sitemap(&["/a", "/b"])),
        "/2.xml" => Reply::ok(sitemap(&["/c", "/d"])),
        path => Reply::ok(page(path.trim_start_matches('/'))),
    })
    .await;
    let memory = Memory::default();
    let mut seen = Vec::new();
    for _ in 0..6 {
        let hurried = PageOptions {
            time: Duration::ZERO,
            ..options()
        };
        let pulled = pull_sitemap(&memory, &server, hurried).await.unwrap();
        seen.push(keys(&pulled).join(" "));
        memory.stored(&pulled.fetched).await;
    }
    assert_eq!(seen, ["a", "b", "c", "d", "a", "b"]);
}

#[tokio::test]
async fn a_long_index_is_read_in_portions() {
    let parts: String = (0..150)
        .map(|n| format!("<sitemap><loc>/{n}.xml</loc></sitemap>"))
        .collect();
    let index = format!("<sitemapindex>{parts}</sitemapindex>");
    let server = Server::start(move |request| match request.path.as_str() {
        "/robots.txt" => Reply::new(404),
        "/sitemap.xml" => Reply::ok(index.clone()),
        "/149.xml" => Reply::ok(sitemap(&["/last"])),
        "/last" => Reply::ok(page("Last")),
        _ => Reply::ok(sitemap(&[])),
    })
    .await;
    let memory = Memory::default();
    let first = pull_sitemap(&memory, &server, options()).await.unwrap();
    assert_eq!((keys(&first).len(), server.paths().len()), (0, 102));
    assert_eq!(
        first.notes,
        [format!(
            "left 50 parts of {} for a later pull",
            server.url("/sitemap.xml")
        )]
    );
    memory.stored(&first.fetched).await;
    let second = pull_sitemap(&memory, &server, options()).await.unwrap();
    assert_eq!(keys(&second), ["last"]);
}

#[tokio::test]
async fn a_robots_txt_that_was_gone_is_read_when_it_is_back() {
    let gone = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let script = Arc::clone(&gone);
    let server = Server::start(move |request| match request.path.as_str() {
        "/robots.txt" if script.load(std::sync::atomic::Ordering::Relaxed) => Reply::new(410),
        "/robots.txt" => Reply::ok("User-agent: *\nDisallow: /\n"),
        "/sitemap.xml" => Reply::ok(sitemap(&["/a"])),
        _ => Reply::ok(page("A")),
    })
    .await;
    let memory = Memory::default();
    assert_eq!(
        keys(&pull_sitemap(&memory, &server, options()).await.unwrap()),
        ["a"]
    );
    gone.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(keys(&pull_sitemap(&memory, &server, options()).await.unwrap()).is_empty());
}
