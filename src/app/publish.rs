//! The job: gather, plan, deliver. The schedule, an admin and the API make the same call.

use super::App;
use super::readers::ListReport;
use crate::deliver::compose::Issue;
use crate::deliver::message::Envelope;
use crate::deliver::retry::Verdict;
use crate::deliver::splice::ReaderValues;
use crate::deliver::worker::{Courier, Until};
use crate::domain::edition::{ItemKind, Report, State};
use crate::domain::summary::StoredSummary;
use crate::domain::{Digest, EmailAddress, Problem, Result, Slug};
use crate::edition::{Planned, Request};
use crate::gather::run::SourceReport;
use crate::schedule::runner::Job;
use crate::store::editions::Edition;
use async_trait::async_trait;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;

/// What came of one digest.
#[derive(Debug, Clone, Serialize)]
pub struct DigestOutcome {
    /// The digest's name.
    pub digest: Slug,
    /// `made`, `resumed`, `draft`, `nothing`, `no_readers`, or `held` while a list can't be read.
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

    /// The editions that were made or go on.
    pub fn editions(&self) -> impl Iterator<Item = i64> {
        self.digests
            .iter()
            .filter(|outcome| matches!(outcome.outcome, "made" | "resumed"))
            .filter_map(|outcome| outcome.edition)
    }
}

/// What a send would do.
#[derive(Debug, Serialize)]
pub struct SendForecast {
    /// An unfinished edition, which a send resumes.
    pub under_way: Option<i64>,
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

/// What was sent as a test.
#[derive(Debug, Serialize)]
pub struct TestMail {
    /// The relay that took it.
    pub relay: String,
    /// Its last words.
    pub said: String,
    /// Slugs of the summaries it shows.
    pub summaries: Vec<Slug>,
    /// Where they are from.
    pub shows: Shows,
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

    /// Delivers what is due, and returns the accounts of `editions` and of what else was under way.
    ///
    /// # Errors
    /// When a template fails or the database does not answer.
    pub async fn deliver(
        &self,
        courier: &Arc<Courier>,
        editions: impl IntoIterator<Item = i64>,
        wait: bool,
        stop: watch::Receiver<bool>,
    ) -> Result<Vec<Report>> {
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
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        courier
            .run(if wait { Until::Final } else { Until::Settled }, stop)
            .await?;
        let mut reports = Vec::with_capacity(ids.len());
        for id in ids {
            reports.push(self.store.edition_report(id).await?);
        }
        Ok(reports)
    }

    /// How many deliveries wait in the editions under way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliveries_waiting(&self) -> Result<i64> {
        let under_way = [State::Planned, State::Sending, State::Waiting];
        let mut waiting = 0;
        for edition in self.store.editions_in(None, &under_way).await? {
            waiting += self.store.edition_report(edition.id).await?.waiting;
        }
        Ok(waiting)
    }

    /// Approves the draft `id`: its audience is frozen now, after the lists that changed were read.
    ///
    /// # Errors
    /// When it is no draft.
    pub async fn approve(&self, id: i64) -> Result<Prepared> {
        let edition = self.store.edition(id).await?;
        let digest = self.digest(&edition.digest)?;
        let lists = self.import_changed_lists().await?;
        self.planner().approve(digest, id).await?;
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
            let under_way = open.first().map(|edition| edition.id);
            let draft = if under_way.is_none() {
                self.draft(digest).await?
            } else {
                None
            };
            if under_way.is_some() || draft.is_some() {
                return Ok(SendForecast {
                    under_way,
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
            draft: None,
            segments,
        })
    }

    /// Sends one mail to `address` that counts for nobody: what the next edition would hold, or what
    /// the last one held when there is nothing new.
    ///
    /// # Errors
    /// When there is nothing to show, or no relay takes the mail.
    pub async fn send_test(
        &self,
        digest: &Digest,
        request: &Request,
        address: &EmailAddress,
    ) -> Result<TestMail> {
        self.refuse_unmailable(address).await?;
        let Showcase {
            items, note, shows, ..
        } = self.showcase(digest, request).await?;
        let now = self.clock.now();
        let mail = self.composer.compose(&Issue {
            digest,
            number: 0,
            time: now,
            note: note.as_deref(),
            items: &items,
            segment: 0,
        })?;
        let mut unique = [0u8; 8];
        self.random.fill(&mut unique)?;
        // Reader 0 is nobody: its links are good and change nothing.
        let message_id = self.identity.message_id(0, i64::from_be_bytes(unique) & i64::MAX);
        let mut message = Vec::new();
        mail.message(None).splice(
            &ReaderValues {
                to: address,
                name: None,
                message_id: &message_id,
                date: &now.rfc2822(),
                unsubscribe_url: &self.identity.unsubscribe_url(digest.name.as_str(), 0),
                preferences_url: &self.identity.preferences_url(digest.name.as_str(), 0),
            },
            &mut message,
        )?;
        let return_path = self.identity.return_path(0, 0);
        let envelope = Envelope {
            from: &return_path,
            to: address,
            message_id: &message_id,
        };
        let mut last = Problem::configuration("there is no relay");
        for (relay, _) in self.relays()? {
            let mut connection = match relay.connect().await {
                Ok(connection) => connection,
                Err(trouble) => {
                    last = Problem::from(trouble).at(format!("relay {:?}", relay.name()));
                    continue;
                }
            };
            let attempt = connection.send(&envelope, &message, async { Ok(()) }).await;
            connection.quit().await;
            if attempt.verdict == Verdict::Sent {
                return Ok(TestMail {
                    relay: relay.name().to_owned(),
                    said: attempt.log_text(),
                    summaries: items.into_iter().map(|(_, stored)| stored.summary.slug).collect(),
                    shows,
                });
            }
            last = Problem::failed(format!(
                "relay {:?} did not take the test: {}",
                relay.name(),
                attempt.log_text()
            ))
            .hint("`postrider check` looks at every relay");
        }
        Err(last)
    }

    /// Not even a test goes to somebody who complained, or to a domain that nobody has by way of a real relay.
    async fn refuse_unmailable(&self, address: &EmailAddress) -> Result<()> {
        let refused = |why: &str| {
            Problem::failed(format!("{} gets no test: {why}", address.full())).hint("name another address")
        };
        if let Some(reason) = self.suppression_of(address).await? {
            return Err(refused(&format!("the address is {}", reason.as_str())));
        }
        if address.is_reserved() && self.config.relays.iter().any(|relay| !relay.address.is_local()) {
            return Err(refused("its domain is reserved for examples"));
        }
        Ok(())
    }

    /// The edition of `digest` that waits for approval.
    async fn draft(&self, digest: &Digest) -> Result<Option<Edition>> {
        let drafts = self
            .store
            .editions_in(Some(digest.name.as_str()), &[State::Draft])
            .await?;
        Ok(drafts.into_iter().find(|draft| draft.regular))
    }

    /// What a mail of `digest` would show now: a waiting draft, else what is new, else the latest edition.
    pub(super) async fn showcase(&self, digest: &Digest, request: &Request) -> Result<Showcase> {
        let name = digest.name.as_str();
        if *request == Request::Next
            && let Some(draft) = self.draft(digest).await?
        {
            return Ok(Showcase {
                items: self.store.edition_summaries(draft.id).await?,
                note: draft.note,
                draft: Some(draft.id),
                shows: Shows::Draft,
            });
        }
        let without_note = |items, shows| Showcase {
            items,
            note: None,
            draft: None,
            shows,
        };
        let next = self.planner().contents(digest, request).await?;
        if !next.is_empty() {
            return Ok(without_note(next, Shows::Next));
        }
        match self.store.editions_in(Some(name), &State::ALL).await?.last() {
            Some(last) => Ok(without_note(
                self.store.edition_summaries(last.id).await?,
                Shows::Latest,
            )),
            None => Err(Problem::failed(format!("digest {name:?} has nothing to show"))
                .hint("gather some summaries first: `postrider gather`")),
        }
    }
}

/// What a mail would show now.
pub(super) struct Showcase {
    pub(super) items: Vec<(ItemKind, StoredSummary)>,
    /// The editor's note of a draft.
    pub(super) note: Option<String>,
    /// The draft that is shown.
    pub(super) draft: Option<i64>,
    pub(super) shows: Shows,
}

/// Where a preview or test takes its summaries from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// A draft that waits for approval.
    Draft,
    /// What the next edition would hold.
    Next,
    /// The latest edition, since nothing is new.
    Latest,
}

impl Shows {
    /// The same in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "the draft that waits for approval",
            Self::Next => "the next edition",
            Self::Latest => "the latest edition again, since nothing is new",
        }
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
