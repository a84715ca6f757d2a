//! How a relay is, as a process that delivers over it has seen it.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

use super::clock::Timestamp;

/// Whether a relay is used: the states of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is used.
    #[default]
    Ready,
    /// It could not be used, and is left alone for a while.
    Open,
    /// One connection tries whether it can be used again.
    Probing,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Ready, Self::Open, Self::Probing];

    /// The word that the store and JSON use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Open => "open",
            Self::Probing => "probing",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How a relay is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Condition {
    /// Whether it is used.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Until when it is left alone.
    pub until: Option<Timestamp>,
    /// How often in a row it was found unusable.
    pub failures: u32,
    /// What stood in the way; addresses are masked.
    pub why: Option<String>,
    /// How many connections it may have by the configuration.
    pub connections: u32,
    /// How many it may have since it asked to be spared.
    pub slowed_to: Option<u32>,
    /// The pause between two messages, when fewer connections were not enough; whole milliseconds.
    #[serde(serialize_with = "seconds", rename = "pause_s")]
    pub pause: Option<Duration>,
    /// Since when it is slowed as far as this.
    pub slowed_since: Option<Timestamp>,
    /// Until when nothing more goes, because the hour is full.
    pub full_until: Option<Timestamp>,
}

impl Condition {
    /// Whether there is nothing to tell.
    pub fn is_well(&self) -> bool {
        self.state == State::Ready && self.slowed_to.is_none() && self.full_until.is_none()
    }
}

impl fmt::Display for Condition {
    /// One line for people, such as `open until 08:05 UTC (535 no), 3 failures`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: Timestamp| at.utc().format("%H:%M UTC");
        let why = self
            .why
            .as_deref()
            .map(|why| format!(" ({why})"))
            .unwrap_or_default();
        match (self.state, self.until) {
            (State::Ready, _) if self.is_well() => f.write_str("ready")?,
            (State::Ready, _) => {}
            (State::Open, Some(until)) => write!(f, "open until {}{why}", time(until))?,
            (State::Open, None) => write!(f, "open{why}")?,
            (State::Probing, _) => write!(f, "trying one connection{why}")?,
        }
        if self.state != State::Ready {
            let s = if self.failures == 1 { "" } else { "s" };
            write!(f, ", {} failure{s}", self.failures)?;
        }
        let mut separator = if self.state == State::Ready { "" } else { "; " };
        if let Some(slowed_to) = self.slowed_to {
            write!(
                f,
                "{separator}slowed to {slowed_to} of {} connections",
                self.connections
            )?;
            if let Some(pause) = self.pause {
                write!(f, " and a pause of {} s", pause.as_secs_f64())?;
            }
            if let Some(since) = self.slowed_since {
                write!(f, " since {}", time(since))?;
            }
            separator = "; ";
        }
        if let Some(until) = self.full_until {
            write!(f, "{separator}hourly limit reached, next at {}", time(until))?;
        }
        Ok(())
    }
}

fn seconds<S: serde::Serializer>(pause: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match pause {
        Some(pause) => to.serialize_f64(pause.as_secs_f64()),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_matters_in_a_line() {
        // 2026-01-10 08:05 UTC.
        let at = Some(Timestamp(1_768_032_300_000));
        let open = Condition {
            state: State::Open,
            until: at,
            failures: 3,
            why: Some("535 authentication failed".to_owned()),
            connections: 8,
            ..Condition::default()
        };
        let slowed = Condition {
            slowed_to: Some(1),
            pause: Some(Duration::from_millis(1_500)),
            slowed_since: at,
            connections: 8,
            ..Condition::default()
        };
        let full = Condition {
            full_until: at,
            ..Condition::default()
        };
        let both = Condition {
            state: State::Probing,
            failures: 1,
            full_until: at,
            ..Condition::default()
        };
        for (condition, line) in [
            (Condition::default(), "ready"),
            (
                open,
                "open until 08:05 UTC (535 authentication failed), 3 failures",
            ),
            (
                slowed,
                "slowed to 1 of 8 connections and a pause of 1.5 s since 08:05 UTC",
            ),
            (full, "hourly limit reached, next at 08:05 UTC"),
            (
                both,
                "trying one connection, 1 failure; hourly limit reached, next at 08:05 UTC",
            ),
        ] {
            assert_eq!(condition.to_string(), line);
        }
    }
}
