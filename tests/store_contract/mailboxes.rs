//! Addresses that differ in what follows a `+` reach one mailbox: they share limits and refusals, and nothing
//! else.

use crate::database::Database;
use crate::links::{addressing, ask_for, confirm_link, link, notices, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers, settings, suppress};
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::Store;
use postrider::subscriptions::account::{self, AddressChange};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{admin, confirm, erase, sign_up as sign_ups};

crate::on_both! {
    spellings_of_a_mailbox_share_its_limits, mails_of_every_kind_count, a_flood_of_spellings_costs_one_mail,
    a_dead_spelling_takes_no_other_along, a_refusal_covers_the_mailbox, an_admin_lifts_a_refusal,
    who_is_erased_leaves_the_others_their_limits, an_owner_of_the_mailbox_keeps_their_mails,
}

const DAY: u64 = 86_400;

async fn lose_link(store: &Store, who: &str, seconds: u64) {
    sign_ups::request_link(store, &address(who), "network", &addressing(), at(seconds))
        .await
        .unwrap();
    sign_ups::process(store, &addressing(), at(seconds))
        .await
        .unwrap();
}

/// Presses "never write again" in the mail `notice`.
async fn refuse(store: &Store, notice: i64, seconds: u64) {
    let token = signer().short_lived_token(Purpose::Refuse, notice, at(30 * DAY));
    let refused = confirm::refuse(store, &signer(), &token, at(seconds)).await;
    assert!(matches!(refused.unwrap(), Opened::Good(_)));
}

async fn spellings_of_a_mailbox_share_its_limits(db: Database) {
    let store = db.open().await;
    for (seconds, who, mails) in [
        (0, "ann+1@readers.net", 1),
        (60, "ann+2@readers.net", 1),
        (599, "ann@readers.net", 1),
        (600, "Ann+3@Readers.net", 2),
        // Other mailboxes.
        (600, "an.n@readers.net", 3),
        (600, "ann+1@sub.readers.net", 4),
        (600, "ann-1@readers.net", 5),
        (1200, "ann@readers.net", 6),
        (1800, "ann+4@readers.net", 6),
        (DAY - 1, "ann+1@readers.net", 6),
        (DAY, "ann+5+6@readers.net", 7),
    ] {
        sign_up(&store, who, at(seconds)).await;
        assert_eq!(notices(&db, "confirm").await, mails, "{who} {seconds}");
    }
    // Each spelling is a reader of its own, if its mail was written.
    for (who, is_there) in [
        ("+1", true),
        ("+2", false),
        ("+3", true),
        ("", true),
        ("+5+6", true),
    ] {
        let found = store.subscriber(&format!("ann{who}@readers.net")).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{who}");
    }
}

async fn mails_of_every_kind_count(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "ann@readers.net,,weekly,,confirmed",
            "ann+news@readers.net,,weekly,,confirmed",
            "bob@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let bob = reader(&store, "bob@readers.net").await.id;
    let mails = || async {
        [
            notices(&db, "preferences_link").await,
            notices(&db, "new_address").await,
            notices(&db, "confirm").await,
        ]
    };
    lose_link(&store, "ann+news@readers.net", 0).await;
    assert_eq!(mails().await, [1, 0, 0]);
    for who in ["ann+x@readers.net", "ann@readers.net", "ann+news@readers.net"] {
        sign_up(&store, who, at(300)).await;
        lose_link(&store, who, 300).await;
        ask_for(&store, bob, who, at(300)).await;
    }
    assert_eq!(mails().await, [1, 0, 0]);
    ask_for(&store, bob, "ann+y@readers.net", at(600)).await;
    lose_link(&store, "ann@readers.net", 900).await;
    assert_eq!(mails().await, [1, 1, 0]);
    lose_link(&store, "ann@readers.net", 1200).await;
    assert_eq!(mails().await, [2, 1, 0]);
    sign_up(&store, "ann+z@readers.net", at(1800)).await;
    ask_for(&store, bob, "ann+z@readers.net", at(1800)).await;
    assert_eq!(mails().await, [2, 1, 0]);
    // What the reader asks for with their own link is theirs alone.
    let id = reader(&store, "ann+news@readers.net").await.id;
    let number = store.digest_number("weekly").await.unwrap();
    let token = signer().preferences_token(id, number, 0);
    account::request_link(&store, &signer(), &token, at(1800))
        .await
        .unwrap();
    assert_eq!(notices(&db, "account_link").await, 1);
}

async fn a_flood_of_spellings_costs_one_mail(db: Database) {
    let store = db.open().await;
    for n in 0..60 {
        let request = wish(&format!("ann+{n}@readers.net"));
        sign_ups::request(&store, &request, &addressing(), NOW)
            .await
            .unwrap();
    }
    let run = || {
        let store = store.clone();
        tokio::spawn(async move { sign_ups::process(&store, &addressing(), NOW).await.unwrap() })
    };
    let (first, second, third) = (run(), run(), run());
    let done = first.await.unwrap() + second.await.unwrap() + third.await.unwrap();
    assert_eq!(done, 60);
    for table in ["notice", "subscriber", "sign_up"] {
        assert_eq!(
            db.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            1,
            "{table}"
        );
    }
    assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
}

async fn a_dead_spelling_takes_no_other_along(db: Database) {
    let store = db.open().await;
    let dead = addressing().known(&address("ann+dead@readers.net")).hash;
    suppress(&store, &dead, Suppression::Bounced).await;
    for who in ["ann+dead", "ann+dead", "ann+well", "ann+dead"] {
        let request = wish(&format!("{who}@readers.net"));
        sign_ups::request(&store, &request, &addressing(), NOW)
            .await
            .unwrap();
    }
    assert_eq!(sign_ups::process(&store, &addressing(), NOW).await.unwrap(), 4);
    assert_eq!(reader(&store, "ann+well@readers.net").await.state, State::Pending);
    assert_eq!(notices(&db, "confirm").await, 1);
}

async fn a_refusal_covers_the_mailbox(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "ann+news@readers.net,,weekly,,confirmed",
            "ann+old@readers.net,,weekly,,unsubscribed",
            "ann+list@readers.net,,weekly,,pending",
            "bob@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let bob = reader(&store, "bob@readers.net").await.id;
    sign_up(&store, "ann+1@readers.net", NOW).await;
    let first = db.number("SELECT MAX(id) FROM notice").await;
    sign_up(&store, "ann@readers.net", at(600)).await;
    sign_up(&store, "ann+old@readers.net", at(1200)).await;
    let of_old = confirm_link(&db).await;
    ask_for(&store, bob, "ann+new@readers.net", at(DAY)).await;
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    sign_up(&store, "an.n@readers.net", NOW).await;
    let before = reader(&store, "ann+news@readers.net").await;
    let leased = store.lease_notices("worker", at(DAY), at(2 * DAY), 20).await;
    assert_eq!(leased.unwrap().len(), 5);

    for seconds in [1, 2] {
        refuse(&store, first, DAY + seconds).await;
    }
    for (who, state) in [
        ("ann+1", None),
        ("ann", None),
        ("ann+old", Some(State::Unsubscribed)),
        ("an.n", Some(State::Pending)),
        // Nobody typed this one into a form; a list has the say over it.
        ("ann+list", Some(State::Pending)),
    ] {
        let found = store.subscriber(&format!("{who}@readers.net")).await.unwrap();
        assert_eq!(found.map(|reader| reader.state), state, "{who}");
    }
    assert_eq!(reader(&store, "ann+news@readers.net").await, before);
    // Of what waits nothing goes there, but to others.
    let mut going = Vec::new();
    for id in leased_ids(&db).await {
        let due = store.due_notice(id, "worker").await.unwrap();
        going.extend(due.map(|due| (due.address.unwrap().full(), due.left)));
    }
    let gone = |who: &str, left| (format!("{who}@readers.net"), left);
    assert_eq!(
        going,
        [
            gone("ann+old", Some("refused")),
            gone("ann+new", Some("refused")),
            gone("an.n", None)
        ]
    );
    // Nor do the links that went there before begin anything.
    let confirmed = confirm::confirm(&store, &signer(), &of_old, at(DAY + 3)).await;
    assert_eq!(confirmed.unwrap(), Opened::Gone);
    let moved = link(Purpose::NewAddress, change);
    let moved = account::confirm_address(&store, &signer(), &moved, &addressing(), at(DAY)).await;
    assert_eq!(moved.unwrap(), Opened::Good(AddressChange::Impossible));

    db.execute("DELETE FROM notice").await;
    for who in ["ann+7", "ann", "ann+1", "ann+old", "ann+news", "ann+list"] {
        let who = format!("{who}@readers.net");
        sign_up(&store, &who, at(4 * DAY)).await;
        lose_link(&store, &who, 4 * DAY).await;
    }
    ask_for(&store, bob, "ann+8@readers.net", at(1)).await;
    assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 0);
    let report = readers(
        &store,
        &[
            "ann+9@readers.net,,weekly,,confirmed",
            "ann+list@readers.net,,weekly,,confirmed",
            "ann+news@readers.net,Ann,weekly,,confirmed",
            "an.n+9@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    assert_eq!(
        (report.added, report.updated, report.kept),
        (1, 1, 1),
        "{report:?}"
    );
    assert_eq!(report.refused.get("refused"), Some(&1));
    assert_eq!(reader(&store, "ann+list@readers.net").await.state, State::Pending);
    let named = reader(&store, "ann+news@readers.net").await;
    assert_eq!(
        (named.state, named.name.as_deref()),
        (State::Confirmed, Some("Ann"))
    );
}

async fn leased_ids(db: &Database) -> Vec<i64> {
    let last = db.number("SELECT MAX(id) FROM notice").await;
    (1..=last).collect()
}

async fn an_admin_lifts_a_refusal(db: Database) {
    let store = db.open().await;
    readers(&store, &["ann+news@readers.net,,weekly,,confirmed"]).await;
    sign_up(&store, "ann+1@readers.net", NOW).await;
    refuse(&store, db.number("SELECT MAX(id) FROM notice").await, 1).await;
    db.execute("DELETE FROM notice").await;
    let allow = async |who: &str| {
        admin::allow(&store, &address(who), &settings(), at(2))
            .await
            .unwrap()
    };
    // By any address of the mailbox, and nobody is made to leave by it.
    assert!(allow("ann+news@readers.net").await);
    assert!(!allow("ann+news@readers.net").await);
    assert_eq!(
        reader(&store, "ann+news@readers.net").await.state,
        State::Confirmed
    );
    let of_news = addressing().known(&address("ann+news@readers.net")).hash;
    assert_eq!(store.suppression(&of_news).await.unwrap(), None);
    // The very address of that mail is kept as well.
    for (who, mails) in [("ann+1", 0), ("ann+2", 1)] {
        sign_up(&store, &format!("{who}@readers.net"), at(3)).await;
        assert_eq!(notices(&db, "confirm").await, mails, "{who}");
    }
    assert!(allow("ann+1@readers.net").await);
    sign_up(&store, "ann+1@readers.net", at(DAY)).await;
    assert_eq!(notices(&db, "confirm").await, 2);
}

async fn who_is_erased_leaves_the_others_their_limits(db: Database) {
    let store = db.open().await;
    sign_up(&store, "ann+1@readers.net", NOW).await;
    sign_up(&store, "ann+2@readers.net", at(600)).await;
    let notice = db.number("SELECT MIN(id) FROM notice").await;
    let traces = erase::traces(&store, &address("ann+1@readers.net"), &addressing())
        .await
        .unwrap();
    assert!(erase::erase(&store, &traces, at(601)).await.unwrap());
    for (table, left) in [
        ("address_turn", 0),
        ("notice", 1),
        ("subscriber", 1),
        ("sign_up", 1),
    ] {
        assert_eq!(
            db.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            left,
            "{table}"
        );
    }
    assert_eq!(reader(&store, "ann+2@readers.net").await.state, State::Pending);
    let token = link(Purpose::Refuse, notice);
    let gone = confirm::refuse(&store, &signer(), &token, at(602)).await;
    assert_eq!(gone.unwrap(), Opened::Gone);
    let last = db.number("SELECT MAX(id) FROM notice").await;
    refuse(&store, last, 602).await;
    let traces = erase::traces(&store, &address("ann+2@readers.net"), &addressing())
        .await
        .unwrap();
    erase::erase(&store, &traces, at(603)).await.unwrap();
    // The word of its owner stays, and is told to whoever asks for one of its addresses.
    let data = erase::data_by_address(&store, &address("ann+3@readers.net"), &addressing()).await;
    let mailbox = addressing().known(&address("ann@readers.net")).hash;
    assert_eq!(data.unwrap()["refused_mailbox"]["mailbox_hash"], mailbox);
    sign_up(&store, "ann+3@readers.net", at(DAY)).await;
    assert_eq!(notices(&db, "confirm").await, 0);
}

/// The mailbox is theirs, whatever another reader typed behind a +.
async fn an_owner_of_the_mailbox_keeps_their_mails(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "asks@readers.net,,weekly,,confirmed",
            "owner@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let id = reader(&store, "asks@readers.net").await.id;
    ask_for(&store, id, "owner+x@readers.net", NOW).await;
    let newest = "SELECT COALESCE(MAX(id), 0) FROM notice WHERE kind = 'new_address'";
    let mail = db.number(newest).await;
    let token = signer().short_lived_token(Purpose::Refuse, mail, at(30 * DAY));
    let seen = confirm::peek_refusal(&store, &signer(), &token, at(1))
        .await
        .unwrap();
    let refused = confirm::refuse(&store, &signer(), &token, at(1)).await.unwrap();
    assert_eq!(seen, refused);
    assert!(refused.good().is_some_and(|refusal| refusal.keeps));
    assert_eq!(db.number("SELECT COUNT(*) FROM refused_mailbox").await, 0);
    ask_for(&store, id, "owner+y@readers.net", at(2 * DAY)).await;
    assert_eq!(db.number(newest).await, mail, "that reader asks no more");
}
