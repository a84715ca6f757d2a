//! Editions for tests.

#![allow(dead_code, reason = "each test file uses its part")]

use crate::seed::{NOW, at};
use postrider::domain::edition::ItemKind;
use postrider::store::Store;
use postrider::store::audience::{Group, Planning};
use postrider::store::editions::{Item, NewEdition};

/// When what is not delivered expires, in the editions of tests: a day after planning.
pub const DAY: u64 = 24 * 60 * 60;

/// New items with these numbers.
pub fn items(summaries: &[i64]) -> Vec<Item> {
    let item = |&summary| Item {
        summary,
        kind: ItemKind::New,
    };
    summaries.iter().map(item).collect()
}

/// Begins an edition of `digest` with these summaries.
pub async fn begin(store: &Store, digest: &str, summaries: &[i64], bar_reserved: bool) -> Planning {
    let new = NewEdition {
        digest,
        items: &items(summaries),
        skipped: &[],
        regular: true,
        now: NOW,
    };
    store.plan_new(&new, bar_reserved, None).await.unwrap()
}

/// Plans everything for everybody who is not barred; the edition's number.
pub async fn finish(mut planning: Planning, summaries: &[i64]) -> i64 {
    let groups = planning.groups().await.unwrap();
    let (barred, mailed): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.barred);
    if !mailed.is_empty() {
        planning.add_segment(summaries, &mailed).await.unwrap();
    }
    let barred: i64 = barred.iter().map(|group| group.count).sum();
    if barred > 0 {
        planning.exclude("reserved_domain", barred).await.unwrap();
    }
    planning.commit(NOW, at(DAY)).await.unwrap()
}

/// An edition of `digest` with these summaries for all its readers.
pub async fn edition(store: &Store, digest: &str, summaries: &[i64]) -> i64 {
    let planning = begin(store, digest, summaries, false).await;
    finish(planning, summaries).await
}

/// An edition of `digest` that tells its readers of corrections to these summaries.
pub async fn announcement(store: &Store, digest: &str, summaries: &[i64]) -> i64 {
    let mut items = items(summaries);
    items.iter_mut().for_each(|item| item.kind = ItemKind::Correction);
    let new = NewEdition {
        digest,
        items: &items,
        skipped: &[],
        regular: true,
        now: NOW,
    };
    finish(store.plan_new(&new, false, None).await.unwrap(), summaries).await
}

/// A draft of `digest` with these summaries.
pub async fn draft(store: &Store, digest: &str, summaries: &[i64]) -> i64 {
    begin(store, digest, summaries, false)
        .await
        .keep_draft()
        .await
        .unwrap()
}
