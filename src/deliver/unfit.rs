//! Editions whose messages can't be made: they must not hold up the others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{Problem, Timestamp};

/// Editions that are left alone for a while, and the first trouble of this run.
#[derive(Debug, Default)]
pub(super) struct Unfit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: HashMap<i64, Timestamp>,
    problem: Option<Problem>,
}

impl Unfit {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves `edition` alone until then; true when it was not left alone already.
    pub(super) fn add(&self, edition: i64, until: Timestamp, problem: Problem) -> bool {
        let mut state = self.lock();
        state.problem.get_or_insert(problem);
        state.until.insert(edition, until).is_none()
    }

    /// The editions that are left alone at `now`.
    pub(super) fn editions(&self, now: Timestamp) -> Vec<i64> {
        let mut state = self.lock();
        state.until.retain(|_, until| *until > now);
        state.until.keys().copied().collect()
    }

    /// The first trouble since the last call.
    pub(super) fn take_problem(&self) -> Option<Problem> {
        self.lock().problem.take()
    }
}
