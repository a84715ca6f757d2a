//! Group commit: whatever has finished since the last commit is recorded in one statement.

use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

use crate::domain::{Problem, Result};
use crate::store::Store;
use crate::store::ledger::Outcome;

/// The most outcomes that are recorded in one statement.
const GROUP: usize = 500;
/// How often a statement is tried before the deliveries stop; together about half a minute.
const TRIES: u32 = 8;

/// Says when an outcome is in the database.
pub(super) type Committed = oneshot::Receiver<()>;

/// Takes outcomes from every connection.
#[derive(Debug, Clone)]
pub(super) struct Recorder(mpsc::Sender<(Outcome, oneshot::Sender<()>)>);

impl Recorder {
    /// Starts recording; the task ends when every clone is gone, and says what went wrong.
    pub(super) fn start(store: Store) -> (Self, tokio::task::JoinHandle<Result<()>>) {
        let (sender, receiver) = mpsc::channel(4 * GROUP);
        (Self(sender), tokio::spawn(record_all(store, receiver)))
    }

    /// Hands an outcome over. When it can't be recorded the answer never comes and its channel closes.
    pub(super) async fn submit(&self, outcome: Outcome) -> Committed {
        let (sender, receiver) = oneshot::channel();
        // A closed recorder drops the sender, which the receiver notices.
        let _ = self.0.send((outcome, sender)).await;
        receiver
    }
}

/// Waits until an outcome is in the database.
pub(super) async fn committed(pending: Option<Committed>) -> Result<()> {
    match pending {
        Some(receiver) => receiver
            .await
            .map_err(|_| Problem::failed("the outcome of the last message could not be recorded")),
        None => Ok(()),
    }
}

async fn record_all(
    store: Store,
    mut receiver: mpsc::Receiver<(Outcome, oneshot::Sender<()>)>,
) -> Result<()> {
    let mut group = Vec::with_capacity(GROUP);
    let mut waiting = Vec::with_capacity(GROUP);
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        let mut outcomes = Vec::with_capacity(group.len());
        for (outcome, sender) in group.drain(..) {
            outcomes.push(outcome);
            waiting.push(sender);
        }
        record(&store, &outcomes).await?;
        for sender in waiting.drain(..) {
            // A connection that did not wait has ended already.
            let _ = sender.send(());
        }
    }
    Ok(())
}

/// Tries again while the database is away: an outcome that is forgotten is a message sent twice.
async fn record(store: &Store, outcomes: &[Outcome]) -> Result<()> {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TRIES {
        match store.record(outcomes).await {
            Ok(()) => return Ok(()),
            Err(problem) => tracing::warn!(%problem, outcomes = outcomes.len(), "outcomes not recorded yet"),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    store.record(outcomes).await
}
