//! What an admin does to an edition that is planned.

use super::App;
use super::publish::{DigestOutcome, Prepared};
use crate::domain::Result;
use crate::domain::edition::Report;
use crate::store::lease::Work;
use std::time::Duration;

pub use crate::store::interventions::{Cancelled, Retried, SeenAs};

/// How long a cancellation waits for other processes to hear of it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(100);

impl App {
    /// Pauses edition `id`: every process stops taking from it within a second or so, and what is in
    /// flight ends.
    ///
    /// # Errors
    /// When there is none, or it is not under way.
    pub async fn pause_edition(&self, id: i64) -> Result<Report> {
        self.store.pause_edition(id).await?;
        self.store.edition_report(id).await
    }

    /// Lets edition `id` go on; it is delivered by whoever delivers.
    ///
    /// # Errors
    /// When there is none, it is not under way, or its age limit has passed.
    pub async fn resume_edition(&self, id: i64) -> Result<Prepared> {
        self.has_digest(id).await?;
        self.store.resume_edition(id, self.clock.now()).await?;
        self.going_on(id).await
    }

    /// Cancels edition `id`, if it still is what was `seen`; what another process has in hand is recorded by
    /// that process.
    ///
    /// # Errors
    /// When there is none, it is finished, or not what was seen.
    pub async fn cancel_edition(&self, id: i64, seen: Option<SeenAs>) -> Result<(Cancelled, Report)> {
        self.store.free_dead_work(Work::Batches).await?;
        let mut cancelled = self.store.cancel_edition(id, seen, self.clock.now()).await?;
        let begun = std::time::Instant::now();
        while cancelled.in_hand > 0 && begun.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK).await;
            let more = self.store.cancel_edition(id, None, self.clock.now()).await?;
            cancelled.given_up += more.given_up;
            cancelled.in_hand = more.in_hand;
        }
        Ok((cancelled, self.store.edition_report(id).await?))
    }

    /// Makes what failed, expired or is held in edition `id` due again, with a new age limit.
    ///
    /// # Errors
    /// When there is none, or it is a draft or cancelled.
    pub async fn retry_edition(&self, id: i64) -> Result<(Retried, Prepared)> {
        self.has_digest(id).await?;
        let now = self.clock.now();
        let expires = now.plus(self.config.delivery.max_age);
        let retried = self.store.retry_edition(id, now, expires).await?;
        Ok((retried, self.going_on(id).await?))
    }

    /// An edition whose digest is gone can't be sent.
    async fn has_digest(&self, id: i64) -> Result<()> {
        let edition = self.store.edition(id).await?;
        self.digest(&edition.digest)
            .map(drop)
            .map_err(|problem| problem.at(format!("edition {id} can't be sent")))
    }

    /// Edition `id` as one that goes on, for a delivery.
    async fn going_on(&self, id: i64) -> Result<Prepared> {
        let edition = self.store.edition(id).await?;
        Ok(Prepared {
            digests: vec![DigestOutcome {
                digest: self.digest(&edition.digest)?.name.clone(),
                outcome: "resumed",
                edition: Some(id),
                created: false,
                waiting_summaries: 0,
            }],
            ..Prepared::default()
        })
    }
}
