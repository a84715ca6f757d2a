//! When the next message may go to a relay whose rate is limited.
//!
//! Slots are taken from the database a few at a time, for the connections that wait. One that is not
//! used in time is lost: it must not be made up for in a burst.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use super::patience::answered;
use crate::domain::relay::Rates;
use crate::domain::{Result, Timestamp};
use crate::store::Store;
use crate::store::rates::{Reservation, slot};

/// Reservations that follow each other faster than this take more slots at once.
const OFTEN: Duration = Duration::from_millis(50);
/// After this the number of slots at once begins with one again.
const QUIET: Duration = Duration::from_secs(1);
/// An hour that is full again sooner than this after it was full is not told of.
const NEWS: Duration = Duration::from_secs(300);
/// How late a slot may be used where a second is limited.
const LATE: Duration = Duration::from_millis(20);
/// The same where only an hour is limited.
const HOURLY_LATE: Duration = Duration::from_secs(5);

/// The slots of one relay, shared by its connections.
#[derive(Debug)]
pub(super) struct Pace {
    rates: Rates,
    /// Connections that wait for a slot.
    waiting: AtomicU32,
    queue: tokio::sync::Mutex<Queue>,
    /// Until when the hour is full.
    full: Mutex<Option<(Instant, Timestamp)>>,
}

/// What may be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A message may go at this moment.
    At(Instant),
    /// The hour is full, until about this moment.
    Full(Instant),
}

#[derive(Debug)]
struct Queue {
    slots: VecDeque<Instant>,
    /// How many slots the next reservation takes at least.
    block: u32,
    most: u32,
    late: Duration,
    reserved: Option<Instant>,
}

impl Queue {
    fn new(rates: Rates) -> Self {
        // A tenth of a second, and half a hundredth of an hour: what is left unused must not matter.
        let second = rates.per_second.map_or(u32::MAX, |rate| rate / 10);
        let hour = rates.per_hour.map_or(u32::MAX, |rate| rate / 200);
        Self {
            slots: VecDeque::new(),
            block: 1,
            most: second.min(hour).clamp(1, 1_000),
            late: lateness(rates),
            reserved: None,
        }
    }

    /// The next slot that can still be used.
    fn take(&mut self, now: Instant) -> Option<Instant> {
        let mut lost = false;
        while self.slots.front().is_some_and(|&at| at + self.late < now) {
            self.slots.pop_front();
            lost = true;
        }
        if lost {
            self.block = (self.block / 2).max(1);
        }
        self.slots.pop_front()
    }

    /// How many slots to take from the database now.
    fn wanted(&mut self, waiting: u32, now: Instant) -> u32 {
        let passed = self.reserved.map(|reserved| now.duration_since(reserved));
        match passed {
            Some(passed) if passed < OFTEN => self.block = (self.block * 2).min(self.most),
            Some(passed) if passed < QUIET => {}
            _ => self.block = 1,
        }
        self.reserved = Some(now);
        self.block.max(waiting).clamp(1, self.most)
    }
}

/// How long after its moment a slot is good.
fn lateness(rates: Rates) -> Duration {
    match rates.per_second {
        Some(_) => LATE,
        None => HOURLY_LATE,
    }
}

impl Pace {
    /// `None` where nothing is limited.
    pub(super) fn of(rates: Rates) -> Option<Self> {
        rates.are_limited().then(|| Self {
            rates,
            waiting: AtomicU32::new(0),
            queue: tokio::sync::Mutex::new(Queue::new(rates)),
            full: Mutex::new(None),
        })
    }

    /// The moment for one message of `relay`, which nobody else gets; `now` is the time of day.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn next(&self, store: &Store, relay: &str, now: Timestamp) -> Result<Next> {
        let _waiting = Waiting::at(&self.waiting);
        let mut queue = self.queue.lock().await;
        loop {
            let moment = Instant::now();
            if let Some(at) = queue.take(moment) {
                return Ok(Next::At(at));
            }
            if let Some((until, _)) = self.full().filter(|(until, _)| *until > moment) {
                return Ok(Next::Full(until));
            }
            let wanted = queue.wanted(self.waiting.load(Ordering::Relaxed), moment);
            match answered(store.reserve_slots(relay, self.rates, wanted)).await? {
                Reservation::Slots { first_in, count } => {
                    let first = Instant::now() + first_in;
                    queue
                        .slots
                        .extend((0..count).map(|index| first + slot(self.rates, index)));
                }
                Reservation::Full { free_in } => {
                    let until = now.plus(free_in);
                    // From then on a little room comes every ten seconds: that is no news.
                    if self.full().is_none_or(|(_, last)| now.since(last) > NEWS) {
                        tracing::info!(relay, until = %until, "hourly limit reached");
                    }
                    self.set_full((Instant::now() + free_in, until));
                }
            }
        }
    }

    /// Whether a slot can still be used.
    pub(super) fn is_good(&self, at: Instant) -> bool {
        Instant::now() <= at + lateness(self.rates)
    }

    /// Until when nothing more goes because the hour is full.
    pub(super) fn full_until(&self) -> Option<Timestamp> {
        let (moment, until) = self.full()?;
        (moment > Instant::now()).then_some(until)
    }

    fn full(&self) -> Option<(Instant, Timestamp)> {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_full(&self, full: (Instant, Timestamp)) {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = Some(full);
    }
}

/// One that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn at(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        per_second: Some(200),
        per_hour: None,
    };

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_slot_that_has_passed_is_lost_and_makes_the_next_reservation_smaller() {
        let mut queue = Queue::new(RATES);
        let start = Instant::now();
        queue.slots.extend([0, 5, 10, 15].map(|at| start + millis(at)));
        queue.block = 8;
        assert_eq!(queue.take(start + millis(20)), Some(start));
        assert_eq!(queue.take(start + millis(31)), Some(start + millis(15)));
        assert_eq!((queue.block, queue.take(start)), (4, None));
    }

    #[test]
    fn takes_as_much_as_is_used_and_no_more() {
        let mut queue = Queue::new(RATES);
        let start = Instant::now();
        let wanted: Vec<u32> = (0..7).map(|n| queue.wanted(1, start + millis(n * 10))).collect();
        assert_eq!(wanted, [1, 2, 4, 8, 16, 20, 20]);
        assert_eq!(queue.wanted(1, start + millis(200)), 20);
        assert_eq!(queue.wanted(3, start + millis(1_300)), 3);
        assert_eq!(queue.wanted(99, start + millis(1_500)), 20);
    }

    #[test]
    fn a_low_rate_is_taken_slot_by_slot() {
        for rates in [
            Rates {
                per_second: Some(1),
                per_hour: None,
            },
            Rates {
                per_second: Some(100_000),
                per_hour: Some(100),
            },
        ] {
            let mut queue = Queue::new(rates);
            let now = Instant::now();
            assert_eq!([9, 9, 9].map(|waiting| queue.wanted(waiting, now)), [1, 1, 1]);
        }
        assert!(Pace::of(Rates::default()).is_none());
    }
}
