//! Making an edition: one call for the schedule and for an admin, and doing it twice changes nothing.

use super::segment::assign;
use super::select::{self, Candidates, Selection};
use crate::domain::edition::{ItemKind, State};
use crate::domain::summary::StoredSummary;
use crate::domain::{Clock, Digest, Result, Slug};
use crate::store::Store;
use crate::store::audience::{Group, PlannedItem, Planning};
use crate::store::editions::NewEdition;
use crate::store::lease::{self, Lease};
use std::sync::Arc;
use std::time::Duration;

/// How long another process may take to plan an edition of the same digest.
const PATIENCE: Duration = Duration::from_secs(120);

/// What an edition is asked to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Whatever is new.
    Next,
    /// These summaries, for the readers who have not had them.
    Only(Vec<Slug>),
}

/// What planning led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// A new edition.
    Made(i64),
    /// An edition that is not finished yet goes on.
    Resumed(i64),
    /// An edition waits for approval; `made` when it is new.
    Draft {
        /// The edition's number.
        id: i64,
        /// Whether this call made it.
        made: bool,
    },
    /// There is nothing to send; `waiting` new summaries are fewer than the digest's minimum.
    Nothing {
        /// New summaries that wait for the next edition.
        waiting: usize,
    },
}

/// Plans editions.
#[derive(Clone)]
pub struct Planner {
    /// Where everything is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How long an edition may take before what is left of it expires.
    pub max_age: Duration,
    /// Whether readers in reserved domains are left out: a relay leads off this machine.
    pub bar_reserved: bool,
}

impl Planner {
    /// Plans an edition of `digest`, or finds the one that is under way.
    ///
    /// # Errors
    /// When a summary does not exist, or the database does not answer.
    pub async fn plan(&self, digest: &Digest, request: &Request) -> Result<Planned> {
        let lease = self.lease(digest).await?;
        let planned = self.plan_alone(digest, request, &lease).await;
        lease.release().await?;
        planned
    }

    async fn lease(&self, digest: &Digest) -> Result<Lease> {
        let name = format!("edition {}", digest.name);
        lease::wait_for(&self.store, &name, &*self.clock, PATIENCE).await
    }

    async fn plan_alone(&self, digest: &Digest, request: &Request, lease: &Lease) -> Result<Planned> {
        let name = digest.name.as_str();
        if *request == Request::Next {
            let under_way = [State::Planned, State::Sending, State::Waiting, State::Paused];
            if let Some(edition) = self.store.editions_in(Some(name), &under_way).await?.first() {
                return Ok(Planned::Resumed(edition.id));
            }
            if let Some(draft) = self.store.editions_in(Some(name), &[State::Draft]).await?.first() {
                return Ok(Planned::Draft {
                    id: draft.id,
                    made: false,
                });
            }
        }
        let (selection, waiting) = self.select(digest, request).await?;
        let Some(selection) = selection else {
            return Ok(Planned::Nothing { waiting });
        };
        let mut planning = self.begin(digest, &selection).await?;
        let reached = self.assign(digest, &mut planning).await?;
        if !reached && matches!(request, Request::Only(_)) {
            planning.abandon().await?;
            return Ok(Planned::Nothing { waiting });
        }
        if digest.approve {
            // The audience is frozen at approval; what was assigned so far is not kept.
            planning.abandon().await?;
            let mut draft = self.begin(digest, &selection).await?;
            draft.guarded_by(lease).await?;
            return Ok(Planned::Draft {
                id: draft.keep_draft().await?,
                made: true,
            });
        }
        Ok(Planned::Made(self.commit(planning, lease).await?))
    }

    /// Freezes the audience of a draft.
    ///
    /// # Errors
    /// When edition `id` is no draft.
    pub async fn approve(&self, digest: &Digest, id: i64) -> Result<i64> {
        // Against an edition that is planned meanwhile: each must see who receives what by the other.
        let lease = self.lease(digest).await?;
        let approved = self.approve_alone(digest, id, &lease).await;
        lease.release().await?;
        approved
    }

    async fn approve_alone(&self, digest: &Digest, id: i64, lease: &Lease) -> Result<i64> {
        let mut planning = self.store.plan_draft(id, self.bar_reserved).await?;
        self.assign(digest, &mut planning).await?;
        self.commit(planning, lease).await
    }

    /// What the next edition would hold and to whom it would go; nothing is kept.
    ///
    /// # Errors
    /// When a summary does not exist, or the database does not answer.
    pub async fn dry_run(&self, digest: &Digest, request: &Request) -> Result<Vec<Forecast>> {
        let (Some(selection), _) = self.select(digest, request).await? else {
            return Ok(Vec::new());
        };
        let mut planning = self.begin(digest, &selection).await?;
        let items = planning.items().await?;
        let groups = planning.groups().await?;
        planning.abandon().await?;
        Ok(forecast(&items, &groups, digest))
    }

    /// What the next edition would hold, in its order; nothing is kept.
    ///
    /// # Errors
    /// When a summary does not exist, or the database does not answer.
    pub async fn contents(
        &self,
        digest: &Digest,
        request: &Request,
    ) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let (Some(selection), _) = self.select(digest, request).await? else {
            return Ok(Vec::new());
        };
        let mut contents = Vec::with_capacity(selection.items.len());
        for item in &selection.items {
            contents.push((item.kind, self.store.summary_by_id(item.summary).await?));
        }
        Ok(contents)
    }

    /// What was asked for, and how many new summaries there are.
    async fn select(&self, digest: &Digest, request: &Request) -> Result<(Option<Selection>, usize)> {
        match request {
            Request::Next => {
                let candidates = self.candidates(digest).await?;
                let waiting = candidates.new.len();
                Ok((select::next(digest, candidates), waiting))
            }
            Request::Only(slugs) => {
                let mut summaries = Vec::with_capacity(slugs.len());
                for slug in slugs {
                    summaries.push(self.store.summary(slug).await?);
                }
                Ok((Some(select::only(&summaries)?), 0))
            }
        }
    }

    async fn candidates(&self, digest: &Digest) -> Result<Candidates> {
        let name = digest.name.as_str();
        Ok(Candidates {
            new: self.store.summaries_new_to(name).await?,
            marked: self.store.summaries_to_announce(name).await?,
            first: !self.store.has_editions(name).await?,
        })
    }

    async fn begin(&self, digest: &Digest, selection: &Selection) -> Result<Planning> {
        let new = NewEdition {
            digest: digest.name.as_str(),
            items: &selection.items,
            skipped: &selection.skipped,
            now: self.clock.now(),
        };
        self.store.plan_new(&new, self.bar_reserved).await
    }

    /// Writes segments and exclusions; whether anybody receives anything.
    async fn assign(&self, digest: &Digest, planning: &mut Planning) -> Result<bool> {
        let items = planning.items().await?;
        let groups = planning.groups().await?;
        let assignment = assign(&items, &groups, digest.unchosen);
        for (selection, groups) in &assignment.segments {
            planning.add_segment(selection, groups).await?;
        }
        for (reason, &count) in &assignment.excluded {
            planning.exclude(reason, count).await?;
        }
        Ok(!assignment.segments.is_empty())
    }

    async fn commit(&self, mut planning: Planning, lease: &Lease) -> Result<i64> {
        // Last: on PostgreSQL the renewal of the lease waits for this row.
        planning.guarded_by(lease).await?;
        let now = self.clock.now();
        planning.commit(now, now.plus(self.max_age)).await
    }
}

/// What one group of readers would receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Numbers of the summaries; empty for readers who are left out.
    pub summaries: Vec<i64>,
    /// Why they are left out.
    pub excluded: Option<&'static str>,
    /// How many readers.
    pub readers: i64,
}

fn forecast(items: &[PlannedItem], groups: &[Group], digest: &Digest) -> Vec<Forecast> {
    let assignment = assign(items, groups, digest.unchosen);
    let segments = assignment.segments.iter().map(|(summaries, groups)| Forecast {
        summaries: summaries.clone(),
        excluded: None,
        readers: groups.iter().map(|group| group.count).sum(),
    });
    let excluded = assignment.excluded.iter().map(|(&reason, &readers)| Forecast {
        summaries: Vec::new(),
        excluded: Some(reason),
        readers,
    });
    segments.chain(excluded).collect()
}
