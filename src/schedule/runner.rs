//! Starts the digests' runs when they are due: each once, however many processes share the database.

use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use super::cron::Schedule;
use crate::domain::{Clock, Digest, Problem, Result, Timestamp};
use crate::store::{Store, lease};

/// The longest sleep: the machine's clock may be set, or another process may stop.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// What a run does; the same call that an admin makes.
#[async_trait]
pub trait Job: Send + Sync {
    /// Gathers and plans an edition of `digest`.
    ///
    /// # Errors
    /// When it could not; the run is tried again while it is within the digest's grace.
    async fn run(&self, digest: &Digest) -> Result<()>;
}

/// How long a digest rests whose run failed, at first and at most.
const REST: [Duration; 2] = [LOOK_AGAIN, Duration::from_secs(15 * 60)];

/// A digest's rest after runs that failed.
#[derive(Debug, Clone, Copy, Default)]
struct Rest {
    until: Timestamp,
    length: Duration,
}

impl Rest {
    fn lengthen(&mut self, now: Timestamp) {
        self.length = (self.length * 2).clamp(REST[0], REST[1]);
        self.until = now.plus(self.length);
    }
}

/// A digest with a schedule.
struct Entry {
    digest: Digest,
    schedule: Schedule,
}

/// Watches the schedules of all digests.
pub struct Runner {
    entries: Vec<Entry>,
    store: Store,
    clock: Arc<dyn Clock>,
    job: Arc<dyn Job>,
}

impl Runner {
    /// A runner for those of `digests` that have a schedule.
    ///
    /// # Errors
    /// When a schedule can't be read.
    pub fn new(digests: &[Digest], store: Store, clock: Arc<dyn Clock>, job: Arc<dyn Job>) -> Result<Self> {
        let mut entries = Vec::new();
        for digest in digests {
            let schedule = Schedule::parse(&digest.schedule)
                .map_err(|problem| problem.at(format!("schedule of digest {:?}", digest.name.as_str())))?;
            if let Some(schedule) = schedule {
                entries.push(Entry {
                    digest: digest.clone(),
                    schedule,
                });
            }
        }
        Ok(Self {
            entries,
            store,
            clock,
            job,
        })
    }

    /// Starts what is due, until `stop` becomes true. A failed run is logged and tried again.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut rests = vec![Rest::default(); self.entries.len()];
        while !*stop.borrow() {
            for (entry, rest) in self.entries.iter().zip(&mut rests) {
                if self.clock.now() < rest.until {
                    continue;
                }
                match self.look_at(entry).await {
                    Ok(()) => *rest = Rest::default(),
                    Err(problem) => {
                        rest.lengthen(self.clock.now());
                        let (digest, until) = (entry.digest.name.as_str(), rest.until);
                        tracing::error!(digest, %problem, %until, "scheduled run failed, and is tried again then");
                    }
                }
            }
            let now = self.clock.now();
            let next = self
                .entries
                .iter()
                .filter_map(|entry| entry.schedule.next_after(now, entry.digest.timezone))
                .min();
            let wait = next.map_or(LOOK_AGAIN, |next| next.since(now)).min(LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Starts every digest's run that is due now; what `run` does in a circle.
    ///
    /// # Errors
    /// The first trouble; the other digests are looked at all the same.
    pub async fn look_once(&self) -> Result<()> {
        let mut outcome = Ok(());
        for entry in &self.entries {
            outcome = outcome.and(self.look_at(entry).await);
        }
        outcome
    }

    async fn look_at(&self, entry: &Entry) -> Result<()> {
        let digest = &entry.digest;
        let name = digest.name.as_str();
        if self.due(entry).await?.is_none() {
            return Ok(());
        }
        let Some(lease) = lease::take(&self.store, &format!("run {name}"), self.clock.now()).await? else {
            return Ok(());
        };
        // Another process may have done it between the look and the lease.
        let outcome = match self.due(entry).await? {
            None => Ok(()),
            Some(due) if self.clock.now().since(due) > digest.grace => {
                tracing::warn!(digest = name, %due, grace = ?digest.grace, "missed run skipped: its grace is over");
                self.store.claim_run(name, due).await.map(drop)
            }
            Some(due) => {
                tracing::info!(digest = name, %due, "scheduled run");
                match self.job.run(digest).await {
                    Ok(()) => self.store.claim_run(name, due).await.map(drop),
                    Err(problem) => Err(problem),
                }
            }
        };
        lease.release().await?;
        outcome
    }

    /// The latest run that is due and was not started.
    async fn due(&self, entry: &Entry) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        let last = self.store.last_run(entry.digest.name.as_str(), now).await?;
        Ok(entry.schedule.last_due(last, now, entry.digest.timezone))
    }
}

/// The next run of `digest` after `now`, for `status`.
///
/// # Errors
/// When the schedule can't be read.
pub fn next_run(digest: &Digest, now: Timestamp) -> Result<Option<Timestamp>> {
    Ok(Schedule::parse(&digest.schedule)
        .map_err(|problem: Problem| problem.at(format!("schedule of digest {:?}", digest.name.as_str())))?
        .and_then(|schedule| schedule.next_after(now, digest.timezone)))
}
