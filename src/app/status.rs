//! What is going on: runs to come, editions under way, summaries, and the ledger.

use super::App;
use super::check::probe;
use crate::deliver::worker::Identity;
use crate::domain::condition::Condition;
use crate::domain::edition::{Report, State};
use crate::domain::helpful::Votes;
use crate::domain::summary::{Fault, Status, StoredSummary};
use crate::domain::{Problem, Result, Slug, Timestamp, delivery};
use crate::schedule::runner;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the database may take to answer a probe.
const READY_TIME: Duration = Duration::from_secs(5);

/// The state of everything.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// Digests and their next runs.
    pub digests: Vec<DigestOverview>,
    /// Editions that are not finished, the oldest first.
    pub editions: Vec<Report>,
    /// Subscribers by state.
    pub subscribers: BTreeMap<&'static str, i64>,
    /// Mails to single readers that are not final.
    pub notices: NoticeOverview,
    /// Relays and what they are.
    pub relays: Vec<RelayOverview>,
}

/// Mails to single readers that wait.
#[derive(Debug, Serialize)]
pub struct NoticeOverview {
    /// How many.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
    /// How many seconds ago that was; 0 when none waits.
    pub oldest_seconds: u64,
}

/// A digest and its next run.
#[derive(Debug, Serialize)]
pub struct DigestOverview {
    /// Its name.
    pub digest: Slug,
    /// When it is due next; `None` without a schedule.
    pub next_run: Option<Timestamp>,
    /// The same in the digest's own zone, for people.
    pub next_run_local: Option<String>,
    /// New summaries that the next edition could hold.
    pub waiting_summaries: usize,
}

/// A relay, and whether it takes connections now.
#[derive(Debug, Serialize)]
pub struct RelayOverview {
    /// Its name.
    pub relay: String,
    /// Its address, without credentials.
    pub address: String,
    /// How many connections a process holds to it at most.
    pub connections: u32,
    /// Whether it is used only while the others can't be.
    pub backup: bool,
    /// Whether it can be used now.
    pub ready: bool,
    /// What it said, or what stands in the way.
    pub said: String,
    /// What each process that delivers has to tell of it; empty while all is well.
    pub seen: Vec<RelaySeen>,
}

/// What a process that delivers has to tell of a relay.
#[derive(Debug, Serialize)]
pub struct RelaySeen {
    /// The process, by a name that is its own.
    pub process: String,
    /// How the relay is.
    #[serde(flatten)]
    pub condition: Condition,
}

/// A summary, and what readers thought of it.
#[derive(Debug, Serialize)]
pub struct ListedSummary {
    /// The summary.
    #[serde(flatten)]
    pub stored: StoredSummary,
    /// The answers to "Was this summary helpful?".
    pub helpful: Votes,
}

impl App {
    /// Runs to come, editions under way, subscribers and relays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn overview(&self) -> Result<Overview> {
        let now = self.clock.now();
        let mut digests = Vec::new();
        for digest in self.digests.iter() {
            let next_run = runner::next_run(digest, now)?;
            digests.push(DigestOverview {
                digest: digest.name.clone(),
                next_run,
                next_run_local: next_run.map(|at| {
                    at.utc()
                        .with_timezone(&digest.timezone)
                        .format("%a %-d %b %Y %H:%M %Z")
                        .to_string()
                }),
                waiting_summaries: self.store.summaries_new_to(digest.name.as_str()).await?.len(),
            });
        }
        let open = [
            State::Draft,
            State::Planned,
            State::Sending,
            State::Waiting,
            State::Paused,
        ];
        let mut editions = Vec::new();
        for edition in self.store.editions_in(None, &open).await? {
            editions.push(self.store.edition_report(edition.id).await?);
        }
        let subscribers = self.store.count_subscribers().await?;
        let notices = self.store.waiting_notices().await?;
        Ok(Overview {
            digests,
            editions,
            notices: NoticeOverview {
                waiting: notices.count,
                oldest: notices.oldest,
                oldest_seconds: notices.oldest.map_or(0, |oldest| now.since(oldest).as_secs()),
            },
            subscribers: subscribers
                .into_iter()
                .map(|(state, count)| (state.as_str(), count))
                .collect(),
            relays: self.relay_overviews().await?,
        })
    }

    async fn relay_overviews(&self) -> Result<Vec<RelayOverview>> {
        let mut overviews = Vec::new();
        let seen = self.store.relays_seen(self.clock.now()).await?;
        for (relay, limits) in self.relays()? {
            let (ready, said) = match probe(&relay).await {
                Ok(Ok(said)) => (true, said),
                Ok(Err(trouble)) => (false, trouble.text()),
                Err(problem) => (false, problem.message().to_owned()),
            };
            let of_this = seen.iter().filter(|seen| seen.relay == relay.name());
            overviews.push(RelayOverview {
                relay: relay.name().to_owned(),
                address: relay.address().to_string(),
                connections: limits.connections,
                backup: limits.backup,
                seen: of_this
                    .map(|seen| RelaySeen {
                        process: seen.node.clone(),
                        condition: seen.condition.clone(),
                    })
                    .collect(),
                ready,
                said,
            });
        }
        Ok(overviews)
    }

    /// Answers when the database does, within [`READY_TIME`].
    ///
    /// # Errors
    /// When it does not, or its file is gone: SQLite would go on writing into a file that has no name.
    pub async fn ready(&self) -> Result<()> {
        if let crate::config::Database::Sqlite(path) = &self.config.database
            && !path.exists()
        {
            return Err(
                Problem::failed(format!("the database {} is gone", path.display()))
                    .hint("put it back, or restart the server to begin with a new one"),
            );
        }
        let silent = || {
            Problem::failed(format!(
                "the database did not answer within {} s",
                READY_TIME.as_secs()
            ))
        };
        tokio::time::timeout(READY_TIME, self.store.ping())
            .await
            .unwrap_or_else(|_| Err(silent()))
    }

    /// The accounts of the last `limit` editions, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn edition_reports(&self, limit: i64) -> Result<Vec<Report>> {
        self.store.edition_reports(limit).await
    }

    /// The account of edition `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn edition_report(&self, id: i64) -> Result<Report> {
        self.store.edition_report(id).await
    }

    /// Every delivery of edition `id`, with the Message-ID of those that were tried.
    ///
    /// # Errors
    /// When there is no such edition.
    pub async fn delivery_reports(&self, id: i64) -> Result<Vec<delivery::Report>> {
        self.store.edition(id).await?;
        let rows = self.store.delivery_reports(id).await?;
        Ok(rows
            .into_iter()
            .map(|(subscriber, mut report)| {
                report.message_id = (report.attempts > 0).then(|| self.names.message_id(id, subscriber));
                report
            })
            .collect())
    }

    /// Takes a summary out of a draft.
    ///
    /// # Errors
    /// When the edition is no draft or does not hold it.
    pub async fn drop_from_edition(&self, id: i64, slug: &Slug) -> Result<Report> {
        self.store.drop_item(id, slug).await?;
        self.store.edition_report(id).await
    }

    /// Puts the editor's note on a draft; an empty one takes it away.
    ///
    /// # Errors
    /// When the edition is no draft.
    pub async fn note_on_edition(&self, id: i64, note: &str) -> Result<Report> {
        self.store
            .set_note(id, crate::domain::text::strip_illegal(note).trim())
            .await?;
        self.store.edition_report(id).await
    }

    /// The last `limit` summaries, also those that were removed, with what readers thought of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries(&self, limit: i64) -> Result<Vec<ListedSummary>> {
        let votes = self.store.votes().await?;
        let listed = self.store.every_summary(limit).await?.into_iter();
        Ok(listed
            .map(|stored| ListedSummary {
                helpful: votes.get(&stored.id).copied().unwrap_or_default(),
                stored,
            })
            .collect())
    }

    /// Takes a summary off the site and the feeds: its page then says that it is gone, and why.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn remove_summary(&self, slug: &Slug, note: &str) -> Result<StoredSummary> {
        let note = crate::domain::text::one_line(note);
        self.store.remove_summary(slug, &note, self.clock.now()).await?;
        self.store.summary(slug).await
    }

    /// Brings back a summary that was removed.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn restore_summary(&self, slug: &Slug) -> Result<StoredSummary> {
        self.store.restore_summary(slug).await?;
        self.store.summary(slug).await
    }

    /// The summary named `slug`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn summary(&self, slug: &Slug) -> Result<ListedSummary> {
        let stored = self.store.summary(slug).await?;
        let votes = self.store.votes().await?;
        Ok(ListedSummary {
            helpful: votes.get(&stored.id).copied().unwrap_or_default(),
            stored,
        })
    }

    /// Marks a summary as corrected or retracted; the next edition tells those who had received it.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn mark_summary(
        &self,
        slug: &Slug,
        status: Status,
        fault: Fault,
        note: &str,
    ) -> Result<StoredSummary> {
        let note = crate::domain::text::one_line(note);
        self.store
            .mark_summary(slug, status, fault, &note, self.clock.now())
            .await?;
        self.store.summary(slug).await
    }
}
