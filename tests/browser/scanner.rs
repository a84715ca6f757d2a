//! A mail scanner, which opens every link before the reader does, and a crawler that goes on from there.

use crate::grounds::{ADA, Grounds, REMOVED, SUMMARY};
use crate::letter::Letter;
use crate::world::World;
use reqwest::{Client, Method};
use scraper::{Html, Selector};
use std::collections::{BTreeMap, VecDeque};

/// More addresses than this are a trap for crawlers.
const MOST: usize = 2_000;

/// Opens each address of the site with HEAD and GET, and whatever the pages link to. The status of each.
async fn scan(world: &World, mails: &[Letter]) -> BTreeMap<String, u16> {
    let client = client();
    let mut known = BTreeMap::new();
    let mut next: VecDeque<String> = mails.iter().flat_map(Letter::addresses).collect();
    // What robots ask for by themselves.
    next.extend(["/robots.txt", "/sitemap.xml"].map(|path| format!("{}{path}", world.url)));
    while let Some(address) = next.pop_front() {
        let own = address == world.url || address.starts_with(&format!("{}/", world.url));
        if !own || known.contains_key(&address) {
            continue;
        }
        assert!(known.len() < MOST, "the site has no end: {known:#?}");
        let ask = |method| client.request(method, &address).send();
        let head = ask(Method::HEAD).await.unwrap().status();
        let answer = ask(Method::GET).await.unwrap();
        assert_eq!(head, answer.status(), "HEAD and GET of {address} differ");
        assert!(!head.is_server_error(), "{address}: {head}");
        known.insert(address, head.as_u16());
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

/// Every feed; its validators are noted when it is asked for the first time.
async fn ask_for_every_feed(world: &World) {
    let config = world.site.path("config.toml");
    let text = std::fs::read_to_string(config).unwrap();
    let categories = text.split("[[category]]\nslug = \"").skip(1);
    let names = categories.map(|rest| rest.split_once('"').unwrap().0);
    for name in names.chain(["all"]) {
        for ending in ["rss", "atom", "json"] {
            let feed = format!("{}/feeds/{name}.{ending}", world.url);
            let answer = client().get(&feed).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{feed}");
        }
    }
}

fn client() -> Client {
    let builder = Client::builder().no_proxy();
    builder
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_scanner_changes_nothing() {
    let grounds = Grounds::lay();
    let world = &grounds.world;
    let mails = world.mails();
    for mail in [
        &grounds.digest,
        &grounds.asked,
        &grounds.confirmed,
        &grounds.welcome,
        &grounds.account,
        &grounds.new_address,
    ] {
        assert!(
            mails
                .iter()
                .any(|one| one.to == mail.to && one.subject == mail.subject)
        );
    }
    ask_for_every_feed(world).await;
    let before = world.dump();
    for table in ["subscription", "sign_up", "address_change", "reader_event"] {
        let insert = format!("INSERT INTO \"{table}\"");
        assert!(
            before.iter().any(|row| row.contains(&insert)),
            "{table}: {before:#?}"
        );
    }

    let opened = scan(world, &mails).await;
    let own = |address: &String| address.starts_with(&world.url);
    for mail in &mails {
        for address in mail.addresses().iter().filter(|address| own(address)) {
            let status = opened.get(address);
            let expected = if address.contains(REMOVED) {
                // Digests told of a page that was removed since.
                410
            } else if address.contains("/admin/session/") && !address.ends_with(&grounds.sign_in) {
                // With this one an editor has signed in.
                404
            } else {
                200
            };
            assert_eq!(
                status,
                Some(&expected),
                "{address} in {:?} to {}",
                mail.subject,
                mail.to
            );
        }
    }
    for path in [
        "/",
        "/about",
        "/archive/1",
        "/sitemap.xml",
        SUMMARY,
        "/categories/urology",
    ] {
        assert!(
            opened.contains_key(&format!("{}{path}", world.url)),
            "{path}: {opened:#?}"
        );
    }

    let after = world.dump();
    let gone: Vec<_> = before.iter().filter(|row| !after.contains(row)).collect();
    let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(
        gone.is_empty() && new.is_empty() && before.len() == after.len(),
        "what was only looked at has changed: no more {gone:#?}, but {new:#?}"
    );
    // The same dump sees a change.
    world.run(&["subscribers", "remove", ADA]);
    assert_ne!(world.dump(), after);
}
