//! The job: gather, plan, deliver. The schedule, an admin and the API make the same call.

use super::App;
use super::readers::ListReport;
use crate::deliver::worker::{Courier, Until};
use crate::domain::edition::{Report, State};
use crate::domain::{Digest, Problem, Result, Slug};
use crate::edition::{Planned, Request, Seen};
use crate::gather::run::SourceReport;
use crate::schedule::runner::Job;
use crate::subscriptions::upkeep;
use async_trait::async_trait;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;

/// What came of one digest.
#[derive(Debug, Clone, Serialize)]
pub struct DigestOutcome {
    /// The digest's name.
    pub digest: Slug,
    /// `made`, `resumed`, `paused`, `draft`, `nothing`, `no_readers`, or `held` while a list can't be read.
    pub outcome: &'static str,
    /// The edition, if there is one.
    pub edition: Option<i64>,
    /// Whether this call made it.
    pub created: bool,
    /// New summaries that wait because they are fewer than the digest's minimum.
    pub waiting_summaries: usize,
}

/// What a run did before anything was sent.
#[derive(Debug, Default, Serialize)]
pub struct Prepared {
    /// What each source gave.
    pub sources: Vec<SourceReport>,
    /// What each changed list gave.
    pub lists: Vec<ListReport>,
    /// What came of each digest.
    pub digests: Vec<DigestOutcome>,
}

impl Prepared {
    /// Whether a source or a list as a whole could not be read.
    pub fn has_failures(&self) -> bool {
        self.sources.iter().any(|source| source.failed.is_some())
            || self.lists.iter().any(|list| list.failed.is_some())
    }

    /// The editions that were made or go on, and those that are paused.
    pub fn editions(&self) -> impl Iterator<Item = i64> {
        self.digests
            .iter()
            .filter(|outcome| matches!(outcome.outcome, "made" | "resumed" | "paused"))
            .filter_map(|outcome| outcome.edition)
    }
}

/// What came of delivering.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The accounts of editions.
    pub editions: Vec<Report>,
    /// Notices that wait for a later attempt.
    pub notices_waiting: i64,
}

/// What a send would do.
#[derive(Debug, Serialize)]
pub struct SendForecast {
    /// An unfinished edition, which a send resumes unless it is paused.
    pub under_way: Option<i64>,
    /// Whether that edition is paused.
    pub paused: bool,
    /// An edition that waits for approval; a send leaves it alone.
    pub draft: Option<i64>,
    /// Who would receive what.
    pub segments: Vec<SegmentForecast>,
}

/// What one group of readers would receive.
#[derive(Debug, Serialize)]
pub struct SegmentForecast {
    /// How many they are.
    pub readers: i64,
    /// Why they would receive nothing, if so.
    pub excluded: Option<&'static str>,
    /// Slugs of what they would receive.
    pub summaries: Vec<Slug>,
}

impl App {
    /// Pulls every source.
    ///
    /// # Errors
    /// When the database does not answer; a source that fails says so in its report.
    pub async fn gather(&self) -> Result<Vec<SourceReport>> {
        crate::gather::run::run(&self.sources, &self.store, &self.config.site.url, &*self.clock).await
    }

    /// Gathers, reads changed lists, and plans an edition of each of `digests`.
    ///
    /// # Errors
    /// When the database does not answer, or a summary that was asked for does not exist.
    pub async fn prepare(&self, digests: &[Digest], request: &Request) -> Result<Prepared> {
        if !digests.is_empty() {
            // Whose pause is over belongs to the audience; a look at what would go out changes nothing.
            upkeep::wake(&self.store, self.clock.now()).await?;
        }
        let mut prepared = Prepared {
            sources: self.gather().await?,
            lists: self.import_changed_lists().await?,
            digests: Vec::new(),
        };
        self.plan_all(&mut prepared, digests, request).await?;
        Ok(prepared)
    }

    /// Plans an edition of each of `digests`; of none while a list could not be read, since the list may
    /// name readers who are to receive it, or who have left.
    ///
    /// # Errors
    /// As [`App::prepare`].
    pub async fn plan_all(
        &self,
        prepared: &mut Prepared,
        digests: &[Digest],
        request: &Request,
    ) -> Result<()> {
        let held = prepared.lists.iter().any(|list| list.failed.is_some());
        for digest in digests {
            let outcome = if held {
                DigestOutcome {
                    digest: digest.name.clone(),
                    outcome: "held",
                    edition: None,
                    created: false,
                    waiting_summaries: 0,
                }
            } else {
                self.plan(digest, request).await?
            };
            prepared.digests.push(outcome);
        }
        Ok(())
    }

    /// Plans an edition of `digest`, or finds the one that is under way.
    ///
    /// # Errors
    /// As [`App::prepare`].
    pub async fn plan(&self, digest: &Digest, request: &Request) -> Result<DigestOutcome> {
        let planned = self.planner().plan(digest, request).await?;
        let (outcome, edition, created, waiting_summaries) = match planned {
            Planned::Made(id) => ("made", Some(id), true, 0),
            Planned::Resumed(id) => ("resumed", Some(id), false, 0),
            Planned::Paused(id) => ("paused", Some(id), false, 0),
            Planned::Draft { id, made } => ("draft", Some(id), made, 0),
            Planned::Nothing { waiting } => ("nothing", None, false, waiting),
            Planned::NoReaders { waiting } => ("no_readers", None, false, waiting),
        };
        Ok(DigestOutcome {
            digest: digest.name.clone(),
            outcome,
            edition,
            created,
            waiting_summaries,
        })
    }

    /// Delivers what is due, and returns the accounts of `editions` and of what else was under way, and how
    /// many notices wait.
    ///
    /// # Errors
    /// When a template fails or the database does not answer.
    pub async fn deliver(
        &self,
        courier: &Arc<Courier>,
        editions: impl IntoIterator<Item = i64>,
        wait: bool,
        stop: watch::Receiver<bool>,
    ) -> Result<Delivered> {
        let under_way = [State::Planned, State::Sending, State::Waiting];
        let mut ids: Vec<i64> = editions.into_iter().collect();
        ids.extend(
            self.store
                .editions_in(None, &under_way)
                .await?
                .iter()
                .map(|edition| edition.id),
        );
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() && self.store.waiting_notices().await?.count == 0 {
            return Ok(Delivered::default());
        }
        courier
            .run(if wait { Until::Final } else { Until::Settled }, stop)
            .await?;
        let mut reports = Vec::with_capacity(ids.len());
        for id in ids {
            reports.push(self.store.edition_report(id).await?);
        }
        Ok(Delivered {
            editions: reports,
            notices_waiting: self.store.waiting_notices().await?.count,
        })
    }

    /// Approves the draft `id`, if it still holds what was `seen`, where something was: its audience is frozen
    /// now, after the lists that changed were read.
    ///
    /// # Errors
    /// When it is no draft, was changed, or nothing is left in it.
    pub async fn approve(&self, id: i64, seen: Option<&Seen>) -> Result<Prepared> {
        let edition = self.store.edition(id).await?;
        let digest = self.digest(&edition.digest)?;
        let lists = self.import_changed_lists().await?;
        self.planner().approve(digest, id, seen).await?;
        Ok(Prepared {
            lists,
            digests: vec![DigestOutcome {
                digest: digest.name.clone(),
                outcome: "made",
                edition: Some(id),
                created: false,
                waiting_summaries: 0,
            }],
            ..Prepared::default()
        })
    }

    /// What a send would do now; nothing is kept.
    ///
    /// # Errors
    /// When a summary that was asked for does not exist.
    pub async fn forecast(&self, digest: &Digest, request: &Request) -> Result<SendForecast> {
        let under_way = [State::Planned, State::Sending, State::Waiting, State::Paused];
        let name = digest.name.as_str();
        if *request == Request::Next {
            let open = self.store.editions_in(Some(name), &under_way).await?;
            let paused = open.first().is_some_and(|edition| edition.state == State::Paused);
            let under_way = open.first().map(|edition| edition.id);
            let draft = if under_way.is_none() {
                self.draft(digest).await?
            } else {
                None
            };
            if under_way.is_some() || draft.is_some() {
                return Ok(SendForecast {
                    under_way,
                    paused,
                    draft: draft.map(|edition| edition.id),
                    segments: Vec::new(),
                });
            }
        }
        let mut segments = Vec::new();
        for part in self.planner().dry_run(digest, request).await? {
            let mut summaries = Vec::with_capacity(part.summaries.len());
            for &id in &part.summaries {
                summaries.push(self.store.summary_by_id(id).await?.summary.slug);
            }
            segments.push(SegmentForecast {
                readers: part.readers,
                excluded: part.excluded,
                summaries,
            });
        }
        Ok(SendForecast {
            under_way: None,
            paused: false,
            draft: None,
            segments,
        })
    }
}

/// The scheduled run: the courier of the same process delivers what it plans.
pub struct Publish(pub Arc<App>);

#[async_trait]
impl Job for Publish {
    async fn run(&self, digest: &Digest) -> Result<()> {
        let prepared = self
            .0
            .prepare(std::slice::from_ref(digest), &Request::Next)
            .await?;
        for outcome in &prepared.digests {
            tracing::info!(digest = %outcome.digest, outcome = outcome.outcome, edition = outcome.edition, "planned");
        }
        match prepared.lists.iter().find_map(|list| list.failed.as_ref()) {
            Some(failed) => Err(Problem::failed(format!(
                "no edition is planned before this list is right: {failed}"
            ))),
            None => Ok(()),
        }
    }
}
