//! What time leaves of editions: counts, and corrections that still reach their readers.

use crate::database::Database;
use crate::plan::{begin, edition};
use crate::seed::{NOW, at, many_readers, readers, summaries};
use postrider::store::Store;
use postrider::subscriptions::upkeep;
use std::time::Duration;

crate::on_both! {
    rows_become_counts, what_is_not_over_is_left_alone, several_prune_at_once_and_nothing_is_counted_twice,
    a_correction_reaches_everybody_once_receivers_are_gone,
}

const DAY: u64 = 86_400;
const KEPT: Duration = Duration::from_secs(400 * DAY);

/// An edition for so many readers, with every final state.
async fn ended(db: &Database, readers: usize) -> (Store, i64, Vec<i64>) {
    let store = db.open().await;
    many_readers(&store, readers).await;
    let ids = summaries(&store, &["One|urology", "Two|urology"]).await;
    let mut planning = begin(&store, "weekly", &ids, false).await;
    let groups = planning.groups().await.unwrap();
    planning
        .add_segment(&ids, &groups.iter().collect::<Vec<_>>())
        .await
        .unwrap();
    // A reason that rows have as well.
    planning.exclude("unsubscribed", 3).await.unwrap();
    let id = planning.commit(NOW, at(DAY)).await.unwrap();
    for sql in [
        "UPDATE delivery SET state = 'sent'",
        "UPDATE delivery SET state = 'failed' WHERE subscriber_id % 10 = 1",
        "UPDATE delivery SET state = 'expired' WHERE subscriber_id % 10 = 2",
        "UPDATE delivery SET state = 'excluded', text = 'unsubscribed' WHERE subscriber_id % 10 = 3",
        "UPDATE delivery SET state = 'excluded', text = 'erased' WHERE subscriber_id % 10 = 4",
        "UPDATE batch SET due = NULL, counted = 0",
    ] {
        db.execute(sql).await;
    }
    store.settle_editions(NOW, false).await.unwrap();
    (store, id, ids)
}

async fn prune(store: &Store, days: u64) -> u64 {
    upkeep::prune(store, at(days * DAY), KEPT).await.unwrap()
}

async fn rows(db: &Database) -> i64 {
    db.number("SELECT COUNT(*) FROM delivery").await
}

async fn rows_become_counts(db: Database) {
    let (store, id, _) = ended(&db, 12_001).await;
    let before = store.edition_report(id).await.unwrap();
    assert_eq!(before.audience, 12_004);
    assert_eq!(before.excluded_by["unsubscribed"], 3 + 1_200);
    assert_eq!(before.sent + before.failed + before.excluded, 12_004);
    assert_eq!(prune(&store, 399).await, 0);
    assert_eq!(
        (rows(&db).await, store.edition_report(id).await.unwrap()),
        (12_001, before.clone())
    );
    // One piece: the counts add up also in the midst of it.
    let piece = store.prune_deliveries(at(DAY), at(401 * DAY)).await.unwrap();
    assert_eq!(piece, 10_000);
    let mut after = store.edition_report(id).await.unwrap();
    assert_eq!(after.pruned, Some(at(401 * DAY)));
    after.pruned = None;
    assert_eq!(after, before);
    assert_eq!(prune(&store, 402).await, 2_001);
    let mut after = store.edition_report(id).await.unwrap();
    assert_eq!(after.pruned.take(), Some(at(401 * DAY)));
    assert_eq!(after, before);
    assert_eq!(rows(&db).await, 0);
    for table in ["batch", "batch_exclusion", "segment_key"] {
        assert_eq!(
            db.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
    assert_eq!(prune(&store, 403).await, 0);
    assert!(store.delivery_reports(id).await.unwrap().is_empty());
}

async fn what_is_not_over_is_left_alone(db: Database) {
    let (store, id, _) = ended(&db, 1_201).await;
    for (change, back) in [
        (
            "UPDATE edition SET state = 'paused'",
            "UPDATE edition SET state = 'finished'",
        ),
        (
            "UPDATE edition SET state = 'waiting', finished = NULL",
            "UPDATE edition SET state = 'cancelled', finished = 1",
        ),
        ("UPDATE batch SET due = 5", "UPDATE batch SET due = NULL"),
        ("UPDATE batch SET held = 1", "UPDATE batch SET held = 0"),
        (
            "UPDATE batch SET owner = 'somebody'",
            "UPDATE batch SET owner = NULL",
        ),
        (
            "UPDATE delivery SET state = 'waiting'",
            "UPDATE delivery SET state = 'sent'",
        ),
    ] {
        db.execute(change).await;
        assert_eq!(prune(&store, 500).await, 0, "{change}");
        db.execute(back).await;
    }
    assert_eq!(store.edition_report(id).await.unwrap().pruned, None);
    assert_eq!(prune(&store, 500).await, 1_201);
}

async fn several_prune_at_once_and_nothing_is_counted_twice(db: Database) {
    let (store, id, _) = ended(&db, 1_201).await;
    let before = store.edition_report(id).await.unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { prune(&store, 500).await })
        })
        .collect();
    let mut gone = 0;
    for task in tasks {
        gone += task.await.unwrap();
    }
    assert_eq!(gone, 1_201);
    let mut after = store.edition_report(id).await.unwrap();
    after.pruned = None;
    assert_eq!(after, before);
}

async fn a_correction_reaches_everybody_once_receivers_are_gone(db: Database) {
    let (store, _, ids) = ended(&db, 20).await;
    // A later edition repeats one of them to a reader who came later; its rows stay.
    readers(&store, &["late@readers.net,,weekly,,confirmed"]).await;
    edition(&store, "weekly", &ids[..1]).await;
    let known = async || {
        let mut planning = begin(&store, "weekly", &ids, false).await;
        let items = planning.items().await.unwrap();
        planning.abandon().await.unwrap();
        items.iter().map(|item| item.receivers_known).collect::<Vec<_>>()
    };
    assert_eq!(known().await, [true, true]);
    store.prune_deliveries(at(DAY), NOW).await.unwrap();
    assert_eq!(
        known().await,
        [false, false],
        "some of them are not known any more"
    );
    prune(&store, 500).await;
    assert_eq!(known().await, [false, false]);
}
