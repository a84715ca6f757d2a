//! Which editions everybody may see: those that somebody has received, and no others.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::plan::{draft, edition};
use crate::seed::{NOW, at, many_readers, summaries};
use postrider::domain::delivery::State as Delivery;
use postrider::store::Store;
use postrider::subscriptions::upkeep;
use std::time::Duration;

crate::on_both! {
    an_edition_is_public_with_its_first_message, a_cancelled_edition_stays_with_those_who_have_it,
    what_nobody_received_is_never_public, editions_of_before_are_found,
}

const DAY: u64 = 86_400;

/// What the page, the list and the number of editions say, which must be the same.
async fn public(store: &Store, id: i64) -> bool {
    let listed = store.archived_editions(0, 10).await.unwrap();
    let is_listed = listed.iter().any(|edition| edition.id == id);
    assert_eq!(store.is_archived(id).await.unwrap(), is_listed);
    let count = i64::try_from(listed.len()).unwrap();
    assert_eq!(store.count_archived().await.unwrap(), count);
    is_listed
}

async fn record(store: &Store, id: i64, subscriber: i64, state: Delivery) {
    let recorded = store.record(&[outcome(id, subscriber, state)]).await;
    recorded.unwrap();
}

async fn an_edition_is_public_with_its_first_message(db: Database) {
    let (store, id) = planned(&db, 3).await;
    assert!(!public(&store, id).await, "planned");
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    record(&store, id, due[0].subscriber, Delivery::Failed).await;
    assert!(!public(&store, id).await, "refused");
    assert_eq!(store.latest_finished("weekly").await.unwrap(), None);
    // The batch is held until all of it was tried, which may take hours.
    record(&store, id, due[1].subscriber, Delivery::Sent).await;
    assert!(public(&store, id).await, "sent to one");
    assert_eq!(store.latest_finished("weekly").await.unwrap(), None, "under way");
    record(&store, id, due[2].subscriber, Delivery::Sent).await;
    store.release_batch(&batch, "me", NOW).await.unwrap();
    store.settle_editions(NOW, false).await.unwrap();
    assert_eq!(store.latest_finished("weekly").await.unwrap(), Some((id, NOW)));
    // Its readers keep the link for longer than the rows about them are kept.
    let kept = Duration::from_secs(DAY);
    assert_eq!(upkeep::prune(&store, at(2 * DAY), kept).await.unwrap(), 3);
    assert!(public(&store, id).await, "pruned");
}

async fn a_cancelled_edition_stays_with_those_who_have_it(db: Database) {
    let (store, id) = planned(&db, 501).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    record(&store, id, due[0].subscriber, Delivery::Sent).await;
    store.cancel_edition(id, None, NOW).await.unwrap();
    assert!(public(&store, id).await);
    // Whoever held the batch died; its lease runs out.
    store.end_cancelled(at(61)).await.unwrap();
    assert_eq!(store.edition_report(id).await.unwrap().waiting, 0);
    assert!(public(&store, id).await);
    assert_eq!(store.latest_finished("weekly").await.unwrap(), None);
}

async fn what_nobody_received_is_never_public(db: Database) {
    let store = db.open().await;
    many_readers(&store, 2).await;
    let ids = summaries(&store, &["One", "Two"]).await;
    let waits = draft(&store, "weekly", &ids[..1]).await;
    store.cancel_edition(waits, None, NOW).await.unwrap();
    assert!(!public(&store, waits).await, "a cancelled draft");
    let id = edition(&store, "weekly", &ids[1..]).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    for due in store.due_deliveries(&batch, NOW).await.unwrap() {
        record(&store, id, due.subscriber, Delivery::Failed).await;
    }
    store.release_batch(&batch, "me", NOW).await.unwrap();
    store.settle_editions(NOW, false).await.unwrap();
    assert!(!public(&store, id).await, "refused by everybody");
    assert_eq!(store.latest_finished("weekly").await.unwrap(), None);
    let kept = Duration::from_secs(DAY);
    assert_eq!(upkeep::prune(&store, at(2 * DAY), kept).await.unwrap(), 2);
    assert!(!public(&store, id).await, "pruned");
}

async fn editions_of_before_are_found(db: Database) {
    let (store, sent) = planned(&db, 2).await;
    let ids = summaries(&store, &["Two", "Three", "Four"]).await;
    let mut others = Vec::new();
    for summary in ids {
        others.push(edition(&store, "weekly", &[summary]).await);
    }
    let [failed, pruned, pruned_failed] = others[..] else {
        panic!("{others:?}");
    };
    for sql in [
        format!("UPDATE delivery SET state = 'sent' WHERE edition_id = {sent}"),
        format!("UPDATE delivery SET state = 'failed' WHERE edition_id = {failed}"),
        format!("DELETE FROM delivery WHERE edition_id IN ({pruned}, {pruned_failed})"),
        format!("UPDATE edition SET pruned = 1, pruned_sent = 2 WHERE id = {pruned}"),
        format!("UPDATE edition SET pruned = 1, pruned_failed = 2 WHERE id = {pruned_failed}"),
    ] {
        db.execute(&sql).await;
    }
    let migration = include_str!("../../migrations/sqlite/0014_received.sql");
    let update = migration.find("UPDATE edition").unwrap();
    db.execute(&migration[update..]).await;
    for (id, is_public) in [
        (sent, true),
        (failed, false),
        (pruned, true),
        (pruned_failed, false),
    ] {
        assert_eq!(public(&store, id).await, is_public, "edition {id}");
    }
}
