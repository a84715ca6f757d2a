//! One connection's place among those to its relay: whether it is used, and when its next message may go.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

use super::health::Who;
use super::lane::Lane;
use super::pace::{Next, Pace};
use super::worker::Courier;
use crate::domain::{Problem, Result, Timestamp};

/// For longer than this a connection does not keep a batch to itself that others could deliver.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long before its moment a connection leases again, to be ready for it.
const AHEAD: Duration = Duration::from_millis(500);

/// What a connection may do with its next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Open the transaction.
    Go,
    /// Give the batch back; [`Place::waits`] says whether there is a moment to wait for.
    Later,
}

/// A connection's place.
#[derive(Debug)]
pub(super) struct Place {
    lane: usize,
    number: u32,
    /// A slot that it has taken and not used yet.
    slot: Option<Instant>,
    /// Not before this moment.
    until: Option<Instant>,
    /// When it sent the last message, as long as pauses are asked for.
    last: Option<Instant>,
    /// The next message was announced behind the one before: its turn has come.
    announced: bool,
}

impl Place {
    /// The place of connection `number` of `lane`.
    pub(super) fn new(lane: usize, number: u32) -> Self {
        Self {
            lane,
            number,
            slot: None,
            until: None,
            last: None,
            announced: false,
        }
    }

    /// What was announced before may not be what goes next.
    pub(super) fn begin_anew(&mut self) {
        self.announced = false;
    }

    /// Whether the next message was announced behind the one before.
    pub(super) fn has_announced(&self) -> bool {
        self.announced
    }

    pub(super) fn lane<'a>(&self, courier: &'a Courier) -> Result<&'a Lane> {
        courier
            .lanes
            .get(self.lane)
            .ok_or_else(|| Problem::failed("a connection without a relay"))
    }

    fn who(&self, lane: &Lane) -> Who {
        Who {
            number: self.number,
            used: lane.slowing.connections(),
        }
    }

    /// Whether it must not work: the relay is down or spared, or is a backup that is not needed.
    pub(super) fn sits_out(&self, courier: &Courier, now: Timestamp) -> Result<bool> {
        let lane = self.lane(courier)?;
        Ok(self.is_one_too_many(courier, lane) || !lane.health.may_try(self.who(lane), now))
    }

    fn is_one_too_many(&self, courier: &Courier, lane: &Lane) -> bool {
        self.number >= lane.slowing.connections() || (lane.limits.backup && courier.has_usable_primary())
    }

    /// Whether it may connect now; logs when it is the one that tries a relay again.
    pub(super) fn may_connect(&self, lane: &Lane, now: Timestamp) -> bool {
        let (may, begins) = lane.health.try_now(self.who(lane), now);
        if begins {
            tracing::info!(relay = lane.relay.name(), "one connection tries the relay again");
        }
        may
    }

    /// How long there is nothing to do but wait.
    pub(super) fn waits(&mut self) -> Option<Duration> {
        let rest = self.until?.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            self.until = None;
        }
        self.until.map(|_| rest)
    }

    /// Whether a moment for its next message is set, for which the connection must be there.
    pub(super) fn holds_slot(&self) -> bool {
        self.slot.is_some()
    }

    /// Waits until the next message may go; not for long, and not when the process is to stop.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn turn(
        &mut self,
        courier: &Courier,
        stops: &mut [watch::Receiver<bool>; 2],
    ) -> Result<Turn> {
        if std::mem::take(&mut self.announced) {
            return Ok(Turn::Go);
        }
        let lane = self.lane(courier)?;
        if self.is_one_too_many(courier, lane) {
            return Ok(Turn::Later);
        }
        let pause = lane.slowing.pause();
        if !pause.is_zero() {
            let now = Instant::now();
            if !self.wait(self.last.map_or(now, |last| last + pause), stops).await {
                return Ok(Turn::Later);
            }
        }
        if let Some(pace) = &lane.pace {
            loop {
                let Some(at) = self.take_slot(courier, lane, pace).await? else {
                    return Ok(Turn::Later);
                };
                if !self.wait(at, stops).await {
                    return Ok(Turn::Later);
                }
                self.slot = None;
                if pace.is_good(at) {
                    break;
                }
            }
        }
        self.last = (!pause.is_zero()).then(Instant::now);
        Ok(Turn::Go)
    }

    /// Whether the next message may be announced behind the one that goes: its turn has come already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn may_announce(&mut self, courier: &Courier) -> Result<bool> {
        let lane = self.lane(courier)?;
        if self.is_one_too_many(courier, lane) || !lane.slowing.pause().is_zero() {
            return Ok(false);
        }
        let Some(pace) = &lane.pace else {
            self.announced = true;
            return Ok(true);
        };
        if let Some(at) = self.take_slot(courier, lane, pace).await?
            && at <= Instant::now()
        {
            self.slot = None;
            self.announced = true;
        }
        Ok(self.announced)
    }

    /// The slot in hand while it is good, or the next one; `None` when the hour is full.
    async fn take_slot(&mut self, courier: &Courier, lane: &Lane, pace: &Pace) -> Result<Option<Instant>> {
        if let Some(at) = self.slot.filter(|&at| pace.is_good(at)) {
            return Ok(Some(at));
        }
        let name = lane.relay.name();
        self.slot = match pace.next(&courier.store, name, courier.clock.now()).await? {
            Next::At(at) => Some(at),
            Next::Full(until) => {
                self.until = Some(until);
                None
            }
        };
        Ok(self.slot)
    }

    /// False when that would take too long, or the process is to stop.
    async fn wait(&mut self, at: Instant, stops: &mut [watch::Receiver<bool>; 2]) -> bool {
        let rest = at.saturating_duration_since(Instant::now());
        if rest > PATIENCE {
            self.until = at.checked_sub(AHEAD);
            return false;
        }
        if rest.is_zero() {
            return true;
        }
        let [stop, failure] = stops;
        tokio::select! {
            () = tokio::time::sleep_until(at) => true,
            () = told(stop) => false,
            () = told(failure) => false,
        }
    }
}

/// Ends when `stop` becomes true; never when nobody can say so any more.
pub(super) async fn told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}
