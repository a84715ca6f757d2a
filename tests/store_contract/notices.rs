//! Notices: leased by one at a time, read as things are now, and nothing of a reader stays when they end.

use crate::database::Database;
use crate::links::sign_up;
use crate::seed::{NOW, at, readers};
use postrider::domain::Slug;
use postrider::domain::delivery::State;
use postrider::domain::notice::NoticeData;
use postrider::domain::subscriber;
use postrider::store::Store;
use postrider::store::lease::Work;
use postrider::store::notice_ledger::NextWork;
use postrider::store::notice_outcomes::NoticeOutcome;
use postrider::store::notices::NewNotice;
use postrider::store::owner;
use postrider::subscriptions::upkeep;
use std::collections::BTreeSet;

crate::on_both! {
    a_notice_is_leased_by_one_at_a_time, leases_end_by_release_by_time_and_by_death,
    what_is_read_is_as_it_is_now, outcomes_are_recorded_and_what_ends_is_emptied,
    a_dead_address_is_buried_where_it_is_the_readers, who_never_confirmed_is_forgotten_although_the_address_is_dead,
    what_is_late_expires_and_what_is_old_goes,
}

async fn ann(store: &Store) -> i64 {
    readers(store, &["ann@readers.net,Ann,weekly,,confirmed"]).await;
    store.subscriber("ann@readers.net").await.unwrap().unwrap().id
}

/// A welcome to the subscriber, or a sign-in link to an address.
async fn add(store: &Store, subscriber: Option<i64>, address: Option<&str>) -> i64 {
    let data = match subscriber {
        Some(_) => NoticeData::Welcome {
            digest: Slug::parse("weekly").unwrap(),
        },
        None => NoticeData::SignIn { sign_in: 1 },
    };
    let notice = NewNotice {
        subscriber,
        address: address.map(str::to_owned),
        address_hash: format!("hash of {}", address.unwrap_or("a subscriber")),
        mailbox_hash: None,
        data,
    };
    let mut change = store.begin_change(NOW).await.unwrap();
    let id = change.notify(&notice).await.unwrap();
    change.commit().await.unwrap();
    id
}

async fn lease(store: &Store, owner: &str, limit: u32) -> Vec<i64> {
    store.lease_notices(owner, NOW, at(60), limit).await.unwrap()
}

fn outcome(id: i64, state: State) -> NoticeOutcome {
    NoticeOutcome {
        id,
        state,
        attempt: 1,
        code: Some(250),
        text: Some("said".to_owned()),
        relay: Some("main".to_owned()),
        next_attempt: (!state.is_final()).then(|| at(300)),
        at: at(1),
        dead: false,
    }
}

async fn a_notice_is_leased_by_one_at_a_time(db: Database) {
    let store = db.open().await;
    let mut written = BTreeSet::new();
    for _ in 0..40 {
        written.insert(add(&store, None, Some("a@readers.net")).await);
    }
    assert_eq!(store.due_notices(NOW).await.unwrap(), 40);
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { lease(&store, &format!("worker {n}"), 5).await })
        })
        .collect();
    let mut leased = Vec::new();
    for task in tasks {
        let some = task.await.unwrap();
        assert!(some.len() <= 5);
        leased.extend(some);
    }
    // Whoever skipped what others had locked may have found less.
    leased.extend(lease(&store, "last", 40).await);
    assert_eq!(leased.len(), 40);
    assert_eq!(leased.into_iter().collect::<BTreeSet<_>>(), written);
    assert_eq!(store.due_notices(NOW).await.unwrap(), 0);
    assert_eq!(store.waiting_notices().await.unwrap().count, 40);
    let next = NextWork {
        batch: None,
        notice: Some(NOW),
    };
    assert_eq!(store.next_work(&[]).await.unwrap(), next, "it is due still");
}

async fn leases_end_by_release_by_time_and_by_death(db: Database) {
    let store = db.open().await;
    let id = add(&store, None, Some("a@readers.net")).await;
    assert_eq!(lease(&store, "me", 9).await, [id]);
    store.release_notices(&[id], "another").await.unwrap();
    assert_eq!(lease(&store, "another", 9).await, Vec::<i64>::new());
    store.release_notices(&[id], "me").await.unwrap();
    assert_eq!(lease(&store, "me", 9).await, [id]);
    assert_eq!(store.renew_work(Work::Notices, "me", at(120)).await.unwrap(), 1);
    let later = |now| store.lease_notices("another", at(now), at(now + 60), 9);
    assert_eq!(later(100).await.unwrap(), Vec::<i64>::new());
    assert!(store.due_notice(id, "me").await.unwrap().is_some());
    assert_eq!(later(121).await.unwrap(), [id]);
    assert!(store.due_notice(id, "me").await.unwrap().is_none());
    store.free_work(Work::Notices, "another").await.unwrap();
    let mut dead: Vec<String> = owner::new().split('/').map(str::to_owned).collect();
    dead[3] = "1".to_owned();
    assert_eq!(lease(&store, &dead.join("/"), 9).await, [id]);
    store.free_dead_work(Work::Notices).await.unwrap();
    assert_eq!(lease(&store, &owner::new(), 9).await, [id]);
    store.free_dead_work(Work::Notices).await.unwrap();
    assert_eq!(store.due_notices(NOW).await.unwrap(), 0, "it is alive");
}

async fn what_is_read_is_as_it_is_now(db: Database) {
    let store = db.open().await;
    let reader = ann(&store).await;
    let id = add(&store, Some(reader), None).await;
    let admins = add(&store, None, Some("admin@readers.net")).await;
    lease(&store, "me", 9).await;
    let read = |id| {
        let store = store.clone();
        async move { store.due_notice(id, "me").await.unwrap() }
    };
    let due = read(id).await.unwrap();
    assert_eq!(due.name.as_deref(), Some("Ann"));
    assert_eq!(due.address.unwrap().full(), "ann@readers.net");
    assert_eq!((due.attempts, due.left, due.created), (0, None, NOW));
    let due = read(admins).await.unwrap();
    assert_eq!(due.address.unwrap().full(), "admin@readers.net");
    assert_eq!((due.subscriber, due.name), (None, None));
    assert_eq!(due.ends, at(15 * 60), "its link ends before it does");
    db.execute("UPDATE subscriber SET address = 'new@readers.net', state = 'pending'")
        .await;
    let due = read(id).await.unwrap();
    assert_eq!(due.address.unwrap().full(), "new@readers.net");
    assert_eq!(due.name, None, "nobody has confirmed it");
    assert_eq!(due.left, Some("unsubscribed"), "a welcome, and they are not in");
    for (sql, left) in [
        ("UPDATE subscriber SET state = 'bounced'", "bounced"),
        ("UPDATE subscriber SET state = 'complained'", "complained"),
        (
            "INSERT INTO suppression (address_hash, reason, created) SELECT address_hash, 'bounced', 1 FROM subscriber",
            "bounced",
        ),
        ("UPDATE subscriber SET state = 'confirmed'", "bounced"),
        ("UPDATE suppression SET reason = 'refused'", "refused"),
    ] {
        db.execute(sql).await;
        assert_eq!(read(id).await.unwrap().left, Some(left), "{sql}");
    }
    // An admin's address is not a reader's.
    db.execute("INSERT INTO suppression (address_hash, reason, created) VALUES ('hash of admin@readers.net', 'bounced', 1)")
        .await;
    assert_eq!(read(admins).await.unwrap().left, None);
    db.execute("DELETE FROM subscriber").await;
    assert_eq!(read(id).await, None, "erased with the reader");
}

async fn outcomes_are_recorded_and_what_ends_is_emptied(db: Database) {
    let store = db.open().await;
    let id = add(&store, None, Some("a@readers.net")).await;
    lease(&store, "me", 9).await;
    store
        .record_notices(&[outcome(id, State::Uncertain)])
        .await
        .unwrap();
    let waits = "SELECT COUNT(*) FROM notice WHERE state = 'uncertain' AND attempts = 1 AND owner IS NULL
        AND address IS NOT NULL AND ended IS NULL AND relay = 'main' AND code = 250 AND text = 'said'";
    assert_eq!(db.number(waits).await, 1);
    assert_eq!(lease(&store, "me", 9).await, Vec::<i64>::new());
    assert_eq!(
        store.lease_notices("me", at(300), at(360), 9).await.unwrap(),
        [id]
    );
    assert_eq!(store.due_notice(id, "me").await.unwrap().unwrap().attempts, 1);
    store.record_notices(&[outcome(id, State::Failed)]).await.unwrap();
    let ended = "SELECT COUNT(*) FROM notice WHERE state = 'failed' AND attempts = 2 AND owner IS NULL
        AND address IS NULL AND data = '{}' AND next_attempt IS NULL AND address_hash <> ''";
    assert_eq!(db.number(ended).await, 1);
    assert_eq!(store.next_work(&[]).await.unwrap(), NextWork::default());
    // What is final stays, but a relay that took it has the last word.
    store
        .record_notices(&[outcome(id, State::Waiting)])
        .await
        .unwrap();
    assert_eq!(db.number(ended).await, 1);
    store.record_notices(&[outcome(id, State::Sent)]).await.unwrap();
    let counts = store.count_notices().await.unwrap();
    assert_eq!(counts, [("sign_in".to_owned(), "sent".to_owned(), 1)]);
}

async fn a_dead_address_is_buried_where_it_is_the_readers(db: Database) {
    let store = db.open().await;
    let reader = ann(&store).await;
    let dead = |id| NoticeOutcome {
        dead: true,
        ..outcome(id, State::Failed)
    };
    let elsewhere = add(&store, Some(reader), Some("old@readers.net")).await;
    store.record_notices(&[dead(elsewhere)]).await.unwrap();
    let state = || async { store.subscriber("ann@readers.net").await.unwrap().unwrap().state };
    assert_eq!(state().await, subscriber::State::Confirmed);
    let own = add(&store, Some(reader), None).await;
    store.record_notices(&[dead(own)]).await.unwrap();
    let confirmed = subscriber::State::Confirmed;
    assert_eq!(state().await, confirmed, "it went where they were before");
    let own = add(&store, Some(reader), None).await;
    db.execute(&format!(
        "UPDATE notice SET address_hash = (SELECT address_hash FROM subscriber) WHERE id = {own}"
    ))
    .await;
    store.record_notices(&[dead(own)]).await.unwrap();
    assert_eq!(state().await, subscriber::State::Bounced);
    let suppressed = "SELECT COUNT(*) FROM suppression p JOIN subscriber s ON s.address_hash = p.address_hash
        WHERE p.reason = 'bounced'";
    assert_eq!(db.number(suppressed).await, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 1);
    let event = "SELECT COUNT(*) FROM reader_event WHERE what = 'bounced' AND way = 'server'";
    store.record_notices(&[dead(own)]).await.unwrap();
    assert_eq!(db.number(event).await, 1);
}

async fn who_never_confirmed_is_forgotten_although_the_address_is_dead(db: Database) {
    const DAY: u64 = 86_400;
    let store = db.open().await;
    // One signed up themselves, another one stands in a list.
    readers(&store, &["list@readers.net,,weekly,,pending"]).await;
    for who in ["ann@readers.net", "list@readers.net"] {
        sign_up(&store, who, NOW).await;
        let mail = db.number("SELECT MAX(id) FROM notice").await;
        let dead = NoticeOutcome {
            dead: true,
            ..outcome(mail, State::Failed)
        };
        store.record_notices(&[dead]).await.unwrap();
    }
    let state = |who: &'static str| {
        let store = store.clone();
        async move { store.subscriber(who).await.unwrap().map(|reader| reader.state) }
    };
    assert_eq!(state("ann@readers.net").await, Some(subscriber::State::Pending));
    assert_eq!(state("list@readers.net").await, Some(subscriber::State::Bounced));
    let dead = "SELECT COUNT(*) FROM suppression WHERE reason = 'bounced'";
    assert_eq!(db.number(dead).await, 2);
    let week = std::time::Duration::from_secs(7 * DAY);
    upkeep::tidy(&store, at(7 * DAY - 1), week).await.unwrap();
    assert!(state("ann@readers.net").await.is_some());
    upkeep::tidy(&store, at(7 * DAY), week).await.unwrap();
    assert_eq!(state("ann@readers.net").await, None);
    // The address is not written to again for it.
    sign_up(&store, "ann@readers.net", at(8 * DAY)).await;
    assert_eq!(state("ann@readers.net").await, None);
    assert_eq!(db.number(dead).await, 2);
}

async fn what_is_late_expires_and_what_is_old_goes(db: Database) {
    let store = db.open().await;
    let half_an_hour = 30 * 60;
    let free = add(&store, None, Some("a@readers.net")).await;
    let held = add(&store, None, Some("b@readers.net")).await;
    db.execute(&format!(
        "UPDATE notice SET owner = 'me', until = {} WHERE id = {held}",
        at(half_an_hour + 60).0
    ))
    .await;
    store.end_notices(at(half_an_hour - 1), at(0)).await.unwrap();
    assert_eq!(store.waiting_notices().await.unwrap().count, 2);
    store.end_notices(at(half_an_hour), at(0)).await.unwrap();
    let waiting = store.waiting_notices().await.unwrap();
    assert_eq!(
        (waiting.count, waiting.oldest),
        (1, Some(NOW)),
        "one is in somebody's hands"
    );
    let expired = format!(
        "SELECT COUNT(*) FROM notice WHERE id = {free} AND state = 'failed' AND text LIKE 'expired:%'
             AND address IS NULL AND data = '{{}}' AND ended = {}",
        at(half_an_hour).0
    );
    assert_eq!(db.number(&expired).await, 1);
    store
        .end_notices(at(half_an_hour), at(half_an_hour))
        .await
        .unwrap();
    assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 2);
    store
        .end_notices(at(half_an_hour), at(half_an_hour + 1))
        .await
        .unwrap();
    assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 1);
}
