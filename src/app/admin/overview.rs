//! What waits and what is under way, and the next edition of a digest.

use super::super::App;
use super::{AdminPage, Next, Visit, counted, moment};
use crate::domain::edition::{Report, State};
use crate::domain::{Digest, Result, Slug};
use crate::edition::Request;
use crate::render::admin::{DigestPage, DigestRow, EditionsPage, RelayRow, StartPage};
use crate::schedule::runner;

/// Editions on a page.
const EDITIONS: i64 = 20;
/// Titles of new summaries on a digest's page.
const TITLES: i64 = 100;
/// The states of an edition that is approved and not finished.
const UNDER_WAY: [State; 4] = [State::Planned, State::Sending, State::Waiting, State::Paused];

impl App {
    /// The page with what is going on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn admin_start(&self, visit: &Visit) -> Result<AdminPage> {
        let mut digests = Vec::new();
        for digest in self.digests.iter() {
            let (waiting, _) = self.store.new_titles(digest.name.as_str(), 0).await?;
            digests.push(self.digest_row(digest, waiting).await?);
        }
        let seen = self.store.relays_seen(self.clock.now()).await?;
        let relays = seen.into_iter().filter(|seen| !seen.condition.is_well());
        let rows = |reports: Vec<Report>| reports.iter().map(|report| self.edition_row(report)).collect();
        self.admin_page(&StartPage {
            frame: self.admin_frame(visit, "start", "Overview"),
            digests,
            drafts: rows(self.reports_in(None, &[State::Draft]).await?),
            under_way: rows(self.reports_in(None, &UNDER_WAY).await?),
            relays: relays
                .map(|seen| RelayRow {
                    name: seen.relay,
                    condition: seen.condition.to_string(),
                })
                .collect(),
        })
    }

    /// The page of the digest `name`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_digest(&self, visit: &Visit, name: &str) -> Result<AdminPage> {
        let digest = self.digest(name)?;
        let (waiting, titles) = self.store.new_titles(name, TITLES).await?;
        let under_way = self.reports_in(Some(name), &UNDER_WAY).await?;
        self.admin_page(&DigestPage {
            frame: self.admin_frame(visit, "", digest.title.clone()),
            titles,
            digest: self.digest_row(digest, waiting).await?,
            least: digest.min_items,
            draft: self.draft(digest).await?.map(|draft| draft.id),
            under_way: under_way.iter().map(|report| self.edition_row(report)).collect(),
        })
    }

    /// Gathers and makes a draft of the next edition of the digest `name`, also where the schedule sends
    /// without asking; leads to the one that waits or is under way, when there is one.
    ///
    /// # Errors
    /// When there is no such digest.
    pub async fn admin_prepare(&self, visit: &Visit, name: &str) -> Result<Next> {
        let digest = self.digest(name)?;
        let prepared = self.prepare_draft(digest).await?;
        let outcome = prepared.digests.first();
        let edition = outcome.and_then(|outcome| outcome.edition);
        let what = outcome.map_or("nothing", |outcome| outcome.outcome);
        tracing::info!(admin = %visit.admin.address, digest = name, outcome = what, edition, "an edition was prepared");
        let created = outcome.is_some_and(|outcome| outcome.created);
        let waiting = outcome.map_or(0, |outcome| outcome.waiting_summaries);
        let word = match what {
            "draft" if created => "prepared",
            "draft" => "waits",
            "resumed" | "paused" => "under-way",
            "no_readers" => "no-readers",
            "held" => "held",
            _ if waiting > 0 => "too-few",
            _ => "nothing",
        };
        Ok(match edition {
            Some(id) => Next::edition(id, word),
            None => Next::To(format!("admin/digests/{name}?said={word}")),
        })
    }

    /// The page with every edition whose number is below `before`, or with the newest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn admin_editions(&self, visit: &Visit, before: Option<i64>) -> Result<AdminPage> {
        let below = before.unwrap_or(i64::MAX);
        let mut reports = self.store.edition_reports_before(below, EDITIONS + 1).await?;
        let has_more = reports.len() as i64 > EDITIONS;
        reports.truncate(EDITIONS as usize);
        let older = reports.last().map(|last| last.id).filter(|_| has_more);
        self.admin_page(&EditionsPage {
            frame: self.admin_frame(visit, "editions", "Editions"),
            editions: reports.iter().map(|report| self.edition_row(report)).collect(),
            is_first: before.is_none(),
            older,
            is_paged: before.is_some() || older.is_some(),
        })
    }

    /// As [`App::prepare`] of a digest whose editions wait for approval.
    async fn prepare_draft(&self, digest: &Digest) -> Result<crate::app::publish::Prepared> {
        let asking = Digest {
            approve: true,
            ..digest.clone()
        };
        self.prepare(&[asking], &Request::Next).await
    }

    async fn reports_in(&self, digest: Option<&str>, states: &[State]) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        for edition in self.store.editions_in(digest, states).await? {
            reports.push(self.store.edition_report(edition.id).await?);
        }
        Ok(reports)
    }

    async fn digest_row(&self, digest: &Digest, waiting: i64) -> Result<DigestRow> {
        let name: &Slug = &digest.name;
        let next_run = runner::next_run(digest, self.clock.now())?;
        let readers = self
            .readers_by_digest()
            .await?
            .get(name)
            .copied()
            .unwrap_or_default();
        Ok(DigestRow {
            name: name.to_string(),
            heading: digest.title.clone(),
            waiting,
            next_run: next_run.map(|at| moment(at, digest.timezone)),
            readers: counted(readers, "confirmed reader"),
        })
    }
}
