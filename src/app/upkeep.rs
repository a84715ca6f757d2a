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
    let processed = sign_up::process(&app.store, &app.addressing(), now).await?;
    if processed > 0 {
        tracing::info!(processed, "sign-ups and requests for links taken off the queue");
    }
    if is_time {
        let woken = upkeep::wake(&app.store, now).await?;
        let tidied = upkeep::tidy(&app.store, now).await?;
        app.store.forget_ended(now).await?;
        if woken > 0 || tidied != upkeep::Tidied::default() {
            tracing::info!(
                woken,
                unconfirmed = tidied.unconfirmed,
                run_out = tidied.run_out,
                "pauses ended, and what had run out deleted"
            );
        }
    }
    Ok(())
}
