//! A relay that asks to be spared gets fewer connections, then pauses, and slowly what it had.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::retry::{Attempt, Verdict};
use crate::domain::Timestamp;

/// What several connections are told at once counts once.
const SAME: Duration = Duration::from_secs(3);
/// How long a relay must not complain before it is asked for more.
const CALM: Duration = Duration::from_secs(30);
/// The first pause; doubled from complaint to complaint.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause: a message in half a minute still tells whether the relay has calmed down.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

impl Attempt {
    /// Whether the relay asks to be spared: 421, or a status of 4.7.x (RFC 3463); 4.4.x is about time-outs.
    pub(super) fn asks_to_slow(&self) -> bool {
        let text = self.text.as_deref().unwrap_or_default();
        if self.verdict == Verdict::Untouched {
            // So many messages a session are a relay's usual end of it, and no complaint.
            return text.starts_with("4.7.");
        }
        match self.code {
            Some(421) => !text.starts_with("4.4."),
            Some(400..=499) => text.starts_with("4.7."),
            _ => false,
        }
    }
}

/// How much a relay is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pressure {
    /// How many connections may be used.
    pub(super) connections: u32,
    /// How long to wait between two messages.
    pub(super) pause: Duration,
}

/// A step down or up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: Pressure,
    pub(super) to: Pressure,
}

/// How far a relay is slowed now; all its connections share it.
#[derive(Debug)]
pub(super) struct Slowing {
    most: u32,
    /// Copies of the pressure, to be looked at for every message.
    connections: AtomicU32,
    pause_ms: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: Pressure,
    since: Timestamp,
    /// The last complaint, or the last step up.
    last: Option<Timestamp>,
    cut: Option<Timestamp>,
}

impl Slowing {
    /// Not slowed, with `most` connections.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            connections: AtomicU32::new(most),
            pause_ms: AtomicU64::new(0),
            state: Mutex::new(State {
                now: Pressure {
                    connections: most,
                    pause: Duration::ZERO,
                },
                since: Timestamp(0),
                last: None,
                cut: None,
            }),
        }
    }

    /// How many connections may be used.
    pub(super) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// How long to wait between two messages.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms.load(Ordering::Relaxed))
    }

    /// What is asked for and since when; `None` when the relay is not slowed.
    pub(super) fn slowed(&self) -> Option<(Pressure, Timestamp)> {
        self.with(|state| (state.now != self.full()).then_some((state.now, state.since)))
    }

    /// The relay complained; the step down, if there is one.
    pub(super) fn complaint(&self, now: Timestamp) -> Option<Step> {
        self.with(|state| {
            state.last = Some(now);
            if state.cut.is_some_and(|cut| now.since(cut) < SAME) {
                return None;
            }
            state.cut = Some(now);
            let from = state.now;
            if from.connections > 1 {
                state.now.connections = from.connections / 2;
            } else {
                state.now.pause = (from.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            }
            self.changed(state, from, now)
        })
    }

    /// The step up, once the relay has been calm for long enough.
    pub(super) fn recover(&self, now: Timestamp) -> Option<Step> {
        self.with(|state| {
            if state.now == self.full() || state.last.is_none_or(|last| now.since(last) < CALM) {
                return None;
            }
            state.last = Some(now);
            let from = state.now;
            if from.pause > FIRST_PAUSE {
                state.now.pause = from.pause / 2;
            } else if !from.pause.is_zero() {
                state.now.pause = Duration::ZERO;
            } else {
                // One more at a time, or an eighth where that would take hours.
                let more = (self.most / 8).max(1);
                state.now.connections = (from.connections + more).min(self.most);
            }
            self.changed(state, from, now)
        })
    }

    fn full(&self) -> Pressure {
        Pressure {
            connections: self.most,
            pause: Duration::ZERO,
        }
    }

    fn changed(&self, state: &mut State, from: Pressure, now: Timestamp) -> Option<Step> {
        let to = state.now;
        if from == to {
            return None;
        }
        state.since = now;
        self.connections.store(to.connections, Ordering::Relaxed);
        let pause = u64::try_from(to.pause.as_millis()).unwrap_or(u64::MAX);
        self.pause_ms.store(pause, Ordering::Relaxed);
        Some(Step { from, to })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_768_003_200_000).plus(Duration::from_secs(seconds))
    }

    fn to(step: Option<Step>) -> Option<(u32, u64)> {
        step.map(|step| {
            (
                step.to.connections,
                u64::try_from(step.to.pause.as_millis()).unwrap_or(0),
            )
        })
    }

    #[test]
    fn only_421_and_4_7_ask_for_less() {
        for (code, text, asks) in [
            (421, "too many connections", true),
            (421, "4.7.0 slow down", true),
            (421, "4.4.2 idle for too long", false),
            (451, "4.7.1 later", true),
            (450, "4.2.1 greylisted", false),
            (554, "5.7.1 reputation", false),
            (250, "4.7.0 odd", false),
        ] {
            let attempt = Attempt {
                code: Some(code),
                verdict: Verdict::Retry,
                ..Attempt::untouched(text)
            };
            assert_eq!(attempt.asks_to_slow(), asks, "{code} {text}");
            // Between two messages 421 is a usual end of a session, unless it says more.
            let between = Attempt {
                verdict: Verdict::Untouched,
                ..attempt
            };
            assert_eq!(between.asks_to_slow(), text.starts_with("4.7."), "{code} {text}");
        }
        assert!(!Attempt::untouched("421 in our own words").asks_to_slow());
    }

    #[test]
    fn halves_then_pauses_and_never_stops() {
        let slowing = Slowing::new(10);
        assert_eq!((slowing.connections(), slowing.slowed()), (10, None));
        let steps: Vec<_> = (0..12).map(|n| to(slowing.complaint(at(n * 3)))).collect();
        let want = [
            (5, 0),
            (2, 0),
            (1, 0),
            (1, 500),
            (1, 1_000),
            (1, 2_000),
            (1, 4_000),
            (1, 8_000),
            (1, 16_000),
            (1, 32_000),
        ];
        assert_eq!(steps[..10], want.map(Some));
        assert_eq!(steps[10..], [None, None]);
        assert_eq!((slowing.connections(), slowing.pause()), (1, LONGEST_PAUSE));
        assert_eq!(slowing.slowed().map(|(_, since)| since), Some(at(27)));
    }

    #[test]
    fn what_many_connections_hear_at_once_counts_once() {
        let slowing = Slowing::new(8);
        assert_eq!(to(slowing.complaint(at(0))), Some((4, 0)));
        for _ in 0..8 {
            assert_eq!(slowing.complaint(at(2)), None);
        }
        assert_eq!(to(slowing.complaint(at(3))), Some((2, 0)));
    }

    #[test]
    fn recovers_step_by_step_after_calm() {
        let slowing = Slowing::new(4);
        assert_eq!(slowing.recover(at(1_000)), None);
        for n in 0..3 {
            slowing.complaint(at(n * 3));
        }
        assert_eq!(slowing.pause(), FIRST_PAUSE);
        // Another complaint, even one that changes nothing, begins the calm anew.
        assert_eq!(slowing.complaint(at(8)), None);
        assert_eq!(slowing.recover(at(37)), None);
        assert_eq!(to(slowing.recover(at(38))), Some((1, 0)));
        assert_eq!(slowing.recover(at(41)), None);
        let up: Vec<_> = [70, 100, 130, 160]
            .map(|seconds| to(slowing.recover(at(seconds))))
            .into();
        assert_eq!(up, [Some((2, 0)), Some((3, 0)), Some((4, 0)), None]);
        assert_eq!(slowing.slowed(), None);
    }

    #[test]
    fn many_connections_come_back_by_eighths() {
        let slowing = Slowing::new(200);
        for n in 0..7 {
            slowing.complaint(at(n * 3));
        }
        assert_eq!(slowing.connections(), 1);
        let mut steps = 0;
        while slowing.recover(at(1_000 + steps * 30)).is_some() {
            steps += 1;
        }
        assert_eq!((steps, slowing.connections()), (8, 200));
    }
}
