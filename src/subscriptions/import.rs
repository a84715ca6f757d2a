//! Lists in: streamed, in one go or not at all.

use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read;

use super::fate::has_left;
use super::group::{Candidate, Voice, apply};
use super::line::{Header, Wrong};
use super::rows::Rows;
use crate::domain::subscriber::Cause;
use crate::domain::{Problem, Result, Timestamp};
use crate::store::Store;
use crate::store::import::Import;

pub use super::group::address_hash;
pub use super::line::ImportSettings;

/// Lines that are written in one statement.
const GROUP: usize = 1000;

/// Wrong lines that are reported one by one; the rest is counted.
const SHOWN: usize = 100;

/// Wrong lines that the message of a refused list names.
const NAMED: usize = 20;

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvalidLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong; addresses are masked.
    pub reason: String,
}

/// What a list did. Every line that is taken counts once: as added, updated, unchanged, kept or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// New readers.
    pub added: u64,
    /// Readers of whom something changed.
    pub updated: u64,
    /// Readers who were as the list says.
    pub unchanged: u64,
    /// Readers whose state stays, because it is not the list's to change.
    pub kept: u64,
    /// Addresses that are not taken, by the reason why they are not mailed.
    pub refused: BTreeMap<&'static str, u64>,
    /// The first wrong lines.
    pub invalid: Vec<InvalidLine>,
    /// How many wrong lines there are.
    pub invalid_count: u64,
}

impl ImportReport {
    fn wrong(&mut self, line: u64, reason: String) {
        self.invalid_count += 1;
        if self.invalid.len() < SHOWN {
            self.invalid.push(InvalidLine { line, reason });
        }
    }

    /// The error of a list that is not taken because of its wrong lines.
    fn refusal(&self) -> Problem {
        let lines: Vec<_> = self
            .invalid
            .iter()
            .take(NAMED)
            .map(|wrong| format!("line {}: {}", wrong.line, wrong.reason))
            .collect();
        let more = self.invalid_count.saturating_sub(lines.len() as u64);
        let message = match (lines.as_slice(), more) {
            ([only], 0) => format!("nothing was imported: {only}"),
            (lines, more) => {
                let more = if more > 0 {
                    format!("\n  and {more} more")
                } else {
                    String::new()
                };
                format!(
                    "nothing was imported: {} lines are wrong\n  {}{more}",
                    self.invalid_count,
                    lines.join("\n  ")
                )
            }
        };
        Problem::failed(message).hint("correct these lines, or leave them out with --skip-invalid")
    }
}

/// Imports the CSV list `from`; nothing of it when a line is wrong, unless `settings.skip_invalid`.
///
/// Whoever a wrong line says has left is left alone nevertheless.
///
/// # Errors
/// When the header or a line is wrong (naming the lines), the file can't be read, or the database does
/// not answer. Nothing is kept then.
pub async fn import(
    store: &Store,
    from: impl Read + Send,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<ImportReport> {
    let mut rows = Rows::new(from);
    let first = rows.next()?.and_then(|row| row.cells);
    let header = Header::parse(&first.ok_or_else(|| {
        Problem::failed("the list has no first line in UTF-8").hint("save it as CSV in UTF-8, with a header")
    })?)?;
    let mut report = ImportReport::default();
    let mut running = Running {
        store,
        now,
        import: None,
        group: Vec::with_capacity(GROUP),
    };
    // Half of each hash is enough to tell a million addresses apart. A tree takes a third of a hash table's
    // memory while it grows.
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let line = match row.cells {
            Some(cells) => header.line(&cells, settings, now),
            None => Err("is not in UTF-8".to_owned().into()),
        };
        let line = match line {
            Ok(line) => Some(line),
            Err(Wrong { reason, leaver }) => {
                report.wrong(row.line, reason);
                leaver.map(|line| *line)
            }
        };
        let Some(candidate) = line.map(|line| Candidate::new(line, settings)) else {
            continue;
        };
        let short = candidate
            .hash
            .get(..16)
            .and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let number = u32::try_from(row.line).unwrap_or(u32::MAX);
        let earlier = short.and_then(|short| seen.insert(short, number));
        if let Some(earlier) = earlier {
            let reason = format!(
                "address {} stands on line {earlier} already",
                candidate.line.address
            );
            report.wrong(row.line, reason);
            if !has_left(candidate.line.state) {
                continue;
            }
        }
        if report.invalid_count > 0 && !settings.skip_invalid {
            // Only the other wrong lines are looked for now; the lock is not needed for that.
            running.abandon().await?;
            continue;
        }
        // One statement can't take an address twice.
        if earlier.is_some() || running.group.len() >= GROUP {
            running.flush(&mut report).await?;
        }
        running.group.push(candidate);
    }
    if report.invalid_count > 0 && !settings.skip_invalid {
        running.abandon().await?;
        return Err(report.refusal());
    }
    running.flush(&mut report).await?;
    if let Some(import) = running.import {
        import.commit().await?;
    }
    Ok(report)
}

/// The lines that wait to be written, and the transaction that takes them.
struct Running<'a> {
    store: &'a Store,
    now: Timestamp,
    import: Option<Import>,
    group: Vec<Candidate>,
}

impl Running<'_> {
    async fn flush(&mut self, report: &mut ImportReport) -> Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut import = match self.import.take() {
            Some(import) => import,
            None => self.store.begin_import(self.now).await?,
        };
        let voice = Voice {
            cause: Cause::Import,
            ends_others: true,
        };
        apply(&mut import, &self.group, voice, report).await?;
        self.group.clear();
        self.import = Some(import);
        Ok(())
    }

    async fn abandon(&mut self) -> Result<()> {
        self.group.clear();
        match self.import.take() {
            Some(import) => import.abandon().await,
            None => Ok(()),
        }
    }
}
