//! Scheduled runs on a real store, with a clock that the test sets.

use crate::database::Database;
use crate::hooked::Hooked;
use crate::world::{TestClock, World, deliver};
use async_trait::async_trait;
use postrider::app::publish::Publish;
use postrider::domain::{Clock, Digest, Problem, Result};
use postrider::schedule::runner::{Job, Runner};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tracing::instrument::WithSubscriber;

const HOUR: Duration = Duration::from_secs(3600);

/// Counts its runs; as many of the first as told fail after their work is done.
#[derive(Default)]
struct Counter {
    runs: AtomicUsize,
    /// Where two runners look at once: how often one has looked and come back.
    looks: Option<watch::Sender<usize>>,
    running: AtomicUsize,
    failing: AtomicUsize,
    then: Option<Publish>,
}

#[async_trait]
impl Job for Counter {
    async fn run(&self, digest: &Digest) -> Result<()> {
        if let Some(publish) = &self.then {
            publish.run(digest).await?;
        }
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
        let before = self.runs.load(Ordering::SeqCst);
        if let Some(looks) = &self.looks {
            // Of each pair of looks before, both have come back; of this one, the other must.
            let mut looks = looks.subscribe();
            let both = looks.wait_for(|looks| *looks > 2 * before);
            tokio::time::timeout(Duration::from_secs(30), both)
                .await
                .expect("the other runner comes back")
                .unwrap();
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        let failing = &self.failing;
        let fails = failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        fails.map_or(Ok(()), |_| Err(Problem::failed("it died")))
    }
}

/// A world, its digest due at every full hour with half an hour of grace, and a job.
struct Plan {
    world: World,
    digests: Vec<Digest>,
    job: Arc<Counter>,
}

impl Plan {
    async fn new(database: Database, publishes: bool, looks: Option<watch::Sender<usize>>) -> Self {
        let world = World::new(database, 3);
        let app = world.app(Hooked::start(|_| None).port, 1).await;
        let mut digests = app.digests().to_vec();
        digests[0].schedule = "0 * * * *".to_owned();
        digests[0].grace = HOUR / 2;
        let job = Arc::new(Counter {
            then: publishes.then(|| Publish(app)),
            looks,
            ..Counter::default()
        });
        // The world begins at midnight: ten minutes past is between two runs.
        world.clock.advance(HOUR / 6);
        Self { world, digests, job }
    }

    async fn runner(&self) -> Runner {
        let clock: Arc<dyn Clock> = Arc::clone(&self.world.clock) as Arc<TestClock>;
        let store = self.world.database.open().await;
        Runner::new(&self.digests, store, clock, Arc::clone(&self.job) as Arc<dyn Job>).unwrap()
    }

    fn runs(&self) -> usize {
        self.job.runs.load(Ordering::SeqCst)
    }
}

async fn a_run_is_started_once_when_it_is_due(database: Database) {
    let plan = Plan::new(database, false, None).await;
    let runner = plan.runner().await;
    runner.look_once().await.unwrap();
    assert_eq!(plan.runs(), 0, "nothing was missed before the first start");
    plan.world.clock.advance(HOUR);
    for _ in 0..3 {
        runner.look_once().await.unwrap();
    }
    assert_eq!(plan.runs(), 1);
    plan.world.clock.advance(HOUR);
    runner.look_once().await.unwrap();
    assert_eq!(plan.runs(), 2);
}

/// Down over three runs: the last of them is made up for, once, if its grace is not over.
async fn a_missed_run_is_made_up_for_within_its_grace(database: Database) {
    let plan = Plan::new(database, false, None).await;
    plan.runner().await.look_once().await.unwrap();
    plan.world.clock.advance(3 * HOUR);
    for _ in 0..2 {
        plan.runner().await.look_once().await.unwrap();
    }
    assert_eq!(plan.runs(), 1);
}

async fn a_run_that_was_missed_by_more_is_skipped_and_the_log_says_so(database: Database) {
    let plan = Plan::new(database, false, None).await;
    plan.runner().await.look_once().await.unwrap();
    plan.world.clock.advance(HOUR + HOUR / 2);
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || lines.clone())
        .finish();
    let runner = plan.runner().await;
    runner.look_once().with_subscriber(subscriber).await.unwrap();
    runner.look_once().await.unwrap();
    assert_eq!(plan.runs(), 0);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("skipped") && log.contains("weekly") && log.contains("01:00:00"),
        "{log}"
    );
    plan.world.clock.advance(HOUR / 2);
    runner.look_once().await.unwrap();
    assert_eq!(plan.runs(), 1, "the next one is not skipped");
}

async fn a_failed_run_is_tried_again(database: Database) {
    let plan = Plan::new(database, false, None).await;
    let runner = plan.runner().await;
    runner.look_once().await.unwrap();
    plan.world.clock.advance(HOUR);
    plan.job.failing.store(2, Ordering::SeqCst);
    runner.look_once().await.unwrap_err();
    runner.look_once().await.unwrap_err();
    for _ in 0..2 {
        runner.look_once().await.unwrap();
    }
    assert_eq!(plan.runs(), 3);
}

/// The run ends only when the other runner has looked while it was under way, or just before it began.
async fn two_runners_start_one_run(database: Database) {
    let looks = watch::Sender::new(0);
    let plan = Plan::new(database, false, Some(looks.clone())).await;
    let runners = [plan.runner().await, plan.runner().await];
    let look = async |runner: &Runner| {
        runner.look_once().await.unwrap();
        looks.send_modify(|looks| *looks += 1);
    };
    for round in 1..=10 {
        for runner in &runners {
            runner.look_once().await.unwrap();
        }
        plan.world.clock.advance(HOUR);
        tokio::join!(look(&runners[0]), look(&runners[1]));
        assert_eq!(plan.runs(), round);
    }
}

/// It planned and died before it could note the run: the run is made again, and makes nothing new.
async fn a_crash_after_planning_repeats_nothing(database: Database) {
    let plan = Plan::new(database, true, None).await;
    let runner = plan.runner().await;
    runner.look_once().await.unwrap();
    plan.world.clock.advance(HOUR);
    plan.job.failing.store(2, Ordering::SeqCst);
    runner.look_once().await.unwrap_err();
    runner.look_once().await.unwrap_err();
    deliver(&plan.job.then.as_ref().unwrap().0).await.unwrap();
    runner.look_once().await.unwrap();
    assert_eq!(plan.runs(), 3);
    let editions = "SELECT COUNT(*) FROM edition WHERE state = 'finished'";
    assert_eq!(plan.world.database.number(editions).await, 1);
    assert_eq!(
        plan.world.database.number("SELECT COUNT(*) FROM edition").await,
        1
    );
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

crate::on_both!(
    a_run_is_started_once_when_it_is_due,
    a_missed_run_is_made_up_for_within_its_grace,
    a_run_that_was_missed_by_more_is_skipped_and_the_log_says_so,
    a_failed_run_is_tried_again,
    two_runners_start_one_run,
    a_crash_after_planning_repeats_nothing,
);
