//! A database of its own for each test, on SQLite and on PostgreSQL.

use postrider::store::{Opening, Store};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Names the URL for a test that runs as a process of its own.
pub const URL: &str = "POSTRIDER_TEST_DATABASE";

/// Makes of each `async fn name(db: Database)` the tests `name::on_sqlite` and `name::on_postgres`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::database::Database::sqlite().run(super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::database::Database::postgres().await.run(super::$name).await;
            }
        }
    )+ };
}

/// An empty database that goes away with its test.
#[derive(Clone)]
pub struct Database {
    /// Where it is.
    pub url: String,
    /// The server's own database, and the name of ours.
    server: Option<(String, String)>,
    /// Removed when the last clone goes.
    _folder: Option<Arc<tempfile::TempDir>>,
}

#[allow(dead_code, reason = "each test file uses its part")]
impl Database {
    /// A SQLite file that is not there yet.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite:{}", folder.path().join("data/postrider.db").display()),
            server: None,
            _folder: Some(Arc::new(folder)),
        }
    }

    /// The one of a site of the test's own.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            server: None,
            _folder: None,
        }
    }

    /// An empty database on the server of the test run.
    pub async fn postgres() -> Self {
        let Ok(server) = std::env::var("POSTRIDER_TEST_POSTGRES") else {
            panic!("POSTRIDER_TEST_POSTGRES is not set: run scripts/test.sh, which brings PostgreSQL up");
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("postrider_test_{}_{number}", std::process::id());
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self {
            url: url.into(),
            server: Some((server, name)),
            _folder: None,
        }
    }

    /// Runs `test` and removes the database, also when the test fails.
    pub async fn run<F: Future<Output = ()> + Send + 'static>(self, test: impl FnOnce(Self) -> F) {
        let outcome = tokio::spawn(test(self.clone())).await;
        if let Some((server, name)) = &self.server {
            execute(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    }

    /// Opens it as the program does.
    pub async fn open(&self) -> Store {
        Store::open(&self.url, 8).await.unwrap()
    }

    /// Opens it with limits.
    pub async fn open_with(&self, opening: Opening) -> postrider::domain::Result<Store> {
        Store::open_with(&self.url, opening).await
    }

    /// Runs one statement beside the program.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url, sql).await;
    }

    /// The whole number that a query gives, read beside the program.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = connect(&self.url).await;
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row.try_get(0).unwrap()
    }

    /// Comes back once a statement waits for a row that somebody else has locked; on PostgreSQL only.
    pub async fn somebody_waits(&self) {
        let begun = std::time::Instant::now();
        let mut connection = connect(&self.url).await;
        let waiting = "SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query(waiting)
            .fetch_optional(&mut connection)
            .await
            .unwrap()
            .is_none()
        {
            assert!(begun.elapsed().as_secs() < 30, "nobody waits");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        connection.close().await.unwrap();
    }

    /// A connection beside the program.
    pub async fn connect(&self) -> AnyConnection {
        connect(&self.url).await
    }

    /// Starts the ignored test `name` of this file as a process of its own, with this database.
    pub fn start(&self, name: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
            .env(URL, &self.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The database of the process that [`Database::start`] started.
    pub fn of_parent() -> Self {
        Self {
            url: std::env::var(URL).expect("this test is run by other tests"),
            server: None,
            _folder: None,
        }
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

async fn execute(url: &str, sql: &str) {
    let mut connection = connect(url).await;
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}
