//! Subscribers, their subscriptions, and who is not to be mailed.

use crate::database::Database;
use crate::plan::edition;
use crate::seed::{NOW, at, reader, readers, summaries};
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::import::{Entry, Subscribing};
use postrider::store::standings::{Sought, Standing};
use std::collections::HashMap;

crate::on_both! {
    addresses_are_masked_where_they_are_only_shown,
    the_last_subscription_to_end_unsubscribes, a_reader_has_the_last_word, ending_again_changes_nothing,
    all_subscriptions_end_at_once, subscribers_come_one_by_one, standings_are_told, a_state_is_set_over_what_was_seen,
    subscribing_never_revives_what_a_reader_ended, a_harder_suppression_stays, an_abandoned_import_leaves_nothing,
    a_reader_is_found_by_number,
}

async fn the_last_subscription_to_end_unsubscribes(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly;monthly,,confirmed",
            "p@readers.net,,weekly,,pending",
        ],
    )
    .await;
    let ann = reader(&store, "a@readers.net").await;
    assert!(
        store
            .end_subscription(ann.id, "weekly", Way::Link, NOW)
            .await
            .unwrap()
    );
    let now = reader(&store, "a@readers.net").await;
    assert_eq!(
        (now.state, now.digests.join(";").as_str()),
        (State::Confirmed, "monthly")
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
    assert!(
        store
            .end_subscription(ann.id, "monthly", Way::Link, NOW)
            .await
            .unwrap()
    );
    assert_eq!(reader(&store, "a@readers.net").await.state, State::Unsubscribed);
    assert_eq!(
        db.number("SELECT COUNT(*) FROM suppression WHERE reason = 'unsubscribed'")
            .await,
        1
    );
    let pending = reader(&store, "p@readers.net").await.id;
    assert!(store.is_subscribed(pending, "weekly").await.unwrap());
    store
        .end_subscription(pending, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    assert_eq!(reader(&store, "p@readers.net").await.state, State::Unsubscribed);
    assert!(!store.is_subscribed(pending, "weekly").await.unwrap());
    assert!(
        !store
            .end_subscription(999, "weekly", Way::Link, NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        db.number("SELECT COUNT(*) FROM subscription WHERE subscriber_id = 999")
            .await,
        0
    );
}

async fn a_reader_has_the_last_word(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "d@readers.net,,weekly,,bounced",
        ],
    )
    .await;
    let ann = reader(&store, "a@readers.net").await.id;
    // Never subscribed to it, and left it all the same: no list may subscribe them later.
    store
        .end_subscription(ann, "monthly", Way::Link, NOW)
        .await
        .unwrap();
    readers(&store, &["a@readers.net,,weekly;monthly,,confirmed"]).await;
    assert_eq!(reader(&store, "a@readers.net").await.digests.join(";"), "weekly");
    // An admin's end is a weaker word.
    store.end_subscription(ann, "other", Way::Cli, NOW).await.unwrap();
    assert_eq!(
        db.number("SELECT COUNT(*) FROM subscription WHERE digest = 'other'")
            .await,
        0
    );
    // A dead address stays dead when its link is used.
    let dead = reader(&store, "d@readers.net").await.id;
    store
        .end_subscription(dead, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    assert_eq!(reader(&store, "d@readers.net").await.state, State::Bounced);
    assert_eq!(
        db.number("SELECT COUNT(*) FROM suppression WHERE reason = 'bounced'")
            .await,
        1
    );
}

async fn ending_again_changes_nothing(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let ann = reader(&store, "a@readers.net").await.id;
    for (seconds, way) in [(1, Way::Link), (2, Way::Link), (3, Way::Cli)] {
        assert!(
            store
                .end_subscription(ann, "weekly", way, at(seconds))
                .await
                .unwrap()
        );
    }
    for table in ["subscription", "subscriber"] {
        let cause = if table == "subscription" {
            "ended_by"
        } else {
            "cause"
        };
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE {cause} = 'reader' AND changed = {}",
            at(1).0
        );
        assert_eq!(db.number(&sql).await, 1, "{table}");
    }
}

async fn all_subscriptions_end_at_once(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly;monthly,,confirmed"]).await;
    let ann = reader(&store, "a@readers.net").await.id;
    for _ in 0..2 {
        store.end_all_subscriptions(ann, Way::Cli, NOW).await.unwrap();
        let now = reader(&store, "a@readers.net").await;
        assert_eq!(
            (now.state, now.digests.join(";").as_str()),
            (State::Unsubscribed, "")
        );
    }
    assert_eq!(db.number("SELECT COUNT(*) FROM subscription").await, 2);
}

async fn subscribers_come_one_by_one(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "b@readers.net,Bob,weekly;monthly,urology,confirmed",
            "a@readers.net,,monthly,,pending",
            "c@readers.net,,,,unsubscribed",
        ],
    )
    .await;
    let mut seen = Vec::new();
    store
        .each_subscriber(|subscriber| {
            seen.push((
                subscriber.address.as_str().to_owned(),
                subscriber.digests.join(";"),
                subscriber.state.as_str(),
            ));
            Ok(())
        })
        .await
        .unwrap();
    let expected = [
        ("b@readers.net", "monthly;weekly", "confirmed"),
        ("a@readers.net", "monthly", "pending"),
        ("c@readers.net", "", "unsubscribed"),
    ];
    assert_eq!(
        seen,
        expected.map(|(who, what, how)| (who.to_owned(), what.to_owned(), how))
    );
    let counts = store.count_subscribers().await.unwrap();
    assert_eq!(
        counts,
        [
            (State::Confirmed, 1),
            (State::Pending, 1),
            (State::Unsubscribed, 1)
        ]
    );
    assert_eq!(store.subscriber("nobody@readers.net").await.unwrap(), None);
}

fn entry(key: &str, state: &'static str, was: &'static str) -> Entry {
    Entry {
        address: key.into(),
        key: key.into(),
        hash: hash_of(key),
        reserved: 0,
        name: Some("Ann".to_owned()),
        state,
        cause: "import",
        categories: String::new(),
        consent_at: None,
        consent_source: None,
        was,
    }
}

fn hash_of(key: &str) -> String {
    format!("hash of {key}")
}

async fn standings_are_told(db: Database) {
    let store = db.open().await;
    let mut import = store.begin_import(NOW).await.unwrap();
    let ids = import
        .write(&[entry("a", "confirmed", ""), entry("b", "pending", "")])
        .await
        .unwrap();
    assert_eq!(ids.len(), 2);
    let rows = [
        (hash_of("b"), Suppression::Unsubscribed),
        (hash_of("c"), Suppression::Erased),
    ];
    import.suppress(&rows).await.unwrap();
    import.commit().await.unwrap();
    db.execute("INSERT INTO refused_mailbox VALUES ('box of a', 1), ('box of c', 1), ('box of e', 1)")
        .await;
    let mut import = store.begin_import(NOW).await.unwrap();
    let keys = ["a", "b", "c", "d", "e"].map(|key| (key, hash_of(key), format!("box of {key}")));
    let sought = keys
        .each_ref()
        .map(|(key, hash, mailbox)| Sought { key, hash, mailbox });
    let standings = import.standings(&sought).await.unwrap();
    import.abandon().await.unwrap();
    let standing = |subscriber, suppressed| Standing {
        subscriber,
        suppressed,
        chosen: false,
    };
    let (a, b) = (reader(&store, "a").await.id, reader(&store, "b").await.id);
    let expected = HashMap::from([
        ("a".to_owned(), standing(Some((a, State::Confirmed)), None)),
        (
            "b".to_owned(),
            standing(Some((b, State::Pending)), Some(Suppression::Unsubscribed)),
        ),
        ("c".to_owned(), standing(None, Some(Suppression::Erased))),
        ("d".to_owned(), standing(None, None)),
        ("e".to_owned(), standing(None, Some(Suppression::Refused))),
    ]);
    assert_eq!(standings, expected);
}

async fn a_state_is_set_over_what_was_seen(db: Database) {
    let store = db.open().await;
    let mut import = store.begin_import(NOW).await.unwrap();
    import
        .write(&[entry("a", "pending", ""), entry("b", "unsubscribed", "")])
        .await
        .unwrap();
    // `b` left after it was seen as pending.
    let set = import
        .set_states(&[
            entry("a", "confirmed", "pending"),
            entry("b", "confirmed", "pending"),
        ])
        .await;
    assert_eq!(set.unwrap().len(), 1);
    // Writing alone leaves states as they are, and says that nothing changed.
    assert!(
        import
            .write(&[entry("a", "pending", "")])
            .await
            .unwrap()
            .is_empty()
    );
    import.commit().await.unwrap();
    assert_eq!(reader(&store, "a").await.state, State::Confirmed);
    assert_eq!(reader(&store, "b").await.state, State::Unsubscribed);
}

async fn subscribing_never_revives_what_a_reader_ended(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly;monthly,,confirmed"]).await;
    let ann = reader(&store, "a@readers.net").await.id;
    store
        .end_subscription(ann, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    store
        .end_subscription(ann, "monthly", Way::Cli, NOW)
        .await
        .unwrap();
    let rows = ["weekly", "monthly"].map(|digest| Subscribing {
        key: "a@readers.net".into(),
        digest: digest.to_owned(),
    });
    let mut import = store.begin_import(NOW).await.unwrap();
    assert_eq!(import.subscribe(&rows).await.unwrap(), [ann]);
    assert_eq!(import.digests_of("a@readers.net").await.unwrap(), ["monthly"]);
    assert!(import.subscribe(&rows).await.unwrap().is_empty());
    assert_eq!(
        import.end_all(&["a@readers.net".to_owned()]).await.unwrap(),
        [ann]
    );
    import.commit().await.unwrap();
    assert_eq!(reader(&store, "a@readers.net").await.digests.join(";"), "");
}

async fn a_harder_suppression_stays(db: Database) {
    let store = db.open().await;
    let (soft, hard) = (Suppression::Unsubscribed, Suppression::Complained);
    for (reason, expected) in [
        (soft, "unsubscribed"),
        (Suppression::Erased, "erased"),
        (soft, "erased"),
        (Suppression::Bounced, "bounced"),
        (Suppression::Erased, "bounced"),
        (hard, "complained"),
        (Suppression::Bounced, "complained"),
    ] {
        let mut import = store.begin_import(NOW).await.unwrap();
        import.suppress(&[("hash".to_owned(), reason)]).await.unwrap();
        import.commit().await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM suppression WHERE reason = '{expected}'");
        assert_eq!(db.number(&sql).await, 1, "{reason:?}");
    }
}

async fn an_abandoned_import_leaves_nothing(db: Database) {
    let store = db.open().await;
    for dropped in [false, true] {
        let mut import = store.begin_import(NOW).await.unwrap();
        import.write(&[entry("a", "confirmed", "")]).await.unwrap();
        if dropped {
            drop(import);
        } else {
            import.abandon().await.unwrap();
        }
        assert_eq!(store.count_subscribers().await.unwrap(), []);
    }
    // The lock is free again.
    store.begin_import(NOW).await.unwrap().commit().await.unwrap();
}

async fn a_reader_is_found_by_number(db: Database) {
    let store = db.open().await;
    readers(&store, &["Ann@readers.net,,weekly;monthly,,confirmed"]).await;
    let id = reader(&store, "ann@readers.net").await.id;
    let found = store.subscriber_by_id(id).await.unwrap().unwrap();
    assert_eq!(found, reader(&store, "ann@readers.net").await);
    assert_eq!(found.digests, ["monthly", "weekly"]);
    assert_eq!(store.subscriber_by_id(id + 1).await.unwrap(), None);
}

/// What the program prints of itself, as into a log or a panic, names nobody; what is for admins does.
async fn addresses_are_masked_where_they_are_only_shown(db: Database) {
    let store = db.open().await;
    readers(&store, &["ann@readers.net,,weekly,,confirmed"]).await;
    let ann = reader(&store, "ann@readers.net").await;
    let ids = summaries(&store, &["One"]).await;
    let edition = edition(&store, "weekly", &ids).await;
    let reports = store.delivery_reports(edition).await.unwrap();
    let subscribing = Subscribing {
        key: "ann@readers.net".into(),
        digest: "weekly".to_owned(),
    };
    let entry = Entry {
        hash: String::new(),
        ..entry("ann@readers.net", "pending", "")
    };
    let shown = format!("{ann:?} {reports:?} {subscribing:?} {entry:?}");
    assert!(
        !shown.contains("ann@") && !shown.contains("readers.net"),
        "{shown}"
    );
    assert_eq!(shown.matches("a***@r***.net").count(), 5, "{shown}");
    for json in [
        serde_json::to_value(&ann).unwrap(),
        serde_json::to_value(&reports[0].1).unwrap(),
        serde_json::to_value(&entry).unwrap(),
    ] {
        assert_eq!(json["address"], "ann@readers.net");
    }
}
