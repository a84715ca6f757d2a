//! Planning beside others who write: it goes on under its lease only, and begins anew when it must.

use crate::database::Database;
use crate::plan::{DAY, draft, items};
use crate::seed::{NOW, many_readers, slug, summaries};
use postrider::domain::digest::Unchosen;
use postrider::domain::{Clock, Digest, SystemClock};
use postrider::edition::Planner;
use postrider::store::editions::NewEdition;
use postrider::store::{Store, lease};
use sqlx::{AssertSqlSafe, Executor};
use std::sync::Arc;
use std::time::Duration;

crate::on_both! {
    a_planning_whose_lease_was_taken_over_leaves_nothing, an_approval_survives_a_change_of_its_draft,
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
