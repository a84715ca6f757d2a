//! Opening: migrations once, never downward, a private file, and words for a lock and a full disk.

use crate::database::Database;
use crate::seed::{NOW, many_readers, readers};
use postrider::store::{Opening, Store};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

crate::on_both! {
    tasks_migrate_once, processes_migrate_once, a_newer_database_is_refused, a_changed_migration_is_refused,
    opens_again_and_answers,
}

const MIGRATIONS: &str = "SELECT COUNT(*) FROM _sqlx_migrations";

/// How many there are.
fn migrations() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    i64::try_from(std::fs::read_dir(folder).unwrap().count()).unwrap()
}

async fn tasks_migrate_once(db: Database) {
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.open().await.ping().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(db.number(MIGRATIONS).await, migrations());
    assert_eq!(db.number("SELECT COUNT(*) FROM lease").await, 0);
}

async fn processes_migrate_once(db: Database) {
    let processes: Vec<_> = (0..6).map(|_| db.start("opening::as_a_process")).collect();
    for mut process in processes {
        let mut said = String::new();
        process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(process.wait().unwrap().success(), "{said}");
    }
    assert_eq!(db.number(MIGRATIONS).await, migrations());
}

#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
async fn as_a_process() {
    Database::of_parent().open().await.ping().await.unwrap();
}

async fn refused(db: &Database) -> String {
    Store::open(&db.url, 1).await.unwrap_err().to_string()
}

async fn a_newer_database_is_refused(db: Database) {
    db.open().await.close().await;
    db.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(
            refused(&db).await,
            "the database is newer than this program: it has migration 9999\n  \
             hint: install the newer postrider again, or restore a backup of the database"
        );
    }
    // The guard of the migrations was given back.
    assert_eq!(db.number("SELECT COUNT(*) FROM lease").await, 0);
}

async fn a_changed_migration_is_refused(db: Database) {
    let store = db.open().await;
    store.close().await;
    let sql = if store.is_of_one_machine() {
        "UPDATE _sqlx_migrations SET checksum = x'00'"
    } else {
        "UPDATE _sqlx_migrations SET checksum = '\\x00'"
    };
    db.execute(sql).await;
    let said = refused(&db).await;
    assert!(
        said.starts_with("migration 1 of the database differs from this program's\n"),
        "{said}"
    );
}

async fn opens_again_and_answers(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,,,confirmed"]).await;
    store.close().await;
    let store = db.open().await;
    store.ping().await.unwrap();
    assert_eq!(store.count_subscribers().await.unwrap().len(), 1);
}

/// Readers and their choices outlive the table that was made anew, and still go together.
#[tokio::test]
async fn choices_from_before_the_table_without_rowids_are_kept() {
    let db = Database::sqlite();
    let path = Path::new(db.url.strip_prefix("sqlite:").unwrap());
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(path, "").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut connection = db.connect().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let all = Migrator::new(Path::new(folder)).await.unwrap();
    let before = all.iter().filter(|migration| migration.version < 15).cloned();
    let mut before = Migrator::with_migrations(before.collect());
    before.set_locking(false).run(&mut connection).await.unwrap();
    for (id, name) in [(1, "a"), (2, "b")] {
        let reader = format!(
            "INSERT INTO subscriber (id, address, address_key, address_hash, reserved, state, cause, created, changed)
             VALUES ({id}, '{name}@readers.net', '{name}@readers.net', '{name}', 0, 'confirmed', 'form', 1, 1)"
        );
        connection.execute(AssertSqlSafe(reader)).await.unwrap();
        let choices = format!(
            "INSERT INTO subscription (subscriber_id, digest, active, ended_by, created, changed)
             VALUES ({id}, 'weekly', 1, NULL, 2, 3), ({id}, 'monthly', 0, 'reader', 4, {id})"
        );
        connection.execute(AssertSqlSafe(choices)).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = db.open().await;
    let kept =
        "SELECT COUNT(*) FROM subscription WHERE (digest, active, created, changed) = ('weekly', 1, 2, 3)
         AND ended_by IS NULL
         OR (digest, active, ended_by, created, changed) = ('monthly', 0, 'reader', 4, subscriber_id)";
    assert_eq!(db.number(kept).await, 4);
    assert_eq!(store.count_readers("weekly").await.unwrap(), 2);
    let again = "SELECT COUNT(*) FROM sqlite_schema WHERE tbl_name = 'subscription' AND name = 'subscription_by_digest'";
    assert_eq!(db.number(again).await, 1);
    db.execute("PRAGMA foreign_keys = ON; DELETE FROM subscriber WHERE id = 1")
        .await;
    assert_eq!(db.number("SELECT COUNT(*) FROM subscription").await, 2);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_sqlite_file_is_private_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b").join("50%25 #ö.db");
    let store = Store::open(&format!("sqlite:{}", path.display()), 2)
        .await
        .unwrap();
    readers(&store, &["a@readers.net,,,,confirmed"]).await;
    let files: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.contains(&path), "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

/// The locks that this process has on a file; it loses them all when it closes the file once.
fn locks_on(path: &Path) -> Vec<String> {
    let of_file = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let of_process = format!(" {} ", std::process::id());
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let ours = locks
        .lines()
        .filter(|line| line.contains(&of_file) && line.contains(&of_process));
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn opening_a_file_again_takes_no_locks_away() {
    let db = Database::sqlite();
    let path = Path::new(db.url.strip_prefix("sqlite:").unwrap());
    let _first = db.open().await;
    let held = locks_on(path).len();
    assert!(held > 0);
    let _second = db.open().await;
    assert_eq!(locks_on(path).len(), held);
}

#[tokio::test]
async fn a_link_leads_to_the_file_and_a_folder_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link.db"), folder.path().join("elsewhere.db"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    for _ in 0..2 {
        Store::open(&url, 1).await.unwrap().close().await;
        assert_eq!(mode(&file), 0o600);
    }
    let inside = folder.path().join("folder.db");
    std::fs::create_dir(&inside).unwrap();
    let said = Store::open(&format!("sqlite:{}", inside.display()), 1).await;
    let said = said.unwrap_err().to_string();
    let begin = format!("database {}: it is not a file", inside.display());
    assert!(said.starts_with(&begin), "{said}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    std::fs::write(&path, "dear diary, ".repeat(500)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let url = format!("sqlite:{}", path.display());
    let said = Store::open(&url, 1).await.unwrap_err().to_string();
    assert!(
        said.starts_with("the database file is damaged or is no SQLite database"),
        "{said}"
    );
    let said = Store::open("sqlite:/dev/null/x.db", 1)
        .await
        .unwrap_err()
        .to_string();
    assert!(said.starts_with("database /dev/null/x.db: "), "{said}");
    let said = Store::open("mysql://x", 1).await.unwrap_err().to_string();
    assert!(
        said.starts_with("database URL has the unknown scheme \"mysql\""),
        "{said}"
    );
}

#[tokio::test]
async fn a_locked_database_says_so() {
    let db = Database::sqlite();
    let opening = Opening {
        patience: Duration::from_millis(50),
        ..Opening::with(2)
    };
    let store = db.open_with(opening).await.unwrap();
    let mut other = db.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let words = "the database is locked by another process\n  hint: wait until it is done, or find it with `fuser`; nothing was lost, run it again";
    assert_eq!(store.begin_import(NOW).await.unwrap_err().to_string(), words);
    assert_eq!(
        store.set_list_hash("a", "b", NOW).await.unwrap_err().to_string(),
        words
    );
    // Reading goes on, and so does everything once the lock is gone.
    assert_eq!(store.list_hash("a").await.unwrap(), None);
    let said = db.open_with(opening).await.unwrap_err().to_string();
    assert!(
        said.starts_with("the database is locked by another process"),
        "{said}"
    );
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    store.set_list_hash("a", "b", NOW).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_says_so_and_loses_nothing() {
    let db = Database::sqlite();
    many_readers(&db.open().await, 10).await;
    let pages = u32::try_from(db.number("PRAGMA page_count").await).unwrap();
    let full = Opening {
        most_pages: Some(pages + 10),
        ..Opening::with(2)
    };
    let store = db.open_with(full).await.unwrap();
    let lines: Vec<_> = (0..5000)
        .map(|n| format!("new-{n}@readers.net,,,,confirmed"))
        .collect();
    let text = crate::seed::list(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let settings = crate::seed::settings();
    let problem = postrider::subscriptions::import::import(&store, text.as_bytes(), &settings, NOW)
        .await
        .unwrap_err();
    assert_eq!(problem.message(), "the disk that holds the database is full");
    assert!(problem.hint_text().is_some());
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 10);
    store.set_list_hash("a", "b", NOW).await.unwrap();
}

/// A copy that was put back has the mode of the umask, and SQLite's further files would have it too.
#[tokio::test]
async fn a_database_that_others_can_read_is_refused() {
    let db = Database::sqlite();
    db.open().await.close().await;
    let path = db.url.strip_prefix("sqlite:").unwrap().to_owned();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{path}{suffix}");
        if !suffix.is_empty() {
            std::fs::write(&file, "").unwrap();
        }
        for (mode, good) in [(0o644, false), (0o640, false), (0o602, false), (0o600, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            if good {
                db.open().await.close().await;
                continue;
            }
            let said = refused(&db).await;
            assert!(
                said.contains(&format!("others can read the database file {file}")),
                "{said}"
            );
            assert!(said.contains(&format!("chmod 600 {file}")), "{said}");
        }
    }
}
