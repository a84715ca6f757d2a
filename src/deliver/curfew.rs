//! The end of a drain: from then on nobody waits for a relay's reply any more.

use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// How long messages that are on their way may take to be answered after a stop. What follows (writing
/// it down, giving batches back, QUIT) must fit into the ten seconds that a stop may take.
pub(super) const DRAIN: Duration = Duration::from_secs(7);

/// Tells every connection when time is up.
#[derive(Debug, Clone)]
pub(super) struct Curfew(watch::Receiver<bool>);

impl Curfew {
    /// A curfew that begins `drain` after `stop` becomes true, and the task that says so.
    pub(super) fn after(
        mut stop: watch::Receiver<bool>,
        drain: Duration,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = watch::channel(false);
        let watching = tokio::spawn(async move {
            if stop.wait_for(|stop| *stop).await.is_err() {
                // Nobody is left who could ask for a stop.
                return sender.closed().await;
            }
            tokio::time::sleep(drain).await;
            sender.send_replace(true);
            sender.closed().await;
        });
        (Self(receiver), watching)
    }

    /// What `work` gives; `None` when the curfew begins before.
    pub(super) async fn limits<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            true = async { self.0.wait_for(|begun| *begun).await.is_ok() } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn begins_a_while_after_the_stop_and_never_without_one() {
        let (sender, stop) = watch::channel(false);
        let drain = Duration::from_millis(200);
        let (mut curfew, _watching) = Curfew::after(stop, drain);
        let for_ever = std::future::pending::<()>;
        sender.send_replace(true);
        let begun = tokio::time::Instant::now();
        assert_eq!(curfew.limits(for_ever()).await, None);
        assert!(begun.elapsed() >= drain);
        // What is done already is no victim of it.
        assert_eq!(curfew.limits(std::future::ready(1)).await, Some(1));

        let (sender, stop) = watch::channel(false);
        let (mut curfew, _watching) = Curfew::after(stop, Duration::ZERO);
        drop(sender);
        let some_time = tokio::time::sleep(Duration::from_millis(50));
        assert_eq!(curfew.limits(some_time).await, Some(()));
    }
}
