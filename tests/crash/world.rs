//! The program's parts in the test's own process, with a clock that the test sets.

use crate::database::Database;
use crate::hooked::Taken;
use crate::site::Site;
use postrider::app::{App, Options, Request};
use postrider::deliver::worker::{Courier, Until};
use postrider::domain::{Clock, Result, SystemRandom, Timestamp};
use postrider::store::owner;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that goes when it is told to, and can hold whoever asks.
#[derive(Default)]
pub struct TestClock {
    /// The time, whether to hold who asks, and whether somebody is held.
    state: Mutex<(i64, bool, bool)>,
    changed: Condvar,
}

impl TestClock {
    /// 2026-01-10T00:00:00Z.
    pub fn new() -> Arc<Self> {
        let clock = Self::default();
        clock.state.lock().unwrap().0 = 1_768_003_200_000;
        Arc::new(clock)
    }

    pub fn advance(&self, time: Duration) {
        self.state.lock().unwrap().0 += i64::try_from(time.as_millis()).unwrap();
    }

    /// From now on whoever asks this clock stands still.
    pub fn freeze(&self) {
        self.state.lock().unwrap().1 = true;
    }

    /// Waits until somebody stands still.
    pub fn wait_until_frozen(&self) {
        let state = self.state.lock().unwrap();
        let (_state, timeout) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.2)
            .unwrap();
        assert!(!timeout.timed_out(), "nobody asked what time it is");
    }

    /// Lets everybody go on.
    pub fn thaw(&self) {
        self.state.lock().unwrap().1 = false;
        self.changed.notify_all();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state.lock().unwrap();
        while state.1 {
            state.2 = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap();
        }
        Timestamp(state.0)
    }
}

/// A site whose digest is delivered by couriers of this process.
pub struct World {
    pub site: Site,
    pub database: Database,
    pub clock: Arc<TestClock>,
}

impl World {
    /// So many readers, one summary.
    pub fn new(database: Database, readers: usize) -> Self {
        let site = Site::new();
        site.many_readers(readers);
        site.summary("news", "urology");
        // A relay that a test holds for a while must not count as silent.
        let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
        let patient = config.replace("timeout = \"5s\"", "timeout = \"60s\"");
        assert_ne!(patient, config);
        site.write("config.toml", &patient);
        Self {
            site,
            database,
            clock: TestClock::new(),
        }
    }

    /// The program on this world's database, with this clock, and `connections` to the relay at `port`.
    pub async fn app_at(&self, url: &str, clock: Arc<TestClock>, port: u16, connections: usize) -> Arc<App> {
        let config = std::fs::read_to_string(self.site.path("config.toml")).unwrap();
        let name = format!("config-{connections}.toml");
        let with = format!("[delivery]\nconnections = {connections}\n");
        self.site.write(&name, &config.replace("[delivery]\n", &with));
        let config = postrider::app::load_config(&Options {
            config: Some(self.site.path(&name)),
            database: Some(url.to_owned()),
            relay: Some(format!("smtp://127.0.0.1:{port}")),
        });
        let random = Arc::<SystemRandom>::default();
        Arc::new(App::with(config.unwrap(), clock, random).await.unwrap())
    }

    /// The same with the world's own clock.
    pub async fn app(&self, port: u16, connections: usize) -> Arc<App> {
        self.app_at(&self.database.url, Arc::clone(&self.clock), port, connections)
            .await
    }

    /// Plans the digest; the edition's number.
    pub async fn plan(&self, app: &App) -> i64 {
        let prepared = app.prepare(app.digests(), &Request::Next).await.unwrap();
        prepared.editions().next().expect("an edition")
    }

    /// Makes `count` batches of the one that was planned for `edition`.
    pub async fn split(&self, edition: i64, count: usize) {
        for number in 1..count {
            let batch = format!(
                "INSERT INTO batch (segment_id, no, edition_id, due)
                 SELECT segment_id, {number}, edition_id, due FROM batch WHERE no = 0 AND edition_id = {edition}"
            );
            self.database.execute(&batch).await;
        }
        let delivery =
            format!("UPDATE delivery SET batch_no = subscriber_id % {count} WHERE edition_id = {edition}");
        self.database.execute(&delivery).await;
    }

    /// How many deliveries are in `state`.
    pub async fn deliveries(&self, state: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM delivery WHERE state = '{state}'");
        self.database.number(&sql).await
    }
}

/// Delivers until everything is final or waits.
pub async fn deliver(app: &App) -> Result<()> {
    deliver_by(&app.courier()?).await
}

/// The same by a courier that the test can ask.
pub async fn deliver_by(courier: &Arc<Courier>) -> Result<()> {
    let (_running, stop) = watch::channel(false);
    courier.run(Until::Settled, stop).await
}

/// Waits until something is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a query gives `number`.
pub async fn until_number(database: &Database, sql: &str, number: i64) {
    let begun = Instant::now();
    while database.number(sql).await != number {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {number}: {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The name of a process of this machine that is gone.
pub fn dead_owner() -> String {
    let mut parts: Vec<String> = owner::new().split('/').map(str::to_owned).collect();
    // The number of a process that began at another time.
    parts[3] = "1".to_owned();
    parts.join("/")
}

/// How often each reader was mailed; one reader has one Message-ID.
pub fn per_reader(taken: &[Taken]) -> HashMap<String, usize> {
    let ids: HashMap<&String, &String> = taken.iter().map(|(id, reader)| (reader, id)).collect();
    let mut count = HashMap::new();
    for (id, reader) in taken {
        assert_eq!(ids[reader], id, "{reader}");
        *count.entry(reader.clone()).or_default() += 1;
    }
    count
}

/// Everybody was mailed, and so many at most twice.
pub fn assert_everybody(taken: &[Taken], readers: usize, doubles: usize) {
    assert_eq!(per_reader(taken).len(), readers, "missing");
    assert!(
        taken.len() <= readers + doubles,
        "{} messages for {readers}",
        taken.len()
    );
}
