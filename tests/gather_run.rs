//! One gather: what of the sources' items is kept, and what is rejected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/database.rs"]
mod database;
#[path = "support/seed.rs"]
mod seed;

use async_trait::async_trait;
use database::Database;
use postrider::domain::{Result, SystemClock, Timestamp};
use postrider::gather::run::{SourceReport, run};
use postrider::gather::{FetchMemory, Item, Pulled, Source};
use postrider::store::Store;
use std::sync::Mutex;

on_both! { a_flood_of_rejections_is_counted }

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
