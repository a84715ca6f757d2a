//! The site as a whole: pages of lists, what is not there, every link, and the site turned off.

use crate::desk::change;
use crate::site::{Server, Site};
use crate::wire::{ask, get};
use mail_parser::MessageParser;
use quick_xml::events::Event;
use scraper::{Html, Selector};
use std::collections::BTreeSet;

const HOME: &str = "https://site.example.org";

fn select(html: &str, selector: &str, attribute: &str) -> Vec<String> {
    let html = Html::parse_document(html);
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| element.value().attr(attribute).unwrap_or_default().to_owned())
        .collect()
}

/// A site with `count` summaries that has sent its first edition to Ann.
fn site(count: usize) -> Site {
    let site = Site::new();
    for n in 1..=count {
        site.summary(
            &format!("number-{n}"),
            if n % 2 == 0 { "urology" } else { "oncology" },
        );
    }
    site.readers(&[("ann@example.org", "")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    site
}

#[test]
fn lists_are_paged() {
    let site = site(45);
    let server = site.serve(&[]);
    let of = |path: &str| get(&server, path).text();
    let cards = |path: &str| select(&of(path), ".card h2 a", "href");
    let mut all = BTreeSet::new();
    for (path, count) in [
        ("/research", 20),
        ("/research?page=2", 20),
        ("/research?page=3", 5),
    ] {
        let found = cards(path);
        assert_eq!(found.len(), count, "{path}");
        all.extend(found);
    }
    assert_eq!(all.len(), 45);
    assert_eq!(cards("/categories/urology?page=2").len(), 2);
    let second = of("/research?page=2");
    assert_eq!(select(&second, "nav a[rel=prev]", "href"), ["research"]);
    assert_eq!(select(&second, "nav a[rel=next]", "href"), ["research?page=3"]);
    assert_eq!(select(&second, "link[rel=next]", "href"), ["research?page=3"]);
    assert_eq!(
        select(&second, "link[rel=canonical]", "href"),
        [format!("{HOME}/research?page=2")]
    );
    for missing in [
        "/research?page=4",
        "/research?page=0",
        "/research?page=-1",
        "/research?page=x",
        "/research?page=9223372036854775807",
        "/categories/urology?page=3",
        "/categories/none",
        "/research/none",
        "/research/%00",
        "/archive/0",
        "/archive/99",
        "/archive/x",
        "/archive?page=2",
        "/archive?page=x",
        "/research/",
    ] {
        assert_eq!(get(&server, missing).status, 404, "{missing}");
    }
}

#[test]
fn the_archive_is_paged_and_its_last_page_may_be_full() {
    let site = site(1);
    // What time has left of ninety-nine further editions: their counts.
    let more = |first: i64, last: i64| {
        let numbers =
            format!("WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})");
        for rows in [
            "edition (id, digest, state, regular, created, planned, finished, pruned, audience, pruned_sent, received)
             SELECT i, digest, state, regular, created, planned + i * 86400000, finished, finished, 1, 1, 1
             FROM n JOIN edition ON id = 1",
            "edition_item (edition_id, summary_id, kind, position)
             SELECT i, summary_id, kind, position FROM n JOIN edition_item ON edition_id = 1",
        ] {
            change(&site, &format!("{numbers} INSERT INTO {rows}"));
        }
    };
    more(2, 100);
    let server = site.serve(&[]);
    let editions = |path: &str| -> Vec<i64> {
        let links = select(&get(&server, path).text(), ".editions a", "href");
        let number = |link: &String| link.strip_prefix("./archive/").unwrap().parse().unwrap();
        links.iter().map(number).collect()
    };
    let down = |from: i64, to: i64| (to..=from).rev().collect::<Vec<i64>>();
    assert_eq!(editions("/archive"), down(100, 51));
    assert_eq!(editions("/archive?page=2"), down(50, 1));
    let full = get(&server, "/archive?page=2").text();
    assert!(full.contains("Page 2 of 2"), "{full}");
    assert_eq!(select(&full, "nav a[rel=prev]", "href"), ["archive"]);
    assert_eq!(select(&full, "a[rel=next], link[rel=next]", "href"), [""; 0]);
    assert_eq!(get(&server, "/archive?page=3").status, 404);
    assert_eq!(get(&server, "/archive/2").status, 200);
    more(101, 101);
    assert_eq!(editions("/archive?page=2"), down(51, 2));
    assert_eq!(editions("/archive?page=3"), [1]);
}

#[test]
fn what_is_not_there_is_a_page_for_those_who_read_pages() {
    // Its folder goes with it, and connections to the database are opened when they are needed.
    let site = site(1);
    let server = site.serve(&[]);
    for path in ["/none", "/research/none", "/a/b/c/d", "/feeds/none.rss"] {
        let plain = get(&server, path);
        assert_eq!(plain.status, 404);
        assert!(!plain.text().contains('<'), "{path}");
        assert_eq!(plain.header("vary"), Some("Accept"));
        let page = ask(&server, "GET", path, &[("Accept", "text/html,*/*;q=0.8")]);
        assert_eq!(page.status, 404);
        let sheets = select(&page.text(), "link[rel=stylesheet]", "href");
        let sheet = follow(path, &sheets[0]);
        assert_eq!(get(&server, &sheet).status, 200, "{path} → {sheet}");
        assert_eq!(select(&page.text(), "meta[name=robots]", "content"), ["noindex"]);
    }
}

#[test]
fn a_page_that_is_known_is_not_sent_again() {
    let site = site(1);
    let server = site.serve(&[]);
    for path in [
        "/",
        "/research",
        "/research/number-1",
        "/about",
        "/archive/1",
        "/sitemap.xml",
    ] {
        let first = get(&server, path);
        let etag = first.header("etag").unwrap();
        assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
        let again = ask(&server, "GET", path, &[("If-None-Match", etag)]);
        assert_eq!(again.status, 304, "{path}");
        let head = ask(&server, "HEAD", path, &[]);
        assert_eq!((head.status, head.header("etag")), (200, Some(etag)), "{path}");
    }
    let paths = ["/research/number-1", "/sitemap.xml"];
    let before = paths.map(|path| get(&server, path));
    site.run(&["summaries", "correct", "number-1", "--note", "A number."])
        .expect_code(0);
    site.summary("number-2", "urology");
    site.run(&["gather"]).expect_code(0);
    for (path, before) in paths.into_iter().zip(before) {
        let etag = before.header("etag").unwrap();
        let now = ask(&server, "GET", path, &[("If-None-Match", etag)]);
        assert_eq!(
            (now.status, now.header("content-type")),
            (200, before.header("content-type"))
        );
    }
}

/// Where `href` leads from `path` on our own site; empty for elsewhere.
fn follow(path: &str, href: &str) -> String {
    let base = url::Url::parse(HOME).unwrap().join(path).unwrap();
    let target = base.join(href).unwrap();
    if target.host_str() != Some("site.example.org") {
        return String::new();
    }
    let query = target
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    target.path().to_owned() + &query
}

/// Whether a path belongs to readers, whose pages have tests of their own.
fn is_somebodys(path: &str) -> bool {
    // The admins' own pages are linked from nowhere.
    ["/u/", "/p/", "/admin"]
        .iter()
        .any(|beginning| path.starts_with(beginning))
}

/// Visits everything that can be reached from `start` by links; gives what was visited.
fn crawl(server: &Server, start: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let mut open: Vec<String> = start.into_iter().filter(|path| !path.is_empty()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(path) = open.pop() {
        if is_somebodys(&path) || !seen.insert(path.clone()) {
            continue;
        }
        let answer = get(server, &path);
        assert_eq!(answer.status, 200, "{path}");
        if answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
        {
            let links = select(&answer.text(), "a[href], link[href]", "href");
            let links = links.iter().map(|href| follow(&path, href));
            open.extend(links.filter(|target| !target.is_empty()));
        }
    }
    seen
}

#[test]
fn every_link_of_mails_feeds_sitemap_and_pages_leads_somewhere() {
    let site = site(3);
    let server = site.serve(&[]);
    let message = site.outbox().remove(0);
    let mail = MessageParser::default().parse(&message).unwrap();
    let text = mail.body_text(0).unwrap().into_owned();
    let mut start: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(HOME))
        .map(|path| {
            if path.is_empty() {
                "/".to_owned()
            } else {
                path.to_owned()
            }
        })
        .collect();
    for wanted in [
        "/research/number-1",
        "/research/number-1/helpful?answer=no",
        "/archive/1",
        "/",
    ] {
        assert!(start.iter().any(|path| path == wanted), "{wanted}: {start:?}");
    }
    let html = mail.body_html(0).unwrap().into_owned();
    start.extend(select(&html, "a", "href").iter().map(|href| follow("/", href)));
    let feed: serde_json::Value = serde_json::from_str(&get(&server, "/feeds/all.json").text()).unwrap();
    for item in feed["items"].as_array().unwrap() {
        start.push(follow("/", item["url"].as_str().unwrap()));
    }
    let sitemap = get(&server, "/sitemap.xml").text();
    let mut reader = quick_xml::Reader::from_str(&sitemap);
    let (mut in_loc, mut listed) = (false, Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => in_loc = tag.name().as_ref() == "loc",
            Event::Text(text) if in_loc => listed.push(text.to_string()),
            Event::End(_) => in_loc = false,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(listed.len(), 8 + 2 + 3 + 1, "{listed:?}");
    start.extend(listed.iter().map(|address| follow("/", address)));
    let seen = crawl(&server, start);
    for path in postrider::web::page_paths() {
        if path.contains("{token}") || is_somebodys(path) {
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        let visited = seen.iter().any(|seen| {
            let seen: Vec<&str> = seen.split('?').next().unwrap().split('/').collect();
            seen.len() == parts.len()
                && seen
                    .iter()
                    .zip(&parts)
                    .all(|(one, part)| part.starts_with('{') || one == part)
        });
        assert!(visited, "nothing leads to {path}");
    }
    let robots = get(&server, "/robots.txt").text();
    assert!(
        robots.contains("Sitemap: https://site.example.org/sitemap.xml"),
        "{robots}"
    );
    for path in &seen {
        assert!(!robots.contains(&format!("Disallow: {path}\n")), "{path}");
    }
}

#[test]
fn an_edition_in_the_browser_has_everything_but_what_is_a_readers() {
    let site = site(2);
    let server = site.serve(&[]);
    let page = get(&server, "/archive/1").text();
    assert_eq!(select(&page, "article h2", "dir").len(), 2);
    for personal in ["/u/", "/p/", "ann@", "Hello"] {
        assert!(!page.contains(personal), "{personal}");
    }
    assert!(get(&server, "/archive").text().contains("2 summaries"));
    let remove = ["summaries", "remove", "number-1", "--note", "A name."];
    site.run(&remove).expect_code(0);
    assert!(get(&server, "/archive").text().contains("1 summary<"));
    let draft = Site::new();
    draft.configure("approve = true", "");
    draft.summary("waits", "urology");
    draft.readers(&[("ann@example.org", "")]);
    draft.run(&["publish"]).expect_code(0);
    let server = draft.serve(&["--no-schedule"]);
    assert_eq!(get(&server, "/archive/1").status, 404, "a draft");
    assert!(!get(&server, "/archive").text().contains("/archive/1"));
    drop(server);
    // Approved, and nobody has it yet: nobody listens on port 1.
    draft
        .run(&["editions", "approve", "1", "--relay", "smtp://127.0.0.1:1"])
        .expect_code(3);
    let server = draft.serve(&["--no-schedule", "--relay", "smtp://127.0.0.1:1"]);
    assert_eq!(get(&server, "/archive/1").status, 404, "not sent yet");
    assert!(!get(&server, "/archive").text().contains("/archive/1"));
}

#[test]
fn the_site_can_be_turned_off() {
    let mut site = Site::new();
    let off = ("POSTRIDER_SITE__PAGES".to_owned(), "false".to_owned());
    site.environment.push(off);
    site.summary("plain", "urology");
    site.readers(&[("ann@example.org", "")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    let server = site.serve(&[]);
    for path in [
        "/",
        "/research",
        "/research/plain",
        "/about",
        "/archive/1",
        "/sitemap.xml",
        "/robots.txt",
    ] {
        assert_eq!(get(&server, path).status, 404, "{path}");
    }
    for path in ["/feeds/all.rss", "/assets/site.css", "/healthz"] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    let mail = site.outbox().remove(0);
    let mail = MessageParser::default()
        .parse(&mail)
        .unwrap()
        .body_text(0)
        .unwrap()
        .into_owned();
    assert!(
        !mail.contains("helpful") && !mail.contains("in the browser"),
        "{mail}"
    );
}
