//! What a server does beside answering requests: scheduled runs, delivery, and the
//! upkeep of readers.

use super::App;
use super::publish::Publish;
use super::upkeep::{keep_pruning, keep_sweeping, keep_up};
use crate::deliver::worker::{Courier, Tally, Until};
use crate::domain::Result;
use crate::schedule::runner::Runner;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long delivery rests after trouble with templates or the database.
const REST: Duration = Duration::from_secs(30);
/// How often the log says how many messages went, while there are any.
const ACCOUNT: Duration = Duration::from_secs(10);

/// Tasks that run until they are told to stop.
#[derive(Debug)]
pub struct Background(Vec<JoinHandle<()>>);

impl Background {
    /// Waits until every task has ended.
    pub async fn finish(self) {
        for task in self.0 {
            // A task that panicked has said so in the log.
            let _ = task.await;
        }
    }
}

impl App {
    /// Starts scheduled runs (when `schedule`) and delivery, until `stop` becomes true.
    ///
    /// # Errors
    /// When a schedule or a relay's settings can't be used.
    pub fn run_in_background(
        self: &Arc<Self>,
        schedule: bool,
        stop: watch::Receiver<bool>,
    ) -> Result<Background> {
        let mut background = self.deliver_in_background(stop.clone())?;
        if schedule {
            let job = Arc::new(Publish(Arc::clone(self)));
            let runner = Runner::new(&self.digests, self.store.clone(), Arc::clone(&self.clock), job)?;
            background
                .0
                .push(tokio::spawn(async move { runner.run(stop).await }));
        }
        Ok(background)
    }

    /// Starts delivery, and the upkeep of readers, until `stop` becomes true.
    ///
    /// # Errors
    /// When a relay's settings can't be used.
    pub fn deliver_in_background(self: &Arc<Self>, stop: watch::Receiver<bool>) -> Result<Background> {
        let courier = self.courier()?;
        tracing::info!(
            relays = courier.relays(self.clock.now()).count(),
            "delivering what is due"
        );
        let account = tokio::spawn(keep_account(courier.tally(), stop.clone()));
        Ok(Background(vec![
            tokio::spawn(keep_up(Arc::clone(self), stop.clone())),
            tokio::spawn(keep_pruning(Arc::clone(self), stop.clone())),
            tokio::spawn(keep_sweeping(Arc::clone(self), stop.clone())),
            tokio::spawn(keep_delivering(courier, stop)),
            account,
        ]))
    }
}

async fn keep_delivering(courier: Arc<Courier>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(problem) = courier.run(Until::Stopped, stop.clone()).await {
            tracing::error!(%problem, "delivery stopped; it is tried again soon");
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }
}

/// Says now and then how many messages went, and once more at the end.
async fn keep_account(tally: Arc<Tally>, mut stop: watch::Receiver<bool>) {
    let (mut before, mut since) = (tally.counts(), Instant::now());
    loop {
        let stopped = tokio::time::timeout(ACCOUNT, stop.wait_for(|stop| *stop))
            .await
            .is_ok();
        let now = tally.counts();
        if now != before {
            let [sent, failed, deferred, excluded] = now;
            // A stop may come at any time.
            let rate = (sent - before[0]) as f64 / since.elapsed().as_secs_f64().max(0.001);
            tracing::info!(
                sent,
                failed,
                deferred,
                excluded,
                per_second = rate.round(),
                "deliveries of this process so far"
            );
        }
        if stopped {
            return;
        }
        (before, since) = (now, Instant::now());
    }
}
