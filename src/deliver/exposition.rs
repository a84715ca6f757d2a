//! The text that Prometheus reads: what the meter has counted, and what the caller has found out.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

use super::meter::{Labels, Meter};
use crate::domain::condition::{Condition, State};
use crate::domain::{Problem, Result};

type Pairs = [(&'static str, String); 2];
type Seconds = Gauge<f64, AtomicU64>;

/// What is not counted here but looked up when somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Relays, and whether each is left alone now.
    pub relays_down: Vec<(String, bool)>,
    /// Relays, and how each is.
    pub relays: Vec<(String, Condition)>,
    /// Deliveries that are not final, by digest.
    pub waiting: Vec<(String, i64)>,
    /// Kind and state, and how many notices of these are kept.
    pub notices: Vec<([String; 2], i64)>,
    /// For how many seconds the oldest batch has been due that nobody has; `None` when it is not known.
    pub queue_age: Option<f64>,
}

/// `meter` and `findings` of this `version`, in the text form OpenMetrics 1.0.
///
/// # Errors
/// When the text can't be made.
pub fn text(meter: &Meter, version: &str, findings: &Findings) -> Result<String> {
    let mut registry = Registry::with_prefix("postrider");
    let version = [("version", version.to_owned())];
    registry.register("build", "The program's version", Info::new(version));
    meter.register(&mut registry);
    let down = findings
        .relays_down
        .iter()
        .map(|(relay, is_down)| ([("relay", relay.clone())], i64::from(*is_down)));
    registry.register(
        "relay_down",
        "1 while the relay can't be used and is left alone, else 0",
        gauges(down),
    );
    show_conditions(&mut registry, &findings.relays);
    let waiting = findings
        .waiting
        .iter()
        .map(|(digest, count)| ([("digest", digest.clone())], *count));
    registry.register(
        "deliveries_waiting",
        "Deliveries of editions under way that are not final, counted not long ago",
        gauges(waiting),
    );
    let notices = Family::<Pairs, Gauge>::default();
    for ([kind, state], count) in &findings.notices {
        let labels = [("kind", kind.clone()), ("state", state.clone())];
        notices.get_or_create_owned(&labels).set(*count);
    }
    registry.register(
        "notices",
        "Mails to single readers by kind and state, of those that are kept (30 days), counted not long ago",
        notices,
    );
    if let Some(seconds) = findings.queue_age {
        let age = Seconds::default();
        age.set(seconds);
        let help = "How long the oldest batch has been due that nobody has taken";
        registry.register_with_unit("queue_age", help, Unit::Seconds, age);
    }
    let mut text = String::new();
    encode(&mut text, &registry)
        .map_err(|error| Problem::failed("the metrics can't be written").because(error))?;
    Ok(text)
}

/// The breaker of each relay, and how far the relay is slowed.
fn show_conditions(registry: &mut Registry, relays: &[(String, Condition)]) {
    let circuits = Family::<Pairs, Gauge>::default();
    let pauses = Family::<Labels, Seconds>::default();
    for (relay, condition) in relays {
        for state in State::ALL {
            let labels = [("relay", relay.clone()), ("state", state.as_str().to_owned())];
            circuits
                .get_or_create_owned(&labels)
                .set(i64::from(condition.state == state));
        }
        let pause = condition.pause.unwrap_or_default().as_secs_f64();
        pauses.get_or_create_owned(&[("relay", relay.clone())]).set(pause);
    }
    registry.register(
        "relay_circuit_state",
        "1 for the state that the relay's circuit breaker is in, 0 for the others",
        circuits,
    );
    let allowed = relays.iter().map(|(relay, condition)| {
        let allowed = condition.slowed_to.unwrap_or(condition.connections);
        ([("relay", relay.clone())], i64::from(allowed))
    });
    registry.register(
        "relay_connections_allowed",
        "Connections that this process may use now, fewer than configured while the relay is slowed",
        gauges(allowed),
    );
    registry.register_with_unit(
        "relay_pause",
        "The pause between two messages while the relay is slowed, else 0",
        Unit::Seconds,
        pauses,
    );
}

fn gauges(values: impl Iterator<Item = (Labels, i64)>) -> Family<Labels, Gauge> {
    let family = Family::<Labels, Gauge>::default();
    for (labels, value) in values {
        family.get_or_create_owned(&labels).set(value);
    }
    family
}
