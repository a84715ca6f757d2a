//! The links of the confirmation mail: yes, once; and never again.

use crate::database::Database;
use crate::links::{addressing, confirm_link, events, link, notices, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers, suppress};
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{State, Suppression};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{confirm, sign_up as sign_ups, upkeep};

crate::on_both! {
    confirming_begins_what_was_offered_and_once, the_way_back_is_the_readers_alone, an_older_link_changes_nothing_of_a_confirmed_reader, whoever_refuses_is_left_alone,
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
    assert!(opened.good().unwrap().confirmed);
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
    assert_eq!(refused, Opened::Good(()));
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
        Opened::Good(())
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 0);
    for seconds in [1, 2] {
        let refused = confirm::refuse(&store, &signer(), &token, at(seconds))
            .await
            .unwrap();
        assert_eq!(refused, Opened::Good(()));
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
            postrider::subscriptions::admin::allow(&store, &address(who), &crate::seed::settings(), NOW)
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
