//! The links of the confirmation mail: yes, once; and never again.

use crate::database::Database;
use crate::links::{addressing, ask_for, confirm_link, events, link, notices, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers, suppress};
use postrider::domain::Timestamp;
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::Store;
use postrider::subscriptions::confirm::Refusal;
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{account, admin, confirm, sign_up as sign_ups, upkeep};

crate::on_both! {
    confirming_begins_what_was_offered_and_once, the_way_back_is_the_readers_alone, an_older_link_changes_nothing_of_a_confirmed_reader, whoever_refuses_is_left_alone,
    a_reader_who_refuses_anothers_wish_keeps_their_mails, whoever_is_there_when_somebody_refuses_is_meant,
    a_goodbye_outlives_older_links_and_a_name_outlives_sign_ups, a_refusal_works_when_the_sign_up_is_forgotten,
}

const DAY: u64 = 86_400;

async fn confirming_begins_what_was_offered_and_once(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann@readers.net", NOW).await;
    let token = confirm_link(&db).await;
    let Opened::Good(offer) = confirm::peek(&store, &signer(), &token, at(1)).await.unwrap() else {
        panic!("no offer");
    };
    assert_eq!(
        (
            offer.confirmed,
            offer.digests[0].as_str(),
            offer.categories.to_string()
        ),
        (false, "monthly", "oncology".to_owned())
    );
    assert_eq!(reader(&store, "ann@readers.net").await.state, State::Pending);
    let Opened::Good(first) = confirm::confirm(&store, &signer(), &token, at(2)).await.unwrap() else {
        panic!("not confirmed");
    };
    assert!(!first.confirmed);
    let ann = reader(&store, "ann@readers.net").await;
    assert_eq!(
        (ann.state, ann.digests.join(";"), ann.categories.to_string()),
        (State::Confirmed, "monthly".to_owned(), "oncology".to_owned())
    );
    assert_eq!(
        (ann.name.as_deref(), ann.text_only, ann.consent_at),
        (Some("Ann"), true, Some(at(2)))
    );
    assert_eq!(ann.consent_source.as_deref(), Some("form"));
    let Opened::Good(again) = confirm::confirm(&store, &signer(), &token, at(3)).await.unwrap() else {
        panic!("a repeat is fine");
    };
    assert!(again.confirmed);
    assert_eq!(reader(&store, "ann@readers.net").await, ann);
    assert_eq!(
        (notices(&db, "welcome").await, events(&db, "confirmed").await),
        (1, 1)
    );
    let agreed = "SELECT COUNT(*) FROM reader_event WHERE what = 'confirmed' AND way = 'link'
        AND wording = 'I agree to receive mails about oncology.'";
    assert_eq!(db.number(agreed).await, 1);
    for late in [8 * DAY, 400 * DAY] {
        let late = confirm::confirm(&store, &signer(), &token, at(late))
            .await
            .unwrap();
        assert_eq!(late, Opened::Expired);
    }
    let wrong = confirm::confirm(&store, &signer(), &link(Purpose::Refuse, 1), NOW).await;
    assert!(wrong.is_err());
}

/// After a goodbye or an erasure, for those who sign up and confirm; a mail server's word stays.
async fn the_way_back_is_the_readers_alone(db: Database) {
    let store = db.open().await;
    readers(&store, &["left@readers.net,,weekly,,unsubscribed"]).await;
    let hash = addressing().known(&address("gone@readers.net")).hash;
    suppress(&store, &hash, Suppression::Erased).await;
    for who in ["left@readers.net", "gone@readers.net"] {
        sign_up(&store, who, NOW).await;
        let token = confirm_link(&db).await;
        confirm::confirm(&store, &signer(), &token, at(1)).await.unwrap();
        let back = reader(&store, who).await;
        assert_eq!(
            (back.state, back.digests.join(";").as_str()),
            (State::Confirmed, "monthly"),
            "{who}"
        );
    }
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
    sign_up(&store, "dead@readers.net", NOW).await;
    let token = confirm_link(&db).await;
    let hash = addressing().known(&address("dead@readers.net")).hash;
    suppress(&store, &hash, Suppression::Bounced).await;
    for opened in [
        confirm::peek(&store, &signer(), &token, at(1)).await.unwrap(),
        confirm::confirm(&store, &signer(), &token, at(1)).await.unwrap(),
    ] {
        assert_eq!(opened, Opened::Gone);
    }
    assert_eq!(reader(&store, "dead@readers.net").await.state, State::Pending);
}

async fn an_older_link_changes_nothing_of_a_confirmed_reader(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann@readers.net", NOW).await;
    let first = confirm_link(&db).await;
    let mut other = wish("ann@readers.net");
    other.digests = vec![crate::seed::slug("weekly")];
    sign_ups::request(&store, &other, &addressing(), at(600))
        .await
        .unwrap();
    sign_ups::process(&store, &addressing(), at(600)).await.unwrap();
    let second = confirm_link(&db).await;
    assert_ne!(first, second);
    confirm::confirm(&store, &signer(), &first, at(700))
        .await
        .unwrap();
    let opened = confirm::confirm(&store, &signer(), &second, at(701))
        .await
        .unwrap();
    let told = opened.good().unwrap();
    assert!(told.confirmed);
    assert_eq!(told.digests, [crate::seed::slug("monthly")], "what they have");
    assert_eq!(reader(&store, "ann@readers.net").await.digests, ["monthly"]);
}

async fn a_goodbye_outlives_older_links_and_a_name_outlives_sign_ups(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann@readers.net", NOW).await;
    let first = confirm_link(&db).await;
    sign_up(&store, "ann@readers.net", at(600)).await;
    let second = confirm_link(&db).await;
    confirm::confirm(&store, &signer(), &first, at(700))
        .await
        .unwrap();
    let open = "SELECT COUNT(*) FROM sign_up WHERE confirmed IS NULL";
    assert_eq!(db.number(open).await, 0, "one confirmation closes all");
    let ann = reader(&store, "ann@readers.net").await;
    store
        .end_all_subscriptions(ann.id, Way::Link, at(800))
        .await
        .unwrap();
    // Also one that nobody has closed.
    db.execute("UPDATE sign_up SET confirmed = NULL WHERE id = (SELECT MAX(id) FROM sign_up)")
        .await;
    for link in [&first, &second] {
        for opened in [
            confirm::peek(&store, &signer(), link, at(900)).await.unwrap(),
            confirm::confirm(&store, &signer(), link, at(900)).await.unwrap(),
        ] {
            assert_eq!(opened, Opened::Gone);
        }
    }
    assert_eq!(reader(&store, "ann@readers.net").await.state, State::Unsubscribed);
    let mut other = wish("ann@readers.net");
    other.name = Some("Somebody else".to_owned());
    sign_ups::request(&store, &other, &addressing(), at(1300))
        .await
        .unwrap();
    sign_ups::process(&store, &addressing(), at(1300)).await.unwrap();
    let third = confirm_link(&db).await;
    let seen = confirm::peek(&store, &signer(), &third, at(1301)).await.unwrap();
    assert_eq!(seen.good().unwrap().name.as_deref(), Some("Ann"));
    confirm::confirm(&store, &signer(), &third, at(1302))
        .await
        .unwrap();
    let back = reader(&store, "ann@readers.net").await;
    assert_eq!(
        (back.state, back.name.as_deref()),
        (State::Confirmed, Some("Ann"))
    );
}

async fn a_refusal_works_when_the_sign_up_is_forgotten(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann@readers.net", NOW).await;
    let notice = db.number("SELECT MAX(id) FROM notice").await;
    let week = std::time::Duration::from_secs(7 * DAY);
    let tidied = upkeep::tidy(&store, at(8 * DAY), week).await.unwrap();
    assert_eq!(tidied.unconfirmed, 1);
    let kept = "SELECT COUNT(*) FROM notice WHERE subscriber_id IS NULL AND address IS NULL AND data = '{}'
        AND state = 'excluded' AND next_attempt IS NULL AND ended IS NOT NULL";
    assert_eq!(db.number(kept).await, 1);
    let token = signer().short_lived_token(Purpose::Refuse, notice, at(30 * DAY));
    let refused = confirm::refuse(&store, &signer(), &token, at(29 * DAY))
        .await
        .unwrap();
    assert_eq!(refused, Opened::Good(Refusal::default()));
    let hash = addressing().known(&address("ann@readers.net")).hash;
    assert_eq!(
        store.suppression(&hash).await.unwrap(),
        Some(Suppression::Refused)
    );
}

async fn whoever_refuses_is_left_alone(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann@readers.net", NOW).await;
    let notice = db.number("SELECT MAX(id) FROM notice").await;
    let token = link(Purpose::Refuse, notice);
    assert_eq!(
        confirm::peek_refusal(&store, &signer(), &token, NOW)
            .await
            .unwrap(),
        Opened::Good(Refusal::default())
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
    for seconds in [1, 2] {
        let refused = confirm::refuse(&store, &signer(), &token, at(seconds))
            .await
            .unwrap();
        assert_eq!(refused, Opened::Good(Refusal::default()));
        assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 0);
        assert_eq!(
            db.number("SELECT COUNT(*) FROM suppression WHERE reason = 'refused'")
                .await,
            1
        );
    }
    let due = "SELECT COUNT(*) FROM notice WHERE next_attempt IS NOT NULL";
    assert_eq!(db.number(due).await, 0);
    sign_up(&store, "ann@readers.net", at(3 * DAY)).await;
    assert_eq!(
        readers(&store, &["ann@readers.net,,weekly,,confirmed"])
            .await
            .added,
        0
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 0);
    // A list says that another one is confirmed; the owner of that address says no.
    sign_up(&store, "bob@readers.net", NOW).await;
    let notice = db.number("SELECT MAX(id) FROM notice").await;
    confirm::confirm(&store, &signer(), &confirm_link(&db).await, NOW)
        .await
        .unwrap();
    confirm::refuse(&store, &signer(), &link(Purpose::Refuse, notice), at(1))
        .await
        .unwrap();
    assert_eq!(reader(&store, "bob@readers.net").await.state, State::Unsubscribed);
    // Only an admin lifts it.
    let allow = |who: &'static str| {
        let store = store.clone();
        async move {
            admin::allow(&store, &address(who), &crate::seed::settings(), NOW)
                .await
                .unwrap()
        }
    };
    assert!(allow("ann@readers.net").await && !allow("ann@readers.net").await);
    assert!(allow("bob@readers.net").await);
    sign_up(&store, "ann@readers.net", at(4 * DAY)).await;
    assert_eq!(reader(&store, "ann@readers.net").await.state, State::Pending);
    readers(&store, &["bob@readers.net,,weekly,,confirmed"]).await;
    assert_eq!(reader(&store, "bob@readers.net").await.state, State::Unsubscribed);
}

/// The number of the mail that asks the owner of `who` whether the mails of reader `id` should come there.
async fn asked_for(db: &Database, store: &Store, id: i64, who: &str, now: Timestamp) -> i64 {
    ask_for(store, id, who, now).await;
    db.number("SELECT COALESCE(MAX(id), 0) FROM notice WHERE kind = 'new_address'")
        .await
}

async fn a_reader_who_refuses_anothers_wish_keeps_their_mails(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "asks@readers.net,,weekly,,confirmed",
            "owner@readers.net,,weekly,,confirmed",
            "third@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let before = reader(&store, "owner@readers.net").await;
    let id = reader(&store, "asks@readers.net").await.id;
    let mail = asked_for(&db, &store, id, "owner@readers.net", NOW).await;
    let token = signer().short_lived_token(Purpose::Refuse, mail, at(30 * DAY));
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    let expected = Refusal {
        new_address: true,
        receives: true,
        keeps: true,
    };
    let seen = confirm::peek_refusal(&store, &signer(), &token, at(1))
        .await
        .unwrap();
    assert_eq!(seen, Opened::Good(expected));
    for _ in 0..2 {
        let refused = confirm::refuse(&store, &signer(), &token, at(1)).await.unwrap();
        assert_eq!(refused, Opened::Good(expected));
    }
    assert_eq!(reader(&store, "owner@readers.net").await, before);
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
    // The other link of that mail does nothing any more.
    let button = link(Purpose::NewAddress, change);
    let seen = account::peek_address(&store, &signer(), &button, at(2))
        .await
        .unwrap();
    assert_eq!(seen, Opened::Gone);
    let pressed = account::confirm_address(&store, &signer(), &button, &addressing(), at(2)).await;
    assert_eq!(pressed.unwrap(), Opened::Gone);
    // No more such mails by that reader; by others, and to the owner themselves, as before.
    assert_eq!(
        asked_for(&db, &store, id, "owner@readers.net", at(2 * DAY)).await,
        mail
    );
    let third = reader(&store, "third@readers.net").await.id;
    let other = asked_for(&db, &store, third, "owner@readers.net", at(2 * DAY)).await;
    assert!(other > mail);
    sign_up(&store, "owner@readers.net", at(4 * DAY)).await;
    assert_eq!(notices(&db, "preferences_link").await, 1);
    // An admin lifts that as well.
    let (owner, settings) = (address("owner@readers.net"), crate::seed::settings());
    assert!(admin::allow(&store, &owner, &settings, NOW).await.unwrap());
    assert_eq!(reader(&store, "owner@readers.net").await, before);
    assert!(asked_for(&db, &store, id, "owner@readers.net", at(6 * DAY)).await > other);
}

async fn whoever_is_there_when_somebody_refuses_is_meant(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "left@readers.net,,weekly,,unsubscribed",
        ],
    )
    .await;
    let id = reader(&store, "a@readers.net").await.id;
    sign_up(&store, "pending@readers.net", NOW).await;
    // Nobody, somebody who has not confirmed, and somebody who left: the address is closed.
    for who in ["new@readers.net", "pending@readers.net", "left@readers.net"] {
        let mail = asked_for(&db, &store, id, who, at(600)).await;
        let refused = confirm::refuse(&store, &signer(), &link(Purpose::Refuse, mail), at(601)).await;
        let expected = Refusal {
            new_address: true,
            ..Refusal::default()
        };
        assert_eq!(refused.unwrap(), Opened::Good(expected), "{who}");
        let hash = addressing().known(&address(who)).hash;
        let reason = store.suppression(&hash).await.unwrap();
        assert_eq!(reason, Some(Suppression::Refused), "{who}");
    }
    assert!(store.subscriber("pending@readers.net").await.unwrap().is_none());
    // The reader who asked, and whose mails come there since.
    let mail = asked_for(&db, &store, id, "mine@readers.net", at(2 * DAY)).await;
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    let button = signer().short_lived_token(Purpose::NewAddress, change, at(3 * DAY));
    account::confirm_address(&store, &signer(), &button, &addressing(), at(2 * DAY))
        .await
        .unwrap();
    let token = signer().short_lived_token(Purpose::Refuse, mail, at(30 * DAY));
    let refused = confirm::refuse(&store, &signer(), &token, at(3 * DAY))
        .await
        .unwrap();
    let ended = Refusal {
        new_address: true,
        receives: true,
        keeps: false,
    };
    assert_eq!(refused, Opened::Good(ended));
    assert_eq!(
        reader(&store, "mine@readers.net").await.state,
        State::Unsubscribed
    );
    // The mail of a forgotten sign-up, when the owner has signed up anew: their mails end, and it is recorded.
    sign_up(&store, "ann@readers.net", at(4 * DAY)).await;
    let mail = db
        .number("SELECT MAX(id) FROM notice WHERE kind = 'confirm'")
        .await;
    let week = std::time::Duration::from_secs(7 * DAY);
    upkeep::tidy(&store, at(12 * DAY), week).await.unwrap();
    sign_up(&store, "ann@readers.net", at(12 * DAY)).await;
    confirm::confirm(&store, &signer(), &confirm_link(&db).await, at(12 * DAY))
        .await
        .unwrap();
    let left = events(&db, "unsubscribed").await;
    let token = signer().short_lived_token(Purpose::Refuse, mail, at(34 * DAY));
    let refused = confirm::refuse(&store, &signer(), &token, at(13 * DAY))
        .await
        .unwrap();
    let ended = Refusal {
        new_address: false,
        ..ended
    };
    assert_eq!(refused, Opened::Good(ended));
    assert_eq!(reader(&store, "ann@readers.net").await.state, State::Unsubscribed);
    assert_eq!(events(&db, "unsubscribed").await, left + 1);
}
