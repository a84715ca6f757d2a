//! `/metrics`: what this process has done, and what the database says is left.

use super::App;
use super::kept::Kept;
use crate::deliver::Meter;
use crate::deliver::exposition::{self, Findings};
use crate::deliver::worker::Courier;
use crate::domain::delivery::State;
use crate::domain::notice::NoticeKind;
use crate::domain::{Digest, Result, Slug};
use crate::store::backlog::Backlog;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// What the answer is: the text form that Prometheus calls OpenMetrics.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a count for monitoring is good at least.
const FRESH: Duration = Duration::from_secs(5);
/// How long counting may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a notice can be.
const NOTICE_STATES: [State; 5] = [
    State::Waiting,
    State::Uncertain,
    State::Sent,
    State::Failed,
    State::Excluded,
];

/// Notices by kind and state.
type NoticeCounts = Vec<([String; 2], i64)>;

/// What is watched, and what was counted last.
pub(super) struct Watch {
    pub(super) meter: Meter,
    couriers: Mutex<Vec<Weak<Courier>>>,
    backlog: Kept<Vec<Backlog>>,
    notices: Kept<NoticeCounts>,
    readers: Kept<HashMap<Slug, i64>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            meter: Meter::default(),
            couriers: Mutex::default(),
            backlog: Kept::new(FRESH),
            notices: Kept::new(FRESH),
            readers: Kept::new(Duration::ZERO),
        }
    }
}

impl Watch {
    /// From now on the relays of `courier` are watched, as long as it lives.
    pub(super) fn add(&self, courier: &Arc<Courier>) {
        let mut couriers = self.couriers.lock().unwrap_or_else(PoisonError::into_inner);
        couriers.retain(|courier| courier.strong_count() > 0);
        couriers.push(Arc::downgrade(courier));
    }

    pub(super) fn couriers(&self) -> Vec<Arc<Courier>> {
        let couriers = self.couriers.lock().unwrap_or_else(PoisonError::into_inner);
        couriers.iter().filter_map(Weak::upgrade).collect()
    }
}

impl App {
    /// What is left by digest, counted not long ago.
    async fn backlog(&self) -> Result<Vec<Backlog>> {
        self.watch.backlog.get(self.store.backlog()).await
    }

    /// How many deliveries are not final, counted now: beside what this process has done up to now, a count that
    /// was kept would be too high.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliveries_left(&self) -> Result<i64> {
        let backlog = self.store.backlog().await?;
        Ok(backlog.iter().map(|left| left.deliveries).sum())
    }

    /// How many confirmed readers each digest has, counted not long ago: with few readers just now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn readers_by_digest(&self) -> Result<HashMap<Slug, i64>> {
        let count = async {
            let mut counts = HashMap::new();
            for digest in self.digests.iter() {
                let readers = self.store.count_readers(digest.name.as_str()).await?;
                counts.insert(digest.name.clone(), readers);
            }
            Ok(counts)
        };
        self.watch.readers.get(count).await
    }

    /// The text of `/metrics`. While the database does not answer, its numbers are missing.
    ///
    /// # Errors
    /// When the text can't be made.
    pub async fn metrics(&self) -> Result<String> {
        let mut findings = Findings::default();
        let now = self.clock.now();
        for courier in self.watch.couriers() {
            let down = courier.relays(now);
            findings
                .relays_down
                .extend(down.map(|(relay, is_down)| (relay.to_owned(), is_down)));
            let conditions = courier.conditions();
            findings
                .relays
                .extend(conditions.map(|(relay, condition)| (relay.to_owned(), condition)));
        }
        match tokio::time::timeout(PATIENCE, self.look_up(&mut findings)).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!(%problem, "what is left could not be counted"),
            Err(_) => tracing::warn!("what is left could not be counted in time"),
        }
        exposition::text(&self.watch.meter, env!("CARGO_PKG_VERSION"), &findings)
    }

    /// How many notices are kept in each state, counted not long ago.
    async fn count_notices(&self) -> Result<NoticeCounts> {
        let count = async {
            let rows = self.store.count_notices().await?;
            let count = |kind: NoticeKind, state: State| {
                let mut rows = rows.iter();
                let row = rows.find(|(k, s, _)| k == kind.as_str() && s == state.as_str());
                let labels = [kind.as_str().to_owned(), state.as_str().to_owned()];
                (labels, row.map_or(0, |(_, _, count)| *count))
            };
            let kinds = NoticeKind::ALL.into_iter();
            Ok(kinds
                .flat_map(|kind| NOTICE_STATES.map(|state| count(kind, state)))
                .collect())
        };
        self.watch.notices.get(count).await
    }

    async fn look_up(&self, findings: &mut Findings) -> Result<()> {
        let backlog = self.backlog().await?;
        let now = self.clock.now();
        let since = self.store.due_since(now).await?;
        findings.queue_age = Some(since.map_or(0.0, |since| now.since(since).as_secs_f64()));
        let left = |digest: &Digest| {
            let left = backlog.iter().find(|left| left.digest == digest.name.as_str());
            (digest.name.to_string(), left.map_or(0, |left| left.deliveries))
        };
        findings.notices = self.count_notices().await?;
        findings.waiting = self.digests.iter().map(left).collect();
        Ok(())
    }
}
