//! Dead addresses, deliveries that are held, and what is sent whatever became of it meanwhile.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::plan::{begin, edition};
use crate::seed::{NOW, at, reader, readers, settings, summaries};
use postrider::domain::Timestamp;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;
use postrider::domain::subscriber;
use postrider::store::Store;
use postrider::store::ledger::Outcome;
use postrider::subscriptions::import::{address_hash, import};

crate::on_both! {
    a_dead_address_is_mailed_no_more, a_complaint_outweighs_a_dead_address, who_was_erased_stays_so,
    what_is_held_waits_for_a_person, what_is_held_expires_with_the_rest, what_was_taken_counts_as_sent,
}

/// The relay said at `when` that the address is dead.
fn refused(edition: i64, subscriber: i64, when: Timestamp) -> Outcome {
    Outcome {
        code: Some(550),
        text: Some("5.1.1 no such user".to_owned()),
        dead: Some(when),
        ..outcome(edition, subscriber, Delivery::Failed)
    }
}

/// The reader's state.
async fn state(store: &Store, address: &str) -> subscriber::State {
    reader(store, address).await.state
}

async fn reason(store: &Store, address: &str) -> Option<subscriber::Suppression> {
    let hash = address_hash(address, &settings().salt);
    store.suppression(&hash).await.unwrap()
}

async fn a_dead_address_is_mailed_no_more(db: Database) {
    let (store, first) = planned(&db, 3).await;
    let ids = summaries(&store, &["Two", "Three"]).await;
    let second = edition(&store, "weekly", &ids[..1]).await;
    let dead = reader(&store, "reader-1@readers.net").await;
    lease(&store, "me", NOW).await.unwrap();
    let outcomes = [
        outcome(
            first,
            reader(&store, "reader-0@readers.net").await.id,
            Delivery::Sent,
        ),
        refused(first, dead.id, at(5)),
    ];
    // Doing it again, after an answer that was lost, changes nothing.
    for _ in 0..2 {
        store.record(&outcomes).await.unwrap();
        let report = store.edition_report(first).await.unwrap();
        assert_eq!((report.sent, report.failed, report.waiting), (1, 1, 1));
        assert_eq!(
            state(&store, "reader-1@readers.net").await,
            subscriber::State::Bounced
        );
        assert_eq!(
            reason(&store, "reader-1@readers.net").await,
            Some(subscriber::Suppression::Bounced)
        );
    }
    assert_eq!(
        state(&store, "reader-0@readers.net").await,
        subscriber::State::Confirmed
    );
    assert_eq!(reason(&store, "reader-0@readers.net").await, None);
    let cause = store.cause_of_state(dead.id).await.unwrap().unwrap();
    let refusal = cause.refusal.unwrap();
    assert_eq!((cause.cause.as_str(), cause.since), ("server", at(5)));
    assert_eq!(
        (refusal.edition, refusal.code, refusal.text.as_deref()),
        (first, Some(550), Some("5.1.1 no such user"))
    );
    let time = "SELECT created FROM suppression";
    assert_eq!(db.number(time).await, at(5).0);

    // Deliveries that wait elsewhere are left out, and so is the reader from what is planned later.
    let batch = lease(&store, "me", NOW).await.unwrap();
    assert_eq!(batch.edition, second);
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let left: Vec<_> = due.iter().map(|due| due.left).collect();
    assert_eq!(left, [None, Some("bounced"), None]);
    // No list brings the reader back.
    let report = readers(&store, &["reader-1@readers.net,,weekly,,confirmed"]).await;
    assert_eq!(report.kept, 1);
    let gone = "email,status\nreader-1@readers.net,unsubscribed\n";
    import(&store, gone.as_bytes(), &settings(), at(9)).await.unwrap();
    assert_eq!(
        state(&store, "reader-1@readers.net").await,
        subscriber::State::Bounced
    );
    let mut planning = begin(&store, "weekly", &ids[1..], false).await;
    let groups = planning.groups().await.unwrap();
    assert_eq!(groups.iter().map(|group| group.count).sum::<i64>(), 2);
    planning.abandon().await.unwrap();
}

async fn a_complaint_outweighs_a_dead_address(db: Database) {
    let (store, id) = planned(&db, 2).await;
    let (complained, left) = (
        reader(&store, "reader-0@readers.net").await.id,
        reader(&store, "reader-1@readers.net").await.id,
    );
    readers(
        &store,
        &[
            "reader-0@readers.net,,,,complained",
            "reader-1@readers.net,,,,unsubscribed",
        ],
    )
    .await;
    let outcomes = [refused(id, complained, at(1)), refused(id, left, at(1))];
    store.record(&outcomes).await.unwrap();
    use subscriber::{State, Suppression};
    for (n, state_now, why) in [
        (0, State::Complained, Suppression::Complained),
        (1, State::Bounced, Suppression::Bounced),
    ] {
        let address = format!("reader-{n}@readers.net");
        assert_eq!(
            (state(&store, &address).await, reason(&store, &address).await),
            (state_now, Some(why))
        );
    }
}

async fn who_was_erased_stays_so(db: Database) {
    let (store, id) = planned(&db, 1).await;
    let who = reader(&store, "reader-0@readers.net").await.id;
    db.execute("DELETE FROM subscription").await;
    db.execute("DELETE FROM subscriber").await;
    lease(&store, "me", NOW).await.unwrap();
    store.record(&[refused(id, who, at(1))]).await.unwrap();
    assert_eq!(store.edition_report(id).await.unwrap().failed, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
}

/// An edition of three: one is sent, one is held, one waits until 300 s; its batch was given back.
async fn one_held(db: &Database) -> (Store, i64) {
    let (store, id) = planned(db, 3).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let later = Outcome {
        next_attempt: Some(at(300)),
        ..outcome(id, due[2].subscriber, Delivery::Uncertain)
    };
    let outcomes = [
        outcome(id, due[0].subscriber, Delivery::Sent),
        outcome(id, due[1].subscriber, Delivery::Uncertain),
        later,
    ];
    store.record(&outcomes).await.unwrap();
    assert_eq!(store.due_deliveries(&batch, NOW).await.unwrap(), []);
    store.release_batch(&batch, "me", NOW).await.unwrap();
    (store, id)
}

async fn what_is_held_waits_for_a_person(db: Database) {
    let (store, id) = one_held(&db).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(300)));
    let batch = lease(&store, "me", at(300)).await.unwrap();
    let due = store.due_deliveries(&batch, at(300)).await.unwrap();
    assert_eq!(due.len(), 1);
    store
        .record(&[outcome(id, due[0].subscriber, Delivery::Sent)])
        .await
        .unwrap();
    store.release_batch(&batch, "me", at(300)).await.unwrap();
    // Nothing is due any more, so that nobody waits for it; but the edition is not finished.
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(lease(&store, "me", at(9_999)).await, None);
    store.settle_editions(at(301), false).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.sent, report.waiting, report.held),
        (State::Waiting, 2, 1, 1)
    );
    assert!(!store.has_untried(id).await.unwrap());
    let rows = store.delivery_reports(id).await.unwrap();
    assert_eq!(
        (rows[1].1.state, rows[1].1.next_attempt),
        (Delivery::Uncertain, None)
    );

    let retried = store.retry_edition(id, at(400), at(9_000)).await.unwrap();
    assert_eq!((retried.again, retried.left_out.len()), (1, 0));
    let batch = lease(&store, "me", at(400)).await.unwrap();
    assert_eq!(store.due_deliveries(&batch, at(400)).await.unwrap().len(), 1);
    assert_eq!(store.edition_report(id).await.unwrap().held, 0);
}

async fn what_is_held_expires_with_the_rest(db: Database) {
    let (store, id) = one_held(&db).await;
    let expires = store.edition(id).await.unwrap().expires.unwrap();
    store.expire_deliveries(expires).await.unwrap();
    store.settle_editions(expires, false).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.sent, report.failed, report.held),
        (State::Finished, 1, 2, 0)
    );
    for (_, row) in &store.delivery_reports(id).await.unwrap()[1..] {
        assert_eq!(row.state, Delivery::Expired);
        let text = row.text.as_deref().unwrap();
        assert!(text.starts_with("it may have arrived: 2.0.0"), "{text}");
    }
}

/// A relay's word that it has a message is the truth, also when it comes after something else was written.
async fn what_was_taken_counts_as_sent(db: Database) {
    let (store, id) = planned(&db, 1).await;
    let who = reader(&store, "reader-0@readers.net").await.id;
    lease(&store, "me", NOW).await.unwrap();
    for state in ["expired", "excluded", "failed"] {
        db.execute(&format!("UPDATE delivery SET state = '{state}'"))
            .await;
        for late in [Delivery::Waiting, Delivery::Uncertain, Delivery::Failed] {
            store.record(&[outcome(id, who, late)]).await.unwrap();
            let report = store.delivery_reports(id).await.unwrap();
            assert_eq!(report[0].1.state.as_str(), state);
        }
        store.record(&[outcome(id, who, Delivery::Sent)]).await.unwrap();
        assert_eq!(store.edition_report(id).await.unwrap().sent, 1, "{state}");
    }
}
