//! A relay, its limits, and what its connections know of it.

use super::health::Health;
use super::open::RelayTrouble;
use super::pace::Pace;
use super::relay::Relay;
use super::retry::Attempt;
use super::slowing::{Slowing, Step};
use crate::domain::Timestamp;
use crate::domain::condition::Condition;
use crate::domain::relay::Limits;

/// A relay as the connections to it share it.
pub(super) struct Lane {
    pub(super) relay: Relay,
    pub(super) limits: Limits,
    pub(super) health: Health,
    pub(super) slowing: Slowing,
    /// `None` where no rate is limited.
    pub(super) pace: Option<Pace>,
}

impl Lane {
    pub(super) fn new(relay: Relay, limits: Limits) -> Self {
        let limits = Limits {
            connections: limits.connections.max(1),
            ..limits
        };
        Self {
            relay,
            limits,
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
            tracing::warn!(relay = name, from = %shown(step).0, to = %shown(step).1, why, "relay used more");
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
