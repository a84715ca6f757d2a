//! One connection's work: lease a batch, hand its messages over, give it back.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

use super::curfew::Curfew;
use super::lane::Lane;
use super::leased::{Leased, lease, put_off};
use super::letter::Letter;
use super::meter::Open;
use super::outcome;
use super::patience::answered;
use super::place::{Place, Turn, told};
use super::recorder::{Committed, Recorder, committed};
use super::relay::Connection;
use super::retry::{Attempt, Verdict};
use super::segment_mail::SegmentMail;
use super::worker::{Courier, Until};
use crate::domain::{Problem, Result, Timestamp};
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
    place: Place,
    recorder: Recorder,
    stops: [watch::Receiver<bool>; 2],
    curfew: Curfew,
    connection: Option<Open<Connection>>,
    /// Until when no other is opened: a relay may take fewer at a time than are configured.
    resting: Option<Timestamp>,
    /// The outcome that must be recorded before the next message is handed over.
    pending: Option<Committed>,
    /// Room of a message that has gone.
    spare: Vec<u8>,
    /// Since when there was nothing to do.
    idle_since: Option<Timestamp>,
}

/// Why a batch was left.
enum Left {
    /// Everything that was due was tried.
    Done,
    /// The relay can't be used now.
    RelayDown,
    /// The process or the edition is to stop, the lease may end before the next message has gone, or that one has to wait.
    Stopped,
}

impl Carrier {
    pub(super) fn new(
        courier: Arc<Courier>,
        place: Place,
        recorder: Recorder,
        stops: [watch::Receiver<bool>; 2],
        curfew: Curfew,
    ) -> Self {
        Self {
            courier,
            place,
            recorder,
            stops,
            curfew,
            connection: None,
            resting: None,
            pending: None,
            spare: Vec::new(),
            idle_since: None,
        }
    }

    /// Delivers until there is nothing to do, as `until` says.
    pub(super) async fn run(mut self, until: Until) -> Result<()> {
        let outcome = self.work(until).await;
        // Whoever only waits looks whether there is anything left.
        self.courier.awake.notify_waiters();
        if let Some(connection) = self.connection.take() {
            connection.into_inner().quit().await;
        }
        outcome
    }

    async fn work(&mut self, until: Until) -> Result<()> {
        let courier = Arc::clone(&self.courier);
        while !self.is_stopped() {
            let now = courier.clock.now();
            let down = self.place.sits_out(&courier, now)?;
            if down && until == Until::Settled && courier.is_shut(now) {
                return Ok(());
            }
            let waits = self.place.waits();
            let down = down || waits.is_some() || self.resting.is_some_and(|until| until > now);
            // Looked at first: leasing takes the write lock of a SQLite file, also when nothing is due.
            let next = answered(courier.store.next_due_but(&courier.unfit.editions(now))).await?;
            if !down
                && next.is_some_and(|due| due <= now)
                && let Some(leased) = lease(&courier).await?
            {
                self.idle_since = None;
                self.deliver(&courier, &leased).await?;
                continue;
            }
            let wait = match next {
                None if until != Until::Stopped => return Ok(()),
                Some(due) if due > now && until == Until::Settled => return Ok(()),
                Some(due) if due <= now && !down => IDLE,
                _ => LONG_IDLE,
            };
            let idle_since = *self.idle_since.get_or_insert(now);
            if now.since(idle_since) >= self.lane(&courier)?.relay.idle()
                && !self.place.holds_slot()
                && let Some(idle) = self.connection.take()
            {
                // A relay ends what says nothing for minutes; a new connection is cheap.
                idle.into_inner().quit().await;
            }
            self.sleep(&courier, waits.unwrap_or(wait).min(wait)).await;
        }
        Ok(())
    }

    async fn deliver(&mut self, courier: &Courier, leased: &Leased) -> Result<()> {
        let mail = match answered(courier.composer.segment(&leased.batch)).await {
            Ok(mail) => mail,
            Err(problem) => return put_off(courier, leased, problem).await,
        };
        let left = self.deliver_batch(courier, leased, &mail).await;
        // First: a batch that is free again must show everything that has left in it as sent.
        committed(self.pending.take()).await?;
        let now = courier.clock.now();
        answered(courier.store.release_batch(&leased.batch, &leased.owner, now)).await?;
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
            let due = answered(courier.store.due_deliveries(&leased.batch, read)).await?;
            if let Some(left) = self.deliver_due(courier, leased, mail, due, read).await? {
                return Ok(left);
            }
            // What is read again must show what has left as sent.
            committed(self.pending.take()).await?;
        }
    }

    /// `None` when what was `read` is too old to go by.
    ///
    /// The message after the one that goes is made already: its envelope may travel behind it.
    async fn deliver_due(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
        due: Vec<Due>,
        read: Timestamp,
    ) -> Result<Option<Left>> {
        let batch = &leased.batch;
        let mut due = due.into_iter();
        self.place.begin_anew();
        let mut next = self.next_letter(courier, batch, mail, &mut due).await?;
        while let Some(letter) = next.take() {
            if courier.clock.now().since(read) > FRESH {
                return Ok(None);
            }
            if self.is_stopped() || courier.brake.holds_back(batch.edition) {
                return Ok(Some(Left::Stopped));
            }
            if self.connect(courier).await?.is_none() {
                return Ok(Some(Left::RelayDown));
            }
            if self.lane(courier)?.pace.is_some() {
                // Waited for now, it does not make this message late for its slot.
                committed(self.pending.take()).await?;
            }
            if self.place.turn(courier, &mut self.stops).await? == Turn::Later {
                return Ok(Some(Left::Stopped));
            }
            let attempt = match self.begin(&letter).await {
                Err(attempt) if attempt.verdict == Verdict::Untouched => {
                    self.lane(courier)?.heard(courier.clock.now(), &attempt);
                    next = Some(letter);
                    continue;
                }
                Err(attempt) => attempt,
                Ok(()) => {
                    next = self.next_letter(courier, batch, mail, &mut due).await?;
                    let announced = match &next {
                        Some(_) if !self.place.may_announce(courier).await? => None,
                        next => next.as_ref(),
                    };
                    match self.hand_over(courier, leased, &letter, announced).await? {
                        Some(attempt) => attempt,
                        None => return Ok(Some(Left::Stopped)),
                    }
                }
            };
            if let Some(left) = self.judged(courier, batch, &letter.due, &attempt).await? {
                return Ok(Some(left));
            }
            self.spare = letter.message;
            if next.is_none() {
                next = self.next_letter(courier, batch, mail, &mut due).await?;
            }
        }
        Ok(Some(Left::Done))
    }

    /// The message for the next reader who is to have one; who has left is recorded as excluded.
    async fn next_letter(
        &mut self,
        courier: &Courier,
        batch: &Batch,
        mail: &SegmentMail,
        due: &mut impl Iterator<Item = Due>,
    ) -> Result<Option<Letter>> {
        for mut due in due {
            match (due.address.take(), due.left) {
                (Some(address), None) => {
                    let room = std::mem::take(&mut self.spare);
                    let relay = &self.lane(courier)?.relay;
                    match Letter::write(courier, relay, batch, mail, &due, address, room).await {
                        Ok(letter) => return Ok(Some(letter)),
                        // One reader's mail that can't be made holds up nobody else's.
                        Err(problem) => self.record(outcome::unmade(courier, batch, &due, &problem)).await,
                    }
                }
                _ => {
                    self.lane(courier)?.meter.excluded();
                    self.record(outcome::excluded(courier, batch, &due)).await;
                }
            }
        }
        Ok(None)
    }

    /// A connection that takes a message; `None` when the relay can't be used now.
    async fn connect(&mut self, courier: &Courier) -> Result<Option<&mut Open<Connection>>> {
        if !self.connection.as_ref().is_some_and(|held| held.is_usable()) {
            if let Some(spent) = self.connection.take() {
                spent.into_inner().quit().await;
            }
            self.connection = self.open(courier).await?;
        }
        Ok(self.connection.as_mut())
    }

    async fn open(&mut self, courier: &Courier) -> Result<Option<Open<Connection>>> {
        let lane = self.lane(courier)?;
        if !self.place.may_connect(lane, courier.clock.now()) {
            return Ok(None);
        }
        let begun = Instant::now();
        let [stop, failure] = &mut self.stops;
        let connected = tokio::select! {
            connected = lane.relay.connect() => connected,
            // A relay that hangs may take minutes to say nothing.
            () = told(stop) => return Ok(None),
            () = told(failure) => return Ok(None),
        };
        match connected {
            Ok(connection) => Ok(Some(lane.meter.opened(connection, begun.elapsed()))),
            Err(trouble) => {
                let now = courier.clock.now();
                lane.refused(now, &trouble);
                // A relay that is busy with our other connections is not down.
                if !(trouble.code() == Some(421) && lane.health.took_lately(now)) {
                    lane.is_down(courier, &trouble.text()).await?;
                }
                self.resting = Some(now.plus(courier.backoff.first));
                Ok(None)
            }
        }
    }

    /// Opens the transaction of a message; what the curfew ends has not begun.
    async fn begin(&mut self, letter: &Letter) -> std::result::Result<(), Attempt> {
        let Some(connection) = &mut self.connection else {
            return Err(Attempt::untouched("there is no connection"));
        };
        let envelope = letter.envelope();
        let opened = self.curfew.limits(connection.begin(&envelope)).await;
        opened.unwrap_or_else(|| Err(Attempt::untouched("the program was stopped")))
    }

    /// Hands the message of the open transaction over, with the envelope of the next behind it.
    ///
    /// `None` when it was held back: the process or the edition is to stop, or the lease may have ended.
    ///
    /// # Errors
    /// When the outcome of the message before can't be recorded: nothing more must go then.
    async fn hand_over(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        letter: &Letter,
        next: Option<&Letter>,
    ) -> Result<Option<Attempt>> {
        let recorded = committed(self.pending.take()).await;
        let held_back = self.is_stopped()
            || courier.brake.holds_back(leased.batch.edition)
            || !courier.tenure.holds(&leased.owner, courier.clock.now());
        if recorded.is_err() || held_back {
            // The relay waits for the message: only closing takes the transaction back.
            self.connection = None;
            return recorded.map(|()| None);
        }
        let connection = self
            .connection
            .as_mut()
            .ok_or_else(|| Problem::failed("a message was to go without a connection"))?;
        let next = next.map(Letter::envelope);
        let begun = Instant::now();
        let envelope = letter.envelope();
        let flight = self.recorder.flight();
        let handing = connection.finish(&envelope, &letter.message, next.as_ref());
        let attempt = match self.curfew.limits(handing).await {
            Some(attempt) => attempt,
            None => connection.left_unanswered(),
        };
        drop(flight);
        // Silence is no reply, and its time is that of a limit.
        if attempt.code.is_some() || attempt.verdict == Verdict::Sent {
            self.lane(courier)?.meter.answered(begun.elapsed());
        }
        Ok(Some(attempt))
    }

    /// Tells the relay's health of an attempt, and has it written down; says when the batch is left.
    async fn judged(
        &mut self,
        courier: &Courier,
        batch: &Batch,
        due: &Due,
        attempt: &Attempt,
    ) -> Result<Option<Left>> {
        self.lane(courier)?.heard(courier.clock.now(), attempt);
        self.lane(courier)?.meter.judged(attempt.verdict);
        let lost = match attempt.verdict {
            Verdict::RelayDown => {
                self.lane(courier)?.is_down(courier, &attempt.log_text()).await?;
                return Ok(Some(Left::RelayDown));
            }
            Verdict::Untouched => return Ok(None),
            Verdict::Retry | Verdict::Uncertain if !attempt.session_usable => {
                self.lane(courier)?.health.lost_one()
            }
            _ => false,
        };
        let outcome = outcome::of_attempt(courier, batch, due, attempt, self.lane(courier)?.relay.name());
        self.record(outcome).await;
        if matches!(attempt.verdict, Verdict::Sent | Verdict::Fail { .. }) {
            self.lane(courier)?.took_one(courier).await;
        }
        if lost {
            self.lane(courier)?.is_down(courier, &attempt.log_text()).await?;
            return Ok(Some(Left::RelayDown));
        }
        Ok(None)
    }

    /// The recorder keeps the order, so that waiting for the last outcome is waiting for all.
    async fn record(&mut self, outcome: Outcome) {
        self.pending = Some(self.recorder.submit(outcome).await);
    }

    fn lane<'a>(&self, courier: &'a Courier) -> Result<&'a Lane> {
        self.place.lane(courier)
    }

    fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| *stop.borrow())
    }

    async fn sleep(&mut self, courier: &Courier, wait: Duration) {
        let [stop, failure] = &mut self.stops;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = courier.awake.notified() => {}
            () = told(stop) => {}
            () = told(failure) => {}
        }
    }
}
