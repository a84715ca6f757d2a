//! Group commit: whatever has finished since the last commit is recorded in one statement.
//!
//! A statement costs hundreds of microseconds whatever it holds, so it waits until enough has come
//! together; once a connection has its next message ready and waits for the last one's outcome, only as
//! long as that brings in more.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, mpsc, oneshot};

use super::brake::Brake;
use super::patience::answered;
use crate::domain::{Problem, Result};
use crate::store::ledger::Outcome;
use crate::store::{Clerk, Store};

/// The most outcomes that are recorded in one statement.
const GROUP: usize = 500;
/// How long an outcome that nobody waits for may stay unrecorded.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often a statement is tried before the deliveries stop; together about half a minute.
const TRIES: u32 = 8;

/// Says when an outcome is in the database.
#[derive(Debug)]
pub(super) struct Committed {
    answer: oneshot::Receiver<()>,
    wanted: Arc<Notify>,
}

/// Takes outcomes from every connection.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    outcomes: mpsc::Sender<(Outcome, oneshot::Sender<()>)>,
    /// Somebody waits for an answer.
    wanted: Arc<Notify>,
    brake: Arc<Brake>,
}

impl Recorder {
    /// Starts recording, in groups of `enough` unless somebody waits; the task ends when every clone is
    /// gone, and says what went wrong.
    pub(super) fn start(
        store: Store,
        enough: usize,
        brake: Arc<Brake>,
    ) -> (Self, tokio::task::JoinHandle<Result<()>>) {
        let (sender, receiver) = mpsc::channel(4 * GROUP);
        let wanted = Arc::new(Notify::new());
        let recording = tokio::spawn(record_all(
            store,
            receiver,
            Arc::clone(&wanted),
            enough,
            Arc::clone(&brake),
        ));
        (
            Self {
                outcomes: sender,
                wanted,
                brake,
            },
            recording,
        )
    }

    /// Hands an outcome over. When it can't be recorded the answer never comes and its channel closes.
    pub(super) async fn submit(&self, outcome: Outcome) -> Committed {
        let (sender, receiver) = oneshot::channel();
        self.brake.submitted(&outcome);
        // A closed recorder drops the sender, which the receiver notices.
        let _ = self.outcomes.send((outcome, sender)).await;
        Committed {
            answer: receiver,
            wanted: Arc::clone(&self.wanted),
        }
    }
}

/// Waits until an outcome is in the database.
pub(super) async fn committed(pending: Option<Committed>) -> Result<()> {
    let Some(mut pending) = pending else {
        return Ok(());
    };
    let answer = match pending.answer.try_recv() {
        Err(TryRecvError::Empty) => {
            pending.wanted.notify_one();
            pending.answer.await.is_ok()
        }
        answer => answer.is_ok(),
    };
    if answer {
        return Ok(());
    }
    Err(Problem::failed(
        "the outcome of the last message could not be recorded",
    ))
}

async fn record_all(
    store: Store,
    mut receiver: mpsc::Receiver<(Outcome, oneshot::Sender<()>)>,
    wanted: Arc<Notify>,
    enough: usize,
    brake: Arc<Brake>,
) -> Result<()> {
    let mut group = Vec::with_capacity(GROUP);
    let mut waiting = Vec::with_capacity(GROUP);
    let mut clerk = store.clerk();
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        while group.len() < enough {
            tokio::select! {
                more = receiver.recv_many(&mut group, GROUP) => if more == 0 { break },
                () = wanted.notified() => break,
                () = &mut patience => break,
            }
        }
        let mut before = 0;
        loop {
            while group.len() < GROUP
                && let Ok(more) = receiver.try_recv()
            {
                group.push(more);
            }
            if group.len() >= enough || group.len() == before {
                break;
            }
            before = group.len();
            // Replies that have come already are read meanwhile; when none has, this returns at once.
            tokio::task::yield_now().await;
        }
        let mut outcomes = Vec::with_capacity(group.len());
        for (outcome, sender) in group.drain(..) {
            outcomes.push(outcome);
            waiting.push(sender);
        }
        record(&mut clerk, &outcomes).await?;
        brake.recorded(&store, &outcomes).await;
        for sender in waiting.drain(..) {
            // A connection that did not wait has ended already.
            let _ = sender.send(());
        }
    }
    Ok(())
}

/// Tries again while the database is away: an outcome that is forgotten is a message sent twice.
async fn record(clerk: &mut Clerk, outcomes: &[Outcome]) -> Result<()> {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TRIES {
        match answered(clerk.record(outcomes)).await {
            Ok(()) => return Ok(()),
            Err(problem) => tracing::warn!(%problem, outcomes = outcomes.len(), "outcomes not recorded yet"),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    answered(clerk.record(outcomes)).await
}
