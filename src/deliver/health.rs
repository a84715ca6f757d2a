//! Whether a relay can be used now, as all its connections have seen it.

use std::sync::Mutex;
use std::time::Duration;

use super::retry::next_attempt;
use crate::domain::{Random, Timestamp};

/// Sessions that may be lost one after the other before the relay counts as down.
const LOST: u32 = 3;

/// What is known of a relay.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default, Clone, Copy)]
struct State {
    down_until: Option<Timestamp>,
    /// Times in a row that it was found down.
    failures: u32,
    /// Sessions in a row that ended before a message was taken.
    lost: u32,
    /// Whether it has taken a message.
    proven: bool,
}

impl Health {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state)
    }

    /// When the relay may be tried again; `None` when now.
    pub(super) fn down_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.with(|state| state.down_until.filter(|&until| until > now))
    }

    /// Whether the relay has not taken a message since it was found down.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.with(|state| state.failures > 0)
    }

    /// The relay took a message; true when that is news: it was down before, or nothing was known of it,
    /// as an earlier process may have found it down.
    pub(super) fn took_one(&self) -> bool {
        self.with(|state| {
            let news = state.failures > 0 || !state.proven;
            *state = State {
                proven: true,
                ..State::default()
            };
            news
        })
    }

    /// The relay can't be used: several connections that see it at once count as one.
    pub(super) fn is_down(&self, now: Timestamp, first: Duration, max: Duration, random: &dyn Random) {
        self.with(|state| {
            if state.down_until.is_none_or(|until| until <= now) {
                state.failures += 1;
                state.lost = 0;
                state.down_until = Some(now.plus(next_attempt(state.failures, first, max, random.unit())));
            }
        });
    }

    /// A session ended before its message was taken; true when that has happened too often.
    pub(super) fn lost_one(&self) -> bool {
        self.with(|state| {
            state.lost += 1;
            state.lost >= LOST
        })
    }
}
