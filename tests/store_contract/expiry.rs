//! What is too old, and what waits for a relay.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::seed::NOW;
use postrider::domain::Timestamp;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;

crate::on_both! {
    what_is_too_old_expires_unless_it_is_under_way, an_edition_waits_while_no_relay_can_be_used,
}

async fn what_is_too_old_expires_unless_it_is_under_way(db: Database) {
    let (store, id) = planned(&db, 501).await;
    let expires = store.edition(id).await.unwrap().expires.unwrap();
    let held = lease(&store, "me", expires).await.unwrap();
    store.expire_deliveries(Timestamp(expires.0 - 1)).await.unwrap();
    assert_eq!(store.edition_report(id).await.unwrap().failed, 0);
    store.expire_deliveries(expires).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.failed, report.waiting), (1, 500));
    // A message that is being sent is recorded as what it becomes.
    let due = store.due_deliveries(&held, expires).await.unwrap();
    let outcomes: Vec<_> = due
        .iter()
        .map(|due| outcome(id, due.subscriber, Delivery::Sent))
        .collect();
    store.record(&outcomes).await.unwrap();
    store.release_batch(&held, "me", expires).await.unwrap();
    store.expire_deliveries(expires).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.sent, report.failed, report.waiting), (500, 1, 0));
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn an_edition_waits_while_no_relay_can_be_used(db: Database) {
    let (store, id) = planned(&db, 1).await;
    store.settle_editions(NOW, false).await.unwrap();
    assert_eq!(store.edition(id).await.unwrap().state, State::Planned);
    store.settle_editions(NOW, true).await.unwrap();
    assert_eq!(store.edition(id).await.unwrap().state, State::Waiting);
}
