//! What is left to deliver, and since when it is due.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::seed::{NOW, at};
use postrider::domain::delivery::State as Delivery;
use postrider::store::backlog::Backlog;

crate::on_both! { what_is_not_final_is_left, the_oldest_batch_that_nobody_has_is_due_since, a_digest_without_work_is_left_out }

async fn what_is_not_final_is_left(db: Database) {
    let (store, id) = planned(&db, 501).await;
    let left = async || store.backlog().await.unwrap();
    let weekly = |deliveries| {
        let digest = "weekly".to_owned();
        vec![Backlog { digest, deliveries }]
    };
    assert_eq!(left().await, weekly(501));
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let states = [
        Delivery::Sent,
        Delivery::Failed,
        Delivery::Waiting,
        Delivery::Uncertain,
    ];
    let outcomes: Vec<_> = due
        .iter()
        .zip(states)
        .map(|(due, state)| outcome(id, due.subscriber, state))
        .collect();
    store.record(&outcomes).await.unwrap();
    assert_eq!(left().await, weekly(499));
    let rest: Vec<_> = due
        .iter()
        .map(|due| outcome(id, due.subscriber, Delivery::Sent))
        .collect();
    store.record(&rest).await.unwrap();
    store.release_batch(&batch, "me", NOW).await.unwrap();
    assert_eq!(left().await, weekly(1));
}

async fn the_oldest_batch_that_nobody_has_is_due_since(db: Database) {
    let (store, _) = planned(&db, 501).await;
    assert_eq!(store.due_since(at(9)).await.unwrap(), Some(NOW));
    for _ in 0..2 {
        lease(&store, "me", NOW).await.unwrap();
    }
    assert_eq!(store.due_since(at(9)).await.unwrap(), None);
    // Their owner has fallen silent.
    assert_eq!(store.due_since(at(61)).await.unwrap(), Some(NOW));
}

async fn a_digest_without_work_is_left_out(db: Database) {
    let store = db.open().await;
    assert_eq!(store.backlog().await.unwrap(), []);
    assert_eq!(store.due_since(NOW).await.unwrap(), None);
}
