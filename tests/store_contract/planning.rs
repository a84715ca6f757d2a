//! Planning beside others who write: it goes on under its lease only, and begins anew when it must.

use crate::database::Database;
use crate::plan::{DAY, draft, items};
use crate::seed::{NOW, at, many_readers, slug, summaries};
use postrider::domain::digest::Unchosen;
use postrider::domain::edition::ItemKind;
use postrider::domain::summary::{Fault, Status};
use postrider::domain::{Clock, Digest, SystemClock};
use postrider::edition::{Planner, Seen};
use postrider::store::editions::NewEdition;
use postrider::store::{Store, lease};
use sqlx::{AssertSqlSafe, Executor};
use std::sync::Arc;
use std::time::Duration;

crate::on_both! {
    a_planning_whose_lease_was_taken_over_leaves_nothing, an_approval_survives_a_change_of_its_draft,
    an_approval_that_fails_takes_nothing_out,
}

fn weekly() -> Digest {
    Digest {
        name: slug("weekly"),
        title: "Weekly".to_owned(),
        schedule: String::new(),
        timezone: chrono_tz::UTC,
        grace: Duration::from_secs(60),
        min_items: 1,
        max_items: 10,
        first_edition_items: 10,
        approve: true,
        unchosen: Unchosen::All,
        templates: "digest".to_owned(),
    }
}

fn planner(store: &Store) -> Planner {
    Planner {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        max_age: Duration::from_secs(DAY),
        bar_reserved: false,
    }
}

async fn a_planning_whose_lease_was_taken_over_leaves_nothing(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One"]).await;
    let held = lease::take(&store, "edition weekly", SystemClock.now())
        .await
        .unwrap()
        .unwrap();
    db.execute("UPDATE lease SET owner = 'another'").await;
    let new = NewEdition {
        digest: "weekly",
        items: &items(&ids),
        skipped: &[],
        regular: true,
        now: NOW,
    };
    let problem = store.plan_new(&new, false, Some(&held)).await.unwrap_err();
    assert!(
        problem.message().contains("took \"edition weekly\" over"),
        "{problem}"
    );
    assert!(!store.has_editions("weekly").await.unwrap());
}

/// PostgreSQL gives a transaction up whose snapshot is outdated.
async fn an_approval_survives_a_change_of_its_draft(db: Database) {
    let store = db.open().await;
    many_readers(&store, 3).await;
    let ids = summaries(&store, &["One"]).await;
    let id = draft(&store, "weekly", &ids).await;
    let mut other = db.connect().await;
    let begin = if store.is_of_one_machine() {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    };
    let planner = planner(&store);
    other.execute(begin).await.unwrap();
    let note = format!("UPDATE edition SET note = 'late' WHERE id = {id}");
    other.execute(AssertSqlSafe(note)).await.unwrap();
    let approval = tokio::spawn(async move { planner.approve(&weekly(), id, None).await });
    if !store.is_of_one_machine() {
        db.somebody_waits().await;
    }
    other.execute("COMMIT").await.unwrap();
    assert_eq!(approval.await.unwrap().unwrap(), id);
    assert_eq!(store.edition(id).await.unwrap().note.as_deref(), Some("late"));
    assert_eq!(store.edition_report(id).await.unwrap().waiting, 3);
}

/// What was withdrawn while the draft waited leaves it with the approval, and stays in it without one.
async fn an_approval_that_fails_takes_nothing_out(db: Database) {
    let store = db.open().await;
    let ids = summaries(&store, &["One", "Two", "Three"]).await;
    let id = draft(&store, "weekly", &ids).await;
    let planner = planner(&store);
    store
        .remove_summary(&slug("two"), "Not ours.", at(1))
        .await
        .unwrap();
    let (note, paper) = ("Faked.", Fault::Paper);
    store
        .mark_summary(&slug("three"), Status::Retracted, paper, note, at(1))
        .await
        .unwrap();
    let seen = |ids: &[i64]| Seen {
        items: ids.iter().map(|&id| (id, ItemKind::New)).collect(),
        note: None,
    };
    let skipped = "SELECT COUNT(*) FROM digest_item WHERE outcome = 'skipped'";
    for (seen, said) in [
        (Some(seen(&ids)), "was changed meanwhile"),
        (Some(seen(&ids[..1])), "has no reader yet"),
        (None, "has no reader yet"),
    ] {
        let problem = planner.approve(&weekly(), id, seen.as_ref()).await.unwrap_err();
        assert!(problem.message().contains(said), "{problem}");
        assert_eq!(
            store.edition_report(id).await.unwrap().summaries.len(),
            3,
            "{said}"
        );
        assert_eq!(db.number(skipped).await, 0, "{said}");
    }
    // Restored in time, it goes out.
    many_readers(&store, 2).await;
    store.restore_summary(&slug("two")).await.unwrap();
    let seen = seen(&ids[..2]);
    planner.approve(&weekly(), id, Some(&seen)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.waiting, report.summaries),
        (2, ["one", "two"].map(slug).to_vec())
    );
    assert_eq!(db.number(skipped).await, 1);
}
