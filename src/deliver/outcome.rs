//! What is written into the ledger about one delivery.

use std::sync::atomic::Ordering;

use std::time::Duration;

use super::reply::{hide_addresses, tidy};
use super::retry::{Attempt, Verdict, due_after, next_attempt};
use super::worker::Courier;
use crate::domain::delivery::State;
use crate::domain::{Problem, Timestamp};
use crate::store::ledger::{Batch, Due, Outcome};

/// The reader has left since the edition was planned; no relay was asked.
pub(super) fn excluded(courier: &Courier, batch: &Batch, due: &Due) -> Outcome {
    courier.tally.excluded.fetch_add(1, Ordering::Relaxed);
    let reason = due.left.unwrap_or("unreadable_address");
    outcome(batch, due, State::Excluded, Some(reason.to_owned()))
}

/// What an attempt means.
pub(super) fn of_attempt(
    courier: &Courier,
    batch: &Batch,
    due: &Due,
    attempt: &Attempt,
    relay: &str,
) -> Outcome {
    let tally = &courier.tally;
    let (state, count) = match attempt.verdict {
        Verdict::Sent => (State::Sent, &tally.sent),
        Verdict::Fail { .. } => (State::Failed, &tally.failed),
        Verdict::Uncertain => (State::Uncertain, &tally.deferred),
        Verdict::Retry | Verdict::RelayDown | Verdict::Untouched => (State::Waiting, &tally.deferred),
    };
    count.fetch_add(1, Ordering::Relaxed);
    let mut outcome = outcome(batch, due, state, attempt.text.clone());
    outcome.attempt = 1;
    outcome.code = attempt.code.map(i64::from);
    outcome.relay = Some(relay.to_owned());
    outcome.dead = (attempt.verdict == Verdict::Fail { dead_address: true }).then(|| courier.clock.now());
    let held = courier.holds_uncertain && state == State::Uncertain;
    if !state.is_final() && !held {
        let wait = put_off(courier, due, &mut outcome);
        tracing::info!(
            edition = batch.edition,
            subscriber = due.subscriber,
            relay,
            code = attempt.code,
            said = attempt.log_text(),
            wait_s = wait.as_secs(),
            "delivery deferred"
        );
    } else if state != State::Sent {
        tracing::info!(
            edition = batch.edition,
            subscriber = due.subscriber,
            relay,
            code = attempt.code,
            said = attempt.log_text(),
            state = state.as_str(),
            "{}",
            if held { "delivery held" } else { "delivery failed" }
        );
    } else {
        tracing::debug!(
            edition = batch.edition,
            subscriber = due.subscriber,
            relay,
            code = attempt.code,
            said = attempt.log_text(),
            "delivery sent"
        );
    }
    outcome
}

/// The reader's mail can't be made: later it may, when a template was mended.
pub(super) fn unmade(courier: &Courier, batch: &Batch, due: &Due, problem: &Problem) -> Outcome {
    let why = tidy(&problem.to_string());
    tracing::error!(
        edition = batch.edition,
        subscriber = due.subscriber,
        why = hide_addresses(&why),
        "mail can't be made"
    );
    let mut outcome = outcome(batch, due, State::Waiting, Some(why));
    outcome.attempt = 1;
    put_off(courier, due, &mut outcome);
    outcome
}

/// Sets the time of the next attempt; how long that is.
fn put_off(courier: &Courier, due: &Due, outcome: &mut Outcome) -> Duration {
    let (at, wait) = next_try(courier, due.attempts);
    outcome.next_attempt = Some(at);
    wait
}

/// When something is tried again that was tried `attempts` times before this one, and how long that is.
pub(super) fn next_try(courier: &Courier, attempts: i64) -> (Timestamp, Duration) {
    let attempts = u32::try_from(attempts + 1).unwrap_or(u32::MAX);
    let (first, max) = (courier.backoff.first, courier.backoff.max);
    let wait = next_attempt(attempts, first, max, courier.random.unit());
    (due_after(courier.clock.now(), wait, attempts, first, max), wait)
}

fn outcome(batch: &Batch, due: &Due, state: State, text: Option<String>) -> Outcome {
    Outcome {
        edition: batch.edition,
        subscriber: due.subscriber,
        state,
        attempt: 0,
        code: None,
        text,
        relay: None,
        next_attempt: None,
        dead: None,
    }
}
