//! Editions: drafts that are changed, what a digest carried, and the accounts.

use crate::database::Database;
use crate::plan::{draft, edition, items};
use crate::seed::{NOW, at, many_readers, slug, summaries};
use postrider::domain::Timestamp;
use postrider::domain::edition::{ItemKind, State};
use postrider::domain::problem::Kind;
use postrider::domain::summary::{Fault, Status};
use postrider::store::Store;
use postrider::store::editions::{Item, NewEdition};

crate::on_both! {
    what_is_carried_or_skipped_is_not_new, a_draft_is_changed, only_a_draft_is_changed, an_edition_is_named_by_number,
    accounts_come_newest_first, a_mark_is_announced_once, a_dropped_correction_is_not_skipped,
}

async fn new_to(store: &Store, digest: &str) -> Vec<String> {
    let summaries = store.summaries_new_to(digest).await.unwrap();
    summaries
        .into_iter()
        .map(|stored| stored.summary.slug.to_string())
        .collect()
}

/// A draft of the weekly digest.
async fn draft_with(store: &Store, items: &[Item], skipped: &[i64], now: Timestamp) -> i64 {
    let new = NewEdition {
        digest: "weekly",
        items,
        skipped,
        regular: true,
        now,
    };
    let plan = store.plan_new(&new, false, None).await.unwrap();
    plan.keep_draft().await.unwrap()
}

async fn what_is_carried_or_skipped_is_not_new(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One", "Two", "Three", "Four"]).await;
    store
        .mark_summary(&slug("four"), Status::Retracted, Fault::Paper, "Wrong.", at(1))
        .await
        .unwrap();
    assert_eq!(new_to(&store, "weekly").await, ["one", "two", "three"]);
    assert!(!store.has_editions("weekly").await.unwrap());
    let id = draft_with(&store, &items(&ids[..1]), &ids[1..2], NOW).await;
    assert_eq!(new_to(&store, "weekly").await, ["three"]);
    assert_eq!(new_to(&store, "monthly").await, ["one", "two", "three"]);
    assert!(store.has_editions("weekly").await.unwrap());
    assert!(!store.has_editions("monthly").await.unwrap());
    let edition = store.edition(id).await.unwrap();
    assert_eq!(
        (edition.digest.as_str(), edition.created, edition.planned),
        ("weekly", NOW, None)
    );
}

async fn a_draft_is_changed(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One", "Two"]).await;
    let id = draft(&store, "weekly", &ids).await;
    store.set_note(id, "Dear \"readers\" 😀").await.unwrap();
    store.drop_item(id, &slug("one")).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.note.as_deref()),
        (State::Draft, Some("Dear \"readers\" 😀"))
    );
    assert_eq!(report.summaries, [slug("two")]);
    // What was dropped does not come back with the next edition.
    assert_eq!(new_to(&store, "weekly").await, [] as [&str; 0]);
    let left = store.edition_summaries(id).await.unwrap();
    assert_eq!(
        left.iter().map(|(kind, s)| (*kind, s.id)).collect::<Vec<_>>(),
        [(ItemKind::New, ids[1])]
    );
    let problem = store.drop_item(id, &slug("one")).await.unwrap_err();
    assert_eq!(problem.message(), format!("edition {id} does not hold \"one\""));
    assert_eq!(problem.kind(), Kind::NotFound);
    store.set_note(id, "").await.unwrap();
    assert_eq!(store.edition(id).await.unwrap().note, None);
}

async fn only_a_draft_is_changed(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One"]).await;
    let id = edition(&store, "weekly", &ids).await;
    let said = format!("edition {id} is planned, not a draft");
    assert_eq!(store.set_note(id, "x").await.unwrap_err().message(), said);
    assert_eq!(
        store.drop_item(id, &slug("one")).await.unwrap_err().message(),
        said
    );
    assert_eq!(store.edition(id).await.unwrap().note, None);
}

async fn an_edition_is_named_by_number(db: Database) {
    let store = db.open().await;
    for problem in [
        store.edition(7).await.unwrap_err(),
        store.edition_report(7).await.unwrap_err(),
        store.set_note(7, "x").await.unwrap_err(),
        store.plan_draft(7, false, None).await.unwrap_err(),
    ] {
        assert_eq!(
            (problem.message(), problem.kind()),
            ("there is no edition 7", Kind::NotFound)
        );
    }
}

async fn accounts_come_newest_first(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One", "Two", "Three"]).await;
    let first = edition(&store, "weekly", &ids[..1]).await;
    let second = draft(&store, "weekly", &ids[1..2]).await;
    let third = edition(&store, "monthly", &ids[2..]).await;
    let numbers = async |limit| -> Vec<i64> {
        store
            .edition_reports(limit)
            .await
            .unwrap()
            .iter()
            .map(|report| report.id)
            .collect()
    };
    assert_eq!(numbers(10).await, [third, second, first]);
    assert_eq!(numbers(2).await, [third, second]);
    let found = async |digest, states: &[State]| -> Vec<i64> {
        store
            .editions_in(digest, states)
            .await
            .unwrap()
            .iter()
            .map(|edition| edition.id)
            .collect()
    };
    assert_eq!(found(Some("weekly"), &State::ALL).await, [first, second]);
    assert_eq!(
        found(None, &[State::Draft, State::Finished]).await,
        [second, third]
    );
}

async fn a_mark_is_announced_once(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One", "Two"]).await;
    let announced = async |digest| -> Vec<i64> {
        store
            .summaries_to_announce(digest)
            .await
            .unwrap()
            .iter()
            .map(|stored| stored.id)
            .collect()
    };
    draft(&store, "weekly", &ids).await;
    assert_eq!(announced("weekly").await, [] as [i64; 0]);
    let mark = async |name, seconds| {
        store
            .mark_summary(
                &slug(name),
                Status::Corrected,
                Fault::Summary,
                "A number.",
                at(seconds),
            )
            .await
            .unwrap();
    };
    mark("two", 5).await;
    mark("one", 9).await;
    assert_eq!(announced("weekly").await, [ids[1], ids[0]]);
    // A digest that never carried it has nobody to tell.
    assert_eq!(announced("monthly").await, [] as [i64; 0]);
    let correction = [Item {
        summary: ids[1],
        kind: ItemKind::Correction,
    }];
    draft_with(&store, &correction, &[], at(10)).await;
    assert_eq!(announced("weekly").await, [ids[0]]);
    mark("two", 20).await;
    assert_eq!(announced("weekly").await, [ids[0], ids[1]]);
}

async fn a_dropped_correction_is_not_skipped(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One"]).await;
    draft(&store, "weekly", &ids).await;
    store
        .mark_summary(&slug("one"), Status::Corrected, Fault::Paper, "A number.", at(5))
        .await
        .unwrap();
    let correction = [Item {
        summary: ids[0],
        kind: ItemKind::Correction,
    }];
    let id = draft_with(&store, &correction, &[], at(10)).await;
    store.drop_item(id, &slug("one")).await.unwrap();
    assert!(store.summaries_to_announce("weekly").await.unwrap().is_empty());
    // A later retraction still reaches those who have it.
    store
        .mark_summary(
            &slug("one"),
            Status::Retracted,
            Fault::Paper,
            "All of it.",
            at(20),
        )
        .await
        .unwrap();
    assert_eq!(store.summaries_to_announce("weekly").await.unwrap().len(), 1);
}
