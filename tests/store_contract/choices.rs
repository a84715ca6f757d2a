//! What readers choose by the link of their mails, pauses, and what lists may not undo.

use crate::database::Database;
use crate::links::{confirm_link, events, preferences_link, sign_up, signer};
use crate::plan::{DAY, begin};
use crate::seed::{NOW, at, reader, readers, slug, summaries};
use postrider::domain::subscriber::{Choice, State};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::preferences::{self, NewChoices};
use postrider::subscriptions::{confirm, upkeep};

crate::on_both! {
    a_change_is_kept_and_recorded, a_pause_ends_by_itself_or_by_the_reader, nobody_comes_back_by_a_mails_link,
    no_list_undoes_what_a_reader_chose, text_only_readers_are_told_apart,
}

fn new(digests: &[&str], categories: &str, name: Option<&str>, text_only: bool) -> NewChoices {
    NewChoices {
        digests: digests.iter().copied().map(slug).collect(),
        categories: Choice::parse(categories).unwrap(),
        name: name.map(str::to_owned),
        text_only,
    }
}

async fn a_change_is_kept_and_recorded(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,urology,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    let token = preferences_link(&store, id).await;
    let Opened::Good(seen) = preferences::peek(&store, &signer(), &token).await.unwrap() else {
        panic!("nobody there");
    };
    assert_eq!(
        (seen.digest.as_deref(), seen.digests.join(";").as_str()),
        (Some("weekly"), "weekly")
    );
    let counts = |db: Database| async move {
        let mut counts = Vec::new();
        for what in ["digests", "categories", "name", "text_only", "unsubscribed"] {
            counts.push(events(&db, what).await);
        }
        counts
    };
    for (wanted, expected) in [
        (new(&["weekly"], "urology", Some("Ann"), false), [0, 0, 0, 0, 0]),
        (
            new(&["weekly", "monthly"], "urology", Some("Ann"), false),
            [1, 0, 0, 0, 0],
        ),
        (new(&["monthly"], "oncology", None, true), [2, 1, 1, 1, 0]),
        (new(&["monthly"], "oncology", None, true), [2, 1, 1, 1, 0]),
        (new(&[], "oncology", None, true), [2, 1, 1, 1, 1]),
    ] {
        let Opened::Good(now) = preferences::change(&store, &signer(), &token, &wanted, "I agree.", at(1))
            .await
            .unwrap()
        else {
            panic!("nobody there");
        };
        let digests: Vec<&str> = wanted.digests.iter().map(|digest| digest.as_str()).collect();
        let mut is: Vec<&str> = now.digests.iter().map(String::as_str).collect();
        is.sort_by_key(|digest| digests.iter().position(|wanted| wanted == digest));
        assert_eq!(is, digests);
        assert_eq!(
            (&now.categories, &now.name, now.text_only),
            (&wanted.categories, &wanted.name, wanted.text_only)
        );
        assert_eq!(counts(db.clone()).await, expected, "{wanted:?}");
    }
    let agreed = "SELECT COUNT(*) FROM reader_event WHERE what = 'categories' AND wording = 'I agree.'
        AND detail = 'oncology' AND way = 'link'";
    assert_eq!(db.number(agreed).await, 1);
    let said = "SELECT COUNT(*) FROM reader_event WHERE detail IN ('+monthly', '-weekly')";
    assert_eq!(db.number(said).await, 2);
}

async fn a_pause_ends_by_itself_or_by_the_reader(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let id = reader(&store, "a@readers.net").await.id;
    let token = preferences_link(&store, id).await;
    let link = || (&store, signer());
    for wrong in [NOW, at(0), at(400 * DAY)] {
        let (store, signer) = link();
        assert!(
            preferences::pause(store, &signer, &token, wrong, NOW)
                .await
                .is_err()
        );
    }
    let paused = preferences::pause(&store, &signer(), &token, at(7 * DAY), NOW)
        .await
        .unwrap()
        .good()
        .unwrap();
    assert_eq!(
        (paused.state, paused.paused_until),
        (State::Paused, Some(at(7 * DAY)))
    );
    let again = preferences::pause(&store, &signer(), &token, at(7 * DAY), at(1))
        .await
        .unwrap();
    assert_eq!(again.good().unwrap().paused_until, Some(at(7 * DAY)));
    assert_eq!(events(&db, "paused").await, 1);
    let ids = summaries(&store, &["One"]).await;
    let mut planning = begin(&store, "weekly", &ids, false).await;
    assert_eq!(planning.groups().await.unwrap()[0].count, 1);
    planning.abandon().await.unwrap();
    assert_eq!(upkeep::wake(&store, at(7 * DAY - 1)).await.unwrap(), 0);
    let both = tokio::join!(
        upkeep::wake(&store, at(7 * DAY)),
        upkeep::wake(&store, at(7 * DAY))
    );
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 1);
    let awake = reader(&store, "a@readers.net").await;
    assert_eq!((awake.state, awake.paused_until), (State::Confirmed, None));
    let by_time = "SELECT COUNT(*) FROM reader_event WHERE what = 'resumed' AND way = 'time'";
    assert_eq!(db.number(by_time).await, 1);
    preferences::pause(&store, &signer(), &token, at(20 * DAY), at(8 * DAY))
        .await
        .unwrap();
    for _ in 0..2 {
        let resumed = preferences::resume(&store, &signer(), &token, at(9 * DAY))
            .await
            .unwrap();
        assert_eq!(resumed.good().unwrap().state, State::Confirmed);
    }
    assert_eq!(events(&db, "resumed").await, 2);
    assert_eq!(upkeep::wake(&store, at(30 * DAY)).await.unwrap(), 0);
}

async fn nobody_comes_back_by_a_mails_link(db: Database) {
    let store = db.open().await;
    for state in ["pending", "unsubscribed", "bounced", "complained"] {
        let who = format!("{state}@readers.net");
        readers(&store, &[&format!("{who},,weekly,,{state}")]).await;
        let before = reader(&store, &who).await;
        let token = preferences_link(&store, before.id).await;
        let wanted = new(&["weekly", "monthly"], "oncology", None, true);
        preferences::change(&store, &signer(), &token, &wanted, "I agree.", at(1))
            .await
            .unwrap();
        preferences::pause(&store, &signer(), &token, at(DAY), at(1))
            .await
            .unwrap();
        preferences::resume(&store, &signer(), &token, at(1))
            .await
            .unwrap();
        assert_eq!(reader(&store, &who).await, before, "{state}");
    }
    let gone = preferences_link(&store, 999).await;
    assert_eq!(
        preferences::leave(&store, &signer(), &gone, NOW).await.unwrap(),
        Opened::Gone
    );
    assert!(preferences::peek(&store, &signer(), "nonsense").await.is_err());
}

async fn no_list_undoes_what_a_reader_chose(db: Database) {
    let store = db.open().await;
    readers(&store, &["b@readers.net,Bob,weekly,urology,confirmed"]).await;
    sign_up(&store, "a@readers.net", NOW).await;
    confirm::confirm(&store, &signer(), &confirm_link(&db).await, NOW)
        .await
        .unwrap();
    let bob = reader(&store, "b@readers.net").await.id;
    let token = preferences_link(&store, bob).await;
    preferences::change(
        &store,
        &signer(),
        &token,
        &new(&["monthly"], "surgery", Some("Robert"), false),
        "I agree.",
        at(1),
    )
    .await
    .unwrap();
    let before = [
        reader(&store, "a@readers.net").await,
        reader(&store, "b@readers.net").await,
    ];
    for lists in [
        [
            "a@readers.net,Anna,weekly,urology,confirmed",
            "b@readers.net,Bob,weekly,urology,confirmed",
        ],
        [
            "a@readers.net,,weekly;monthly,,confirmed",
            "b@readers.net,,weekly,,pending",
        ],
    ] {
        readers(&store, &lists).await;
        assert_eq!(reader(&store, "a@readers.net").await, before[0]);
        assert_eq!(reader(&store, "b@readers.net").await, before[1]);
    }
    // That somebody has left is still taken from a list.
    readers(&store, &["b@readers.net,,weekly,,unsubscribed"]).await;
    let left = reader(&store, "b@readers.net").await;
    assert_eq!((left.state, left.digests.len()), (State::Unsubscribed, 0));
    let by_list = "SELECT COUNT(*) FROM reader_event WHERE way = 'import'";
    assert_eq!(db.number(by_list).await, 2);
}

async fn text_only_readers_are_told_apart(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let id = reader(&store, "a@readers.net").await.id;
    let token = preferences_link(&store, id).await;
    preferences::change(
        &store,
        &signer(),
        &token,
        &new(&["weekly"], "", None, true),
        "",
        at(1),
    )
    .await
    .unwrap();
    let ids = summaries(&store, &["One"]).await;
    crate::plan::finish(begin(&store, "weekly", &ids, false).await, &ids).await;
    let batch = store.lease_batch("one", at(1), at(60)).await.unwrap().unwrap();
    let due = store.due_deliveries(&batch, at(1)).await.unwrap();
    let text_only: Vec<_> = due
        .iter()
        .map(|due| (due.subscriber == id, due.text_only))
        .collect();
    assert_eq!(text_only, [(true, true), (false, false)]);
}
