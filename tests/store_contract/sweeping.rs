//! When the database's files are swept: once for everybody, not too often, not in the way, and never forgotten.

use crate::database::Database;
use crate::erasure::{ADDRESS, found};
use crate::links::addressing;
use crate::seed::{NOW, address, at, readers};
use postrider::domain::Timestamp;
use postrider::store::Store;
use postrider::subscriptions::erase;
use postrider::subscriptions::sweep::{RULES, at_once, when_due};
use sqlx::{Connection, Executor};
use std::path::PathBuf;

crate::on_both! {
    one_sweep_serves_all_who_were_erased, it_waits_for_what_is_being_delivered_but_not_for_ever,
    of_several_processes_one_sweeps, who_is_erased_meanwhile_is_swept_the_next_time,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// Erases who has `address`, after they came.
async fn come_and_go(store: &Store, who: &str, now: Timestamp) {
    readers(store, &[&format!("{who},,weekly,,confirmed")]).await;
    let traces = erase::traces(store, &address(who), &addressing()).await.unwrap();
    assert!(erase::erase(store, &traces, now).await.unwrap());
}

async fn one_sweep_serves_all_who_were_erased(db: Database) {
    let store = db.open().await;
    assert_eq!(when_due(&store, NOW).await.unwrap(), None);
    // What another program deleted stays in the file's pages; only a new file is without it.
    db.execute(&format!(
        "INSERT INTO setting (name, value) VALUES ('for {ADDRESS}', 'x')"
    ))
    .await;
    db.execute("DELETE FROM setting WHERE value = 'x'").await;
    come_and_go(&store, ADDRESS, at(1)).await;
    come_and_go(&store, "b@readers.net", at(2)).await;
    assert!(
        !db.url.starts_with("sqlite") || !found(&db).is_empty(),
        "there is nothing to sweep"
    );
    assert_eq!(when_due(&store, at(3)).await.unwrap(), Some(at(1)));
    assert_eq!(found(&db), Vec::<String>::new());
    assert_eq!(when_due(&store, at(HOUR)).await.unwrap(), None);
    // The next one keeps its distance from the one before.
    come_and_go(&store, "c@readers.net", at(MINUTE)).await;
    assert_eq!(when_due(&store, at(9 * MINUTE)).await.unwrap(), None);
    assert_eq!(store.sweep_due().await.unwrap(), Some(at(MINUTE)));
    assert_eq!(
        when_due(&store, at(10 * MINUTE + 3)).await.unwrap(),
        Some(at(MINUTE))
    );
    // By hand it is done at once, and then there is nothing left to do.
    come_and_go(&store, "d@readers.net", at(11 * MINUTE)).await;
    at_once(&store, at(11 * MINUTE)).await.unwrap();
    assert_eq!(store.sweep_due().await.unwrap(), None);
    // A clock that was set back holds nothing up.
    come_and_go(&store, "e@readers.net", NOW).await;
    assert_eq!(when_due(&store, NOW).await.unwrap(), Some(NOW));
}

async fn it_waits_for_what_is_being_delivered_but_not_for_ever(db: Database) {
    let store = db.open().await;
    db.execute(
        "INSERT INTO edition (id, digest, state, regular, created) VALUES (1, 'weekly', 'sending', 1, 1)",
    )
    .await;
    db.execute("INSERT INTO segment (id, edition_id) VALUES (1, 1)")
        .await;
    let lease = |until: Timestamp| format!("UPDATE batch SET owner = 'somebody', until = {}", until.0);
    db.execute("INSERT INTO batch (segment_id, no, edition_id, due) VALUES (1, 0, 1, 1)")
        .await;
    come_and_go(&store, "a@readers.net", NOW).await;
    for (now, until, swept) in [
        (MINUTE, 2 * MINUTE, false),
        (59 * MINUTE, HOUR, false),
        (HOUR, HOUR + MINUTE, true),
    ] {
        db.execute(&lease(at(until))).await;
        let done = when_due(&store, at(now)).await.unwrap();
        assert_eq!(done.is_some(), swept, "after {now} seconds");
    }
    // A lease that ran out delivers nothing.
    come_and_go(&store, "b@readers.net", at(2 * HOUR)).await;
    db.execute(&lease(at(2 * HOUR))).await;
    assert!(when_due(&store, at(2 * HOUR)).await.unwrap().is_some());
}

async fn of_several_processes_one_sweeps(db: Database) {
    let store = db.open().await;
    come_and_go(&store, "a@readers.net", NOW).await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { when_due(&store, at(1)).await.unwrap() })
        })
        .collect();
    let mut swept = 0;
    for task in tasks {
        swept += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!(swept, 1);
}

async fn who_is_erased_meanwhile_is_swept_the_next_time(db: Database) {
    let store = db.open().await;
    come_and_go(&store, "a@readers.net", NOW).await;
    let sweep = store.begin_due_sweep(RULES, at(5)).await.unwrap().unwrap();
    come_and_go(&store, "b@readers.net", at(6)).await;
    store.sweep(&sweep, 1).await.unwrap();
    assert_eq!(store.sweep_due().await.unwrap(), Some(at(5)));
    assert_eq!(when_due(&store, at(HOUR)).await.unwrap(), Some(at(5)));
    assert_eq!(store.sweep_due().await.unwrap(), None);
}

/// On SQLite, whose log is not emptied as long as somebody looks at what it holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_reader_is_tried_again_and_the_log_does_not_grow_of_it() {
    let db = Database::sqlite();
    let store = db.open().await;
    let log = PathBuf::from(format!("{}-wal", db.url.strip_prefix("sqlite:").unwrap()));
    let size = || std::fs::metadata(&log).unwrap().len();
    readers(&store, &["b@readers.net,,weekly,,confirmed"]).await;
    let mut reader = db.connect().await;
    reader.execute("BEGIN").await.unwrap();
    reader.execute("SELECT COUNT(*) FROM subscriber").await.unwrap();
    come_and_go(&store, ADDRESS, NOW).await;
    let mut sizes = Vec::new();
    for n in 0..3 {
        let now = at(n * 10 * MINUTE);
        let sweep = store.begin_due_sweep(RULES, now).await.unwrap().unwrap();
        let failed = store.sweep(&sweep, 1).await;
        assert!(failed.is_err_and(|problem| problem.to_string().contains("could not be emptied")));
        assert_eq!(store.sweep_due().await.unwrap(), Some(NOW));
        assert_ne!(found(&db), Vec::<String>::new());
        sizes.push(size());
        // Not at once, either.
        assert_eq!(store.begin_due_sweep(RULES, now).await.unwrap(), None);
    }
    // Some pages of the note itself, and no further copy of the whole.
    assert!(sizes[2] - sizes[0] < sizes[0] / 4, "{sizes:?}");
    reader.execute("COMMIT").await.unwrap();
    reader.close().await.unwrap();
    assert_eq!(when_due(&store, at(HOUR)).await.unwrap(), Some(NOW));
    assert_eq!(found(&db), Vec::<String>::new());
}

/// Before any sweep: the page of a reader who deletes themselves says that all is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_row_is_overwritten_where_it_stood() {
    let db = Database::sqlite();
    let store = db.open().await;
    come_and_go(&store, ADDRESS, NOW).await;
    let mut log = db.connect().await;
    log.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    assert_eq!(found(&db), Vec::<String>::new());
    assert_eq!(store.sweep_due().await.unwrap(), Some(NOW));
}
