//! What an import did, in numbers that add up to the rows that were read.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::domain::Problem;

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

/// What a list did. Every row counts once: as added, updated, unchanged, kept, refused, skipped or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows below the header.
    pub rows: u64,
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
    /// Rows that tell of nobody who is to be a reader, by the reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// The states in which the added, updated, unchanged and kept readers stand now.
    pub states: BTreeMap<&'static str, u64>,
    /// Values of another program that mean nothing here, such as a tag, and how often they were met.
    pub unmapped: BTreeMap<String, u64>,
    /// Wrong lines that say that somebody left, of which this much was taken.
    pub heeded: u64,
    /// The first wrong lines.
    pub invalid: Vec<InvalidLine>,
    /// How many wrong lines there are.
    pub invalid_count: u64,
}

impl ImportReport {
    /// Adds what another list did.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.kept += other.kept;
        self.heeded += other.heeded;
        self.invalid_count += other.invalid_count;
        for (mine, others) in [
            (&mut self.refused, &other.refused),
            (&mut self.skipped, &other.skipped),
            (&mut self.states, &other.states),
        ] {
            for (&reason, count) in others {
                *mine.entry(reason).or_default() += count;
            }
        }
        for (value, count) in &other.unmapped {
            *self.unmapped.entry(value.clone()).or_default() += count;
        }
    }

    /// Adds a wrong line.
    pub(super) fn wrong(&mut self, line: u64, reason: String) {
        self.invalid_count += 1;
        if self.invalid.len() < SHOWN {
            self.invalid.push(InvalidLine { line, reason });
        }
    }

    /// The error of a list that is not taken because of its wrong lines.
    pub(super) fn refusal(&self) -> Problem {
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
