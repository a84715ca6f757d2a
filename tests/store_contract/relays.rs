//! Relays: rates that processes share, and what they have seen of them.

use crate::database::Database;
use crate::seed::{NOW, at};
use postrider::domain::Timestamp;
use postrider::domain::condition::{Condition, State};
use postrider::domain::relay::Rates;
use postrider::store::rates::Reservation;
use postrider::store::{Store, owner};
use std::time::{Duration, Instant};

crate::on_both! {
    no_slot_is_given_twice, time_that_has_passed_is_not_made_up_for, no_hour_holds_more_than_its_limit,
    what_a_process_has_seen_goes_with_it,
}

const PER_SECOND: Rates = Rates {
    per_second: Some(200),
    per_hour: None,
};
const PER_HOUR: Rates = Rates {
    per_second: None,
    per_hour: Some(10),
};

/// Takes slots; how many there were, and when the first lies.
async fn take(store: &Store, rates: Rates, wanted: u32) -> (u32, Duration) {
    match store.reserve_slots("main", rates, wanted).await.unwrap() {
        Reservation::Slots { first_in, count } => (count, first_in),
        Reservation::Full { free_in } => (0, free_in),
    }
}

/// Takes slots from two stores at once, each of them `times` times from four connections; how many.
async fn take_together(db: &Database, rates: Rates, wanted: u32, times: u32) -> u32 {
    let stores = [db.open().await, db.open().await];
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for _ in 0..times {
                    taken += take(&store, rates, wanted).await.0;
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    taken
}

/// Slots of one relay follow each other: together they reach as far as their number at the rate.
async fn no_slot_is_given_twice(db: Database) {
    let store = db.open().await;
    let next = "SELECT next_slot FROM relay_rate WHERE relay = 'main'";
    assert_eq!(take(&store, PER_SECOND, 1).await.0, 1);
    let begin = db.number(next).await;
    let taken = take_together(&db, PER_SECOND, 3, 25).await;
    assert_eq!(taken, 600);
    let second = i64::from(taken) * 1_000_000 / 200;
    let passed = db.number(next).await - begin;
    assert!(passed >= second, "{passed}");
    // Another relay is not held up by this one.
    let other = store.reserve_slots("other", PER_SECOND, 1).await.unwrap();
    let at_once = Reservation::Slots {
        first_in: Duration::ZERO,
        count: 1,
    };
    assert_eq!(other, at_once);
}

async fn time_that_has_passed_is_not_made_up_for(db: Database) {
    let store = db.open().await;
    let slow = Rates {
        per_second: Some(1),
        per_hour: None,
    };
    assert_eq!(take(&store, slow, 1).await, (1, Duration::ZERO));
    db.execute("UPDATE relay_rate SET next_slot = next_slot - 3600000000")
        .await;
    let begun = Instant::now();
    assert_eq!(take(&store, slow, 2).await, (2, Duration::ZERO));
    let (_, third_in) = take(&store, slow, 1).await;
    // SQLite's clock has milliseconds.
    let third_at = begun.elapsed() + third_in + Duration::from_millis(2);
    assert!(third_at >= Duration::from_secs(2), "{third_at:?}");
}

async fn no_hour_holds_more_than_its_limit(db: Database) {
    let store = db.open().await;
    let used = "SELECT CAST(SUM(used) AS BIGINT) FROM relay_hour";
    assert_eq!(take(&store, PER_HOUR, 3).await, (3, Duration::ZERO));
    assert_eq!(take_together(&db, PER_HOUR, 2, 2).await, 7);
    assert_eq!(db.number(used).await, 10);
    let (count, free_in) = take(&store, PER_HOUR, 1).await;
    assert_eq!(count, 0);
    assert!((3_590..3_630).contains(&free_in.as_secs()), "{free_in:?}");
    // Nearly an hour later, and more than an hour later.
    db.execute("UPDATE relay_hour SET bucket = bucket - 350").await;
    assert_eq!(take(&store, PER_HOUR, 1).await.0, 0);
    db.execute("UPDATE relay_hour SET bucket = bucket - 12").await;
    assert_eq!(take(&store, PER_HOUR, 4).await.0, 4);
    assert_eq!(db.number(used).await, 4, "what is out of the hour is tidied away");
    // With a second's limit as well, slots keep their distance.
    let both = Rates {
        per_second: Some(2),
        ..PER_HOUR
    };
    assert_eq!(take(&store, both, 4).await.0, 4);
    let (count, first_in) = take(&store, both, 4).await;
    assert_eq!(count, 2);
    assert!(first_in > Duration::ZERO && first_in < Duration::from_secs(3));
}

fn open() -> Condition {
    Condition {
        state: State::Open,
        since: NOW,
        until: Some(at(60)),
        failures: 3,
        why: Some("535 no".to_owned()),
        connections: 8,
        slowed_to: Some(2),
        pause: Some(Duration::from_millis(1_500)),
        slowed_since: Some(NOW),
        full_until: Some(at(3_600)),
    }
}

async fn seen(store: &Store, now: Timestamp) -> Vec<(String, Condition)> {
    let seen = store.relays_seen(now).await.unwrap();
    seen.into_iter().map(|seen| (seen.node, seen.condition)).collect()
}

async fn what_a_process_has_seen_goes_with_it(db: Database) {
    let store = db.open().await;
    let (me, other) = (owner::new(), owner::new());
    store.note_relay("main", &me, &open(), NOW).await.unwrap();
    assert_eq!(seen(&store, NOW).await, [(me.clone(), open())]);
    let probing = Condition {
        state: State::Probing,
        until: None,
        ..Condition::default()
    };
    store.note_relay("main", &me, &probing, at(100)).await.unwrap();
    // A process of this machine that is gone, and one that nobody has heard of for minutes.
    let mut dead: Vec<&str> = other.split('/').collect();
    dead[3] = "1";
    store
        .note_relay("main", &dead.join("/"), &open(), at(100))
        .await
        .unwrap();
    store
        .note_relay(
            "main",
            "elsewhere/1/2/3/4",
            &open(),
            Timestamp(at(100).0 - 181_000),
        )
        .await
        .unwrap();
    assert_eq!(seen(&store, at(100)).await, [(me.clone(), probing.clone())]);
    let rows = "SELECT COUNT(*) FROM relay_state";
    assert_eq!(db.number(rows).await, 3);
    store.tidy_relays(at(100)).await.unwrap();
    assert_eq!(db.number(rows).await, 1);
    store.forget_relay("main", &other).await.unwrap();
    assert_eq!(seen(&store, at(100)).await.len(), 1);
    store.forget_relay("main", &me).await.unwrap();
    assert_eq!(seen(&store, at(100)).await, []);
}
