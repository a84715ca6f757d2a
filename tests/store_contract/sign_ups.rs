//! Signing up: what is written down, what becomes of it, and how many mails it can cause.

use crate::database::Database;
use crate::links::{addressing, confirm_link, events, notices, preferences_link, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers, suppress};
use postrider::domain::Timestamp;
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::Store;
use postrider::subscriptions::limits::{Admission, Gate, Limits, admit};
use postrider::subscriptions::{confirm, preferences, sign_up as sign_ups, upkeep};

crate::on_both! {
    every_state_leaves_the_same_trace_and_gets_its_mail, at_most_three_mails_in_a_day_and_ten_minutes_apart,
    two_at_once_send_one_mail, what_cannot_be_read_is_left_out,
    who_does_not_confirm_is_forgotten, networks_have_limits, each_kind_has_an_end_of_its_own, ten_thousand_submissions_send_three_mails,
}

const DAY: u64 = 86_400;
/// How long counts of networks are kept.
const KEPT: std::time::Duration = std::time::Duration::from_secs(30 * DAY);

/// Every state of an address, and what a sign-up and a lost link cause there.
async fn every_state_leaves_the_same_trace_and_gets_its_mail(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "pending@readers.net,,weekly,urology,pending",
            "confirmed@readers.net,,weekly,urology,confirmed",
            "paused@readers.net,,weekly,urology,confirmed",
            "unsubscribed@readers.net,,weekly,urology,unsubscribed",
            "bounced@readers.net,,weekly,urology,bounced",
            "complained@readers.net,,weekly,urology,complained",
        ],
    )
    .await;
    let paused = reader(&store, "paused@readers.net").await.id;
    let its_link = preferences_link(&store, paused).await;
    preferences::pause(&store, &signer(), &its_link, at(9 * DAY), NOW)
        .await
        .unwrap();
    for (who, reason) in [
        ("refused", Suppression::Refused),
        ("erased", Suppression::Erased),
        ("dead", Suppression::Bounced),
    ] {
        let hash = addressing().known(&address(&format!("{who}@readers.net"))).hash;
        suppress(&store, &hash, reason).await;
    }
    for (who, becomes, to_sign_up, to_lost_link) in [
        ("new", Some(State::Pending), "confirm", ""),
        ("erased", Some(State::Pending), "confirm", ""),
        ("pending", Some(State::Pending), "confirm", ""),
        (
            "unsubscribed",
            Some(State::Unsubscribed),
            "confirm",
            "preferences_link",
        ),
        (
            "confirmed",
            Some(State::Confirmed),
            "preferences_link",
            "preferences_link",
        ),
        (
            "paused",
            Some(State::Paused),
            "preferences_link",
            "preferences_link",
        ),
        ("bounced", Some(State::Bounced), "", ""),
        ("complained", Some(State::Complained), "", ""),
        ("refused", None, "", ""),
        ("dead", None, "", ""),
    ] {
        let who = format!("{who}@readers.net");
        let before = store.subscriber(&who).await.unwrap();
        for (lost, kind) in [(false, to_sign_up), (true, to_lost_link)] {
            let tables = [
                "subscriber",
                "subscription",
                "reader_event",
                "notice",
                "sign_up",
                "address_turn",
            ];
            let count = |table: &'static str| {
                let db = db.clone();
                async move { db.number(&format!("SELECT COUNT(*) FROM {table}")).await }
            };
            let mut were = Vec::new();
            for table in tables {
                were.push(count(table).await);
            }
            if lost {
                sign_ups::request_link(&store, &address(&who), "network", &addressing(), NOW)
                    .await
                    .unwrap();
            } else {
                sign_ups::request(&store, &wish(&who), &addressing(), NOW)
                    .await
                    .unwrap();
            }
            // All that the form did: one row more on the queue.
            for (table, was) in tables.into_iter().zip(were) {
                assert_eq!(count(table).await, was, "{who} {table}");
            }
            assert_eq!(count("sign_up_request").await, 1, "{who}");
            db.execute("DELETE FROM notice").await;
            assert_eq!(sign_ups::process(&store, &addressing(), NOW).await.unwrap(), 1);
            assert_eq!(count("sign_up_request").await, 0, "{who}");
            let mails = i64::from(!kind.is_empty());
            assert_eq!(count("notice").await, mails, "{who} {kind}");
            assert_eq!(notices(&db, kind).await, mails, "{who} {kind}");
        }
        let after = store.subscriber(&who).await.unwrap();
        assert_eq!(after.as_ref().map(|reader| reader.state), becomes, "{who}");
        match before {
            Some(_) => assert_eq!(after, before, "{who}"),
            // What somebody typed in waits with the sign-up.
            None => assert!(after.is_none_or(|reader| reader.name.is_none() && reader.digests.is_empty())),
        }
    }
    assert_eq!(events(&db, "pending").await, 3);
    let of_form = "SELECT COUNT(*) FROM reader_event WHERE what = 'pending' AND way = 'form'
        AND wording LIKE 'I agree%'";
    assert_eq!(db.number(of_form).await, 2);
}

async fn at_most_three_mails_in_a_day_and_ten_minutes_apart(db: Database) {
    let store = db.open().await;
    let mut sent = Vec::new();
    for (minutes, expected) in [
        (0, 1),
        (1, 1),
        (9, 1),
        (10, 2),
        (15, 2),
        (20, 3),
        (30, 3),
        (24 * 60 - 1, 3),
        (24 * 60, 4),
        (24 * 60 + 10, 5),
        (24 * 60 + 12, 5),
        (24 * 60 + 20, 6),
        (24 * 60 + 30, 6),
    ] {
        sign_up(&store, "Ann@Readers.net", at(minutes * 60)).await;
        // Another spelling is the same address.
        sign_up(&store, "ann@readers.net", at(minutes * 60)).await;
        sent.push((minutes, notices(&db, "confirm").await, expected));
    }
    assert!(sent.iter().all(|(_, is, expected)| is == expected), "{sent:?}");
    // Confirming does not begin a new account: the link to the choices counts as well.
    let last = confirm_link(&db).await;
    confirm::confirm(&store, &signer(), &last, at((24 * 60 + 31) * 60))
        .await
        .unwrap();
    sign_up(&store, "ann@readers.net", at((24 * 60 + 45) * 60)).await;
    assert_eq!(notices(&db, "preferences_link").await, 0);
}

async fn two_at_once_send_one_mail(db: Database) {
    let store = db.open().await;
    for _ in 0..40 {
        sign_ups::request(&store, &wish("ann@readers.net"), &addressing(), NOW)
            .await
            .unwrap();
    }
    let one = |now: Timestamp| {
        let store = store.clone();
        tokio::spawn(async move { sign_ups::process(&store, &addressing(), now).await.unwrap() })
    };
    let (first, second, third) = (one(NOW), one(NOW), one(at(1)));
    let done = first.await.unwrap() + second.await.unwrap() + third.await.unwrap();
    assert_eq!(done, 40);
    assert_eq!(notices(&db, "confirm").await, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
}

async fn what_cannot_be_read_is_left_out(db: Database) {
    let store = db.open().await;
    for column in ["kind", "digests", "categories", "way"] {
        sign_ups::request(&store, &wish("bad@readers.net"), &addressing(), NOW)
            .await
            .unwrap();
        db.execute(&format!(
            "UPDATE sign_up_request SET {column} = 'No Word' WHERE id = (SELECT MAX(id) FROM sign_up_request)"
        ))
        .await;
    }
    sign_ups::request(&store, &wish("ann@readers.net"), &addressing(), NOW)
        .await
        .unwrap();
    assert_eq!(sign_ups::process(&store, &addressing(), NOW).await.unwrap(), 5);
    assert_eq!(notices(&db, "confirm").await, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
    assert_eq!(reader(&store, "ann@readers.net").await.state, State::Pending);
}

async fn who_does_not_confirm_is_forgotten(db: Database) {
    let store = db.open().await;
    readers(&store, &["list@readers.net,,weekly,,pending"]).await;
    sign_up(&store, "once@readers.net", NOW).await;
    sign_up(&store, "again@readers.net", NOW).await;
    sign_up(&store, "again@readers.net", at(3 * DAY)).await;
    sign_up(&store, "list@readers.net", NOW).await;
    let left = |store: Store| async move {
        let mut left = Vec::new();
        for who in ["list", "once", "again"] {
            let found = store.subscriber(&format!("{who}@readers.net")).await.unwrap();
            left.extend(found.map(|_| who));
        }
        left
    };
    for (days, unconfirmed, expected) in [
        (6, 0, vec!["list", "once", "again"]),
        (7, 1, vec!["list", "again"]),
        (9, 0, vec!["list", "again"]),
        (10, 1, vec!["list"]),
        (99, 0, vec!["list"]),
    ] {
        let tidied = upkeep::tidy(&store, at(days * DAY), KEPT).await.unwrap();
        assert_eq!(tidied.unconfirmed, unconfirmed, "{days}");
        assert_eq!(left(store.clone()).await, expected, "{days}");
    }
    for table in ["sign_up", "address_turn"] {
        assert_eq!(db.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0);
    }
}

async fn networks_have_limits(db: Database) {
    let store = db.open().await;
    let limits = Limits {
        per_network: 3,
        total: 5,
    };
    let ask = |network: &'static str, seconds: u64| {
        let store = store.clone();
        async move {
            admit(&store, Gate::SignUp, network, limits, at(seconds))
                .await
                .unwrap()
                == Admission::Admitted
        }
    };
    for (network, seconds, admitted) in [
        ("one", 0, true),
        ("one", 600, true),
        ("one", 600, true),
        ("one", 1200, false),
        ("one", 1200, false),
        ("two", 1200, true),
        ("two", 1200, true),
        // Now all together have used theirs up.
        ("two", 1200, false),
        ("three", 1200, false),
        // An hour after the first one.
        ("one", 3600, true),
        ("one", 3600, false),
        ("three", 4200, true),
    ] {
        assert_eq!(ask(network, seconds).await, admitted, "{network} {seconds}");
    }
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                admit(&store, Gate::SignUp, "many", limits, at(2 * DAY))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += usize::from(task.await.unwrap() == Admission::Admitted);
    }
    assert_eq!(admitted, 3);
    upkeep::tidy(&store, at(40 * DAY), KEPT).await.unwrap();
    assert_eq!(db.number("SELECT COUNT(*) FROM network_use").await, 0);
}

async fn each_kind_has_an_end_of_its_own(db: Database) {
    let store = db.open().await;
    let limits = Limits {
        per_network: 5,
        total: 2,
    };
    let admitted = async |gate, network: &str| {
        admit(&store, gate, network, limits, NOW).await.unwrap() == Admission::Admitted
    };
    for gate in Gate::ALL {
        for (n, expected) in [true, true, false, false].into_iter().enumerate() {
            assert_eq!(
                admitted(gate, &format!("network {n}")).await,
                expected,
                "{gate:?} {n}"
            );
        }
    }
    // Those two have made four each, of all kinds; who was sent away has made none.
    let limits = Limits {
        per_network: 5,
        total: 100,
    };
    for (network, more) in [("network 0", 1), ("network 2", 5)] {
        for n in 0..=more {
            let admission = admit(&store, Gate::LostLink, network, limits, NOW).await.unwrap();
            assert_eq!(admission == Admission::Admitted, n < more, "{network} {n}");
        }
    }
}

/// As many as a thousand networks can send within the limits of each.
async fn ten_thousand_submissions_send_three_mails(db: Database) {
    let store = db.open().await;
    let limits = Limits {
        per_network: 10,
        total: 100_000,
    };
    for n in 0..10_000_u64 {
        // Ten from each network, all within an hour.
        let (network, now) = (format!("network {}", n % 1000), at(n / 3));
        assert_eq!(
            admit(&store, Gate::SignUp, &network, limits, now).await.unwrap(),
            Admission::Admitted
        );
        let mut request = wish("ann@readers.net");
        request.network = network;
        sign_ups::request(&store, &request, &addressing(), now)
            .await
            .unwrap();
        if n % 1000 == 0 {
            sign_ups::process(&store, &addressing(), now).await.unwrap();
        }
    }
    sign_ups::process(&store, &addressing(), at(3400)).await.unwrap();
    assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
    assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 3);
    assert_eq!(notices(&db, "confirm").await, 3);
}
