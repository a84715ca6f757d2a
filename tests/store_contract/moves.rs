//! What becomes of links when a reader's mails go to another address.

use crate::database::Database;
use crate::ledger::lease;
use crate::links::{addressing, ask_for, confirm_link, link, notices, preferences_link, sign_up, signer};
use crate::plan::edition;
use crate::seed::{NOW, address, at, reader, readers, slug, summaries};
use postrider::domain::notice::NoticeData;
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{Choice, State};
use postrider::store::Store;
use postrider::store::notices::NewNotice;
use postrider::subscriptions::account::{self, AddressChange};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::preferences::{self, NewChoices};
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{confirm, unsubscribe};

crate::on_both! {
    links_to_choices_end_with_the_old_address, leaving_works_with_the_oldest_mail,
    what_is_sent_later_has_the_new_link, confirming_again_shows_no_new_link,
}

/// Has the mails of reader `id` go to `who`, whose owner presses the button twice.
async fn move_to(db: &Database, store: &Store, id: i64, who: &str) {
    ask_for(store, id, who, NOW).await;
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    for _ in 0..2 {
        let button = link(Purpose::NewAddress, change);
        let moved = account::confirm_address(store, &signer(), &button, &addressing(), at(1)).await;
        assert_eq!(moved.unwrap(), Opened::Good(AddressChange::Changed));
    }
}

/// The link to the choices that a mail of `weekly` had after so many moves.
async fn link_after(store: &Store, id: i64, moves: i64) -> String {
    let number = store.digest_number("weekly").await.unwrap();
    signer().preferences_token(id, number, moves)
}

async fn links_to_choices_end_with_the_old_address(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,urology,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    assert_eq!(
        link_after(&store, id, 0).await,
        preferences_link(&store, id).await
    );
    for (moves, who) in [(1, "b@readers.net"), (2, "c@readers.net"), (3, "a@readers.net")] {
        move_to(&db, &store, id, who).await;
        let before = reader(&store, who).await;
        assert_eq!(before.link_generation, moves);
        for old in 0..moves {
            let (token, signer) = (link_after(&store, id, old).await, signer());
            let wanted = NewChoices {
                digests: vec![slug("monthly")],
                categories: Choice::parse("oncology").unwrap(),
                name: None,
                text_only: true,
            };
            let nothing = NewChoices {
                digests: Vec::new(),
                ..wanted.clone()
            };
            let asked = [
                preferences::peek(&store, &signer, &token).await,
                preferences::change(&store, &signer, &token, &wanted, "yes", at(2)).await,
                preferences::change(&store, &signer, &token, &nothing, "yes", at(2)).await,
                preferences::pause(&store, &signer, &token, at(86_400), at(2)).await,
                preferences::resume(&store, &signer, &token, at(2)).await,
                preferences::leave(&store, &signer, &token, at(2)).await,
            ];
            for (n, opened) in asked.into_iter().enumerate() {
                assert_eq!(opened.unwrap(), Opened::Expired, "{moves} {old} {n}");
            }
            let mailed = account::request_link(&store, &signer, &token, at(2)).await;
            assert_eq!(mailed.unwrap(), Opened::Expired, "{moves} {old}");
        }
        assert_eq!(reader(&store, who).await, before);
        assert_eq!(notices(&db, "account_link").await, 0);
        // A database that was brought back from a copy knows fewer moves than its mails.
        for new in [moves, moves + 1] {
            let token = link_after(&store, id, new).await;
            let opened = preferences::peek(&store, &signer(), &token).await.unwrap();
            assert_eq!(
                opened.good().unwrap().name.as_deref(),
                Some("Ann"),
                "{moves} {new}"
            );
        }
    }
    let token = link_after(&store, id, 3).await;
    let mailed = account::request_link(&store, &signer(), &token, at(3)).await;
    assert_eq!(mailed.unwrap(), Opened::Good(()));
    assert_eq!(notices(&db, "account_link").await, 1);
}

async fn leaving_works_with_the_oldest_mail(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,urology,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    let number = store.digest_number("weekly").await.unwrap();
    let token = signer().reader_token(Purpose::Unsubscribe, id, number);
    move_to(&db, &store, id, "b@readers.net").await;
    let seen = unsubscribe::peek(&store, &signer(), &token).await.unwrap();
    assert!(seen.subscribed);
    unsubscribe::unsubscribe(&store, &signer(), &token, Way::Link, at(2))
        .await
        .unwrap();
    assert_eq!(reader(&store, "b@readers.net").await.state, State::Unsubscribed);
}

async fn what_is_sent_later_has_the_new_link(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,urology,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    let ids = summaries(&store, &["One|urology"]).await;
    edition(&store, "weekly", &ids).await;
    let welcome = NewNotice {
        subscriber: Some(id),
        address: None,
        address_hash: "hash".to_owned(),
        mailbox_hash: None,
        data: NoticeData::Welcome {
            digest: slug("weekly"),
        },
    };
    store.add_notices(&[welcome], NOW).await.unwrap();
    let batch = lease(&store, "worker", NOW).await.unwrap();
    let welcome = store.lease_notices("worker", NOW, at(60), 1).await.unwrap()[0];
    for (moves, who) in [(0, "a@readers.net"), (1, "b@readers.net")] {
        if moves > 0 {
            move_to(&db, &store, id, who).await;
        }
        let due = store.due_deliveries(&batch, NOW).await.unwrap().remove(0);
        assert_eq!((due.address, due.link_generation), (Some(address(who)), moves));
        let due = store.due_notice(welcome, "worker").await.unwrap().unwrap();
        assert_eq!((due.address, due.link_generation), (Some(address(who)), moves));
    }
}

/// The page after confirming has a link to the choices, and confirming again is fine.
async fn confirming_again_shows_no_new_link(db: Database) {
    let store = db.open().await;
    sign_up(&store, "a@readers.net", NOW).await;
    let token = confirm_link(&db).await;
    let first = confirm::confirm(&store, &signer(), &token, at(1)).await.unwrap();
    assert_eq!(first.good().unwrap().link_generation, 0);
    let id = reader(&store, "a@readers.net").await.id;
    move_to(&db, &store, id, "b@readers.net").await;
    assert_eq!(
        confirm::confirm(&store, &signer(), &token, at(3)).await.unwrap(),
        Opened::Gone
    );
    assert_eq!(
        confirm::peek(&store, &signer(), &token, at(3)).await.unwrap(),
        Opened::Gone
    );
    // Who signs up anew has the link that works.
    let number = store.digest_number("weekly").await.unwrap();
    let leave = signer().reader_token(Purpose::Unsubscribe, id, number);
    unsubscribe::unsubscribe(&store, &signer(), &leave, Way::Link, at(3))
        .await
        .unwrap();
    let monthly = store.digest_number("monthly").await.unwrap();
    let leave = signer().reader_token(Purpose::Unsubscribe, id, monthly);
    unsubscribe::unsubscribe(&store, &signer(), &leave, Way::Link, at(3))
        .await
        .unwrap();
    sign_up(&store, "b@readers.net", at(3600)).await;
    let token = confirm_link(&db).await;
    let again = confirm::confirm(&store, &signer(), &token, at(3601))
        .await
        .unwrap();
    assert_eq!(again.good().unwrap().link_generation, 1);
}
