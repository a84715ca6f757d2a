//! A group of lines on its way into the store: what is known, what becomes of each, and the writing of it.

use aws_lc_rs::digest;
use std::collections::HashSet;

use super::addressing::{Known, known};
use super::fate::{Fate, fate, has_left, suppression_of};
use super::import::ImportReport;
use super::line::{ImportSettings, Line};
use crate::domain::reader_event::Way;
use crate::domain::subscriber::{Cause, State};
use crate::domain::text::hex;
use crate::domain::{EmailAddress, Result};
use crate::store::import::{Entry, Import, Subscribing};
use crate::store::standings::Sought;

/// The hash by which a suppression knows the address with the key `key`; `salt` is the database's own.
pub fn address_hash(key: &str, salt: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt.as_bytes());
    context.update(key.as_bytes());
    hex(context.finish().as_ref())
}

/// A line with what its address is looked up by; not to be shown.
pub(super) struct Candidate {
    pub(super) line: Line,
    pub(super) key: String,
    pub(super) hash: String,
    mailbox: String,
    /// Whether its line is wrong; only that the reader leaves is taken of it then.
    pub(super) wrong: bool,
}

impl Candidate {
    pub(super) fn new(line: Line, settings: &ImportSettings) -> Self {
        let Known { key, hash, mailbox } = identify(&line.address, settings);
        Self {
            line,
            key,
            hash,
            mailbox,
            wrong: false,
        }
    }

    fn entry(&self, cause: Cause, was: Option<State>) -> Entry {
        let line = &self.line;
        Entry {
            address: line.address.full().into(),
            key: self.key.as_str().into(),
            hash: self.hash.clone(),
            reserved: i64::from(line.address.is_reserved()),
            name: line.name.clone(),
            state: line.state.as_str(),
            cause: cause.as_str(),
            categories: line.categories.to_string(),
            consent_at: line.consent_at.map(|at| at.0),
            consent_source: line.consent_source.clone(),
            was: was.map_or("", State::as_str),
        }
    }

    fn sought(&self) -> Sought<'_> {
        Sought {
            key: &self.key,
            hash: &self.hash,
            mailbox: &self.mailbox,
        }
    }

    fn subscribings(&self) -> impl Iterator<Item = Subscribing> {
        self.line.digests.iter().map(|digest| Subscribing {
            key: self.key.as_str().into(),
            digest: digest.to_string(),
        })
    }
}

/// What an address is looked up by.
pub(super) fn identify(address: &EmailAddress, settings: &ImportSettings) -> Known {
    known(address, settings.local_part, &settings.salt)
}

/// Who speaks, and of what: readers who are there already keep the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pub(super) way: Way,
    /// Names and categories.
    pub(super) describes: bool,
    /// The digests that are named.
    pub(super) subscribes: bool,
    /// The digests that are not named: they end.
    pub(super) ends_others: bool,
}

impl Voice {
    /// A list of ours, which says everything.
    pub(super) const LIST: Self = Self {
        way: Way::Import,
        describes: true,
        subscribes: true,
        ends_others: true,
    };
}

/// Writes `group`, in which no address stands twice, and counts what became of it.
/// The fates are in the order of the group.
pub(super) async fn apply(
    import: &mut Import,
    group: &[Candidate],
    voice: Voice,
    report: &mut ImportReport,
) -> Result<Vec<Fate>> {
    let addresses: Vec<_> = group.iter().map(Candidate::sought).collect();
    let cause = voice.way.cause();
    let standings = import.standings(&addresses).await?;
    let mut fates = Vec::with_capacity(group.len());
    let (mut write, mut set, mut end_all, mut suppress) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut subscribe, mut only, mut record) = (Vec::new(), Vec::new(), Vec::new());
    let mut now = Vec::with_capacity(group.len());
    for candidate in group {
        let standing = standings.get(&candidate.key).copied().unwrap_or_default();
        let was = standing.subscriber.map(|(_, state)| state);
        let wanted = candidate.line.state;
        let fate = fate(standing, wanted, cause);
        let becomes = match fate {
            Fate::Keep => was.unwrap_or(wanted),
            Fate::Add | Fate::Change | Fate::Update | Fate::Refuse(_) => wanted,
        };
        now.push((standing.subscriber.map(|(id, _)| id), becomes));
        suppress.extend(suppression_of(wanted).map(|reason| (candidate.hash.clone(), reason)));
        fates.push(fate);
        if matches!(fate, Fate::Refuse(_)) {
            continue;
        }
        let is_new = fate == Fate::Add;
        if is_new || voice.describes {
            write.push(candidate.entry(cause, was));
        }
        if fate == Fate::Change {
            set.push(candidate.entry(cause, was));
        }
        if matches!(fate, Fate::Add | Fate::Change) {
            record.push(candidate.entry(cause, was));
        }
        if becomes == State::Unsubscribed && fate == Fate::Change {
            end_all.push(candidate.key.clone());
        }
        // What a reader chose by themselves no list changes.
        if standing.chosen && cause == Cause::Import {
            continue;
        }
        // A dead address keeps the digests of its list, so that an export gives back what was imported.
        if !has_left(becomes) && (is_new || voice.subscribes) || is_new && becomes != State::Unsubscribed {
            subscribe.extend(candidate.subscribings());
        }
        if !has_left(becomes) && !is_new && voice.ends_others {
            only.extend(candidate.subscribings());
        }
    }
    let mut touched: HashSet<i64> = import.write(&write).await?.into_iter().collect();
    if !set.is_empty() {
        touched.extend(import.set_states(&set).await?);
    }
    if !record.is_empty() {
        import.record(&record, voice.way).await?;
    }
    if !subscribe.is_empty() {
        touched.extend(import.subscribe(&subscribe).await?);
    }
    if !only.is_empty() {
        touched.extend(import.end_others(&only).await?);
    }
    if !end_all.is_empty() {
        touched.extend(import.end_all(&end_all).await?);
    }
    if !suppress.is_empty() {
        import.suppress(&suppress).await?;
    }
    for ((candidate, fate), (id, becomes)) in group.iter().zip(&fates).zip(now) {
        if candidate.wrong {
            report.heeded += 1;
            continue;
        }
        match fate {
            Fate::Refuse(reason) => {
                *report.refused.entry(reason.as_str()).or_default() += 1;
                continue;
            }
            Fate::Add => report.added += 1,
            Fate::Keep => report.kept += 1,
            Fate::Change | Fate::Update if id.is_some_and(|id| touched.contains(&id)) => report.updated += 1,
            Fate::Change | Fate::Update => report.unchanged += 1,
        }
        *report.states.entry(becomes.as_str()).or_default() += 1;
    }
    Ok(fates)
}
