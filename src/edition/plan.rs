//! Making an edition: one call for the schedule and for an admin, and doing it twice changes nothing.

use super::segment::{Assignment, assign};
use super::select::{self, Candidates, Selection};
use crate::domain::edition::{ItemKind, State};
use crate::domain::summary::{Status, StoredSummary};
use crate::domain::{Clock, Digest, Problem, Result, Slug};
use crate::store::Store;
use crate::store::audience::Planning;
use crate::store::editions::{Edition, Item, NewEdition};
use crate::store::lease::{self, Lease};
use std::sync::Arc;
use std::time::Duration;

/// How long another process may take to plan an edition of the same digest.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often planning is begun, when others change what it reads and the database gives it up for them.
const TRIES: u32 = 5;

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
    /// An edition that is not finished yet is paused: an admin decides how it goes on.
    Paused(i64),
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
    /// The digest has no reader yet; an edition now would use its summaries up for nobody.
    NoReaders {
        /// New summaries that wait for a reader.
        waiting: usize,
    },
}

/// What somebody saw of a draft when they decided to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Numbers of the summaries, and why each stands there, in their order.
    pub items: Vec<(i64, ItemKind)>,
    /// The editor's note.
    pub note: Option<String>,
}

/// Whether a summary goes out with a draft: nobody is sent as new what was retracted while the draft waited,
/// nor at all what was removed.
pub fn goes_out(kind: ItemKind, stored: &StoredSummary) -> bool {
    is_sendable(kind, stored.summary.status, stored.removed.is_some())
}

fn is_sendable(kind: ItemKind, status: Status, removed: bool) -> bool {
    let retracted = kind == ItemKind::New && status == Status::Retracted;
    !retracted && !removed
}

/// Says that nothing of the draft `id` can be sent.
pub fn nothing_left(id: i64) -> Problem {
    Problem::failed(format!(
        "nothing is left in the draft {id}: what it held was left out or withdrawn"
    ))
    .hint("cancel it")
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
        let mut tries = 1;
        let planned = loop {
            match self.plan_alone(digest, request, &lease).await {
                Err(problem) if problem.is_passing() && tries < TRIES => tries += 1,
                planned => break planned,
            }
        };
        give_back(lease).await;
        planned
    }

    async fn lease(&self, digest: &Digest) -> Result<Lease> {
        let name = format!("edition {}", digest.name);
        lease::wait_for(&self.store, &name, &*self.clock, PATIENCE).await
    }

    async fn plan_alone(&self, digest: &Digest, request: &Request, lease: &Lease) -> Result<Planned> {
        let name = digest.name.as_str();
        let mut open = None;
        if *request == Request::Next {
            let under_way = [State::Planned, State::Sending, State::Waiting, State::Paused];
            for edition in self.store.editions_in(Some(name), &under_way).await? {
                // One that only waits for later attempts must not hold the digest up for days.
                if edition.regular && self.store.has_untried(edition.id).await? {
                    return Ok(goes_on(&edition));
                }
                open.get_or_insert(edition);
            }
            let drafts = self.store.editions_in(Some(name), &[State::Draft]).await?;
            if let Some(draft) = drafts.iter().find(|draft| draft.regular) {
                return Ok(Planned::Draft {
                    id: draft.id,
                    made: false,
                });
            }
        }
        let (selection, waiting) = self.select(digest, request).await?;
        let Some(selection) = selection else {
            return Ok(open.as_ref().map_or(Planned::Nothing { waiting }, goes_on));
        };
        let mut planning = self.begin(digest, &selection, request, lease).await?;
        let items = planning.items().await?;
        let groups = planning.groups().await?;
        let assignment = assign(&items, &groups, digest.unchosen);
        if groups.is_empty() {
            planning.abandon().await?;
            return Ok(Planned::NoReaders {
                waiting: selection.items.len(),
            });
        }
        if assignment.segments.is_empty() && matches!(request, Request::Only(_)) {
            planning.abandon().await?;
            return Ok(Planned::Nothing { waiting });
        }
        if digest.approve {
            // The audience is frozen at approval; what was assigned is not kept.
            return Ok(Planned::Draft {
                id: planning.keep_draft().await?,
                made: true,
            });
        }
        write(&assignment, &mut planning).await?;
        Ok(Planned::Made(self.commit(planning).await?))
    }

    /// Freezes the audience of a draft, if it still holds what was `seen`, where something was.
    ///
    /// # Errors
    /// When edition `id` is no draft, holds nothing that can be sent, or was changed.
    pub async fn approve(&self, digest: &Digest, id: i64, seen: Option<&Seen>) -> Result<i64> {
        // Against an edition that is planned meanwhile: each must see who receives what by the other.
        let lease = self.lease(digest).await?;
        let mut tries = 1;
        let approved = loop {
            match self.approve_alone(digest, id, seen, &lease).await {
                Err(problem) if problem.is_passing() && tries < TRIES => tries += 1,
                approved => break approved,
            }
        };
        give_back(lease).await;
        approved
    }

    async fn approve_alone(
        &self,
        digest: &Digest,
        id: i64,
        seen: Option<&Seen>,
        lease: &Lease,
    ) -> Result<i64> {
        self.store.wake_readers(self.clock.now()).await?;
        let mut planning = self.store.plan_draft(id, self.bar_reserved, Some(lease)).await?;
        // Nobody can change the draft from here on.
        let (items, withdrawn): (Vec<_>, Vec<_>) = planning
            .items()
            .await?
            .into_iter()
            .partition(|item| is_sendable(item.kind, item.status, item.removed));
        if items.is_empty() {
            planning.abandon().await?;
            return Err(nothing_left(id));
        }
        let holds = items.iter().map(|item| (item.summary, item.kind));
        let note = planning.note().await?;
        if seen.is_some_and(|seen| seen.note != note || !holds.eq(seen.items.iter().copied())) {
            planning.abandon().await?;
            return Err(Problem::failed(format!("edition {id} was changed meanwhile"))
                .hint("look at it again; nothing was sent"));
        }
        planning.take_out(&withdrawn).await?;
        let groups = planning.groups().await?;
        if groups.is_empty() {
            planning.abandon().await?;
            return Err(Problem::failed(format!("edition {id} has no reader yet"))
                .hint("it stays a draft; nothing was sent"));
        }
        write(&assign(&items, &groups, digest.unchosen), &mut planning).await?;
        self.commit(planning).await
    }

    /// What the next edition would hold and to whom it would go; nothing is kept.
    ///
    /// # Errors
    /// When a summary does not exist, or the database does not answer.
    pub async fn dry_run(&self, digest: &Digest, request: &Request) -> Result<Vec<Forecast>> {
        let (Some(selection), _) = self.select(digest, request).await? else {
            return Ok(Vec::new());
        };
        self.forecast(digest, &selection.items).await
    }

    /// To whom the draft `id` would go if it were approved now; nothing is kept.
    ///
    /// # Errors
    /// When edition `id` is no draft.
    pub async fn dry_run_draft(&self, digest: &Digest, id: i64) -> Result<Vec<Forecast>> {
        let mut items = self.store.edition_summaries(id).await?;
        items.retain(|(kind, stored)| goes_out(*kind, stored));
        let items: Vec<Item> = items
            .iter()
            .map(|(kind, stored)| Item {
                summary: stored.id,
                kind: *kind,
            })
            .collect();
        let forecast = self.forecast(digest, &items).await?;
        // Afterwards: approved meanwhile, it would be for nobody, since its readers have it.
        let state = self.store.edition(id).await?.state;
        if state != State::Draft {
            return Err(Problem::failed(format!(
                "edition {id} is {}, not a draft",
                state.as_str()
            )));
        }
        Ok(forecast)
    }

    /// What planning an edition of `items` would lead to.
    async fn forecast(&self, digest: &Digest, items: &[Item]) -> Result<Vec<Forecast>> {
        let name = digest.name.as_str();
        let now = self.clock.now();
        let (items, groups) = self.store.forecast(name, items, self.bar_reserved, now).await?;
        let assignment = assign(&items, &groups, digest.unchosen);
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
        Ok(segments.chain(excluded).collect())
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

    async fn begin(
        &self,
        digest: &Digest,
        selection: &Selection,
        request: &Request,
        lease: &Lease,
    ) -> Result<Planning> {
        let new = NewEdition {
            digest: digest.name.as_str(),
            items: &selection.items,
            skipped: &selection.skipped,
            regular: *request == Request::Next,
            now: self.clock.now(),
        };
        // Whose pause is over by now is in the audience.
        self.store.wake_readers(new.now).await?;
        self.store.plan_new(&new, self.bar_reserved, Some(lease)).await
    }

    async fn commit(&self, planning: Planning) -> Result<i64> {
        let now = self.clock.now();
        let id = planning.commit(now, now.plus(self.max_age)).await?;
        if let Err(problem) = self.store.note_new_rows().await {
            tracing::warn!(%problem, "PostgreSQL does not know yet how much was planned; delivery may be slow at first");
        }
        Ok(id)
    }
}

/// What it means that `edition` is not finished.
fn goes_on(edition: &Edition) -> Planned {
    match edition.state {
        State::Paused => Planned::Paused(edition.id),
        _ => Planned::Resumed(edition.id),
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

/// A lease that can't be given back runs out by itself; what was done under it counts all the same.
async fn give_back(lease: Lease) {
    if let Err(problem) = lease.release().await {
        tracing::warn!(%problem, "a lease was not given back");
    }
}

/// Writes segments and exclusions.
async fn write(assignment: &Assignment<'_>, planning: &mut Planning) -> Result<()> {
    for (selection, groups) in &assignment.segments {
        planning.add_segment(selection, groups).await?;
    }
    for (reason, &count) in &assignment.excluded {
        planning.exclude(reason, count).await?;
    }
    Ok(())
}
