//! What time and readers ask for beside mails: sign-ups are taken off the queue, pauses end, and what has run
//! out is deleted.

use super::App;
use crate::domain::Result;
use crate::subscriptions::{sign_up, upkeep};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the queue is looked at when nobody in this process has rung: other processes fill it as well.
const LOOK: Duration = Duration::from_secs(1);
/// How often pauses and what has run out are looked at.
const TIDY: Duration = Duration::from_secs(60);
/// How often old deliveries are looked for.
const PRUNE: Duration = Duration::from_secs(3600);
/// The rest after trouble with the database.
const REST: Duration = Duration::from_secs(10);

/// Keeps the readers' side of the database going, until `stop` becomes true.
pub(super) async fn keep_up(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut tidied: Option<Instant> = None;
    loop {
        let mut rest = LOOK;
        let is_time = tidied.is_none_or(|last| last.elapsed() >= TIDY);
        match round(&app, is_time).await {
            Ok(()) if is_time => tidied = Some(Instant::now()),
            Ok(()) => {}
            Err(problem) => {
                tracing::error!(%problem, "sign-ups and pauses have to wait; they are tried again soon");
                rest = REST;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.bell.notified(), if rest == LOOK => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn round(app: &App, is_time: bool) -> Result<()> {
    let now = app.clock.now();
    let processed = sign_up::process(&app.store, &app.addressing(), now).await;
    if let Ok(processed @ 1..) = processed {
        tracing::info!(processed, "sign-ups and requests for links taken off the queue");
    }
    if is_time {
        // None of them waits for another one's trouble to end.
        app.clear_up().await?;
    }
    processed.map(|_| ())
}

/// Deletes the rows of who received what when their time is over, now and then, until `stop` becomes true.
pub(super) async fn keep_pruning(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            pruned = app.prune() => if let Err(problem) = pruned {
                tracing::error!(%problem, "old deliveries could not be deleted; it is tried again");
            },
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

impl App {
    /// Does what time asks for: ends pauses, and deletes what has run out and what is old.
    ///
    /// # Errors
    /// When the database does not answer; what was done by then stays so.
    pub async fn tidy(&self) -> Result<()> {
        self.clear_up().await?;
        self.prune().await.map(drop)
    }

    /// All of [`App::tidy`] that takes no time.
    async fn clear_up(&self) -> Result<()> {
        let now = self.clock.now();
        let woken = upkeep::wake(&self.store, now).await;
        let tidied = upkeep::tidy(&self.store, now, self.config.retention.networks).await;
        let (woken, tidied) = (woken?, tidied?);
        if woken > 0 || tidied != upkeep::Tidied::default() {
            tracing::info!(
                woken,
                unconfirmed = tidied.unconfirmed,
                run_out = tidied.run_out,
                "pauses ended, and what had run out deleted"
            );
        }
        Ok(())
    }

    /// Deletes the rows that tell who received an edition which ended longer ago than `[retention] deliveries`;
    /// how many. Its counts stay. In small pieces: whoever delivers is not held up.
    ///
    /// # Errors
    /// When the database does not answer; what was deleted by then stays so.
    pub async fn prune(&self) -> Result<u64> {
        let kept = self.config.retention.deliveries;
        let pruned = upkeep::prune(&self.store, self.clock.now(), kept).await?;
        if pruned > 0 {
            tracing::info!(pruned, "old deliveries deleted; the editions keep their counts");
        }
        Ok(pruned)
    }
}
