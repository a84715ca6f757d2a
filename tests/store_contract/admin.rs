//! Admins: links that work once, limits that hold for those who ask together, sessions, and long lists of deliveries.

use crate::database::Database;
use crate::ledger::planned;
use crate::seed::{NOW, at, readers};
use postrider::domain::delivery::State;
use postrider::domain::notice::NoticeKind;
use postrider::store::Store;
use postrider::store::admin_sessions::{Asked, SignInAsked};
use postrider::store::oversight::DeliveryPlace;

crate::on_both! {
    a_link_works_once_and_in_time, limits_hold_for_those_who_ask_together, a_session_is_seen_and_ends,
    deliveries_come_page_by_page_the_failed_first, readers_of_a_digest_are_counted,
}

const ANN: &str = "hash of ann";

async fn ask(store: &Store, address_hash: &str, mail_to: Option<&str>, seconds: u64) -> Asked {
    let asked = SignInAsked {
        address_hash,
        network: "hash of a network",
        mail_to,
        limits: (3, 8),
        since: at(seconds).minus(std::time::Duration::from_secs(900)),
        expires: at(seconds + 900),
    };
    store.ask_to_sign_in(&asked, at(seconds)).await.unwrap()
}

async fn mails(store: &Store) -> i64 {
    let before = at(0).minus(std::time::Duration::from_secs(1));
    let mut look = store.begin_change(at(0)).await.unwrap();
    let (count, _) = look.notices_to(ANN, &[NoticeKind::SignIn], before).await.unwrap();
    look.abandon().await.unwrap();
    count
}

async fn a_link_works_once_and_in_time(db: Database) {
    let store = db.open().await;
    for _ in 0..2 {
        assert_eq!(ask(&store, ANN, Some("ann@example.org"), 0).await, Asked::Mailed);
    }
    assert_eq!(mails(&store).await, 2);
    let uses = |id, hash, seconds| store.use_sign_in(id, hash, at(43_200), at(seconds));
    assert_eq!(uses(1, "one", 899).await.unwrap().as_deref(), Some(ANN));
    assert_eq!(uses(1, "two", 899).await.unwrap(), None);
    assert!(!store.is_sign_in_open(1, at(899)).await.unwrap());
    assert!(store.is_sign_in_open(2, at(899)).await.unwrap());
    // At its end, and one that there is not.
    assert!(!store.is_sign_in_open(2, at(900)).await.unwrap());
    assert_eq!(uses(2, "two", 900).await.unwrap(), None);
    assert_eq!(uses(3, "two", 0).await.unwrap(), None);
    assert!(store.admin_session("one").await.unwrap().is_some());
    assert!(store.admin_session("two").await.unwrap().is_none());
    // Rows that ended are gone with the next one who asks.
    ask(&store, ANN, None, 1_000).await;
    assert_eq!(db.number("SELECT COUNT(*) FROM sign_in").await, 1);
}

async fn limits_hold_for_those_who_ask_together(db: Database) {
    let stores = [db.open().await, db.open().await];
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { ask(&store, ANN, Some("ann@example.org"), 0).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!(
        (count(Asked::Mailed), count(Asked::Silent), count(Asked::TooMany)),
        (3, 5, 4)
    );
    assert_eq!(mails(&stores[0]).await, 3);
    // When the time has passed there is another one.
    assert_eq!(
        ask(&stores[0], ANN, Some("ann@example.org"), 901).await,
        Asked::Mailed
    );
}

async fn a_session_is_seen_and_ends(db: Database) {
    let store = db.open().await;
    ask(&store, ANN, Some("ann@example.org"), 0).await;
    store.use_sign_in(1, "one", at(43_200), NOW).await.unwrap();
    store.admin_seen("one", at(60)).await.unwrap();
    let session = store.admin_session("one").await.unwrap().unwrap();
    assert_eq!(
        (session.address_hash.as_str(), session.seen, session.expires),
        (ANN, at(60), at(43_200))
    );
    for _ in 0..2 {
        store.end_admin_session("one").await.unwrap();
        assert_eq!(store.admin_session("one").await.unwrap(), None);
    }
}

async fn deliveries_come_page_by_page_the_failed_first(db: Database) {
    let (store, id) = planned(&db, 7).await;
    let last = db.number("SELECT MAX(subscriber_id) FROM delivery").await;
    for (back, state) in [(0, "failed"), (1, "expired"), (2, "failed"), (3, "sent")] {
        let subscriber = last - back;
        db.execute(&format!(
            "UPDATE delivery SET state = '{state}' WHERE subscriber_id = {subscriber}"
        ))
        .await;
    }
    let mut place: Option<DeliveryPlace> = None;
    let mut pages = Vec::new();
    loop {
        let (rows, next) = store.delivery_page(id, &State::ALL, place, 2).await.unwrap();
        let page: Vec<_> = rows.iter().map(|(id, row)| (last - id, row.state)).collect();
        pages.push(page);
        place = next;
        if place.is_none() {
            break;
        }
    }
    assert_eq!(
        pages,
        [
            vec![(2, State::Failed), (0, State::Failed)],
            vec![(1, State::Expired), (6, State::Waiting)],
            vec![(5, State::Waiting), (4, State::Waiting)],
            vec![(3, State::Sent)],
        ]
    );
    let failed = store.delivery_page(id, &[State::Failed], None, 2).await.unwrap();
    assert_eq!((failed.0.len(), failed.1), (2, None));
    let none = store.delivery_page(id + 1, &State::ALL, None, 2).await.unwrap();
    assert_eq!(none, (vec![], None));
}

async fn readers_of_a_digest_are_counted(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly;monthly,,confirmed",
            "c@readers.net,,weekly,,pending",
        ],
    )
    .await;
    for (digest, count) in [("weekly", 2), ("monthly", 1), ("none", 0)] {
        assert_eq!(store.count_readers(digest).await.unwrap(), count, "{digest}");
    }
}
