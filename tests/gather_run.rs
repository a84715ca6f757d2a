//! One gather: what of the sources' items is kept, and what is rejected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/database.rs"]
mod database;
#[path = "support/seed.rs"]
mod seed;

use async_trait::async_trait;
use database::Database;
use postrider::domain::{Result, Summary, SystemClock, Timestamp};
use postrider::gather::run::{SourceReport, run};
use postrider::gather::{FetchMemory, Item, Pulled, Source};
use postrider::store::Store;
use std::sync::Mutex;

on_both! {
    a_flood_of_rejections_is_counted, two_items_that_are_one_paper_do_not_take_turns, a_paper_can_be_renamed,
    an_id_that_comes_twice_keeps_its_first_text, a_shared_address_makes_no_two_papers_one,
}

/// A source that gives what it is told to.
struct Told {
    name: &'static str,
    pulled: Mutex<Option<Pulled>>,
}

#[async_trait]
impl Source for Told {
    fn name(&self) -> &str {
        self.name
    }

    async fn pull(&self, _: &dyn FetchMemory, _: Timestamp) -> Result<Pulled> {
        Ok(self.pulled.lock().unwrap().take().unwrap_or_default())
    }
}

async fn gather(store: &Store, name: &'static str, pulled: Pulled) -> SourceReport {
    let source = Told {
        name,
        pulled: Mutex::new(Some(pulled)),
    };
    let sources: [Box<dyn Source>; 1] = [Box::new(source)];
    let mut reports = run(&sources, store, "https://site.example.org", &SystemClock)
        .await
        .unwrap();
    reports.pop().unwrap()
}

fn pulled(items: Vec<Item>) -> Pulled {
    Pulled {
        items,
        ..Pulled::default()
    }
}

async fn a_flood_of_rejections_is_counted(db: Database) {
    let store = db.open().await;
    let bad = |n| Item {
        key: format!("item {n}"),
        named: false,
        place: format!("feed (item {n})"),
        outcome: Err(format!("feed (item {n}): no title")),
    };
    let report = gather(&store, "feed", pulled((0..250).map(bad).collect())).await;
    assert_eq!(
        (report.rejected.len(), report.rejected_more, report.rejections()),
        (100, 150, 250)
    );
    assert_eq!(
        (
            report.rejected[99].place.as_str(),
            report.rejected[99].reason.as_str()
        ),
        ("feed (item 99)", "no title")
    );
}

fn item(key: &str, summary: Summary) -> Item {
    Item {
        key: key.to_owned(),
        named: false,
        place: format!("{key}.md"),
        outcome: Ok(summary),
    }
}

fn named(key: &str, summary: Summary) -> Item {
    Item {
        named: true,
        ..item(key, summary)
    }
}

fn at_home(title: &str, doi: Option<&str>) -> Summary {
    let mut summary = seed::summary(title, doi, "urology");
    summary.url = Some("https://example.org/".to_owned());
    summary
}

async fn titles(store: &Store) -> Vec<String> {
    let mut found = store.latest_summaries(99).await.unwrap();
    found.sort_by_key(|stored| stored.id);
    found.into_iter().map(|stored| stored.summary.title).collect()
}

/// New, changed, unchanged, and the reasons for what was rejected.
fn counts(report: &SourceReport) -> (usize, usize, usize, Vec<&str>) {
    let reasons = report.rejected.iter().map(|rejection| rejection.reason.as_str());
    (report.new, report.changed, report.unchanged, reasons.collect())
}

async fn two_items_that_are_one_paper_do_not_take_turns(db: Database) {
    let store = db.open().await;
    let doi = Some("10.1000/one");
    let a = || item("a", seed::summary("A", doi, "urology"));
    let b = || item("b", seed::summary("B", doi, "urology"));
    let reason = "the same paper as \"a\" of this source, which has the DOI too: 10.1000/one\n  \
                  hint: take one of the two out, or correct what was copied";
    let first = gather(&store, "folder", pulled(vec![a(), b()])).await;
    assert_eq!(counts(&first), (1, 0, 0, vec![reason]));
    assert_eq!(first.rejected[0].place, "b.md");
    // Whatever the order, and also when the first one is not read again, being unchanged.
    let unread = Pulled {
        items: vec![b()],
        others: vec!["a".to_owned()],
        ..Pulled::default()
    };
    for (given, unchanged) in [
        (pulled(vec![a(), b()]), 1),
        (pulled(vec![b(), a()]), 1),
        (unread, 0),
    ] {
        let report = gather(&store, "folder", given).await;
        assert_eq!(counts(&report), (0, 0, unchanged, vec![reason]));
        assert_eq!(titles(&store).await, ["A"]);
    }
    let pages = pulled(vec![item("x", at_home("X", None)), item("y", at_home("Y", None))]);
    let report = gather(&store, "pages", pages).await;
    let reason = "the same paper as \"x\" of this source, which has the address too: https://example.org\n  \
                  hint: take one of the two out, or correct what was copied";
    assert_eq!(counts(&report), (1, 0, 0, vec![reason]));
}

async fn a_paper_can_be_renamed(db: Database) {
    let store = db.open().await;
    let one = |key: &str, title: &str| item(key, seed::summary(title, Some("10.1000/one"), "urology"));
    gather(&store, "folder", pulled(vec![one("a", "Old")])).await;
    let renamed = gather(&store, "folder", pulled(vec![one("b", "New")])).await;
    assert_eq!(counts(&renamed), (0, 1, 0, vec![]));
    // The name that it had once gives no claim any more.
    let report = gather(&store, "folder", pulled(vec![one("a", "Old"), one("b", "New")])).await;
    assert_eq!((report.unchanged, report.rejected[0].place.as_str()), (1, "a.md"));
    assert_eq!(titles(&store).await, ["New"]);
}

async fn an_id_that_comes_twice_keeps_its_first_text(db: Database) {
    let store = db.open().await;
    for (new, unchanged) in [(1, 1), (0, 2)] {
        let given = ["A", "A", "B"].map(|title| item("urn:1", seed::summary(title, None, "urology")));
        let report = gather(&store, "feed", pulled(given.into())).await;
        let reason =
            "there are two different items \"urn:1\"; the first was taken\n  hint: tell the publisher";
        assert_eq!(counts(&report), (new, 0, unchanged, vec![reason]));
    }
    assert_eq!(titles(&store).await, ["A"]);
}

async fn a_shared_address_makes_no_two_papers_one(db: Database) {
    let store = db.open().await;
    for new in [4, 0] {
        let given = Pulled {
            items: vec![
                named("1", at_home("One", None)),
                named("2", at_home("Two", None)),
                named("3", at_home("Three", Some("10.1000/3"))),
                named("4", at_home("Four", Some("10.1000/4"))),
            ],
            ..Pulled::default()
        };
        let report = gather(&store, "feed", given).await;
        assert_eq!(counts(&report), (new, 0, 4 - new, vec![]));
    }
    assert_eq!(titles(&store).await, ["One", "Two", "Three", "Four"]);
    // The DOI tells papers apart everywhere.
    let pages = pulled(vec![
        item("5", at_home("Five", Some("10.1000/5"))),
        item("6", at_home("Six", Some("10.1000/6"))),
    ]);
    let known = gather(&store, "pages", pages).await;
    assert_eq!(counts(&known).3, Vec::<&str>::new());
    let ids: Vec<String> = store
        .latest_summaries(99)
        .await
        .unwrap()
        .into_iter()
        .map(|s| s.entry_id)
        .collect();
    assert!(
        ids.contains(&"https://example.org".to_owned())
            && ids.contains(&"https://example.org#two".to_owned()),
        "{ids:?}"
    );
}
