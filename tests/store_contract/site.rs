//! What the pages of the site rest on: lists, removals, votes, and the archive.

use crate::database::Database;
use crate::seed::{NOW, arrival, at, slug, summary};
use postrider::domain::helpful::{Answer, Votes};
use postrider::domain::problem::Kind;
use postrider::store::Store;
use postrider::subscriptions::upkeep;
use sqlx::{AnyConnection, Connection, Executor};
use std::time::Duration;

crate::on_both! {
    lists_come_page_by_page, what_was_removed_is_nowhere_and_comes_back, a_visitor_counts_once_a_day,
    what_has_ended_is_deleted_and_looking_waits_for_nobody,
}

/// How long counts of networks are kept.
const KEPT: Duration = Duration::from_secs(86_400);

async fn store_some(store: &Store, count: u64) {
    for n in 1..=count {
        let mut one = summary(&format!("Number {n}"), Some(&format!("10.1000/{n}")), "");
        one.categories = vec![slug(if n % 2 == 0 { "urology" } else { "oncology" })];
        let hash = format!("h{n}");
        let entry_id = format!("id-{n}");
        let arrival = postrider::store::arrivals::Arrival {
            key: &hash,
            entry_id: &entry_id,
            ..arrival(&one, &hash)
        };
        store.insert_summary(&arrival, at(n)).await.unwrap();
    }
}

fn titles(summaries: &[postrider::domain::summary::StoredSummary]) -> Vec<&str> {
    summaries
        .iter()
        .map(|stored| stored.summary.title.as_str())
        .collect()
}

async fn lists_come_page_by_page(db: Database) {
    let store = db.open().await;
    store_some(&store, 5).await;
    let (page, total) = store.page_of_summaries(None, 2, 2).await.unwrap();
    assert_eq!((titles(&page), total), (vec!["Number 3", "Number 2"], 5));
    assert_eq!(page[0].summary.categories, [slug("oncology")]);
    let (page, total) = store
        .page_of_summaries(Some(&slug("urology")), 0, 20)
        .await
        .unwrap();
    assert_eq!((titles(&page), total), (vec!["Number 4", "Number 2"], 2));
    let counts = store.summaries_by_category().await.unwrap();
    assert_eq!((counts["oncology"], counts["urology"]), (3, 2));
    let slugs = store.summary_slugs(2).await.unwrap();
    assert_eq!(
        slugs,
        [("number-5".to_owned(), at(5)), ("number-4".to_owned(), at(4))]
    );
    assert!(store.archived_editions(0, 10).await.unwrap().is_empty());
}

async fn what_was_removed_is_nowhere_and_comes_back(db: Database) {
    let store = db.open().await;
    store_some(&store, 2).await;
    let gone = slug("number-2");
    let version = store.content_version().await.unwrap();
    store.remove_summary(&gone, "Not ours.", at(9)).await.unwrap();
    assert!(store.content_version().await.unwrap() > version);
    let stored = store.summary(&gone).await.unwrap();
    let removal = stored.removed.unwrap();
    assert_eq!((removal.at, removal.note.as_str()), (at(9), "Not ours."));
    let left = ["Number 1"];
    assert_eq!(titles(&store.latest_summaries(10).await.unwrap()), left);
    assert!(
        store
            .latest_summaries_in(&slug("urology"), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(titles(&store.summaries_new_to("weekly").await.unwrap()), left);
    assert_eq!(
        titles(&store.page_of_summaries(None, 0, 9).await.unwrap().0),
        left
    );
    assert_eq!(store.summaries_by_category().await.unwrap().get("urology"), None);
    assert_eq!(store.summary_slugs(9).await.unwrap().len(), 1);
    assert_eq!(store.every_summary(9).await.unwrap().len(), 2);
    let again = summary("Number 2", Some("10.1000/2"), "");
    assert!(
        store
            .known_summary(&arrival(&again, "x"))
            .await
            .unwrap()
            .unwrap()
            .removed
    );
    store.restore_summary(&gone).await.unwrap();
    assert_eq!(store.latest_summaries(10).await.unwrap().len(), 2);
    assert_eq!(store.summary(&gone).await.unwrap().removed, None);
    let problem = store.remove_summary(&slug("none"), "x", NOW).await.unwrap_err();
    assert_eq!(problem.kind(), Kind::NotFound);
}

async fn a_visitor_counts_once_a_day(db: Database) {
    let store = db.open().await;
    store_some(&store, 2).await;
    let first = store.summary(&slug("number-1")).await.unwrap().id;
    let vote = |answer, visitor, now| {
        let network = if visitor < "m" { "near" } else { "far" };
        store.vote(first, answer, (visitor, network), at(now + 100), at(now))
    };
    assert!(vote(Answer::Yes, "a", 0).await.unwrap());
    assert!(
        !vote(Answer::No, "a", 99).await.unwrap(),
        "changed within the day"
    );
    assert!(vote(Answer::No, "b", 99).await.unwrap());
    assert!(vote(Answer::Yes, "a", 100).await.unwrap(), "a day later");
    let votes = store.votes().await.unwrap();
    assert_eq!(votes.get(&first), Some(&Votes { yes: 2, no: 1 }));
    assert_eq!(votes.len(), 1);
    upkeep::tidy(&store, at(1_000), KEPT).await.unwrap();
    assert!(vote(Answer::Yes, "a", 101).await.unwrap(), "is forgotten");
    // A network has five answers; another one has its own.
    let mut counted = Vec::new();
    for visitor in ["b", "c", "d", "e", "f", "n"] {
        counted.push(vote(Answer::No, visitor, 102).await.unwrap());
    }
    assert_eq!(counted, [true, true, true, true, false, true]);
    // Whoever does not count leaves nothing, and waits for nobody who writes.
    let seen = "SELECT COUNT(*) FROM vote_seen";
    assert_eq!(db.number(seen).await, 12);
    let writer = writer(&db, &store).await;
    for visitor in ["a", "g", "h", "b"] {
        assert!(!vote(Answer::Yes, visitor, 103).await.unwrap(), "{visitor}");
    }
    writer.close().await.unwrap();
    assert_eq!(db.number(seen).await, 12);
}

/// Somebody who writes, and keeps the lock of a SQLite file.
async fn writer(db: &Database, store: &Store) -> AnyConnection {
    let mut writer = db.connect().await;
    let begin = match store.is_of_one_machine() {
        true => "BEGIN IMMEDIATE",
        false => "BEGIN",
    };
    writer.execute(begin).await.unwrap();
    writer
}

async fn what_has_ended_is_deleted_and_looking_waits_for_nobody(db: Database) {
    let store = db.open().await;
    store_some(&store, 1).await;
    let first = store.summary(&slug("number-1")).await.unwrap().id;
    let vote = |visitor| store.vote(first, Answer::Yes, (visitor, visitor), at(10), at(0));
    assert!(vote("a").await.unwrap());
    let (over, open) = (at(10).0, at(11).0);
    db.execute(&format!(
        "INSERT INTO sign_in (address_hash, network, created, expires)
         VALUES ('a', 'n', 1, {over}), ('a', 'n', 1, {open})"
    ))
    .await;
    db.execute(&format!(
        "INSERT INTO admin_session (hash, address_hash, created, seen, expires)
         VALUES ('x', 'a', 1, 1, {over}), ('y', 'a', 1, 1, {open})"
    ))
    .await;
    let run_out = async |now| upkeep::tidy(&store, at(now), KEPT).await.unwrap().run_out;
    let other = writer(&db, &store).await;
    assert_eq!(run_out(9).await, 0);
    other.close().await.unwrap();
    // Two of the answer, a link and a session.
    assert_eq!(run_out(10).await, 4);
    let other = writer(&db, &store).await;
    assert_eq!(run_out(10).await, 0);
    other.close().await.unwrap();
    assert!(store.admin_session("x").await.unwrap().is_none());
    assert!(store.admin_session("y").await.unwrap().is_some());
    let open = [1, 2].map(|id| store.is_sign_in_open(id, at(0)));
    let [gone, there] = open;
    assert_eq!((gone.await.unwrap(), there.await.unwrap()), (false, true));
}
