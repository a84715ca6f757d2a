//! Group commit: whatever has finished since the last commit is recorded in one statement.
//!
//! A statement costs hundreds of microseconds whatever it holds, so it waits until enough has come
//! together. Once a connection has its next message ready and waits for the last one's outcome, it goes on
//! waiting only while outcomes come in faster than they could be committed one by one, or while connections
//! that have work to do bring theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::brake::Brake;
use super::patience::answered;
use crate::domain::{Problem, Result};
use crate::store::ledger::Outcome;
use crate::store::notice_outcomes::NoticeOutcome;
use crate::store::{Clerk, Store};

/// The most outcomes that are recorded in one statement.
const GROUP: usize = 500;
/// How long an outcome that nobody waits for may stay unrecorded.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long somebody who waits for an answer waits for company.
const BRIEF: Duration = Duration::from_millis(1);
/// How often a statement is tried before the deliveries stop; together about half a minute.
const TRIES: u32 = 8;

/// What became of one message.
pub(super) enum Entry {
    /// Of a digest.
    Delivery(Outcome),
    /// Of a notice.
    Notice(NoticeOutcome),
}

impl From<Outcome> for Entry {
    fn from(outcome: Outcome) -> Self {
        Self::Delivery(outcome)
    }
}

impl From<NoticeOutcome> for Entry {
    fn from(outcome: NoticeOutcome) -> Self {
        Self::Notice(outcome)
    }
}

/// Says when an outcome is in the database.
#[derive(Debug)]
pub(super) struct Committed {
    answer: oneshot::Receiver<()>,
    wanted: Arc<Notify>,
}

/// Takes outcomes from every connection.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    outcomes: mpsc::Sender<(Entry, oneshot::Sender<()>)>,
    /// Somebody waits for an answer.
    wanted: Arc<Notify>,
    /// How many messages are with a relay, so that outcomes are to come.
    flying: Arc<AtomicUsize>,
    brake: Arc<Brake>,
}

/// A message that is with a relay.
pub(super) struct Flight<'a>(&'a Recorder);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.0.flying.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Nobody is left to wait for.
            self.0.wanted.notify_one();
        }
    }
}

/// How fast outcomes come in, and how fast they can be committed; means of the last few groups.
#[derive(Debug, Default)]
struct Flow {
    between: Duration,
    commit: Duration,
}

impl Flow {
    fn note(&mut self, gathered: Duration, commit: Duration, outcomes: usize) {
        let count = u32::try_from(outcomes.max(1)).unwrap_or(u32::MAX);
        self.between = (self.between * 7 + (gathered + commit) / count) / 8;
        self.commit = (self.commit * 7 + commit) / 8;
    }

    /// Whether waiting for more is worth it.
    fn is_crowded(&self) -> bool {
        self.between < self.commit
    }
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
        let recorder = Self {
            outcomes: sender,
            wanted,
            flying: Arc::default(),
            brake,
        };
        let signs = (Arc::clone(&recorder.wanted), Arc::clone(&recorder.flying));
        let recording = tokio::spawn(record_all(
            store,
            receiver,
            signs,
            enough,
            Arc::clone(&recorder.brake),
        ));
        (recorder, recording)
    }

    /// A message is with a relay from now on, until what is returned is dropped.
    pub(super) fn flight(&self) -> Flight<'_> {
        self.flying.fetch_add(1, Ordering::AcqRel);
        Flight(self)
    }

    /// Hands an outcome over. When it can't be recorded the answer never comes and its channel closes.
    pub(super) async fn submit(&self, entry: Entry) -> Committed {
        let (sender, receiver) = oneshot::channel();
        if let Entry::Delivery(outcome) = &entry {
            self.brake.submitted(outcome);
        }
        // A closed recorder drops the sender, which the receiver notices.
        let _ = self.outcomes.send((entry, sender)).await;
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
    mut receiver: mpsc::Receiver<(Entry, oneshot::Sender<()>)>,
    (wanted, flying): (Arc<Notify>, Arc<AtomicUsize>),
    enough: usize,
    brake: Arc<Brake>,
) -> Result<()> {
    let mut group = Vec::with_capacity(GROUP);
    let mut waiting = Vec::with_capacity(GROUP);
    let mut clerk = store.clerk();
    let mut flow = Flow::default();
    // No more fit into a statement, however many connections there are.
    let enough = enough.min(GROUP);
    let mut ended = Instant::now();
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        let mut asked = false;
        while group.len() < enough {
            if asked && (flying.load(Ordering::Acquire) == 0 || !flow.is_crowded()) {
                break;
            }
            let room = GROUP - group.len();
            tokio::select! {
                more = receiver.recv_many(&mut group, room) => if more == 0 { break },
                () = wanted.notified() => if !asked {
                    asked = true;
                    patience.as_mut().reset(Instant::now() + BRIEF);
                },
                () = &mut patience => break,
            }
        }
        bring_along(&mut receiver, &mut group, PATIENCE).await;
        let mut outcomes = Vec::with_capacity(group.len());
        let mut notices = Vec::new();
        for (entry, sender) in group.drain(..) {
            match entry {
                Entry::Delivery(outcome) => outcomes.push(outcome),
                Entry::Notice(outcome) => notices.push(outcome),
            }
            waiting.push(sender);
        }
        let begun = Instant::now();
        if !notices.is_empty() {
            record(Group::Notices(&store, &notices)).await?;
        }
        if !outcomes.is_empty() {
            record(Group::Deliveries(&mut clerk, &outcomes)).await?;
        }
        flow.note(begun - ended, begun.elapsed(), outcomes.len());
        ended = Instant::now();
        brake.recorded(&store, &outcomes).await;
        for sender in waiting.drain(..) {
            // A connection that did not wait has ended already.
            let _ = sender.send(());
        }
    }
    Ok(())
}

/// Lets connections that have work to do go first, and takes what they hand over, as long as any does so and
/// patience lasts. Where one thread does all the work, such as signing, hardly a commit is left for each
/// connection; where none has work, it costs one look.
async fn bring_along<T>(receiver: &mut mpsc::Receiver<T>, group: &mut Vec<T>, patience: Duration) {
    let begun = Instant::now();
    while group.len() < GROUP && begun.elapsed() < patience {
        tokio::task::yield_now().await;
        let known = group.len();
        while group.len() < GROUP
            && let Ok(more) = receiver.try_recv()
        {
            group.push(more);
        }
        if group.len() == known {
            break;
        }
    }
}

/// What is recorded in one statement.
enum Group<'a> {
    Deliveries(&'a mut Clerk, &'a [Outcome]),
    Notices(&'a Store, &'a [NoticeOutcome]),
}

impl Group<'_> {
    async fn record(&mut self) -> Result<()> {
        match self {
            Self::Deliveries(clerk, outcomes) => answered(clerk.record(outcomes)).await,
            Self::Notices(store, outcomes) => answered(store.record_notices(outcomes)).await,
        }
    }
}

/// Tries again while the database is away: an outcome that is forgotten is a message sent twice.
async fn record(mut group: Group<'_>) -> Result<()> {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TRIES {
        match group.record().await {
            Ok(()) => return Ok(()),
            Err(problem) => tracing::warn!(%problem, "outcomes not recorded yet"),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    group.record().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_still_has_work_to_do_is_recorded_with_the_others() {
        let (sender, mut receiver) = mpsc::channel(GROUP);
        for turns in 1..=20 {
            let sender = sender.clone();
            tokio::spawn(async move {
                for _ in 1..turns {
                    tokio::task::yield_now().await;
                }
                sender.try_send(turns).is_ok()
            });
        }
        let mut group = vec![0];
        bring_along(&mut receiver, &mut group, Duration::MAX).await;
        assert_eq!(group, (0..=20).collect::<Vec<_>>());
        // Nobody has anything more: it does not wait.
        bring_along(&mut receiver, &mut group, Duration::MAX).await;
        assert_eq!(group.len(), 21);
        // No more than a statement takes, however much there is.
        group.resize(GROUP - 1, 0);
        for one in 0..2 {
            sender.try_send(one).ok();
        }
        bring_along(&mut receiver, &mut group, Duration::MAX).await;
        assert_eq!((group.len(), receiver.len()), (GROUP, 1));
        group.clear();
        bring_along(&mut receiver, &mut group, Duration::ZERO).await;
        assert!(group.is_empty(), "patience was at its end");
    }

    #[test]
    fn company_is_waited_for_while_outcomes_come_in_faster_than_commits() {
        let millis = Duration::from_millis;
        let mut flow = Flow::default();
        assert!(!flow.is_crowded(), "nothing is known yet");
        for _ in 0..20 {
            flow.note(millis(1), millis(1), 10);
        }
        assert!(flow.is_crowded(), "{flow:?}");
        for _ in 0..20 {
            flow.note(millis(3), millis(1), 1);
        }
        assert!(!flow.is_crowded(), "{flow:?}");
        flow.note(millis(3), millis(1), 0);
    }
}
