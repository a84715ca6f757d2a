//! Under which name this courier holds its leases, and until when they surely hold.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;
use crate::store::owner;

/// The one name of all leases that one renewal extends.
#[derive(Debug)]
pub(super) struct Tenure {
    /// How long a batch is leased without renewal.
    term: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone)]
struct State {
    owner: Arc<str>,
    until: Timestamp,
}

impl Tenure {
    /// Nothing is held yet; a lease will hold for `term`.
    pub(super) fn new(term: Duration) -> Self {
        Self {
            term,
            state: Mutex::new(State {
                owner: owner::new().into(),
                until: Timestamp(0),
            }),
        }
    }

    /// How long a batch is leased without renewal.
    pub(super) fn term(&self) -> Duration {
        self.term
    }

    /// What must be left of a lease for a message to go: clocks differ, and a final dot takes its time.
    fn margin(&self) -> Duration {
        self.term / 6
    }

    /// How long a renewal may take: another one must fit in before the leases end.
    pub(super) fn patience(&self) -> Duration {
        self.term / 4
    }

    /// How often to look whether it is time to renew.
    pub(super) fn pace(&self) -> Duration {
        (self.term / 20).min(Duration::from_secs(1))
    }

    /// Whether a quarter of the term has passed since the last renewal.
    pub(super) fn is_to_be_renewed(&self, now: Timestamp) -> bool {
        let rest = self.term.saturating_sub(self.term / 4);
        self.with(|state| now.plus(rest) > state.until)
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name to lease under.
    pub(super) fn owner(&self) -> Arc<str> {
        self.with(|state| Arc::clone(&state.owner))
    }

    /// Whether what was leased as `owner` is surely still held, for long enough to hand a message over.
    pub(super) fn holds(&self, owner: &str, now: Timestamp) -> bool {
        self.with(|state| *state.owner == *owner && now.plus(self.margin()) <= state.until)
    }

    /// Every lease of `owner` was extended to `until`, as was known at `now`.
    ///
    /// When the leases may have ended before that, others may have taken batches over, and a renewal
    /// does not bring them back: from then on batches are leased under a new name.
    pub(super) fn renewed(&self, owner: &str, until: Timestamp, now: Timestamp) {
        self.with(|state| {
            if *state.owner != *owner {
                return;
            }
            if now.plus(self.margin()) > state.until {
                state.owner = owner::new().into();
            }
            state.until = until;
        });
    }

    /// Begins under a new name; the old one.
    pub(super) fn begin_anew(&self) -> Arc<str> {
        self.with(|state| {
            state.until = Timestamp(0);
            std::mem::replace(&mut state.owner, owner::new().into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(0).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_renewal_that_came_too_late_brings_nothing_back() {
        let tenure = Tenure::new(Duration::from_secs(60));
        tenure.renewed(&tenure.owner(), at(60), at(0));
        let first = tenure.owner();
        assert!(tenure.holds(&first, at(50)) && !tenure.holds(&first, at(51)));
        tenure.renewed(&first, at(100), at(45));
        assert_eq!(tenure.owner(), first);
        // Begun in time, but its answer came after the end.
        tenure.renewed(&first, at(155), at(101));
        assert!(!tenure.holds(&first, at(102)));
        let second = tenure.owner();
        assert!(tenure.holds(&second, at(102)));
        // The answer to a renewal of the old name says nothing about the new one.
        tenure.renewed(&first, at(500), at(103));
        assert!(!tenure.holds(&second, at(300)));
    }

    #[test]
    fn margin_and_renewal_are_parts_of_the_term() {
        let tenure = Tenure::new(Duration::from_secs(6));
        assert!(tenure.is_to_be_renewed(at(0)));
        tenure.renewed(&tenure.owner(), at(6), at(0));
        let owner = tenure.owner();
        assert!(tenure.holds(&owner, at(5)) && !tenure.holds(&owner, at(6)));
        let after = |millis| Timestamp(0).plus(Duration::from_millis(millis));
        assert!(!tenure.is_to_be_renewed(after(1_500)) && tenure.is_to_be_renewed(after(1_501)));
    }
}
