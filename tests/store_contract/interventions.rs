//! Pause, resume, cancel and retry: what they change, and what they leave alone.

use crate::database::Database;
use crate::ledger::{lease, outcome, planned};
use crate::plan::{draft, edition};
use crate::seed::{NOW, at, many_readers, readers, summaries};
use postrider::domain::Problem;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;
use postrider::store::Store;
use postrider::store::refusals::Tried;
use std::collections::BTreeMap;

crate::on_both! {
    a_paused_edition_is_left_alone, a_pause_does_not_stop_the_clock, what_is_in_hand_is_not_cancelled_over_it, what_is_held_in_a_cancelled_edition_is_given_up,
    a_draft_is_given_up, a_retry_leaves_out_who_is_not_to_be_mailed, who_had_it_all_later_is_not_sent_it_again,
    refusals_are_counted_from_the_last_word, wrong_states_are_named,
}

async fn state(store: &Store, id: i64) -> State {
    store.edition(id).await.unwrap().state
}

async fn a_paused_edition_is_left_alone(db: Database) {
    let (store, id) = planned(&db, 501).await;
    let held = lease(&store, "me", NOW).await.unwrap();
    assert!(store.halted_editions().await.unwrap().is_empty());
    store.pause_edition(id).await.unwrap();
    store.pause_edition(id).await.unwrap();
    assert_eq!(store.halted_editions().await.unwrap(), [id]);
    assert_eq!(lease(&store, "other", NOW).await, None);
    assert_eq!(store.next_due().await.unwrap(), None);
    store.set_trouble(Some("relay \"main\" is down")).await.unwrap();
    // What was in flight is recorded, and its batch given back.
    let due = store.due_deliveries(&held, NOW).await.unwrap();
    store
        .record(&[outcome(id, due[0].subscriber, Delivery::Sent)])
        .await
        .unwrap();
    store.release_batch(&held, "me", NOW).await.unwrap();
    store.settle_editions(NOW, false).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.sent, report.waiting, report.trouble),
        (State::Paused, 1, 500, None)
    );
    assert!(store.halted_editions().await.unwrap().is_empty());
    store.resume_edition(id, NOW).await.unwrap();
    store.resume_edition(id, NOW).await.unwrap();
    assert_eq!(lease(&store, "other", NOW).await, Some(held));
    assert_eq!(state(&store, id).await, State::Sending);
}

async fn a_pause_does_not_stop_the_clock(db: Database) {
    let (store, id) = planned(&db, 1).await;
    let expires = store.edition(id).await.unwrap().expires.unwrap();
    store.pause_edition(id).await.unwrap();
    store.expire_deliveries(expires).await.unwrap();
    // Nothing is lost while an admin has the word …
    assert_eq!(store.edition_report(id).await.unwrap().waiting, 1);
    let said = store.resume_edition(id, expires).await.err().unwrap().to_string();
    assert!(
        said.contains("age limit") && said.contains(&format!("editions retry {id}")),
        "{said}"
    );
    assert_eq!(state(&store, id).await, State::Paused);
    // … and a retry gives it a new limit.
    let later = expires.plus(std::time::Duration::from_secs(60));
    let retried = store.retry_edition(id, expires, later).await.unwrap();
    assert_eq!(retried.again, 0);
    let edition = store.edition(id).await.unwrap();
    assert_eq!((edition.state, edition.expires), (State::Waiting, Some(later)));
    assert!(lease(&store, "me", expires).await.is_some());
}

async fn what_is_in_hand_is_not_cancelled_over_it(db: Database) {
    let (store, id) = planned(&db, 1_002).await;
    let (one, two) = (
        lease(&store, "one", NOW).await.unwrap(),
        lease(&store, "two", NOW).await.unwrap(),
    );
    let cancelled = store.cancel_edition(id, None, at(1)).await.unwrap();
    assert_eq!((cancelled.given_up, cancelled.in_hand), (2, 1_000));
    assert_eq!(state(&store, id).await, State::Cancelled);
    assert!(store.has_loose_ends().await.unwrap());
    let due = store.due_deliveries(&one, at(1)).await.unwrap();
    let outcomes = [
        outcome(id, due[0].subscriber, Delivery::Sent),
        outcome(id, due[1].subscriber, Delivery::Failed),
        outcome(id, due[2].subscriber, Delivery::Uncertain),
    ];
    store.record(&outcomes).await.unwrap();
    store.release_batch(&one, "one", at(1)).await.unwrap();
    store.end_cancelled(at(2)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.sent, report.failed, report.waiting, report.excluded),
        (1, 1, 500, 500)
    );
    // The other holder is gone; its lease runs out.
    store.end_cancelled(at(61)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.waiting, report.excluded_by["cancelled"]), (0, 1_000));
    assert_eq!((report.state, report.finished), (State::Cancelled, Some(at(1))));
    assert!(!store.has_loose_ends().await.unwrap());
    let late = outcome(
        id,
        store.delivery_reports(id).await.unwrap()[600].0,
        Delivery::Sent,
    );
    store.record(&[late]).await.unwrap();
    store.release_batch(&two, "two", at(62)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.sent, report.excluded), (2, 999));
    assert_eq!(lease(&store, "next", at(99)).await, None);
    let again = store.cancel_edition(id, None, at(99)).await.unwrap();
    assert_eq!((again.given_up, again.in_hand), (0, 0));
}

/// The last message in hand may have arrived: its batch is done, and its edition is not.
async fn what_is_held_in_a_cancelled_edition_is_given_up(db: Database) {
    let (store, id) = planned(&db, 2).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    assert_eq!(store.cancel_edition(id, None, NOW).await.unwrap().in_hand, 2);
    let outcomes = [
        outcome(id, due[0].subscriber, Delivery::Sent),
        outcome(id, due[1].subscriber, Delivery::Uncertain),
    ];
    store.record(&outcomes).await.unwrap();
    store.release_batch(&batch, "me", NOW).await.unwrap();
    assert_eq!(store.edition_report(id).await.unwrap().held, 1);
    assert!(store.has_loose_ends().await.unwrap());
    store.end_cancelled(NOW).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.sent, report.waiting, report.excluded), (1, 0, 1));
    assert!(!store.has_loose_ends().await.unwrap());
}

async fn a_draft_is_given_up(db: Database) {
    let store = db.open().await;
    many_readers(&store, 2).await;
    let ids = summaries(&store, &["One"]).await;
    let id = draft(&store, "weekly", &ids).await;
    store.cancel_edition(id, None, NOW).await.unwrap();
    assert_eq!(state(&store, id).await, State::Cancelled);
    assert!(store.plan_draft(id, false, None).await.is_err());
    assert_eq!(store.summaries_new_to("weekly").await.unwrap().len(), 0);
    // Nobody has it, so nobody is told of a mistake in it.
    let skipped = "SELECT COUNT(*) FROM digest_item WHERE outcome = 'skipped'";
    assert_eq!(db.number(skipped).await, 1);
}

/// Leases the batches of edition `id` and records `states` in the order of the readers.
async fn end_as(store: &Store, id: i64, states: &[Delivery]) {
    let batch = lease(store, "me", NOW).await.unwrap();
    assert_eq!(batch.edition, id);
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let outcomes: Vec<_> = due
        .iter()
        .zip(states)
        .map(|(due, &state)| outcome(id, due.subscriber, state))
        .collect();
    store.record(&outcomes).await.unwrap();
    store.release_batch(&batch, "me", NOW).await.unwrap();
    store.settle_editions(NOW, false).await.unwrap();
}

async fn a_retry_leaves_out_who_is_not_to_be_mailed(db: Database) {
    use Delivery::{Expired, Failed, Sent};
    let (store, id) = planned(&db, 8).await;
    end_as(
        &store,
        id,
        &[Sent, Failed, Expired, Failed, Failed, Failed, Failed, Failed],
    )
    .await;
    assert_eq!(state(&store, id).await, State::Finished);
    for (n, status) in [(3, "unsubscribed"), (4, "bounced"), (5, "complained")] {
        readers(&store, &[&format!("reader-{n}@readers.net,,,,{status}")]).await;
    }
    db.execute("UPDATE subscriber SET state = 'paused' WHERE address_key = 'reader-6@readers.net'")
        .await;
    db.execute("DELETE FROM subscriber WHERE address_key = 'reader-7@readers.net'")
        .await;
    let retried = store.retry_edition(id, at(10), at(99)).await.unwrap();
    let each = ["unsubscribed", "bounced", "complained", "paused", "erased"];
    let each: BTreeMap<String, i64> = each.map(|reason| (reason.to_owned(), 1)).into();
    assert_eq!((retried.again, retried.left_out), (2, each.clone()));
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.sent, report.waiting, report.failed),
        (State::Waiting, 1, 2, 5)
    );
    assert_eq!(
        (report.finished, store.edition(id).await.unwrap().expires),
        (None, Some(at(99)))
    );
    let batch = lease(&store, "me", at(10)).await.unwrap();
    let due = store.due_deliveries(&batch, at(10)).await.unwrap();
    assert_eq!(due.len(), 2);
    assert!(due.iter().all(|due| due.left.is_none() && due.attempts == 1));
    for due in &due {
        store.record(&[outcome(id, due.subscriber, Sent)]).await.unwrap();
    }
    store.release_batch(&batch, "me", at(11)).await.unwrap();
    store.settle_editions(at(12), false).await.unwrap();
    // With nothing to try again, a finished edition stays as it is.
    let retried = store.retry_edition(id, at(20), at(999)).await.unwrap();
    assert_eq!((retried.again, retried.left_out), (0, each));
    let edition = store.edition(id).await.unwrap();
    assert_eq!((edition.state, edition.expires), (State::Finished, Some(at(99))));
}

async fn who_had_it_all_later_is_not_sent_it_again(db: Database) {
    use Delivery::{Failed, Sent};
    let store = db.open().await;
    many_readers(&store, 3).await;
    let ids = summaries(&store, &["One", "Two"]).await;
    let first = edition(&store, "weekly", &ids).await;
    end_as(&store, first, &[Failed, Failed, Failed]).await;
    // By hand: one summary to all of them, the other to the first reader alone.
    let one = edition(&store, "weekly", &ids[..1]).await;
    end_as(&store, one, &[Sent, Sent, Failed]).await;
    let two = edition(&store, "weekly", &ids[1..]).await;
    end_as(&store, two, &[Sent, Failed, Failed]).await;
    let retried = store.retry_edition(first, at(10), at(99)).await.unwrap();
    let had = BTreeMap::from([("already_received".to_owned(), 1)]);
    assert_eq!((retried.again, retried.left_out), (2, had));
    let report = store.delivery_reports(first).await.unwrap();
    assert_eq!(report[0].1.state, Failed);
}

async fn refusals_are_counted_from_the_last_word(db: Database) {
    let (store, id) = planned(&db, 1_000).await;
    let tried = async || store.tried(id).await.unwrap();
    let record = async |held: &postrider::store::ledger::Batch, sent: usize, failed: usize| {
        let due = store.due_deliveries(held, NOW).await.unwrap();
        let states = [vec![Delivery::Sent; sent], vec![Delivery::Failed; failed]].concat();
        let outcomes: Vec<_> = due
            .iter()
            .zip(states)
            .map(|(due, state)| outcome(id, due.subscriber, state))
            .collect();
        store.record(&outcomes).await.unwrap();
    };
    assert_eq!(tried().await, Tried::default());
    let held = lease(&store, "me", NOW).await.unwrap();
    record(&held, 10, 4).await;
    assert_eq!(tried().await, Tried { sent: 10, failed: 4 });
    // The same of batches that were given back.
    store.release_batch(&held, "me", NOW).await.unwrap();
    assert_eq!(tried().await, Tried { sent: 10, failed: 4 });
    assert_eq!(store.refusals(id, 3).await.unwrap().len(), 3);
    assert!(store.pause_because(id, "too many").await.unwrap());
    assert!(!store.pause_because(id, "again").await.unwrap());
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.trouble.as_deref()),
        (State::Paused, Some("too many"))
    );
    store.resume_edition(id, NOW).await.unwrap();
    assert_eq!(tried().await, Tried::default());
    let held = lease(&store, "me", NOW).await.unwrap();
    record(&held, 1, 2).await;
    assert_eq!(tried().await, Tried { sent: 1, failed: 2 });
    store.release_batch(&held, "me", NOW).await.unwrap();
    store.pause_edition(id).await.unwrap();
    assert_eq!(store.retry_edition(id, NOW, at(99)).await.unwrap().again, 6);
    assert_eq!(tried().await, Tried::default());
    let held = lease(&store, "me", NOW).await.unwrap();
    record(&held, 20, 0).await;
    assert_eq!(tried().await, Tried { sent: 20, failed: 0 });
}

async fn wrong_states_are_named(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One", "Two"]).await;
    let sketch = draft(&store, "weekly", &ids[..1]).await;
    let ended = edition(&store, "weekly", &ids[1..]).await;
    end_as(&store, ended, &[Delivery::Sent]).await;
    let text = |outcome: Result<(), Problem>| outcome.unwrap_err().to_string();
    for (said, states, hint) in [
        (
            text(store.pause_edition(sketch).await),
            "is draft",
            "editions approve",
        ),
        (
            text(store.retry_edition(sketch, NOW, NOW).await.map(drop)),
            "is draft",
            "editions cancel",
        ),
        (
            text(store.pause_edition(ended).await),
            "is finished",
            "editions retry",
        ),
        (
            text(store.resume_edition(ended, NOW).await),
            "is finished",
            "editions retry",
        ),
        (
            text(store.cancel_edition(ended, None, NOW).await.map(drop)),
            "is finished",
            "editions retry",
        ),
        (
            text(store.pause_edition(77).await),
            "there is no edition 77",
            "editions",
        ),
        (
            text(store.retry_edition(77, NOW, NOW).await.map(drop)),
            "there is no edition 77",
            "",
        ),
    ] {
        assert!(said.contains(states) && said.contains(hint), "{said}");
    }
    store.cancel_edition(sketch, None, NOW).await.unwrap();
    for said in [
        text(store.pause_edition(sketch).await),
        text(store.resume_edition(sketch, NOW).await),
        text(store.retry_edition(sketch, NOW, NOW).await.map(drop)),
    ] {
        assert!(said.contains("is cancelled") && said.contains("--only"), "{said}");
    }
}
