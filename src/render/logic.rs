//! Templates that do more with a reader's value than print it: their mails are rendered for each reader.

use std::fmt;

/// What such a mail costs, as the test `cost_of_both_ways` measured it (see `docs/templates.md`).
const COST: &str = "about 0.6 ms of computing a message instead of 0.002 ms, some 400 times as much";

/// A place where a template works with a reader's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicUse {
    /// The file.
    pub place: String,
    /// Its line; none when only rendering showed it.
    pub line: Option<usize>,
    /// The value as the template writes it, such as `reader.name`.
    pub value: String,
}

impl fmt::Display for LogicUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(
            f,
            ": {} is used in logic, so that this mail is rendered for each reader by itself: {COST}",
            self.value
        )
    }
}
