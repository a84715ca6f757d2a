//! The routes of the program within the test: with a clock that the test sets, and nothing else going on.

use crate::site::Site;
use crate::wire::Listens;
use postrider::app::{App, Options, load_config};
use postrider::config::load_or_create;
use postrider::domain::{Clock, Random, SystemRandom, Timestamp};
use postrider::store::Store;
use postrider::subscriptions::addressing::Addressing;
use postrider::subscriptions::sign_up::process;
use postrider::subscriptions::token::{Key, Signer};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Monday, 5 January 2026, noon.
pub const NOON: i64 = 1_767_614_400_000;
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A server without anything in the background: what was put on the queue stays there until [`Self::process`].
pub struct InProcess {
    app: Arc<App>,
    url: String,
    database: String,
    clock: Arc<SetClock>,
    pub signer: Signer,
    runtime: Runtime,
    // Dropped with it, and then the server ends.
    _running: watch::Sender<bool>,
}

impl Listens for InProcess {
    fn url(&self) -> &str {
        &self.url
    }
}

impl InProcess {
    pub fn serve(site: &Site) -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(NOON)));
        let options = Options {
            config: Some(site.path("config.toml")),
            ..Options::default()
        };
        let random: Arc<dyn Random> = Arc::<SystemRandom>::default();
        let secrets = load_or_create(&site.path("data/secret"), &*random).unwrap();
        let keys = secrets.keys.iter().map(|key| Key {
            id: key.id,
            bytes: key.bytes,
            revoked: key.revoked,
        });
        let signer = Signer::new(&keys.collect::<Vec<_>>()).unwrap();
        let (running, stop) = watch::channel(false);
        let (app, url) = runtime.block_on(async {
            let config = load_config(&options).unwrap();
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            let app = Arc::new(App::with(config, clock, random).await.unwrap());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(postrider::web::serve(Arc::clone(&app), listener, stop));
            (app, url)
        });
        sqlx::any::install_default_drivers();
        Self {
            app,
            url,
            database: format!("sqlite:{}", site.path("data/postrider.db").display()),
            clock,
            signer,
            runtime,
            _running: running,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock on by so many milliseconds.
    pub fn pass(&self, time: i64) {
        self.clock.0.fetch_add(time, Ordering::SeqCst);
    }

    /// Takes everything off the queue, as the background does.
    pub fn process(&self) -> u64 {
        let now = self.now();
        let salt = self.text("SELECT value FROM setting WHERE name = 'address_salt'");
        self.runtime.block_on(async {
            let store = Store::open(&self.database, 1).await.unwrap();
            let addressing = Addressing {
                local_part: postrider::domain::LocalPartRule::Insensitive,
                salt,
                network_salt: String::new(),
            };
            let done = process(&store, &addressing, now).await.unwrap();
            store.close().await;
            done
        })
    }

    /// Does what time asks for, as the background and `publish` do.
    pub fn tidy(&self) -> postrider::domain::Result<()> {
        self.runtime.block_on(self.app.tidy())
    }

    pub fn execute(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut connection = AnyConnection::connect(&self.database).await.unwrap();
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
        });
    }

    /// The only value of the first row.
    pub fn number(&self, sql: &str) -> i64 {
        self.first(sql, |row| row.get(0))
    }

    pub fn text(&self, sql: &str) -> String {
        self.first(sql, |row| row.get(0))
    }

    fn first<T>(&self, sql: &str, read: fn(&sqlx::any::AnyRow) -> T) -> T {
        self.runtime.block_on(async {
            let mut connection = AnyConnection::connect(&self.database).await.unwrap();
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
            read(&row.unwrap_or_else(|error| panic!("{sql}: {error}")))
        })
    }

    /// Everything in the database, by table.
    pub fn contents(&self) -> BTreeMap<String, String> {
        self.runtime.block_on(async {
            let mut connection = AnyConnection::connect(&self.database).await.unwrap();
            let names = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
            let mut contents = BTreeMap::new();
            for name in names.fetch_all(&mut connection).await.unwrap() {
                let name: String = name.get(0);
                let columns = format!("SELECT GROUP_CONCAT(name) FROM pragma_table_info('{name}')");
                let columns = sqlx::query(AssertSqlSafe(columns))
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
                let columns: String = columns.get(0);
                let quoted: Vec<String> = columns
                    .split(',')
                    .map(|one| format!("QUOTE(\"{one}\")"))
                    .collect();
                let rows = format!("SELECT {} FROM \"{name}\"", quoted.join(" || ' ' || "));
                let rows = sqlx::query(AssertSqlSafe(rows))
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                contents.insert(name, rows.join("\n"));
            }
            contents
        })
    }

    /// The end of a link that was made now and is good for `time`.
    pub fn end(&self, time: Duration) -> Timestamp {
        self.now().plus(time)
    }
}
