//! One connection's work: lease a batch, hand its messages over, give it back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

use super::compose::SegmentMail;
use super::leased::{Leased, lease, put_off};
use super::message::Envelope;
use super::recorder::{Committed, Recorder, committed};
use super::relay::Connection;
use super::retry::{Attempt, Verdict, due_after, next_attempt};
use super::splice::ReaderValues;
use super::worker::{Courier, Lane, Until};
use crate::domain::delivery::State;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::store::ledger::{Batch, Due, Outcome};

/// How long an idle connection waits before it looks again.
const IDLE: Duration = Duration::from_millis(100);
/// The same, when nothing can become due sooner.
const LONG_IDLE: Duration = Duration::from_secs(1);
/// How long what was read of readers holds: who leaves while a slow relay is busy gets no more mail.
const FRESH: Duration = Duration::from_secs(10);

/// Works for one connection to one relay.
pub(super) struct Carrier {
    courier: Arc<Courier>,
    lane: usize,
    recorder: Recorder,
    stops: [watch::Receiver<bool>; 2],
    connection: Option<Connection>,
    /// Until when no other is opened: a relay may take fewer at a time than are configured.
    resting: Option<Timestamp>,
    /// The outcome that must be recorded before the next message is handed over.
    pending: Option<Committed>,
    message: Vec<u8>,
}

/// Why a batch was left.
enum Left {
    /// Everything that was due was tried.
    Done,
    /// The relay can't be used now.
    RelayDown,
    /// The process or the edition is to stop, or the lease may end before the next message has gone.
    Stopped,
}

impl Carrier {
    pub(super) fn new(
        courier: Arc<Courier>,
        lane: usize,
        recorder: Recorder,
        stops: [watch::Receiver<bool>; 2],
    ) -> Self {
        Self {
            courier,
            lane,
            recorder,
            stops,
            connection: None,
            resting: None,
            pending: None,
            message: Vec::new(),
        }
    }

    /// Delivers until there is nothing to do, as `until` says.
    pub(super) async fn run(mut self, until: Until) -> Result<()> {
        let outcome = self.work(until).await;
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
        }
        outcome
    }

    async fn work(&mut self, until: Until) -> Result<()> {
        let courier = Arc::clone(&self.courier);
        while !self.is_stopped() {
            let now = courier.clock.now();
            let down = self.lane(&courier)?.health.down_until(now).is_some();
            if down && until == Until::Settled && courier.is_stalled() {
                return Ok(());
            }
            let down = down || self.resting.is_some_and(|until| until > now);
            // Looked at first: leasing takes the write lock of a SQLite file, also when nothing is due.
            let next = courier.store.next_due_but(&courier.unfit.editions(now)).await?;
            if !down
                && next.is_some_and(|due| due <= now)
                && let Some(leased) = lease(&courier).await?
            {
                self.deliver(&courier, &leased).await?;
                continue;
            }
            let wait = match next {
                None if until != Until::Stopped => return Ok(()),
                Some(due) if due > now && until == Until::Settled => return Ok(()),
                Some(due) if due <= now && !down => IDLE,
                _ => LONG_IDLE,
            };
            if let Some(idle) = self.connection.take() {
                // A relay ends what says nothing for minutes; a new connection is cheap.
                idle.quit().await;
            }
            self.sleep(wait).await;
        }
        Ok(())
    }

    async fn deliver(&mut self, courier: &Courier, leased: &Leased) -> Result<()> {
        let mail = match courier.composer.segment(&leased.batch).await {
            Ok(mail) => mail,
            Err(problem) => return put_off(courier, leased, problem).await,
        };
        let left = self.deliver_batch(courier, leased, &mail).await;
        // First: a batch that is free again must show everything that has left in it as sent.
        committed(self.pending.take()).await?;
        courier
            .store
            .release_batch(&leased.batch, &leased.owner, courier.clock.now())
            .await?;
        if let Left::RelayDown = left? {
            self.connection = None;
        }
        Ok(())
    }

    async fn deliver_batch(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
    ) -> Result<Left> {
        loop {
            let read = courier.clock.now();
            let due = courier.store.due_deliveries(&leased.batch, read).await?;
            if let Some(left) = self.deliver_due(courier, leased, mail, due, read).await? {
                return Ok(left);
            }
            // What is read again must show what has left as sent.
            committed(self.pending.take()).await?;
        }
    }

    /// `None` when what was `read` is too old to go by.
    async fn deliver_due(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
        due: Vec<Due>,
        read: Timestamp,
    ) -> Result<Option<Left>> {
        let batch = &leased.batch;
        for due in due {
            if courier.clock.now().since(read) > FRESH {
                return Ok(None);
            }
            if self.is_stopped() || courier.brake.holds_back(batch.edition) {
                return Ok(Some(Left::Stopped));
            }
            let address = match (&due.address, due.left) {
                (Some(address), None) => address,
                (_, left) => {
                    courier.tally.excluded.fetch_add(1, Ordering::Relaxed);
                    let reason = left.unwrap_or("unreadable_address");
                    self.record(outcome(batch, &due, State::Excluded, Some(reason.to_owned())))
                        .await;
                    continue;
                }
            };
            if !self.connect(courier).await? {
                return Ok(Some(Left::RelayDown));
            }
            let Some(attempt) = self.hand_over(courier, leased, mail, &due, address).await? else {
                return Ok(Some(Left::Stopped));
            };
            if attempt.verdict == Verdict::RelayDown {
                self.relay_down(courier, &attempt.log_text()).await?;
                return Ok(Some(Left::RelayDown));
            }
            let lane = self.lane(courier)?;
            if attempt.verdict == Verdict::Sent {
                if lane.health.took_one() {
                    courier.store.set_trouble(None).await?;
                }
            } else if !attempt.session_usable
                && matches!(attempt.verdict, Verdict::Retry | Verdict::Uncertain)
                && lane.health.lost_one()
            {
                self.judged(courier, batch, &due, &attempt).await?;
                self.relay_down(courier, &attempt.log_text()).await?;
                return Ok(Some(Left::RelayDown));
            }
            self.judged(courier, batch, &due, &attempt).await?;
        }
        Ok(Some(Left::Done))
    }

    /// Makes sure that there is a connection; false when the relay can't be used now.
    async fn connect(&mut self, courier: &Courier) -> Result<bool> {
        if self.connection.as_ref().is_some_and(Connection::is_usable) {
            return Ok(true);
        }
        let lane = self.lane(courier)?;
        if lane.health.down_until(courier.clock.now()).is_some() {
            return Ok(false);
        }
        let [stop, failure] = &mut self.stops;
        let connected = tokio::select! {
            connected = lane.relay.connect() => connected,
            // A relay that hangs may take minutes to say nothing.
            () = told(stop) => return Ok(false),
            () = told(failure) => return Ok(false),
        };
        match connected {
            Ok(connection) => {
                self.connection = Some(connection);
                Ok(true)
            }
            Err(trouble) => {
                self.relay_down(courier, &trouble.to_string()).await?;
                self.resting = Some(courier.clock.now().plus(courier.backoff.first));
                Ok(false)
            }
        }
    }

    async fn relay_down(&self, courier: &Courier, why: &str) -> Result<()> {
        let lane = self.lane(courier)?;
        lane.health.is_down(
            courier.clock.now(),
            courier.backoff.first,
            courier.backoff.max,
            &*courier.random,
        );
        let why = crate::domain::text::one_line(why);
        tracing::warn!(relay = lane.relay.name(), why, "relay can't be used now");
        courier
            .store
            .set_trouble(Some(&format!("relay {:?}: {why}", lane.relay.name())))
            .await
    }

    /// `None` when the message was held back because the lease may have ended.
    ///
    /// # Errors
    /// When the outcome of the message before can't be recorded: nothing more must go then.
    async fn hand_over(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
        due: &Due,
        address: &EmailAddress,
    ) -> Result<Option<Attempt>> {
        let batch = &leased.batch;
        let identity = &courier.identity;
        let message_id = identity.message_id(batch.edition, due.subscriber);
        let name = due.name.as_deref().filter(|name| !name.trim().is_empty());
        self.message.clear();
        mail.message(name).splice(
            &ReaderValues {
                to: address,
                name,
                message_id: &message_id,
                date: &courier.clock.now().rfc2822(),
                unsubscribe_url: &identity.unsubscribe_url(&mail.digest, due.subscriber),
                preferences_url: &identity.preferences_url(&mail.digest, due.subscriber),
            },
            &mut self.message,
        )?;
        let return_path = identity.return_path(batch.edition, due.subscriber);
        let envelope = Envelope {
            from: &return_path,
            to: address,
            message_id: &message_id,
        };
        // Taken only when the message is about to go: a refusal before leaves it for the next one.
        let pending = &mut self.pending;
        let mut held_back = Ok(false);
        let may_go = async {
            if let Err(problem) = committed(pending.take()).await {
                held_back = Err(problem);
                return Err(Problem::failed(
                    "the outcome of the message before is not recorded",
                ));
            }
            if !courier.tenure.holds(&leased.owner, courier.clock.now()) {
                held_back = Ok(true);
                return Err(Problem::failed("the lease of this batch may have ended"));
            }
            Ok(())
        };
        let connection = self
            .connection
            .as_mut()
            .ok_or_else(|| Problem::failed("a message was to go without a connection"))?;
        let attempt = connection.send(&envelope, &self.message, may_go).await;
        Ok((!held_back?).then_some(attempt))
    }

    /// Writes down what an attempt means.
    async fn judged(&mut self, courier: &Courier, batch: &Batch, due: &Due, attempt: &Attempt) -> Result<()> {
        let tally = &courier.tally;
        let (state, count) = match attempt.verdict {
            Verdict::Sent => (State::Sent, &tally.sent),
            Verdict::Fail { .. } => (State::Failed, &tally.failed),
            Verdict::Uncertain => (State::Uncertain, &tally.deferred),
            Verdict::Retry | Verdict::RelayDown => (State::Waiting, &tally.deferred),
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut outcome = outcome(batch, due, state, attempt.text.clone());
        outcome.attempt = 1;
        outcome.code = attempt.code.map(i64::from);
        outcome.relay = Some(self.lane(courier)?.relay.name().to_owned());
        outcome.dead = (attempt.verdict == Verdict::Fail { dead_address: true }).then(|| courier.clock.now());
        if !state.is_final() && !(courier.holds_uncertain && state == State::Uncertain) {
            let attempts = u32::try_from(due.attempts + 1).unwrap_or(u32::MAX);
            let (first, max) = (courier.backoff.first, courier.backoff.max);
            let wait = next_attempt(attempts, first, max, courier.random.unit());
            outcome.next_attempt = Some(due_after(courier.clock.now(), wait, attempts, first, max));
            tracing::info!(
                edition = batch.edition,
                subscriber = due.subscriber,
                said = attempt.log_text(),
                wait_s = wait.as_secs(),
                "delivery deferred"
            );
        } else if state != State::Sent {
            tracing::info!(
                edition = batch.edition,
                subscriber = due.subscriber,
                said = attempt.log_text(),
                state = state.as_str(),
                "delivery failed, or held"
            );
        }
        self.record(outcome).await;
        Ok(())
    }

    /// The recorder keeps the order, so that waiting for the last outcome is waiting for all.
    async fn record(&mut self, outcome: Outcome) {
        self.pending = Some(self.recorder.submit(outcome).await);
    }

    fn lane<'a>(&self, courier: &'a Courier) -> Result<&'a Lane> {
        courier
            .lanes
            .get(self.lane)
            .ok_or_else(|| Problem::failed("a connection without a relay"))
    }

    fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| *stop.borrow())
    }

    async fn sleep(&mut self, wait: Duration) {
        let [stop, failure] = &mut self.stops;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = told(stop) => {}
            () = told(failure) => {}
        }
    }
}

/// Ends when `stop` becomes true; never when nobody can say so any more.
async fn told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

fn outcome(batch: &Batch, due: &Due, state: State, text: Option<String>) -> Outcome {
    Outcome {
        edition: batch.edition,
        subscriber: due.subscriber,
        state,
        attempt: 0,
        code: None,
        text,
        relay: None,
        next_attempt: None,
        dead: None,
    }
}
