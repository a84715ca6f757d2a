//! `/metrics`: what this process has done, and what the database says is left.

use super::App;
use crate::deliver::Meter;
use crate::deliver::worker::Courier;
use crate::domain::{Problem, Result};
use crate::store::backlog::Backlog;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// What the answer is: the text form that Prometheus calls OpenMetrics.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a count of what is left is good at least.
const FRESH: Duration = Duration::from_secs(5);
/// A count is kept for so many times as long as it took: counting takes at most one fiftieth of the time.
const SHARE: u32 = 50;
/// How long counting may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is watched, and what was counted last.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) meter: Meter,
    couriers: Mutex<Vec<Weak<Courier>>>,
    counted: tokio::sync::Mutex<Option<Counted>>,
}

#[derive(Clone)]
struct Counted {
    backlog: Vec<Backlog>,
    good_until: Instant,
}

impl Watch {
    /// From now on the relays of `courier` are watched, as long as it lives.
    pub(super) fn add(&self, courier: &Arc<Courier>) {
        let mut couriers = self.couriers.lock().unwrap_or_else(PoisonError::into_inner);
        couriers.retain(|courier| courier.strong_count() > 0);
        couriers.push(Arc::downgrade(courier));
    }

    fn couriers(&self) -> Vec<Arc<Courier>> {
        let couriers = self.couriers.lock().unwrap_or_else(PoisonError::into_inner);
        couriers.iter().filter_map(Weak::upgrade).collect()
    }
}

type Labels = [(&'static str, String); 1];

impl App {
    /// What is left by digest, counted not long ago.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn backlog(&self) -> Result<Vec<Backlog>> {
        let mut counted = self.watch.counted.lock().await;
        if let Some(counted) = counted
            .as_ref()
            .filter(|counted| counted.good_until > Instant::now())
        {
            return Ok(counted.backlog.clone());
        }
        let begun = Instant::now();
        let backlog = self.store.backlog().await?;
        let good_for = (begun.elapsed() * SHARE).max(FRESH);
        *counted = Some(Counted {
            backlog: backlog.clone(),
            good_until: Instant::now() + good_for,
        });
        Ok(backlog)
    }

    /// The text of `/metrics`. While the database does not answer, its numbers are missing.
    ///
    /// # Errors
    /// When the text can't be made.
    pub async fn metrics(&self) -> Result<String> {
        let mut registry = Registry::with_prefix("postrider");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program's version", Info::new(version));
        self.watch.meter.register(&mut registry);
        self.show_relays(&mut registry);
        match tokio::time::timeout(PATIENCE, self.show_backlog(&mut registry)).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!(%problem, "what is left could not be counted"),
            Err(_) => tracing::warn!("what is left could not be counted in time"),
        }
        let mut text = String::new();
        encode(&mut text, &registry)
            .map_err(|error| Problem::failed("the metrics can't be written").because(error))?;
        Ok(text)
    }

    fn show_relays(&self, registry: &mut Registry) {
        let down = Family::<Labels, Gauge>::default();
        let now = self.clock.now();
        for courier in self.watch.couriers() {
            for (relay, is_down) in courier.relays_down(now) {
                let gauge = down.get_or_create_owned(&[("relay", relay.to_owned())]);
                gauge.set(i64::from(is_down));
            }
        }
        let help = "1 while the relay can't be used and is left alone, else 0";
        registry.register("relay_down", help, down);
    }

    async fn show_backlog(&self, registry: &mut Registry) -> Result<()> {
        let backlog = self.backlog().await?;
        let now = self.clock.now();
        let since = self.store.due_since(now).await?;
        let waiting = Family::<Labels, Gauge>::default();
        for digest in self.digests.iter() {
            let left = backlog.iter().find(|left| left.digest == digest.name.as_str());
            let gauge = waiting.get_or_create_owned(&[("digest", digest.name.to_string())]);
            gauge.set(left.map_or(0, |left| left.deliveries));
        }
        let help = "Deliveries of editions under way that are not final, counted not long ago";
        registry.register("deliveries_waiting", help, waiting);
        let age = Gauge::<f64, AtomicU64>::default();
        age.set(since.map_or(0.0, |since| now.since(since).as_secs_f64()));
        let help = "How long the oldest batch has been due that nobody has taken";
        registry.register_with_unit("queue_age", help, Unit::Seconds, age);
        Ok(())
    }
}
