//! What time and readers ask for beside mails: sign-ups are taken off the queue, pauses end, what has run out
//! is deleted, and what deleted rows leave in files is overwritten.

use super::App;
use crate::domain::Result;
use crate::subscriptions::{sign_up, sweep, upkeep};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the queue is looked at when nobody in this process has rung: other processes fill it as well.
const LOOK: Duration = Duration::from_secs(1);
/// How often pauses and what has run out are looked at.
const TIDY: Duration = Duration::from_secs(60);
/// How often it is looked whether the database's files are to be swept.
const SWEEP: Duration = Duration::from_secs(60);
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
    // None of them waits for another one's trouble to end.
    let cleared = if is_time { app.clear_up().await } else { Ok(()) };
    all([processed.map(drop), cleared])
}

/// The first trouble of several steps that all had their turn; the log has the others.
fn all(steps: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let mut troubles = steps.into_iter().filter_map(Result::err);
    let Some(first) = troubles.next() else {
        return Ok(());
    };
    for problem in troubles {
        tracing::error!(%problem, "another part of the upkeep has to wait as well");
    }
    Err(first)
}

/// Deletes the rows of who received what when their time is over, now and then, until `stop` becomes true.
pub(super) async fn keep_pruning(app: Arc<App>, stop: watch::Receiver<bool>) {
    let prune = async |app: Arc<App>| {
        if let Err(problem) = app.prune().await {
            tracing::error!(%problem, "old deliveries could not be deleted; it is tried again");
        }
    };
    keep(&app, PRUNE, prune, stop).await;
}

/// Sweeps the database's files soon after somebody was erased, until `stop` becomes true.
pub(super) async fn keep_sweeping(app: Arc<App>, stop: watch::Receiver<bool>) {
    keep(&app, SWEEP, async |app: Arc<App>| app.sweep().await, stop).await;
}

/// Takes a step now, and again after every rest, until `stop` becomes true.
async fn keep<F: Future<Output = ()>>(
    app: &Arc<App>,
    rest: Duration,
    step: impl Fn(Arc<App>) -> F,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = step(Arc::clone(app)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

impl App {
    /// Does what time asks for: ends pauses, deletes what has run out and what is old, and sweeps the
    /// database's files when that is due. No step waits for another one's trouble to end.
    ///
    /// # Errors
    /// When the database does not answer; what was done stays so. Of a sweep that fails the log tells: it
    /// is tried again, and nothing else is the worse for it.
    pub async fn tidy(&self) -> Result<()> {
        let cleared = self.clear_up().await;
        let pruned = self.prune().await;
        self.sweep().await;
        all([cleared, pruned.map(drop)])
    }

    /// Overwrites what rows of erased readers left in the database's files, when that is due.
    async fn sweep(&self) {
        let begun = Instant::now();
        match sweep::when_due(&self.store, self.clock.now()).await {
            Ok(None) => tracing::debug!("nothing is to be swept now"),
            Ok(Some(since)) => tracing::info!(
                %since,
                seconds = begun.elapsed().as_secs_f64(),
                "what erased readers had left in the database's files is overwritten"
            ),
            Err(problem) => tracing::error!(
                %problem,
                "what erased readers left in the database's files is still there; it is tried again in ten minutes"
            ),
        }
    }

    /// All of [`App::tidy`] that takes no time.
    async fn clear_up(&self) -> Result<()> {
        let now = self.clock.now();
        let woken = upkeep::wake(&self.store, now).await;
        let tidied = upkeep::tidy(&self.store, now, self.config.retention.networks).await;
        let resumed = woken.as_ref().copied().unwrap_or_default();
        let gone = tidied.as_ref().copied().unwrap_or_default();
        if resumed > 0 || gone != upkeep::Tidied::default() {
            tracing::info!(
                woken = resumed,
                unconfirmed = gone.unconfirmed,
                run_out = gone.run_out,
                "pauses ended, and what had run out deleted"
            );
        }
        all([woken.map(drop), tidied.map(drop)])
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
