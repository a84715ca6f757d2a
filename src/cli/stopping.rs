//! SIGTERM and Ctrl-C: the first one drains, the second one ends at once, and a drain has an end.

use crate::domain::{Problem, Result};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How long everything may take to end; whoever asked is promised ten seconds.
const LIMIT: Duration = Duration::from_millis(9_500);

/// Becomes true on SIGINT or SIGTERM: what is in flight ends, nothing new is begun.
///
/// What has not ended within [`LIMIT`], as when the database is silent, is left as after a crash, and the
/// process exits with `unfinished`. A second signal exits at once with 128 and its number.
///
/// # Errors
/// When the signals can't be listened for.
pub(super) fn stop_on_signal(unfinished: i32) -> Result<watch::Receiver<bool>> {
    let listen =
        |kind| signal(kind).map_err(|error| Problem::failed("can't listen for signals").because(error));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping: what is in flight ends first");
        // A thread, since whatever keeps us from ending may keep tasks from running too.
        std::thread::spawn(move || {
            std::thread::sleep(LIMIT);
            leave(
                "not everything could be ended in time; what is not recorded goes out again",
                unfinished,
            );
        });
        sender.send_replace(true);
        let number = either(&mut terminate, &mut interrupt).await;
        leave(
            "stopped at once; what was not recorded goes out again",
            128 + number,
        );
    });
    Ok(receiver)
}

/// Waits for either; the signal's number.
async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
    }
}

fn leave(why: &str, code: i32) {
    tracing::warn!("{why}");
    // Destructors would wait for what hangs.
    std::process::exit(code);
}
