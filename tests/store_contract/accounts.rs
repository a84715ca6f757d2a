//! What needs a fresh link: another address, and all that is kept.

use crate::database::Database;
use crate::links::{addressing, ask_for, events, link, notices, preferences_link, sign_up, signer};
use crate::seed::{NOW, address, at, reader, readers, suppress};
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::Store;
use postrider::subscriptions::account::{self, AddressChange};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::sign_up as sign_ups;
use postrider::subscriptions::token::Purpose;

crate::on_both! {
    the_link_goes_to_the_registered_address_and_seldom, an_address_moves_when_its_owner_says_so,
    a_reader_asks_for_three_addresses_a_day, what_nobody_uses_gives_way_to_the_owner_of_the_address,
    what_is_known_of_the_new_address_makes_no_difference, the_export_has_everything,
}

async fn the_link_goes_to_the_registered_address_and_seldom(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    let token = preferences_link(&store, id).await;
    // A stranger who types the address in can't keep the reader from it.
    sign_up(&store, "a@readers.net", NOW).await;
    for (minutes, expected) in [(0, 1), (5, 1), (10, 2), (20, 3), (30, 3)] {
        let asked = account::request_link(&store, &signer(), &token, at(minutes * 60))
            .await
            .unwrap();
        assert_eq!(asked, Opened::Good(()));
        assert_eq!(notices(&db, "account_link").await, expected, "{minutes}");
    }
    let elsewhere = "SELECT COUNT(*) FROM notice WHERE address IS NOT NULL";
    assert_eq!(db.number(elsewhere).await, 0);
    let good = link(Purpose::Account, id);
    let account = account::peek(&store, &signer(), &good, NOW).await.unwrap();
    assert_eq!(account.good().unwrap().address.as_str(), "a@readers.net");
    assert_eq!(
        account::peek(&store, &signer(), &good, at(2 * 86_400))
            .await
            .unwrap(),
        Opened::Expired
    );
    assert!(account::peek(&store, &signer(), &token, NOW).await.is_err());
}

async fn an_address_moves_when_its_owner_says_so(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    let hash = addressing().known(&address("new@readers.net")).hash;
    suppress(&store, &hash, Suppression::Unsubscribed).await;
    ask_for(&store, id, "New@readers.net", NOW).await;
    assert_eq!(reader(&store, "a@readers.net").await.id, id);
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    let confirm = link(Purpose::NewAddress, change);
    for _ in 0..2 {
        let moved = account::confirm_address(&store, &signer(), &confirm, &addressing(), at(1))
            .await
            .unwrap();
        assert_eq!(moved, Opened::Good(AddressChange::Changed));
    }
    let moved = reader(&store, "new@readers.net").await;
    assert_eq!(
        (moved.id, moved.address.as_str(), moved.state),
        (id, "New@readers.net", State::Confirmed)
    );
    assert_eq!(moved.address_hash, hash);
    assert!(store.subscriber("a@readers.net").await.unwrap().is_none());
    assert_eq!(events(&db, "address").await, 1);
    let told = "SELECT COUNT(*) FROM notice WHERE kind = 'address_changed' AND address = 'a@readers.net'";
    assert_eq!(db.number(told).await, 1);
    let left = "SELECT COUNT(*) FROM suppression WHERE reason = 'unsubscribed'";
    let old = addressing().known(&address("a@readers.net")).hash;
    assert_eq!(
        store.suppression(&old).await.unwrap(),
        Some(Suppression::Unsubscribed)
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 1);
    // No list brings the old address back; moving back does.
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let back = store.subscriber("a@readers.net").await.unwrap();
    assert!(back.is_none_or(|back| back.state != State::Confirmed));
    let first = change;
    let other = new_address(&db, &store, id, "other@readers.net").await;
    let back = new_address(&db, &store, id, "a@readers.net").await;
    assert_eq!(
        confirm_address(&store, back).await,
        Opened::Good(AddressChange::Changed)
    );
    assert_eq!(store.suppression(&old).await.unwrap(), None);
    assert_eq!(db.number(left).await, 1, "now it is the other one that was left");
    // Of the other links none moves anybody any more.
    for link in [first, other] {
        assert_eq!(confirm_address(&store, link).await, Opened::Gone);
    }
    assert_eq!(
        confirm_address(&store, back).await,
        Opened::Good(AddressChange::Changed)
    );
    assert_eq!(reader(&store, "a@readers.net").await.id, id);
}

/// Asks for `who` as the new address of reader `id`; the number of the change.
async fn new_address(db: &Database, store: &Store, id: i64, who: &str) -> i64 {
    ask_for(store, id, who, NOW).await;
    db.number("SELECT MAX(id) FROM address_change").await
}

async fn confirm_address(store: &Store, change: i64) -> Opened<AddressChange> {
    let token = link(Purpose::NewAddress, change);
    account::confirm_address(store, &signer(), &token, &addressing(), at(2))
        .await
        .unwrap()
}

async fn a_reader_asks_for_three_addresses_a_day(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    for (who, mails) in [("b", 1), ("c", 2), ("d", 3), ("e", 3), ("f", 3)] {
        let last = new_address(&db, &store, id, &format!("{who}@readers.net")).await;
        assert_eq!(notices(&db, "new_address").await, mails, "{who}");
        // A move does not make room for more.
        if who == "d" {
            assert_eq!(
                confirm_address(&store, last).await,
                Opened::Good(AddressChange::Changed)
            );
        }
    }
    ask_for(&store, id, "g@readers.net", at(86_401)).await;
    assert_eq!(notices(&db, "new_address").await, 4);
}

async fn what_nobody_uses_gives_way_to_the_owner_of_the_address(db: Database) {
    let store = db.open().await;
    for (n, (state, gives_way)) in [
        ("pending", true),
        ("unsubscribed", true),
        ("confirmed", false),
        ("bounced", false),
        ("complained", false),
    ]
    .into_iter()
    .enumerate()
    {
        let (from, to) = (format!("from{n}@readers.net"), format!("to{n}@readers.net"));
        readers(
            &store,
            &[
                &format!("{from},,weekly,,confirmed"),
                &format!("{to},,weekly,,{state}"),
            ],
        )
        .await;
        let (id, other) = (reader(&store, &from).await.id, reader(&store, &to).await.id);
        db.execute(&format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, code, text)
             VALUES (1, {other}, 1, 0, 'failed', 550, '<{to}> is full')"
        ))
        .await;
        // Else nothing is mailed to a dead address.
        db.execute("DELETE FROM suppression").await;
        let change = new_address(&db, &store, id, &to).await;
        let expected = if gives_way {
            AddressChange::Changed
        } else {
            AddressChange::Impossible
        };
        assert_eq!(
            confirm_address(&store, change).await,
            Opened::Good(expected),
            "{state}"
        );
        let owner = if gives_way { id } else { other };
        assert_eq!(reader(&store, &to).await.id, owner, "{state}");
        // What relays said of the one who gives way goes with them.
        let texts =
            format!("SELECT COUNT(*) FROM delivery WHERE subscriber_id = {other} AND text IS NOT NULL");
        assert_eq!(db.number(&texts).await, i64::from(!gives_way), "{state}");
    }
}

async fn what_is_known_of_the_new_address_makes_no_difference(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly,,confirmed",
            "c@readers.net,,weekly,,bounced",
        ],
    )
    .await;
    let before = reader(&store, "b@readers.net").await;
    let id = reader(&store, "a@readers.net").await.id;
    // Somebody wrote there a moment ago.
    sign_up(&store, "e@readers.net", NOW).await;
    let token = link(Purpose::Account, id);
    let tables = [
        "notice",
        "address_change",
        "address_turn",
        "reader_event",
        "subscriber",
    ];
    let mut asked_for = 0;
    for (who, mails) in [("b", 1), ("c", 0), ("e", 0), ("b+x", 0)] {
        let mut were = Vec::new();
        for table in tables {
            were.push(db.number(&format!("SELECT COUNT(*) FROM {table}")).await);
        }
        let new = address(&format!("{who}@readers.net"));
        let asked = account::request_address(&store, &signer(), &token, &new, &addressing(), NOW).await;
        assert_eq!(asked.unwrap(), Opened::Good(()), "{who}");
        // All that the page did: one row more on the queue.
        for (table, was) in tables.iter().zip(&were) {
            let is = db.number(&format!("SELECT COUNT(*) FROM {table}")).await;
            assert_eq!(is, *was, "{who} {table}");
        }
        assert_eq!(
            db.number("SELECT COUNT(*) FROM sign_up_request").await,
            1,
            "{who}"
        );
        assert_eq!(sign_ups::process(&store, &addressing(), NOW).await.unwrap(), 1);
        asked_for += 1;
        let changes = "SELECT COUNT(*) FROM address_change WHERE address <> ''";
        assert_eq!(db.number(changes).await, asked_for, "{who}");
        let written = db.number("SELECT COUNT(*) FROM notice").await - were[0];
        assert_eq!(written, mails, "{who}");
    }
    // Three mailboxes were asked for, and only one of them was written to.
    ask_for(&store, id, "d@readers.net", NOW).await;
    assert_eq!(notices(&db, "new_address").await, 1);
    let first = db.number("SELECT MIN(id) FROM address_change").await;
    let taken = confirm_address(&store, first).await;
    assert_eq!(taken, Opened::Good(AddressChange::Impossible));
    assert_eq!(reader(&store, "b@readers.net").await, before);
    assert_eq!(reader(&store, "a@readers.net").await.id, id);
    let gone = signer().short_lived_token(Purpose::Account, id + 99, at(60));
    let who = address("x@readers.net");
    let asked = account::request_address(&store, &signer(), &gone, &who, &addressing(), NOW).await;
    assert_eq!(asked.unwrap(), Opened::Gone);
}

async fn the_export_has_everything(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly;monthly,urology,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    sign_up(&store, "a@readers.net", NOW).await;
    db.execute(&format!(
        "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, code, text)
         VALUES (7, {id}, 1, 0, 'sent', 250, 'queued')"
    ))
    .await;
    let token = link(Purpose::Account, id);
    let data = account::export(&store, &signer(), &token, &addressing(), NOW)
        .await
        .unwrap()
        .good()
        .unwrap();
    for (at, expected) in [
        ("/subscriber/address", serde_json::json!("a@readers.net")),
        (
            "/subscriber/consent_at",
            serde_json::json!("2025-01-02T00:00:00Z"),
        ),
        ("/subscriber/text_only", serde_json::json!(false)),
        ("/subscriptions/1/digest", serde_json::json!("weekly")),
        ("/events/0/what", serde_json::json!("confirmed")),
        ("/deliveries/0/code", serde_json::json!(250)),
        ("/deliveries/0/edition_id", serde_json::json!(7)),
        ("/notices/0/kind", serde_json::json!("preferences_link")),
        ("/sign_ups", serde_json::json!([])),
        ("/suppression", serde_json::Value::Null),
    ] {
        assert_eq!(data.pointer(at), Some(&expected), "{at} of {data:#}");
    }
}
