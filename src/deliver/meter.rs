//! What delivery counts and times, for monitoring. Labels are names from the configuration, never readers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::retry::Verdict;

/// Label names and values.
pub(super) type Labels = [(&'static str, String); 1];
type Outcomes = [(&'static str, String); 2];

/// Upper ends of the groups of times, in seconds: from a relay next door to one that hardly answers.
const TIMES: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];

fn times() -> Histogram {
    Histogram::new(TIMES)
}

/// The numbers of every relay of this process.
#[derive(Debug, Clone)]
pub struct Meter {
    deliveries: Family<Outcomes, Counter>,
    excluded: Counter,
    replies: Family<Labels, Histogram, fn() -> Histogram>,
    connects: Family<Labels, Histogram, fn() -> Histogram>,
    connections: Family<Labels, Gauge>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            deliveries: Family::default(),
            excluded: Counter::default(),
            replies: Family::new_with_constructor(times),
            connects: Family::new_with_constructor(times),
            connections: Family::default(),
        }
    }
}

impl Meter {
    /// Shows the numbers in `registry`.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "deliveries",
            "Attempts of this process by relay and outcome",
            self.deliveries.clone(),
        );
        registry.register(
            "exclusions",
            "Deliveries of this process that were not tried, since the reader has left",
            self.excluded.clone(),
        );
        registry.register_with_unit(
            "relay_reply",
            "From handing a message over to the relay's reply",
            Unit::Seconds,
            self.replies.clone(),
        );
        registry.register_with_unit(
            "relay_connect",
            "From a connection's first packet to a session that takes messages",
            Unit::Seconds,
            self.connects.clone(),
        );
        registry.register(
            "relay_connections",
            "Connections of this process that are open now",
            self.connections.clone(),
        );
    }

    /// The numbers of the relay with this name, from 0.
    pub(super) fn lane(&self, relay: &str) -> LaneMeter {
        let outcome = |outcome: &str| {
            let labels = [("relay", relay.to_owned()), ("outcome", outcome.to_owned())];
            self.deliveries.get_or_create_owned(&labels)
        };
        let labels = [("relay", relay.to_owned())];
        LaneMeter {
            sent: outcome("sent"),
            failed: outcome("failed"),
            deferred: outcome("deferred"),
            uncertain: outcome("uncertain"),
            excluded: self.excluded.clone(),
            replies: self.replies.get_or_create_owned(&labels),
            connects: self.connects.get_or_create_owned(&labels),
            connections: self.connections.get_or_create_owned(&labels),
        }
    }
}

/// The numbers of one relay: plain atomics and a short lock, without a look-up.
#[derive(Debug)]
pub(super) struct LaneMeter {
    sent: Counter,
    failed: Counter,
    deferred: Counter,
    uncertain: Counter,
    excluded: Counter,
    replies: Histogram,
    connects: Histogram,
    connections: Gauge,
}

impl LaneMeter {
    /// An attempt has come to an end.
    pub(super) fn judged(&self, verdict: Verdict) {
        match verdict {
            Verdict::Sent => self.sent.inc(),
            Verdict::Fail { .. } => self.failed.inc(),
            Verdict::Uncertain => self.uncertain.inc(),
            Verdict::Retry => self.deferred.inc(),
            Verdict::RelayDown | Verdict::Untouched => return,
        };
    }

    /// A reader had left.
    pub(super) fn excluded(&self) {
        self.excluded.inc();
    }

    /// The relay answered to a whole message.
    pub(super) fn answered(&self, after: Duration) {
        self.replies.observe(after.as_secs_f64());
    }

    /// A connection is open; it counts until what is given back goes.
    pub(super) fn opened<T>(&self, connection: T, after: Duration) -> Open<T> {
        self.connects.observe(after.as_secs_f64());
        self.connections.inc();
        Open {
            connection,
            _counted: Counted(self.connections.clone()),
        }
    }
}

/// A connection that counts as open while it is there.
#[derive(Debug)]
pub(super) struct Open<T> {
    connection: T,
    _counted: Counted,
}

#[derive(Debug)]
struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<T> Open<T> {
    /// The connection, which is about to be closed.
    pub(super) fn into_inner(self) -> T {
        self.connection
    }
}

impl<T> Deref for Open<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.connection
    }
}

impl<T> DerefMut for Open<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(meter: &Meter) -> String {
        let mut registry = Registry::with_prefix("postrider");
        meter.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn every_relay_shows_its_numbers_from_the_start_and_connections_while_they_are_open() {
        let meter = Meter::default();
        let lane = meter.lane("main");
        assert!(
            shown(&meter).contains("postrider_deliveries_total{relay=\"main\",outcome=\"failed\"} 0"),
            "{}",
            shown(&meter)
        );
        for verdict in [Verdict::Sent, Verdict::Sent, Verdict::Retry, Verdict::Untouched] {
            lane.judged(verdict);
        }
        lane.answered(Duration::from_millis(20));
        let open = lane.opened((), Duration::from_millis(2));
        let text = shown(&meter);
        for line in [
            "postrider_deliveries_total{relay=\"main\",outcome=\"sent\"} 2",
            "postrider_deliveries_total{relay=\"main\",outcome=\"deferred\"} 1",
            "postrider_relay_connections{relay=\"main\"} 1",
            "postrider_relay_reply_seconds_bucket{le=\"0.01\",relay=\"main\"} 0",
            "postrider_relay_reply_seconds_bucket{le=\"0.025\",relay=\"main\"} 1",
            "postrider_relay_connect_seconds_count{relay=\"main\"} 1",
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "{line} is not in\n{text}"
            );
        }
        drop(open);
        assert!(shown(&meter).contains("postrider_relay_connections{relay=\"main\"} 0"));
    }
}
