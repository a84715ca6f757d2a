//! What a server does beside answering requests: scheduled runs, and delivery.

use super::App;
use super::publish::Publish;
use crate::deliver::worker::Until;
use crate::domain::Result;
use crate::schedule::runner::Runner;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long delivery rests after trouble with templates or the database.
const REST: Duration = Duration::from_secs(30);

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
        let courier = self.courier()?;
        let mut tasks = Vec::new();
        let mut delivery_stop = stop.clone();
        tasks.push(tokio::spawn(async move {
            while !*delivery_stop.borrow() {
                if let Err(problem) = courier.run(Until::Stopped, delivery_stop.clone()).await {
                    tracing::error!(%problem, "delivery stopped; it is tried again soon");
                    tokio::select! {
                        () = tokio::time::sleep(REST) => {}
                        _ = delivery_stop.wait_for(|stop| *stop) => {}
                    }
                }
            }
        }));
        if schedule {
            let job = Arc::new(Publish(Arc::clone(self)));
            let runner = Runner::new(&self.digests, self.store.clone(), Arc::clone(&self.clock), job)?;
            tasks.push(tokio::spawn(async move { runner.run(stop).await }));
        }
        Ok(Background(tasks))
    }
}
