//! The folder of lists, what an admin does to one reader, and leaving by a link; each on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/database.rs"]
mod database;
#[path = "support/seed.rs"]
mod seed;

use database::Database;
use postrider::domain::problem::Kind;
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{Choice, State, Suppression};
use postrider::domain::{Problem, Timestamp};
use postrider::store::Store;
use postrider::store::subscribers::Subscriber;
use postrider::subscriptions::admin::{NewReader, add};
use postrider::subscriptions::import::address_hash;
use postrider::subscriptions::list_folder::{import_changed_lists, import_file};
use postrider::subscriptions::token::{Key, Purpose, Signer};
use postrider::subscriptions::unsubscribe::{Left, peek, unsubscribe};
use seed::{NOW, address, at, list, reader, readers, settings, slug, suppress};
use std::path::Path;

on_both! {
    changed_lists_are_read_once, a_wrong_list_does_not_stop_the_others, a_folder_that_is_not_there_is_named,
    a_list_does_not_undo_what_a_reader_did, an_admin_adds, an_admin_adds_to_a_reader,
    an_admin_can_not_bring_back,
    one_click_ends_one_subscription, a_link_is_used_again_and_again, a_link_outlives_its_reader,
    a_forged_link_is_not_found, looking_changes_nothing,
}

async fn counts(store: &Store, folder: &Path) -> Vec<(String, Result<u64, String>)> {
    let outcomes = import_changed_lists(store, folder, &settings(), NOW)
        .await
        .unwrap();
    let told = outcomes.into_iter().map(|list| {
        let outcome = list
            .outcome
            .map(|report| report.added)
            .map_err(|problem| problem.to_string());
        (list.file, outcome)
    });
    told.collect()
}

async fn changed_lists_are_read_once(db: Database) {
    let store = db.open().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("b.csv", list(&["b@readers.net,,,,confirmed"]));
    write(
        "a.CSV",
        list(&["a@readers.net,,,,confirmed", "c@readers.net,,,,pending"]),
    );
    write("README.md", "not a list".to_owned());
    write("README.csv", "not a list".to_owned());
    write(".hidden.csv", "not a list".to_owned());
    std::fs::create_dir(folder.path().join("folder.csv")).unwrap();
    let first = counts(&store, folder.path()).await;
    assert_eq!(first, [("a.CSV".to_owned(), Ok(2)), ("b.csv".to_owned(), Ok(1))]);
    assert_eq!(counts(&store, folder.path()).await, []);
    write(
        "b.csv",
        list(&["b@readers.net,,,,confirmed", "d@readers.net,,,,confirmed"]),
    );
    assert_eq!(counts(&store, folder.path()).await, [("b.csv".to_owned(), Ok(1))]);
    assert_eq!(counts(&store, folder.path()).await, []);
}

async fn a_wrong_list_does_not_stop_the_others(db: Database) {
    let store = db.open().await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("a.csv");
    std::fs::write(
        &wrong,
        list(&["a@readers.net,,,,confirmed", "b@readers.net,,,,happy"]),
    )
    .unwrap();
    std::fs::write(folder.path().join("z.csv"), list(&["z@readers.net,,,,confirmed"])).unwrap();
    for expected in [2, 1] {
        let outcomes = counts(&store, folder.path()).await;
        // The wrong one is tried, and told of, until it is put right.
        assert_eq!(outcomes.len(), expected);
        let said = outcomes[0].1.as_ref().unwrap_err();
        let start = format!(
            "{}: nothing was imported: line 3: status \"happy\" is none of",
            wrong.display()
        );
        assert!(said.starts_with(&start), "{said}");
    }
    assert_eq!(store.subscriber("a@readers.net").await.unwrap(), None);
    assert_eq!(reader(&store, "z@readers.net").await.state, State::Confirmed);
}

async fn a_folder_that_is_not_there_is_named(db: Database) {
    let store = db.open().await;
    let gone = Path::new("no/such/folder");
    let said = import_changed_lists(&store, gone, &settings(), NOW)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("folder of lists no/such/folder: No such file"),
        "{said}"
    );
    let said = import_file(&store, gone, &settings(), NOW)
        .await
        .unwrap_err()
        .to_string();
    assert!(said.starts_with("list no/such/folder: No such file"), "{said}");
}

async fn a_list_does_not_undo_what_a_reader_did(db: Database) {
    let store = db.open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    let lines = [
        "a@readers.net,,weekly,,confirmed",
        "b@readers.net,,weekly;monthly,,confirmed",
    ];
    std::fs::write(&path, list(&lines)).unwrap();
    counts(&store, folder.path()).await;
    for who in ["a@readers.net", "b@readers.net"] {
        let id = reader(&store, who).await.id;
        store
            .end_subscription(id, "weekly", Way::Link, at(1))
            .await
            .unwrap();
    }
    std::fs::write(&path, list(&lines) + "\n").unwrap();
    assert_eq!(counts(&store, folder.path()).await.len(), 1);
    let (a, b) = (
        reader(&store, "a@readers.net").await,
        reader(&store, "b@readers.net").await,
    );
    assert_eq!(stands(&a), (State::Unsubscribed, "".into()));
    assert_eq!(stands(&b), (State::Confirmed, "monthly".into()));
}

fn new(text: &str, confirmed: bool) -> NewReader {
    NewReader {
        address: address(text),
        confirmed,
        name: None,
        digests: Vec::new(),
        categories: None,
        wording: "I agree.".to_owned(),
    }
}

/// A reader's state and digests.
fn stands(reader: &Subscriber) -> (State, String) {
    (reader.state, reader.digests.join(";"))
}

async fn an_admin_adds(db: Database) {
    let store = db.open().await;
    let pending = add(&store, &new("a@readers.net", false), &settings(), NOW)
        .await
        .unwrap();
    assert_eq!(
        (pending.state, &*pending.digests.join(";"), pending.consent_at),
        (State::Pending, "weekly", None)
    );
    let confirmed = add(&store, &new("A@readers.net", true), &settings(), at(5))
        .await
        .unwrap();
    assert_eq!((confirmed.id, confirmed.state), (pending.id, State::Confirmed));
    assert_eq!(confirmed.consent_at, Some(at(5)));
    assert_eq!(confirmed.consent_source.as_deref(), Some("admin"));
    // Adding once more as pending takes nothing away.
    let again = add(&store, &new("a@readers.net", false), &settings(), at(6))
        .await
        .unwrap();
    assert_eq!(again, confirmed);
    assert_eq!(
        db.number("SELECT COUNT(*) FROM subscriber WHERE cause = 'admin'")
            .await,
        1
    );
}

async fn an_admin_adds_to_a_reader(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,oncology,confirmed"]).await;
    let more = NewReader {
        digests: vec![slug("monthly")],
        ..new("a@readers.net", true)
    };
    let ann = add(&store, &more, &settings(), at(5)).await.unwrap();
    assert_eq!(ann.digests, ["monthly", "weekly"]);
    assert_eq!(ann.name.as_deref(), Some("Ann"));
    assert_eq!(ann.categories.to_string(), "oncology");
    assert_eq!(ann.consent_source.as_deref(), Some("form"));
    let chosen = NewReader {
        categories: Some(Choice::parse("urology").unwrap()),
        name: Some(" Anna\r\nBcc: x ".to_owned()),
        ..new("a@readers.net", true)
    };
    let ann = add(&store, &chosen, &settings(), at(6)).await.unwrap();
    assert_eq!(ann.categories.to_string(), "urology");
    assert_eq!(ann.name.as_deref(), Some("Anna Bcc: x"));
    assert_eq!(ann.digests, ["monthly", "weekly"]);
}

async fn an_admin_can_not_bring_back(db: Database) {
    let store = db.open().await;
    for status in ["unsubscribed", "bounced", "complained"] {
        let who = format!("{status}@readers.net");
        readers(&store, &[&format!("{who},,,,{status}")]).await;
        for confirmed in [false, true] {
            let problem = add(&store, &new(&who, confirmed), &settings(), NOW)
                .await
                .unwrap_err();
            let masked = address(&who);
            assert_eq!(
                problem.message(),
                format!("{masked} is not added: the address is {status}")
            );
            assert!(problem.hint_text().is_some());
        }
        assert_eq!(reader(&store, &who).await.digests.join(";"), "");
    }
    let hash = address_hash("gone@readers.net", &settings().salt);
    suppress(&store, &hash, Suppression::Erased).await;
    let problem = add(&store, &new("gone@readers.net", true), &settings(), NOW)
        .await
        .unwrap_err();
    assert_eq!(
        problem.message(),
        "g***@r***.net is not added: the address is erased"
    );
    assert_eq!(store.subscriber("gone@readers.net").await.unwrap(), None);

    readers(&store, &["b@readers.net,,weekly;monthly,,confirmed"]).await;
    let id = reader(&store, "b@readers.net").await.id;
    store
        .end_subscription(id, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    let back = NewReader {
        digests: vec![slug("weekly")],
        name: Some("Bob".to_owned()),
        ..new("b@readers.net", true)
    };
    let problem = add(&store, &back, &settings(), NOW).await.unwrap_err();
    assert_eq!(
        problem.message(),
        "b***@r***.net is not added: the reader has left \"weekly\""
    );
    let bob = reader(&store, "b@readers.net").await;
    assert_eq!((bob.digests.join(";"), bob.name), ("monthly".into(), None));
}

fn signer() -> Signer {
    let key = Key {
        id: 1,
        bytes: [7; 32],
        revoked: false,
    };
    Signer::new(&[key]).unwrap()
}

/// A reader of both digests, and the token of the link to leave `weekly`.
async fn link(store: &Store, who: &str) -> String {
    readers(store, &[&format!("{who},,weekly;monthly,,confirmed")]).await;
    let number = store.digest_number("weekly").await.unwrap();
    signer().reader_token(Purpose::Unsubscribe, reader(store, who).await.id, number)
}

fn left() -> Left {
    Left {
        digest: Some("weekly".to_owned()),
    }
}

/// Presses the button of a mail program.
async fn leave(store: &Store, token: &str, now: Timestamp) -> Result<Left, Problem> {
    unsubscribe(store, &signer(), token, Way::OneClick, now).await
}

async fn one_click_ends_one_subscription(db: Database) {
    let store = db.open().await;
    let token = link(&store, "a@readers.net").await;
    link(&store, "b@readers.net").await;
    assert_eq!(leave(&store, &token, NOW).await.unwrap(), left());
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(stands(&ann), (State::Confirmed, "monthly".into()));
    assert_eq!(
        reader(&store, "b@readers.net").await.digests,
        ["monthly", "weekly"]
    );
    let monthly = store.digest_number("monthly").await.unwrap();
    let token = signer().reader_token(Purpose::Unsubscribe, ann.id, monthly);
    leave(&store, &token, NOW).await.unwrap();
    assert_eq!(reader(&store, "a@readers.net").await.state, State::Unsubscribed);
    let kept = "SELECT COUNT(*) FROM suppression WHERE reason = 'unsubscribed'";
    assert_eq!(db.number(kept).await, 1);
}

async fn a_link_is_used_again_and_again(db: Database) {
    let store = db.open().await;
    let token = link(&store, "a@readers.net").await;
    for seconds in 1..4 {
        assert_eq!(leave(&store, &token, at(seconds)).await.unwrap(), left());
    }
    let first = at(1).0;
    let kept = format!(
        "SELECT COUNT(*) FROM subscription WHERE active = 0 AND ended_by = 'reader' AND changed = {first}"
    );
    assert_eq!(db.number(&kept).await, 1);
}

async fn a_link_outlives_its_reader(db: Database) {
    let store = db.open().await;
    let number = store.digest_number("weekly").await.unwrap();
    let token = signer().reader_token(Purpose::Unsubscribe, 999, number);
    assert_eq!(leave(&store, &token, NOW).await.unwrap(), left());
    let token = signer().reader_token(Purpose::Unsubscribe, 999, 77);
    let gone = Left { digest: None };
    assert_eq!(leave(&store, &token, NOW).await.unwrap(), gone);
    assert!(!peek(&store, &signer(), &token).await.unwrap().subscribed);
}

async fn a_forged_link_is_not_found(db: Database) {
    let store = db.open().await;
    let token = link(&store, "a@readers.net").await;
    let other = signer().reader_token(Purpose::Preferences, reader(&store, "a@readers.net").await.id, 1);
    for wrong in [&token[1..], "", "x", &other] {
        let problem = leave(&store, wrong, NOW).await.unwrap_err();
        assert_eq!(problem.kind(), Kind::NotFound);
        assert_eq!(problem.message(), "this link can't be used");
        let seen = peek(&store, &signer(), wrong).await.unwrap_err();
        assert_eq!(seen.kind(), Kind::NotFound);
    }
    assert_eq!(
        reader(&store, "a@readers.net").await.digests,
        ["monthly", "weekly"]
    );
}

async fn looking_changes_nothing(db: Database) {
    let store = db.open().await;
    let token = link(&store, "a@readers.net").await;
    let before = reader(&store, "a@readers.net").await;
    for _ in 0..2 {
        let seen = peek(&store, &signer(), &token).await.unwrap();
        assert_eq!((seen.digest.as_deref(), seen.subscribed), (Some("weekly"), true));
    }
    assert_eq!(reader(&store, "a@readers.net").await, before);
    leave(&store, &token, NOW).await.unwrap();
    assert!(!peek(&store, &signer(), &token).await.unwrap().subscribed);
}
