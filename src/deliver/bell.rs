//! The bell: says that notices wait, so that connections need not ask the database for each message.

use std::sync::atomic::{AtomicU64, Ordering};

/// The most notices that a connection takes at a time: the rest is left to the others.
const SHARE: u64 = 20;

/// How many notices wait, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Bell(AtomicU64);

impl Bell {
    /// Somebody wrote a notice.
    pub(super) fn ring(&self) {
        self.0.fetch_max(1, Ordering::Release);
    }

    /// The database was asked: so many wait.
    pub(super) fn set(&self, waiting: u64) {
        self.0.store(waiting, Ordering::Release);
    }

    /// Whether notices wait.
    pub(super) fn rings(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }

    /// How many a connection is to ask for, one of `connections`. The bell is silent from then on: what is
    /// written after that is heard of again.
    pub(super) fn answer(&self, connections: u64) -> (u64, u32) {
        let waiting = self.0.swap(0, Ordering::AcqRel);
        let share = waiting.div_ceil(connections.max(1)).clamp(1, SHARE);
        (waiting, u32::try_from(share).unwrap_or(1))
    }

    /// Of `waiting` notices `taken` are in hand; when it was all that was asked for, more may wait.
    pub(super) fn taken(&self, waiting: u64, asked: u32, taken: usize) {
        if taken == usize::try_from(asked).unwrap_or(usize::MAX) {
            let rest = waiting.saturating_sub(u64::from(asked)).max(1);
            self.0.fetch_max(rest, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rings_until_all_that_wait_are_taken() {
        let bell = Bell::default();
        assert!(!bell.rings());
        bell.set(45);
        assert_eq!(bell.answer(4), (45, 12));
        assert!(!bell.rings(), "the one who answers has it");
        bell.taken(45, 12, 12);
        assert!(bell.rings(), "33 wait still");
        assert_eq!(bell.answer(1), (33, 20));
        // Written while the database was asked.
        bell.ring();
        bell.taken(33, 20, 7);
        assert!(bell.rings());
        assert_eq!(bell.answer(1), (1, 1));
        bell.taken(1, 1, 0);
        assert!(!bell.rings());
    }
}
