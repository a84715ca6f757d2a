//! A mail scanner, which opens every link before the reader does, and a crawler that goes on from there.

use crate::letter::Letter;
use crate::programs::python;
use crate::site::Site;
use crate::world::World;
use reqwest::{Client, Method};
use scraper::{Html, Selector};
use std::collections::{BTreeSet, VecDeque};
use std::process::Command;

/// More addresses than this are a trap for crawlers.
const MOST: usize = 2_000;

/// Opens each address of the site with HEAD and GET, and whatever the pages link to. What it opened.
async fn scan(world: &World, mails: &[Letter]) -> BTreeSet<String> {
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut known = BTreeSet::new();
    let mut next: VecDeque<String> = mails.iter().flat_map(Letter::addresses).collect();
    while let Some(address) = next.pop_front() {
        let own = address == world.url || address.starts_with(&format!("{}/", world.url));
        if !own || !known.insert(address.clone()) {
            continue;
        }
        assert!(known.len() < MOST, "the site has no end: {known:#?}");
        let ask = |method| client.request(method, &address).send();
        let head = ask(Method::HEAD).await.unwrap().status();
        let answer = ask(Method::GET).await.unwrap();
        assert_eq!(head, answer.status(), "HEAD and GET of {address} differ");
        assert!(!head.is_server_error(), "{address}: {head}");
        if let Some(elsewhere) = answer.headers().get("location") {
            next.push_back(answer.url().join(elsewhere.to_str().unwrap()).unwrap().into());
        }
        let kind = answer.headers().get("content-type");
        if kind.is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html")) {
            let here = answer.url().clone();
            next.extend(links(&here, &answer.text().await.unwrap()));
        }
    }
    known
}

/// Where a page leads without a form being sent.
fn links(here: &reqwest::Url, page: &str) -> Vec<String> {
    let leading = Selector::parse("[href], [src]").unwrap();
    Html::parse_document(page)
        .select(&leading)
        .filter_map(|element| element.attr("href").or(element.attr("src")))
        .filter_map(|link| here.join(link).ok())
        .map(|mut link| {
            link.set_fragment(None);
            link.to_string()
        })
        .collect()
}

/// Every row of every table, as SQL; but for the validators of the feeds, which are noted when one is first made.
fn dump(site: &Site) -> Vec<String> {
    let script = "import sqlite3, sys\n\
                  print('\\n'.join(sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).iterdump()))";
    let output = Command::new(python())
        .args(["-c", script])
        .arg(site.path("data/postrider.db"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    let kept = lines
        .lines()
        .filter(|row| !row.starts_with("INSERT INTO \"feed_state\""));
    kept.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_scanner_changes_nothing() {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "urology"), ("bob@example.org", "")]);
    let world = World::start(site);
    world.publish();
    let mails = world.mails();
    let before = dump(&world.site);
    assert!(
        before
            .iter()
            .any(|row| row.contains("INSERT INTO \"subscription\"")),
        "{before:#?}"
    );

    let opened = scan(&world, &mails).await;
    for link in [
        "Unsubscribe from Weekly digest",
        "See and change what you receive",
    ] {
        assert!(
            mails.iter().all(|mail| opened.contains(&mail.link(link))),
            "{link}: {opened:#?}"
        );
    }

    let after = dump(&world.site);
    let gone: Vec<_> = before.iter().filter(|row| !after.contains(row)).collect();
    let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(
        gone.is_empty() && new.is_empty() && before.len() == after.len(),
        "what was only looked at has changed: no more {gone:#?}, but {new:#?}"
    );
    // The same dump sees a change.
    world.run(&["subscribers", "remove", "ann@example.org"]);
    assert_ne!(dump(&world.site), after);
}
