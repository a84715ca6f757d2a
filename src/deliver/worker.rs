//! Delivering what is due: connections lease batches, hand messages over, and have outcomes recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::bell::Bell;
use super::board::Board;
use super::brake::{Brake, Limit};
use super::carrier::Carrier;
use super::compose::Composer;
use super::curfew::{Curfew, DRAIN};
use super::lane::Lane;
use super::meter::Meter;
use super::notice_mail::Correspondence;
use super::patience::{LONG_STATEMENT, answered, in_time};
use super::place::Place;
use super::recorder::Recorder;
use super::relay::Relay;
use super::tenure::Tenure;
use super::unfit::Unfit;
use crate::domain::condition::Condition;
use crate::domain::edition::State;
use crate::domain::relay::Limits;
use crate::domain::{Clock, Problem, Random, Result, Timestamp};
use crate::store::Store;
use crate::store::lease::Work;

/// How often the state of editions is looked after.
const UPKEEP: Duration = Duration::from_secs(1);

/// The names and links of one reader in one edition.
pub trait Identity: Send + Sync {
    /// The same for every attempt.
    fn message_id(&self, edition: i64, subscriber: i64) -> String;
    /// The envelope sender.
    fn return_path(&self, edition: i64, subscriber: i64) -> String;
    /// The one-click link.
    fn unsubscribe_url(&self, digest: &str, subscriber: i64) -> String;
    /// The link to the reader's choices, of the generation that holds for them now.
    fn preferences_url(&self, digest: &str, subscriber: i64, generation: i64) -> String;
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Every delivery is final or waits for a later attempt.
    Settled,
    /// Every delivery is final.
    Final,
    /// It is told to stop.
    Stopped,
}

/// What was done so far, for a progress bar.
#[derive(Debug, Default)]
pub struct Tally {
    /// Messages that a relay took.
    pub sent: AtomicU64,
    /// Deliveries that failed for good.
    pub failed: AtomicU64,
    /// Attempts that are to be repeated.
    pub deferred: AtomicU64,
    /// Readers who had left.
    pub excluded: AtomicU64,
}

impl Tally {
    /// Sent, failed, deferred and excluded.
    pub fn counts(&self) -> [u64; 4] {
        [&self.sent, &self.failed, &self.deferred, &self.excluded].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Waits between attempts.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Before the second attempt; doubled from attempt to attempt.
    pub first: Duration,
    /// At most.
    pub max: Duration,
}

/// What is done about refusals and silence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// From when an edition with many refusals pauses itself; `None`: never.
    pub pause: Option<Limit>,
    /// Whether what may have arrived is held for an admin, and not tried again.
    pub holds_uncertain: bool,
    /// How long it is kept what became of mails to single readers.
    pub notices_kept: Duration,
}

/// Delivers; one at a time in a process.
pub struct Courier {
    pub(super) store: Store,
    pub(super) composer: Arc<Composer>,
    pub(super) identity: Arc<dyn Identity>,
    pub(super) correspondence: Arc<dyn Correspondence>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) backoff: Backoff,
    pub(super) lanes: Vec<Lane>,
    pub(super) tally: Arc<Tally>,
    pub(super) tenure: Tenure,
    pub(super) unfit: Unfit,
    board: Board,
    /// Wakes connections that have nothing to do: the work is done, or a relay's state has changed.
    pub(super) awake: Notify,
    pub(super) brake: Arc<Brake>,
    pub(super) holds_uncertain: bool,
    notices_kept: Duration,
    pub(super) bell: Bell,
}

/// What a courier works with.
pub struct Parts {
    /// The ledger.
    pub store: Store,
    /// Makes messages.
    pub composer: Arc<Composer>,
    /// Makes names and links.
    pub identity: Arc<dyn Identity>,
    /// Says what notices tell.
    pub correspondence: Arc<dyn Correspondence>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// For jitter.
    pub random: Arc<dyn Random>,
    /// Waits between attempts.
    pub backoff: Backoff,
    /// Relays, and what each may be burdened with.
    pub relays: Vec<(Relay, Limits)>,
    /// What is done about refusals and silence.
    pub rules: Rules,
    /// How long a batch is leased without renewal.
    pub lease: Duration,
    /// Counts and times.
    pub meter: Meter,
}

impl Courier {
    /// A courier that has not begun.
    pub fn new(parts: Parts) -> Self {
        let lanes: Vec<Lane> = parts
            .relays
            .into_iter()
            .map(|(relay, limits)| Lane::new(parts.meter.lane(relay.name()), relay, limits))
            .collect();
        Self {
            store: parts.store,
            composer: parts.composer,
            identity: parts.identity,
            correspondence: parts.correspondence,
            clock: parts.clock,
            random: parts.random,
            backoff: parts.backoff,
            board: Board::new(lanes.len()),
            lanes,
            tally: Arc::default(),
            tenure: Tenure::new(parts.lease),
            unfit: Unfit::default(),
            brake: Arc::new(Brake::new(parts.rules.pause)),
            holds_uncertain: parts.rules.holds_uncertain,
            notices_kept: parts.rules.notices_kept,
            awake: Notify::new(),
            bell: Bell::default(),
        }
    }

    /// What was done so far.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Whether every relay was found unusable and has not taken a message since.
    pub fn is_stalled(&self) -> bool {
        self.lanes.iter().all(|lane| lane.health.is_in_doubt())
    }

    /// Whether no relay may be tried at `now`.
    pub(super) fn is_shut(&self, now: Timestamp) -> bool {
        self.lanes.iter().all(|lane| lane.health.is_shut(now))
    }

    /// Whether a relay that is no backup can be used.
    pub(super) fn has_usable_primary(&self) -> bool {
        self.lanes
            .iter()
            .any(|lane| !lane.limits.backup && !lane.health.is_in_doubt())
    }

    /// The relays, each with whether it is left alone at `now`.
    pub fn relays(&self, now: Timestamp) -> impl Iterator<Item = (&str, bool)> {
        let lanes = self.lanes.iter();
        lanes.map(move |lane| (lane.relay.name(), lane.health.is_shut(now)))
    }

    /// The relays, and how each is as its connections have seen it.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, Condition)> {
        let lanes = self.lanes.iter();
        lanes.map(|lane| (lane.relay.name(), lane.condition()))
    }

    /// Whether no message of `edition` is to be begun: it is paused or cancelled, or too much of it is refused.
    pub fn holds_back(&self, edition: i64) -> bool {
        self.brake.holds_back(edition)
    }

    /// Somebody wrote a notice in this process: it goes ahead of digests, at once.
    pub fn notice_written(&self) {
        self.bell.ring();
        self.awake.notify_waiters();
    }

    /// Delivers what is due until `until`, or until `stop` becomes true; what is in flight then ends.
    ///
    /// # Errors
    /// When a template fails or the database does not answer; what was sent is recorded.
    pub async fn run(self: &Arc<Self>, until: Until, stop: watch::Receiver<bool>) -> Result<()> {
        // What an earlier run could not give back is nobody's work now.
        let before = self.tenure.begin_anew();
        for work in Work::ALL {
            answered(self.store.free_work(work, &before)).await?;
        }
        self.renew().await?;
        self.brake.begin();
        in_time(LONG_STATEMENT, self.look_after()).await?;
        answered(self.look_after_notices()).await?;
        let connections: u32 = self.lanes.iter().map(|lane| lane.limits.connections).sum();
        let enough = usize::try_from(connections / 2).unwrap_or(1);
        let (recorder, recording) = Recorder::start(self.store.clone(), enough, Arc::clone(&self.brake));
        let (curfew, watching) = Curfew::after(stop.clone(), DRAIN);
        let (failed, failure) = watch::channel(false);
        let failed = Arc::new(failed);
        let mut upkeep = tokio::spawn(Arc::clone(self).upkeep());
        let mut connections = JoinSet::new();
        for lane in 0..self.lanes.len() {
            for number in 0..self.lanes.get(lane).map_or(0, |lane| lane.limits.connections) {
                let carrier = Carrier::new(
                    Arc::clone(self),
                    Place::new(lane, number),
                    recorder.clone(),
                    [stop.clone(), failure.clone()],
                    curfew.clone(),
                );
                let failed = Arc::clone(&failed);
                connections.spawn(async move {
                    let outcome = carrier.run(until).await;
                    if outcome.is_err() {
                        failed.send_replace(true);
                    }
                    outcome
                });
            }
        }
        drop(recorder);
        let mut trouble = None;
        while let Some(ended) = connections.join_next().await {
            let outcome = ended.unwrap_or_else(|error| {
                failed.send_replace(true);
                Err(Problem::failed("a connection's task ended by itself").because(error))
            });
            if let Err(problem) = outcome {
                trouble.get_or_insert(problem);
            }
        }
        let recorded = recording
            .await
            .unwrap_or_else(|error| Err(Problem::failed("the recorder ended by itself").because(error)));
        upkeep.abort();
        watching.abort();
        let _ = (&mut upkeep).await;
        if let Err(problem) = self.board.take_down(&self.store, &self.lanes).await {
            tracing::debug!(%problem, "what is shown of relays runs out by itself");
        }
        // The recorder's own trouble says more than that of the connections which waited for it.
        recorded?;
        if let Some(problem) = trouble {
            return Err(problem);
        }
        in_time(LONG_STATEMENT, self.look_after()).await?;
        self.unfit.take_problem().map_or(Ok(()), Err)
    }

    /// Keeps leases alive and editions' states true while connections work.
    async fn upkeep(self: Arc<Self>) {
        // Side by side: settling a large edition must not hold the renewal up.
        tokio::join!(
            self.keep_leases(),
            self.keep_editions(),
            self.keep_notices(),
            self.keep_relays()
        );
    }

    async fn keep_leases(&self) {
        loop {
            tokio::time::sleep(self.tenure.pace()).await;
            if self.tenure.is_to_be_renewed(self.clock.now())
                && let Err(problem) = self.renew().await
            {
                tracing::warn!(%problem, "leases not renewed");
            }
        }
    }

    async fn keep_editions(&self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            if let Err(problem) = in_time(LONG_STATEMENT, self.look_after()).await {
                tracing::warn!(%problem, "editions not looked after");
            }
        }
    }

    async fn keep_notices(&self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            if let Err(problem) = answered(self.look_after_notices()).await {
                tracing::warn!(%problem, "notices not looked after");
            }
        }
    }

    async fn keep_relays(&self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            let now = self.clock.now();
            for lane in &self.lanes {
                lane.recover(now);
            }
            if let Err(problem) = self.board.show(&self.store, &self.lanes, now).await {
                tracing::debug!(%problem, "the state of relays not written");
            }
        }
    }

    pub(super) async fn renew(&self) -> Result<()> {
        let owner = self.tenure.owner();
        let until = self.clock.now().plus(self.tenure.term());
        let renewing = async {
            for work in Work::ALL {
                self.store.renew_work(work, &owner, until).await?;
            }
            Ok(())
        };
        in_time(self.tenure.patience(), renewing).await?;
        self.tenure.renewed(&owner, until, self.clock.now());
        Ok(())
    }

    /// Frees what the dead hold, gives up on what is too old or cancelled, and settles the editions.
    async fn look_after(&self) -> Result<()> {
        self.brake.look(&self.store).await?;
        let under_way = [State::Planned, State::Sending, State::Waiting];
        if self.store.editions_in(None, &under_way).await?.is_empty() && !self.store.has_loose_ends().await? {
            // Each of the statements below would take the write lock of a SQLite file.
            return Ok(());
        }
        let now = self.clock.now();
        self.store.free_dead_work(Work::Batches).await?;
        self.store.expire_deliveries(now).await?;
        self.store.end_cancelled(now).await?;
        self.store.settle_editions(now, self.is_stalled()).await
    }

    /// Whether a relay hands mails on beyond this machine.
    pub(super) fn reaches_others(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.relay.address().is_local())
    }

    /// Frees the notices that the dead hold, gives up on those that are too late, and hears of new ones.
    async fn look_after_notices(&self) -> Result<()> {
        let now = self.clock.now();
        self.store.free_dead_work(Work::Notices).await?;
        self.store.end_notices(now, now.minus(self.notices_kept)).await?;
        let waiting = self.store.due_notices(now).await?;
        self.bell.set(waiting);
        if waiting > 0 {
            self.awake.notify_waiters();
        }
        Ok(())
    }
}
