//! Gathering: every source is pulled, and what is new or changed is kept.

use async_trait::async_trait;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::dedupe::{canonical_url, content_hash, entry_id};
use super::{FetchMemory, Item, Source};
use crate::domain::{Clock, FetchState, Problem, Result, Summary, Timestamp};
use crate::store::Store;
use crate::store::arrivals::Arrival;
use crate::store::lease;

/// How long another process may take to gather.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// So many rejections of one pull are told one by one: a list that is longer tells nobody more.
const TOLD: usize = 100;

/// What one source gave.
#[derive(Debug, Default, Serialize)]
pub struct SourceReport {
    /// The source's name.
    pub source: String,
    /// Summaries that were not known.
    pub new: usize,
    /// Summaries whose text, status or note changed.
    pub changed: usize,
    /// Summaries that are as they were, and addresses that had nothing new.
    pub unchanged: usize,
    /// Items that are no summaries, each with its reason; the first hundred.
    pub rejected: Vec<Rejection>,
    /// How many items beyond those in `rejected` are no summaries.
    pub rejected_more: usize,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// Why the source as a whole could not be read.
    pub failed: Option<String>,
}

impl SourceReport {
    /// How many items are no summaries.
    pub fn rejections(&self) -> usize {
        self.rejected.len() + self.rejected_more
    }

    fn reject(&mut self, place: String, reason: String) {
        if self.rejected.len() == TOLD {
            self.rejected_more += 1;
            return;
        }
        let reason = without_place(reason, &place);
        tracing::warn!(source = self.source, place, reason, "item rejected");
        self.rejected.push(Rejection { place, reason });
    }
}

/// An item that is no summary.
#[derive(Debug, Serialize)]
pub struct Rejection {
    /// File or address.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

#[async_trait]
impl FetchMemory for Store {
    async fn recall(&self, source: &str, address: &str) -> Result<FetchState> {
        self.fetch_state(source, address).await
    }

    async fn remember(&self, source: &str, address: &str, state: &FetchState) -> Result<()> {
        self.set_fetch_state(source, address, state).await
    }
}

/// Pulls `sources` in order. A source that fails costs only itself; of two sources with the same paper
/// the first one's text is shown.
///
/// # Errors
/// When the database does not answer.
pub async fn run(
    sources: &[Box<dyn Source>],
    store: &Store,
    site_url: &str,
    clock: &dyn Clock,
) -> Result<Vec<SourceReport>> {
    let lease = lease::wait_for(store, "gather", clock, PATIENCE).await?;
    let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    let mut reports = Vec::with_capacity(sources.len());
    let mut trouble = None;
    for source in sources {
        match gather_one(&**source, &names, store, site_url, clock).await {
            Ok(report) => reports.push(report),
            Err(problem) => {
                trouble = Some(problem);
                break;
            }
        }
    }
    lease.release().await?;
    match trouble {
        Some(problem) => Err(problem),
        None => Ok(reports),
    }
}

async fn gather_one(
    source: &dyn Source,
    names: &[&str],
    store: &Store,
    site_url: &str,
    clock: &dyn Clock,
) -> Result<SourceReport> {
    let name = source.name();
    let mut report = SourceReport {
        source: name.to_owned(),
        ..SourceReport::default()
    };
    let pulled = match source.pull(store, clock.now()).await {
        Ok(pulled) => pulled,
        Err(problem) => {
            tracing::warn!(source = name, %problem, "source could not be read");
            report.failed = Some(problem.to_string());
            return Ok(report);
        }
    };
    report.unchanged = pulled.untouched;
    report.notes = pulled.notes;
    let keys = pulled.items.iter().map(|item| item.key.clone());
    let present: HashSet<String> = keys.chain(pulled.others).collect();
    let mut keeper = Keeper {
        source: name,
        names,
        present,
        kept: HashMap::new(),
        store,
        site_url,
    };
    for item in pulled.items {
        let kept = match &item.outcome {
            Ok(summary) => keeper.keep(&item, summary, clock.now()).await?,
            Err(reason) => Kept::Rejected(reason.clone()),
        };
        match kept {
            Kept::New => report.new += 1,
            Kept::Changed => report.changed += 1,
            Kept::Unchanged => report.unchanged += 1,
            Kept::Rejected(reason) => report.reject(item.place, reason),
        }
    }
    for (address, state) in &pulled.fetched {
        store.set_fetch_state(name, address, state).await?;
    }
    tracing::info!(
        source = name,
        new = report.new,
        changed = report.changed,
        unchanged = report.unchanged,
        rejected = report.rejections(),
        "gathered"
    );
    Ok(report)
}

enum Kept {
    New,
    Changed,
    Unchanged,
    Rejected(String),
}

/// Stores what one source gave.
struct Keeper<'a> {
    source: &'a str,
    /// Every source, in the configuration's order.
    names: &'a [&'a str],
    /// The keys of everything that the source has.
    present: HashSet<String>,
    /// The hashes of the items that were kept, by their keys.
    kept: HashMap<String, String>,
    store: &'a Store,
    site_url: &'a str,
}

impl Keeper<'_> {
    async fn keep(&mut self, item: &Item, summary: &Summary, now: Timestamp) -> Result<Kept> {
        let key = item.key.as_str();
        let hash = content_hash(summary);
        if let Some(first) = self.kept.get(key) {
            if *first == hash {
                return Ok(Kept::Unchanged);
            }
            let problem = Problem::failed(format!(
                "there are two different items {key:?}; the first was taken"
            ));
            return Ok(Kept::Rejected(problem.hint("tell the publisher").to_string()));
        }
        let entry_id = entry_id(summary, self.site_url);
        let canonical = summary.url.as_deref().and_then(canonical_url);
        let arrival = Arrival {
            source: self.source,
            key,
            named: item.named,
            summary,
            entry_id: &entry_id,
            canonical_url: canonical.as_deref(),
            hash: &hash,
        };
        let kept = self
            .store_arrival(&arrival, now)
            .await
            .map_err(|problem| about(problem, key))?;
        if !matches!(kept, Kept::Rejected(_)) {
            self.kept.insert(key.to_owned(), hash);
        }
        Ok(kept)
    }

    async fn store_arrival(&self, arrival: &Arrival<'_>, now: Timestamp) -> Result<Kept> {
        let (store, hash) = (self.store, arrival.hash);
        let Some(known) = store.known_summary(arrival).await? else {
            store.insert_summary(arrival, now).await?;
            return Ok(Kept::New);
        };
        if known.removed {
            return Ok(Kept::Unchanged);
        }
        // A source that calls the paper something else by now has renamed it, unless it has both.
        if let Some(other) = known
            .other_key
            .as_ref()
            .filter(|other| self.present.contains(*other))
        {
            return Ok(Kept::Rejected(same_paper(arrival, other, known.same_doi)));
        }
        if known.owner != self.source && outranks(self.names, &known.owner, self.source) {
            if known.item_hash.as_deref() != Some(hash) {
                store.link_summary(known.id, arrival).await?;
            }
            return Ok(Kept::Unchanged);
        }
        let changed = known.content_hash != hash;
        if changed || known.owner != self.source || known.item_hash.as_deref() != Some(hash) {
            store.update_summary(known.id, arrival, now).await?;
        }
        Ok(if changed { Kept::Changed } else { Kept::Unchanged })
    }
}

/// Why the second of two items that are one paper was not taken.
fn same_paper(arrival: &Arrival<'_>, other: &str, same_doi: bool) -> String {
    let doi = arrival.summary.doi.as_ref().filter(|_| same_doi);
    let (what, value) = match doi {
        Some(doi) => ("DOI", doi.as_str()),
        None => ("address", arrival.canonical_url.unwrap_or_default()),
    };
    Problem::failed(format!(
        "the same paper as {other:?} of this source, which has the {what} too: {value}"
    ))
    .hint("take one of the two out, or correct what was copied")
    .to_string()
}

/// Whether `owner` still exists and stands before `source` in the configuration.
fn outranks(names: &[&str], owner: &str, source: &str) -> bool {
    let place = |name: &str| names.iter().position(|&known| known == name);
    place(owner).is_some_and(|first| place(source).is_none_or(|second| first < second))
}

/// The report names the place beside the reason, so the reason need not.
fn without_place(reason: String, place: &str) -> String {
    let rest = reason
        .strip_prefix(place)
        .and_then(|rest| rest.strip_prefix(": "));
    rest.map(str::to_owned).unwrap_or(reason)
}

fn about(problem: Problem, key: &str) -> Problem {
    problem.at(format!("summary {key:?}"))
}
