//! The account of an edition: from the counts of its batches, and the same as its rows would give.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::seed::{NOW, at};
use postrider::domain::Timestamp;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::Report;
use postrider::store::Store;
use postrider::store::lease::Work;
use postrider::store::ledger::{Batch, Outcome};
use std::collections::BTreeMap;

crate::on_both! {
    what_is_at_rest_is_not_counted_again, what_somebody_works_on_is_counted_as_it_is,
    who_comes_back_too_late_has_it_counted_anew, what_a_dead_process_left_is_counted_from_its_rows,
    what_is_given_up_or_tried_again_is_counted, an_older_database_is_counted_once,
}

/// What the rows of edition `id` say: sent, waiting, held, failed, excluded by reason.
pub async fn of_rows(store: &Store, db: &Database, id: i64) -> (i64, i64, i64, i64, BTreeMap<String, i64>) {
    let mut excluded = BTreeMap::new();
    let [mut sent, mut waiting, mut failed] = [0; 3];
    for (_, row) in store.delivery_reports(id).await.unwrap() {
        match row.state {
            Delivery::Sent => sent += 1,
            Delivery::Waiting | Delivery::Uncertain => waiting += 1,
            Delivery::Failed | Delivery::Expired => failed += 1,
            Delivery::Excluded => *excluded.entry(row.text.unwrap_or_default()).or_default() += 1,
        }
    }
    let held =
        "SELECT COUNT(*) FROM delivery WHERE state = 'uncertain' AND next_attempt IS NULL AND edition_id";
    let held = db.number(&format!("{held} = {id}")).await;
    (sent, waiting, held, failed, excluded)
}

/// The same, as the account has it.
pub fn of_report(report: &Report) -> (i64, i64, i64, i64, BTreeMap<String, i64>) {
    let excluded = report.excluded_by.clone();
    (report.sent, report.waiting, report.held, report.failed, excluded)
}

async fn account(store: &Store, id: i64) -> (i64, i64, i64, i64, BTreeMap<String, i64>) {
    of_report(&store.edition_report(id).await.unwrap())
}

/// Batches whose deliveries would be counted.
async fn uncounted(db: &Database) -> i64 {
    db.number("SELECT COUNT(*) FROM batch WHERE counted = 0").await
}

/// One of each outcome in turn, for everybody in `batch`.
fn mixed(due: &[i64], id: i64) -> Vec<Outcome> {
    let states = [
        (Delivery::Sent, None),
        (Delivery::Failed, Some("5.7.1 no")),
        (Delivery::Excluded, Some("unsubscribed")),
        (Delivery::Excluded, Some("paused")),
        (Delivery::Uncertain, None),
        (Delivery::Sent, None),
        (Delivery::Waiting, None),
    ];
    let made = due.iter().zip(states.iter().cycle());
    made.map(|(who, (state, text))| Outcome {
        text: text.map(str::to_owned),
        next_attempt: (*state == Delivery::Waiting).then(|| at(3600)),
        ..outcome(id, *who, *state)
    })
    .collect()
}

async fn due(store: &Store, batch: &Batch, now: Timestamp) -> Vec<i64> {
    let due = store.due_deliveries(batch, now).await.unwrap();
    due.iter().map(|due| due.subscriber).collect()
}

async fn what_is_at_rest_is_not_counted_again(db: Database) {
    let (store, id) = planned(&db, 1_003).await;
    assert_eq!(account(&store, id).await.1, 1_003);
    while let Some(batch) = lease(&store, "me", NOW).await {
        let due = due(&store, &batch, NOW).await;
        store.record(&mixed(&due, id)).await.unwrap();
        store.release_batch(&batch, "me", NOW).await.unwrap();
    }
    let before = account(&store, id).await;
    assert_eq!(before, of_rows(&store, &db, id).await);
    assert_eq!(before.4.len(), 2);
    assert!(before.2 > 0 && before.3 > 0);
    assert_eq!(store.backlog().await.unwrap()[0].deliveries, before.1);
    // Without a row to look at, it is all still known.
    db.execute("DELETE FROM delivery").await;
    assert_eq!(account(&store, id).await, before);
}

async fn what_somebody_works_on_is_counted_as_it_is(db: Database) {
    let (store, id) = planned(&db, 501).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    assert_eq!(uncounted(&db).await, 1);
    let due = due(&store, &batch, NOW).await;
    for (n, who) in due.iter().take(3).enumerate() {
        store.record(&[outcome(id, *who, Delivery::Sent)]).await.unwrap();
        let (sent, waiting, ..) = account(&store, id).await;
        assert_eq!((sent, waiting), (n as i64 + 1, 500 - n as i64));
    }
    store.release_batch(&batch, "me", NOW).await.unwrap();
    assert_eq!(uncounted(&db).await, 0);
    assert_eq!(account(&store, id).await, of_rows(&store, &db, id).await);
}

async fn who_comes_back_too_late_has_it_counted_anew(db: Database) {
    let (store, id) = planned(&db, 2).await;
    let mine = lease(&store, "me", NOW).await.unwrap();
    let readers = due(&store, &mine, NOW).await;
    // The lease has run out, and somebody else had no luck.
    let theirs = lease(&store, "they", at(61)).await.unwrap();
    let refused: Vec<_> = readers
        .iter()
        .map(|who| outcome(id, *who, Delivery::Failed))
        .collect();
    store.record(&refused).await.unwrap();
    // They still have it: the count is theirs.
    store.release_batch(&mine, "me", at(62)).await.unwrap();
    assert_eq!(uncounted(&db).await, 1);
    store.release_batch(&theirs, "they", at(62)).await.unwrap();
    assert_eq!(uncounted(&db).await, 0);
    store
        .record(&[outcome(id, readers[0], Delivery::Sent)])
        .await
        .unwrap();
    store.release_batch(&mine, "me", at(63)).await.unwrap();
    let (sent, waiting, _, failed, _) = account(&store, id).await;
    assert_eq!((sent, waiting, failed), (1, 0, 1));
    assert_eq!(uncounted(&db).await, 0);
}

async fn what_a_dead_process_left_is_counted_from_its_rows(db: Database) {
    let (store, id) = planned(&db, 3).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let readers = due(&store, &batch, NOW).await;
    store
        .record(&[outcome(id, readers[0], Delivery::Sent)])
        .await
        .unwrap();
    store.free_work(Work::Batches, "me").await.unwrap();
    assert_eq!(account(&store, id).await, of_rows(&store, &db, id).await);
    assert_eq!(store.tried(id).await.unwrap().sent, 1);
    assert_eq!(store.backlog().await.unwrap()[0].deliveries, 2);
}

async fn what_is_given_up_or_tried_again_is_counted(db: Database) {
    let (store, id) = planned(&db, 1_003).await;
    let expires = store.edition(id).await.unwrap().expires.unwrap();
    let batch = lease(&store, "me", NOW).await.unwrap();
    let readers = due(&store, &batch, NOW).await;
    store.record(&mixed(&readers, id)).await.unwrap();
    store.release_batch(&batch, "me", NOW).await.unwrap();
    let mut seen = Vec::new();
    let mut held = batch;
    let later = expires.plus(std::time::Duration::from_secs(3600));
    for step in ["expire", "retry", "lease", "cancel", "release", "end"] {
        match step {
            "expire" => store.expire_deliveries(expires).await.unwrap(),
            "retry" => drop(store.retry_edition(id, expires, later).await.unwrap()),
            "lease" => held = lease(&store, "me", expires).await.unwrap(),
            "cancel" => drop(store.cancel_edition(id, None, expires).await.unwrap()),
            "release" => store.release_batch(&held, "me", expires).await.unwrap(),
            _ => store.end_cancelled(expires).await.unwrap(),
        }
        let account = account(&store, id).await;
        assert_eq!(account, of_rows(&store, &db, id).await, "{step}");
        assert_eq!(
            uncounted(&db).await,
            i64::from(matches!(step, "lease" | "cancel")),
            "{step}"
        );
        seen.push(account);
    }
    // Each but lease and release changed something.
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(seen[3].1, 0);
    assert!(seen[3].4.contains_key("cancelled") && seen[3].4.contains_key("paused"));
}

/// The migration itself counts what is there, and leaves alone what somebody works on.
async fn an_older_database_is_counted_once(db: Database) {
    let (store, id) = planned(&db, 1_003).await;
    for _ in 0..2 {
        let batch = lease(&store, "me", NOW).await.unwrap();
        let readers = due(&store, &batch, NOW).await;
        store.record(&mixed(&readers, id)).await.unwrap();
        store.release_batch(&batch, "me", NOW).await.unwrap();
    }
    lease(&store, "me", NOW).await.unwrap();
    db.execute("UPDATE batch SET size = 0, expired = 0, excluded = 0, counted = 0")
        .await;
    db.execute("DELETE FROM batch_exclusion").await;
    let migration = include_str!("../../migrations/sqlite/0012_batch_counts.sql");
    for sql in migration.split(";\n").map(str::trim) {
        if sql.starts_with("UPDATE") || sql.starts_with("INSERT") {
            db.execute(sql).await;
        }
    }
    assert_eq!(uncounted(&db).await, 1);
    assert_eq!(account(&store, id).await, of_rows(&store, &db, id).await);
}
