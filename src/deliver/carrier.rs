//! One connection's work: what it does next, notices before batches.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use super::curfew::Curfew;
use super::lane::Lane;
use super::leased::lease;
use super::meter::Open;
use super::patience::answered;
use super::place::{Place, told};
use super::recorder::{Committed, Entry, Recorder};
use super::relay::Connection;
use super::worker::{Courier, Until};
use crate::domain::{Result, Timestamp};

/// How long an idle connection waits before it looks again.
const IDLE: Duration = Duration::from_millis(100);
/// The same, when nothing can become due sooner.
const LONG_IDLE: Duration = Duration::from_secs(1);

/// Works for one connection to one relay.
pub(super) struct Carrier {
    courier: Arc<Courier>,
    pub(super) place: Place,
    pub(super) recorder: Recorder,
    pub(super) stops: [watch::Receiver<bool>; 2],
    pub(super) curfew: Curfew,
    pub(super) connection: Option<Open<Connection>>,
    /// Until when no other is opened: a relay may take fewer at a time than are configured.
    pub(super) resting: Option<Timestamp>,
    /// The outcome that must be recorded before the next message is handed over.
    pub(super) pending: Option<Committed>,
    /// Room of a message that has gone.
    pub(super) spare: Vec<u8>,
    /// Since when there was nothing to do.
    idle_since: Option<Timestamp>,
}

/// Why a batch, or a few notices, were left.
pub(super) enum Left {
    /// Everything that was due was tried.
    Done,
    /// The relay can't be used now.
    RelayDown,
    /// The process or the edition is to stop, the lease may end before the next message has gone, or that
    /// one has to wait.
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
            let next = answered(courier.store.next_work(&courier.unfit.editions(now))).await?;
            let is_due = |due: Option<Timestamp>| due.is_some_and(|due| due <= now);
            if !down
                && is_due(next.notice)
                && let Some(left) = self.deliver_notices(&courier).await?
            {
                self.idle_since = None;
                if let Left::RelayDown = left {
                    self.connection = None;
                }
                continue;
            }
            if !down
                && is_due(next.batch)
                && let Some(leased) = lease(&courier).await?
            {
                self.idle_since = None;
                self.deliver(&courier, &leased).await?;
                continue;
            }
            let wait = match next.earliest() {
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

    /// The recorder keeps the order, so that waiting for the last outcome is waiting for all.
    pub(super) async fn record(&mut self, entry: impl Into<Entry>) {
        self.pending = Some(self.recorder.submit(entry.into()).await);
    }

    pub(super) fn lane<'a>(&self, courier: &'a Courier) -> Result<&'a Lane> {
        self.place.lane(courier)
    }

    pub(super) fn is_stopped(&self) -> bool {
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
