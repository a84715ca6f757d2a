//! A relay, its limits, and what its connections know of it.

use super::health::Health;
use super::meter::LaneMeter;
use super::open::RelayTrouble;
use super::pace::Pace;
use super::patience::answered;
use super::relay::Relay;
use super::retry::Attempt;
use super::slowing::{Slowing, Step};
use super::worker::Courier;
use crate::domain::condition::Condition;
use crate::domain::relay::Limits;
use crate::domain::text::one_line;
use crate::domain::{Result, Timestamp};

/// A relay as the connections to it share it.
pub(super) struct Lane {
    pub(super) relay: Relay,
    pub(super) limits: Limits,
    pub(super) meter: LaneMeter,
    pub(super) health: Health,
    pub(super) slowing: Slowing,
    /// `None` where no rate is limited.
    pub(super) pace: Option<Pace>,
}

impl Lane {
    pub(super) fn new(meter: LaneMeter, relay: Relay, limits: Limits) -> Self {
        let limits = Limits {
            connections: limits.connections.max(1),
            ..limits
        };
        Self {
            relay,
            limits,
            meter,
            health: Health::default(),
            slowing: Slowing::new(limits.connections),
            pace: Pace::of(limits.rates),
        }
    }

    /// [`Lane::heard`] of a relay that took no connection.
    pub(super) fn refused(&self, now: Timestamp, trouble: &RelayTrouble) {
        self.heard(now, &Attempt::of(&trouble.happened, false));
    }

    /// Looks whether the relay asks to be spared.
    pub(super) fn heard(&self, now: Timestamp, attempt: &Attempt) {
        if attempt.asks_to_slow() {
            self.complained(now, &attempt.log_text());
        }
    }

    /// The relay asked to be spared; `why` holds no address.
    pub(super) fn complained(&self, now: Timestamp, why: &str) {
        if let Some(step) = self.slowing.complaint(now) {
            let name = self.relay.name();
            tracing::warn!(relay = name, from = %shown(step).0, to = %shown(step).1, why, "relay slowed");
        }
    }

    /// Asks for a little more when the relay has been calm.
    pub(super) fn recover(&self, now: Timestamp) {
        if let Some(step) = self.slowing.recover(now) {
            let name = self.relay.name();
            let why = "no complaint for a while";
            tracing::info!(relay = name, from = %shown(step).0, to = %shown(step).1, why, "relay used more");
        }
    }

    /// The relay can't be used now, and the editions under way say why; `why` holds no address.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn is_down(&self, courier: &Courier, why: &str) -> Result<()> {
        let why = one_line(why);
        let backoff = (courier.backoff.first, courier.backoff.max);
        let now = courier.clock.now();
        if let Some(until) = self.health.is_down(now, backoff, &*courier.random, &why) {
            tracing::warn!(relay = self.relay.name(), why, until = %until, "relay can't be used now");
            courier.awake.notify_waiters();
        }
        let trouble = format!("relay {:?}: {why}", self.relay.name());
        answered(courier.store.set_trouble(Some(&trouble))).await
    }

    /// The relay took a message, or refused its reader for good: it works.
    pub(super) async fn took_one(&self, courier: &Courier) {
        let took = self.health.took_one(courier.clock.now());
        if took.closed {
            tracing::info!(relay = self.relay.name(), "relay can be used again");
            courier.awake.notify_waiters();
        }
        if took.news
            && let Err(problem) = answered(courier.store.set_trouble(None)).await
        {
            tracing::warn!(%problem, "the editions under way still show an old trouble");
        }
    }

    /// How the relay is now.
    pub(super) fn condition(&self) -> Condition {
        let slowed = self.slowing.slowed();
        Condition {
            connections: self.limits.connections,
            slowed_to: slowed.map(|(pressure, _)| pressure.connections),
            pause: slowed
                .map(|(pressure, _)| pressure.pause)
                .filter(|pause| !pause.is_zero()),
            slowed_since: slowed.map(|(_, since)| since),
            full_until: self.pace.as_ref().and_then(Pace::full_until),
            ..self.health.condition()
        }
    }
}

/// Both ends of a step, for the log.
fn shown(step: Step) -> (String, String) {
    let show = |connections: u32, pause: std::time::Duration| {
        if pause.is_zero() {
            format!("{connections} connections")
        } else {
            format!("{connections} connections, pause {pause:?}")
        }
    };
    (
        show(step.from.connections, step.from.pause),
        show(step.to.connections, step.to.pause),
    )
}
