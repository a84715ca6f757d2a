//! Whether a relay can be used now, as all its connections have seen it: a circuit breaker.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::retry::next_attempt;
use crate::domain::condition::{Condition, State as Breaker};
use crate::domain::{Random, Timestamp};

/// Sessions that may be lost one after the other before the relay counts as down.
const LOST: u32 = 3;
/// How long the one connection that tries a relay again may keep the others waiting.
const LONGEST_TRIAL: Duration = Duration::from_secs(600);
/// For how long a message that was taken shows that the relay is up.
const LATELY: Duration = Duration::from_secs(5);

/// What is known of a relay.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default, Clone)]
struct State {
    breaker: Breaker,
    since: Timestamp,
    /// Until when an open breaker lets nobody through.
    until: Timestamp,
    /// The connection that tries whether the relay is back.
    tried_by: u32,
    /// Times in a row that it was found down.
    failures: u32,
    why: Option<String>,
    /// Sessions in a row that ended before a message was taken.
    lost: u32,
    /// When it took the last message.
    took: Option<Timestamp>,
}

/// One connection of those that share a relay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who {
    /// Its number.
    pub(super) number: u32,
    /// Below which number connections are used at all.
    pub(super) used: u32,
}

/// What a message that was taken changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Took {
    /// It was down before, or nothing was known of it: an earlier process may have found it down.
    pub(super) news: bool,
    /// The breaker is closed again.
    pub(super) closed: bool,
}

impl State {
    /// Whether `who` may connect; for the one that tries a relay again this is so until it is known.
    fn lets_through(&self, who: Who, now: Timestamp) -> bool {
        match self.breaker {
            Breaker::Ready => true,
            Breaker::Open => self.until <= now,
            Breaker::Probing => {
                self.tried_by == who.number
                    || self.tried_by >= who.used
                    || now.since(self.since) > LONGEST_TRIAL
            }
        }
    }
}

impl Health {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether `who` may connect now.
    pub(super) fn may_try(&self, who: Who, now: Timestamp) -> bool {
        self.with(|state| state.lets_through(who, now))
    }

    /// [`Health::may_try`] of one that is about to connect: after an open breaker it is the only one.
    /// The second value says that the trial begins.
    pub(super) fn try_now(&self, who: Who, now: Timestamp) -> (bool, bool) {
        self.with(|state| {
            if !state.lets_through(who, now) {
                return (false, false);
            }
            if state.breaker == Breaker::Ready {
                return (true, false);
            }
            let begins = state.breaker == Breaker::Open;
            if begins || state.tried_by != who.number {
                state.breaker = Breaker::Probing;
                state.since = now;
                state.tried_by = who.number;
            }
            (true, begins)
        })
    }

    /// Whether nobody may try it at `now`.
    pub(super) fn is_shut(&self, now: Timestamp) -> bool {
        self.with(|state| state.breaker == Breaker::Open && state.until > now)
    }

    /// Whether the relay has not taken a message since it was found down.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.with(|state| state.failures > 0)
    }

    /// Whether it took a message a moment ago.
    pub(super) fn took_lately(&self, now: Timestamp) -> bool {
        self.with(|state| state.took.is_some_and(|took| now.since(took) < LATELY))
    }

    /// The relay took a message, or refused its reader: it works.
    pub(super) fn took_one(&self, now: Timestamp) -> Took {
        self.with(|state| {
            let took = Took {
                news: state.failures > 0 || state.took.is_none(),
                closed: state.breaker != Breaker::Ready,
            };
            if took.closed {
                state.since = now;
            }
            *state = State {
                since: state.since,
                took: Some(now),
                ..State::default()
            };
            took
        })
    }

    /// The relay can't be used: until when it is left alone, when that is news. Several connections that
    /// see it at once count as one.
    pub(super) fn is_down(
        &self,
        now: Timestamp,
        (first, max): (Duration, Duration),
        random: &dyn Random,
        why: &str,
    ) -> Option<Timestamp> {
        self.with(|state| {
            if state.breaker == Breaker::Open && state.until > now {
                return None;
            }
            state.breaker = Breaker::Open;
            state.since = now;
            state.failures += 1;
            state.lost = 0;
            state.until = now.plus(next_attempt(state.failures, first, max, random.unit()));
            state.why = Some(why.to_owned());
            Some(state.until)
        })
    }

    /// A session ended before its message was taken; true when that has happened too often.
    pub(super) fn lost_one(&self) -> bool {
        self.with(|state| {
            state.lost += 1;
            state.lost >= LOST
        })
    }

    /// What `status` shows of it.
    pub(super) fn condition(&self) -> Condition {
        self.with(|state| Condition {
            state: state.breaker,
            since: state.since,
            until: (state.breaker == Breaker::Open).then_some(state.until),
            failures: state.failures,
            why: state.why.clone(),
            ..Condition::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Result;

    const BACKOFF: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));

    /// Without jitter.
    struct Even;

    impl Random for Even {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(0);
            Ok(())
        }

        fn unit(&self) -> f64 {
            0.5
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_768_003_200_000).plus(Duration::from_secs(seconds))
    }

    fn who(number: u32) -> Who {
        Who { number, used: 4 }
    }

    fn down(health: &Health, seconds: u64) -> Option<u64> {
        let until = health.is_down(at(seconds), BACKOFF, &Even, "535 no")?;
        Some(until.since(at(seconds)).as_secs())
    }

    #[test]
    fn opens_once_then_lets_one_through_and_closes_with_the_first_message() {
        let health = Health::default();
        assert!(health.may_try(who(0), at(0)) && health.try_now(who(0), at(0)) == (true, false));
        assert_eq!([down(&health, 0), down(&health, 1)], [Some(60), None]);
        assert!(health.is_shut(at(59)) && !health.may_try(who(0), at(59)) && health.is_in_doubt());
        assert!(!health.is_shut(at(60)));
        // Everybody may look; the first to connect is the only one.
        assert!((0..4).all(|number| health.may_try(who(number), at(60))));
        assert_eq!(health.try_now(who(2), at(60)), (true, true));
        assert_eq!(health.try_now(who(2), at(61)), (true, false));
        assert_eq!(health.condition().state, Breaker::Probing);
        for number in [0, 1, 3] {
            assert_eq!(health.try_now(who(number), at(61)), (false, false));
            assert!(!health.may_try(who(number), at(61)));
        }
        assert!(!health.is_shut(at(61)) && health.is_in_doubt());
        let took = health.took_one(at(62));
        assert!(took.news && took.closed && !health.is_in_doubt());
        assert!(health.may_try(who(0), at(62)));
        assert_eq!(health.condition().since, at(62));
        let took = health.took_one(at(63));
        assert!(!took.news && !took.closed);
        assert_eq!(health.condition().since, at(62));
    }

    #[test]
    fn a_trial_that_fails_is_followed_by_a_longer_wait() {
        let health = Health::default();
        down(&health, 0);
        assert_eq!(health.try_now(who(1), at(60)), (true, true));
        assert_eq!(down(&health, 65), Some(120));
        let condition = health.condition();
        assert_eq!((condition.failures, condition.until), (2, Some(at(185))));
        assert_eq!(condition.why.as_deref(), Some("535 no"));
        assert_eq!(health.try_now(who(1), at(184)), (false, false));
    }

    #[test]
    fn a_trial_does_not_hang_on_a_connection_that_is_gone() {
        let health = Health::default();
        down(&health, 0);
        health.try_now(who(3), at(60));
        // Slowed since: number 3 is not used any more.
        let fewer = Who { number: 0, used: 2 };
        assert_eq!(health.try_now(fewer, at(61)), (true, false));
        assert_eq!(health.try_now(who(1), at(62)), (false, false));
        assert_eq!(health.try_now(who(1), at(700)), (true, false));
    }

    #[test]
    fn three_lost_sessions_in_a_row_are_too_many() {
        let health = Health::default();
        assert_eq!([(); 2].map(|()| health.lost_one()), [false, false]);
        health.took_one(at(0));
        assert!(health.took_lately(at(4)) && !health.took_lately(at(5)));
        assert_eq!([(); 3].map(|()| health.lost_one()), [false, false, true]);
    }
}
