//! The ledger: every batch in one hand, every outcome once, every delivery accounted for.

use crate::database::Database;
use crate::leases::holder;
use crate::plan::edition;
use crate::seed::{NOW, at, many_readers, reader, readers, summaries};
use postrider::domain::Timestamp;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;
use postrider::domain::reader_event::Way;
use postrider::store::Store;
use postrider::store::lease::Work;
use postrider::store::ledger::{Batch, Outcome};
use std::collections::HashSet;

crate::on_both! {
    each_batch_is_leased_once, a_lease_of_a_batch_runs_out, a_dead_workers_batches_are_free,
    what_is_due_is_given_in_order, outcomes_are_recorded, what_is_final_stays, who_left_is_told_apart,
    a_released_batch_waits_for_its_next_attempt, a_finished_batch_is_never_due, another_owner_can_not_release,
    states_follow_the_deliveries, every_state_is_accounted_for,
}

/// An edition of one summary for `readers` readers of `weekly`.
pub async fn planned(db: &Database, readers: usize) -> (Store, i64) {
    let store = db.open().await;
    many_readers(&store, readers).await;
    let ids = summaries(&store, &["One"]).await;
    let id = edition(&store, "weekly", &ids).await;
    (store, id)
}

pub async fn lease(store: &Store, owner: &str, now: Timestamp) -> Option<Batch> {
    store
        .lease_batch(owner, now, now.plus(std::time::Duration::from_secs(60)))
        .await
        .unwrap()
}

pub fn outcome(edition: i64, subscriber: i64, state: Delivery) -> Outcome {
    Outcome {
        edition,
        subscriber,
        state,
        attempt: 1,
        code: Some(250),
        text: Some("2.0.0 \"ok\" é".to_owned()),
        relay: Some("main".to_owned()),
        next_attempt: None,
        dead: None,
    }
}

async fn each_batch_is_leased_once(db: Database) {
    let (store, id) = planned(&db, 1203).await;
    let workers: Vec<_> = (0..4)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut batches = Vec::new();
                while let Some(batch) = lease(&store, &format!("worker {n}"), NOW).await {
                    batches.push(batch);
                }
                batches
            })
        })
        .collect();
    let mut batches = Vec::new();
    for worker in workers {
        batches.extend(worker.await.unwrap());
    }
    let distinct: HashSet<_> = batches.iter().cloned().collect();
    assert_eq!((batches.len(), distinct.len()), (3, 3));
    let mut sizes = Vec::new();
    let mut people = HashSet::new();
    for batch in &distinct {
        assert_eq!(batch.edition, id);
        let due = store.due_deliveries(batch, NOW).await.unwrap();
        people.extend(due.iter().map(|due| due.subscriber));
        sizes.push(due.len());
    }
    sizes.sort_unstable();
    assert_eq!((sizes, people.len()), (vec![203, 500, 500], 1203));
    assert_eq!(store.edition(id).await.unwrap().state, State::Sending);
}

async fn a_lease_of_a_batch_runs_out(db: Database) {
    let (store, _) = planned(&db, 1).await;
    let batch = lease(&store, "slow", NOW).await.unwrap();
    assert_eq!(lease(&store, "next", at(60)).await, None);
    assert_eq!(store.renew_work(Work::Batches, "slow", at(120)).await.unwrap(), 1);
    assert_eq!(lease(&store, "next", at(61)).await, None);
    assert_eq!(lease(&store, "next", at(121)).await, Some(batch));
    // The slow one learns that it lost it.
    assert_eq!(store.renew_work(Work::Batches, "slow", at(999)).await.unwrap(), 0);
    assert_eq!(lease(&store, "third", at(122)).await, None);
}

async fn a_dead_workers_batches_are_free(db: Database) {
    let (store, _) = planned(&db, 1).await;
    let (mut process, owner) = holder(&db);
    let batch = lease(&store, &owner, NOW).await;
    assert!(batch.is_some());
    store.free_dead_work(Work::Batches).await.unwrap();
    assert_eq!(lease(&store, "next", NOW).await, None);
    process.kill().unwrap();
    process.wait().unwrap();
    store.free_dead_work(Work::Batches).await.unwrap();
    assert_eq!(lease(&store, "next", NOW).await, batch);
}

async fn what_is_due_is_given_in_order(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "B@readers.net,Bob,weekly,,confirmed",
            "a@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let ids = summaries(&store, &["One"]).await;
    let id = edition(&store, "weekly", &ids).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let seen: Vec<_> = due
        .iter()
        .map(|due| {
            (
                due.address.as_ref().unwrap().full(),
                due.name.as_deref(),
                due.attempts,
                due.left,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("B@readers.net".to_owned(), Some("Bob"), 0, None),
            ("a@readers.net".to_owned(), None, 0, None)
        ]
    );
    let later = Outcome {
        next_attempt: Some(at(300)),
        ..outcome(id, due[0].subscriber, Delivery::Uncertain)
    };
    store.record(&[later]).await.unwrap();
    assert_eq!(store.due_deliveries(&batch, at(299)).await.unwrap().len(), 1);
    let due = store.due_deliveries(&batch, at(300)).await.unwrap();
    assert_eq!((due.len(), due[0].attempts), (2, 1));
}

async fn outcomes_are_recorded(db: Database) {
    let (store, id) = planned(&db, 3).await;
    let people: Vec<_> = store
        .delivery_reports(id)
        .await
        .unwrap()
        .into_iter()
        .map(|(who, _)| who)
        .collect();
    let refused = Outcome {
        code: Some(550),
        text: Some("5.1.1 no such user".to_owned()),
        ..outcome(id, people[1], Delivery::Failed)
    };
    let silent = Outcome {
        state: Delivery::Waiting,
        attempt: 0,
        code: None,
        text: None,
        relay: None,
        next_attempt: Some(at(60)),
        ..outcome(id, people[2], Delivery::Waiting)
    };
    store
        .record(&[outcome(id, people[0], Delivery::Sent), refused, silent])
        .await
        .unwrap();
    store.record(&[]).await.unwrap();
    let reports = store.delivery_reports(id).await.unwrap();
    let seen: Vec<_> = reports
        .iter()
        .map(|(_, r)| {
            (
                r.state,
                r.attempts,
                r.code,
                r.text.as_deref(),
                r.relay.as_deref(),
                r.next_attempt,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                Delivery::Sent,
                1,
                Some(250),
                Some("2.0.0 \"ok\" é"),
                Some("main"),
                None
            ),
            (
                Delivery::Failed,
                1,
                Some(550),
                Some("5.1.1 no such user"),
                Some("main"),
                None
            ),
            (Delivery::Waiting, 0, None, None, None, Some(at(60))),
        ]
    );
    assert_eq!(reports[0].1.address.as_str(), "reader-0@readers.net");
}

async fn what_is_final_stays(db: Database) {
    let (store, id) = planned(&db, 1).await;
    let who = store.delivery_reports(id).await.unwrap()[0].0;
    lease(&store, "me", NOW).await.unwrap();
    for state in [
        Delivery::Sent,
        Delivery::Sent,
        Delivery::Waiting,
        Delivery::Uncertain,
        Delivery::Failed,
    ] {
        store.record(&[outcome(id, who, state)]).await.unwrap();
        let report = &store.delivery_reports(id).await.unwrap()[0].1;
        assert_eq!((report.state, report.attempts), (Delivery::Sent, 1), "{state:?}");
    }
    let account = store.edition_report(id).await.unwrap();
    assert_eq!((account.sent, account.waiting, account.failed), (1, 0, 0));
}

async fn who_left_is_told_apart(db: Database) {
    let (store, _) = planned(&db, 7).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    for (n, status) in ["unsubscribed", "bounced", "complained"].into_iter().enumerate() {
        readers(&store, &[&format!("reader-{n}@readers.net,,,,{status}")]).await;
    }
    db.execute("UPDATE subscriber SET state = 'paused' WHERE address_key = 'reader-3@readers.net'")
        .await;
    db.execute("DELETE FROM subscriber WHERE address_key = 'reader-4@readers.net'")
        .await;
    // This one left the digest, and has another.
    readers(&store, &["reader-5@readers.net,,weekly;monthly,,confirmed"]).await;
    let id = reader(&store, "reader-5@readers.net").await.id;
    store
        .end_subscription(id, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let left: Vec<_> = due.iter().map(|due| due.left.unwrap_or("-")).collect();
    assert_eq!(
        left,
        [
            "unsubscribed",
            "bounced",
            "complained",
            "paused",
            "erased",
            "unsubscribed",
            "-"
        ]
    );
    assert_eq!(due[4].address, None);
}

async fn a_released_batch_waits_for_its_next_attempt(db: Database) {
    let (store, id) = planned(&db, 3).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let people: Vec<_> = store
        .due_deliveries(&batch, NOW)
        .await
        .unwrap()
        .iter()
        .map(|d| d.subscriber)
        .collect();
    let again = |who, seconds| Outcome {
        next_attempt: Some(at(seconds)),
        ..outcome(id, who, Delivery::Waiting)
    };
    let outcomes = [
        outcome(id, people[0], Delivery::Sent),
        again(people[1], 500),
        again(people[2], 300),
    ];
    store.record(&outcomes).await.unwrap();
    store.release_batch(&batch, "me", at(10)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(300)));
    assert_eq!(lease(&store, "next", at(299)).await, None);
    assert_eq!(lease(&store, "next", at(300)).await.as_ref(), Some(&batch));
    // Never before the earliest moment, also when something was not tried at all.
    store.release_batch(&batch, "next", at(400)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(400)));
}

async fn a_finished_batch_is_never_due(db: Database) {
    let (store, id) = planned(&db, 2).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let states = [Delivery::Sent, Delivery::Excluded];
    let outcomes: Vec<_> = due
        .iter()
        .zip(states)
        .map(|(due, state)| outcome(id, due.subscriber, state))
        .collect();
    store.record(&outcomes).await.unwrap();
    store.release_batch(&batch, "me", at(10)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(lease(&store, "next", at(1_000_000)).await, None);
}

async fn another_owner_can_not_release(db: Database) {
    let (store, _) = planned(&db, 1).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    store.release_batch(&batch, "other", NOW).await.unwrap();
    assert_eq!(lease(&store, "next", NOW).await, None);
    store.release_batch(&batch, "me", NOW).await.unwrap();
    assert_eq!(lease(&store, "next", NOW).await, Some(batch));
}

async fn states_follow_the_deliveries(db: Database) {
    let (store, id) = planned(&db, 1).await;
    let state = async || store.edition(id).await.unwrap().state;
    store.settle_editions(NOW, false).await.unwrap();
    assert_eq!(state().await, State::Planned);
    let batch = lease(&store, "me", NOW).await.unwrap();
    store.settle_editions(NOW, false).await.unwrap();
    assert_eq!(state().await, State::Sending);
    let who = store.due_deliveries(&batch, NOW).await.unwrap()[0].subscriber;
    let later = Outcome {
        next_attempt: Some(at(300)),
        ..outcome(id, who, Delivery::Waiting)
    };
    store.record(&[later]).await.unwrap();
    store.release_batch(&batch, "me", NOW).await.unwrap();
    store.settle_editions(at(1), false).await.unwrap();
    assert_eq!(state().await, State::Waiting);
    store.set_trouble(Some("relay \"main\" is down")).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(report.trouble.as_deref(), Some("relay \"main\" is down"));
    let batch = lease(&store, "me", at(300)).await.unwrap();
    assert_eq!(state().await, State::Sending);
    store.record(&[outcome(id, who, Delivery::Sent)]).await.unwrap();
    store.release_batch(&batch, "me", at(301)).await.unwrap();
    store.settle_editions(at(302), false).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.finished, report.trouble),
        (State::Finished, Some(at(302)), None)
    );
    store.settle_editions(at(400), false).await.unwrap();
    assert_eq!(store.edition_report(id).await.unwrap().finished, Some(at(302)));
}

async fn every_state_is_accounted_for(db: Database) {
    let (store, id) = planned(&db, 12).await;
    let batch = lease(&store, "me", NOW).await.unwrap();
    let due = store.due_deliveries(&batch, NOW).await.unwrap();
    let mut outcomes = Vec::new();
    for (n, due) in due.iter().enumerate() {
        let mut row = outcome(id, due.subscriber, Delivery::ALL[n % 6]);
        if row.state == Delivery::Excluded {
            row.text = Some(if n < 6 { "unsubscribed" } else { "bounced" }.to_owned());
        }
        row.next_attempt = (row.state == Delivery::Uncertain && n > 6).then(|| at(60));
        outcomes.push(row);
    }
    store.record(&outcomes).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.sent, report.waiting, report.failed, report.excluded),
        (2, 4, 4, 2)
    );
    assert_eq!((report.audience, report.held), (12, 1));
    let reasons: Vec<_> = report
        .excluded_by
        .iter()
        .map(|(reason, n)| (reason.as_str(), *n))
        .collect();
    assert_eq!(reasons, [("bounced", 1), ("unsubscribed", 1)]);
}
