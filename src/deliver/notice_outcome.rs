//! What is written down about one notice.

use std::time::Duration;

use super::outcome::next_try;
use super::reply::{replace_addresses, tidy};
use super::retry::{Attempt, Verdict};
use super::worker::Courier;
use crate::domain::Problem;
use crate::domain::delivery::State;
use crate::store::notice_ledger::DueNotice;
use crate::store::notice_outcomes::{EXPIRED, NoticeOutcome};

/// Why an address that can't belong to anybody gets nothing from a relay of the real world, as with editions.
const RESERVED: &str = "reserved_domain";

/// Why a notice is not sent, if so: its reader has left, it can reach nobody, or it comes too late.
pub(super) fn unwanted(courier: &Courier, notice: &DueNotice) -> Option<NoticeOutcome> {
    let left = match (notice.left, &notice.address) {
        (None, Some(address)) if address.is_reserved() && courier.reaches_others() => {
            Some((State::Excluded, RESERVED))
        }
        (None, Some(_)) => None,
        (left, _) => Some((State::Excluded, left.unwrap_or("unreadable_address"))),
    };
    let late = (notice.ends <= courier.clock.now()).then_some((State::Failed, EXPIRED));
    let (state, why) = left.or(late)?;
    tracing::info!(
        notice = notice.id,
        kind = notice.data.kind().as_str(),
        why,
        "notice not sent"
    );
    Some(outcome(courier, notice.id, state, Some(why.to_owned())))
}

/// The notice can't be made: later it may, when a template was mended.
pub(super) fn unmade(courier: &Courier, id: i64, attempts: i64, problem: &Problem) -> NoticeOutcome {
    let why = without_addresses(&tidy(&problem.to_string()));
    tracing::error!(notice = id, why, "notice can't be made");
    let mut outcome = outcome(courier, id, State::Waiting, Some(why));
    outcome.attempt = 1;
    outcome.next_attempt = Some(next_try(courier, attempts).0);
    outcome
}

/// What an attempt means. What may have arrived is always tried again: a second confirmation harms nobody.
pub(super) fn of_attempt(
    courier: &Courier,
    notice: &DueNotice,
    attempt: &Attempt,
    relay: &str,
) -> NoticeOutcome {
    let state = match attempt.verdict {
        Verdict::Sent => State::Sent,
        Verdict::Fail { .. } => State::Failed,
        Verdict::Uncertain => State::Uncertain,
        Verdict::Retry | Verdict::RelayDown | Verdict::Untouched => State::Waiting,
    };
    // Nothing else of the reader stays in the row.
    let text = attempt.text.as_deref().map(without_addresses);
    let mut outcome = outcome(courier, notice.id, state, text);
    outcome.attempt = 1;
    outcome.code = attempt.code.map(i64::from);
    outcome.relay = Some(relay.to_owned());
    outcome.dead = attempt.verdict == Verdict::Fail { dead_address: true };
    let mut wait = Duration::ZERO;
    if !state.is_final() {
        let (at, waits) = next_try(courier, notice.attempts);
        (outcome.next_attempt, wait) = (Some(at), waits);
    }
    let (id, kind, said) = (notice.id, notice.data.kind().as_str(), attempt.log_text());
    let code = attempt.code;
    match state {
        State::Sent => tracing::debug!(notice = id, kind, relay, code, said, "notice sent"),
        State::Failed => tracing::info!(notice = id, kind, relay, code, said, "notice failed"),
        _ => tracing::info!(
            notice = id,
            kind,
            relay,
            code,
            said,
            wait_s = wait.as_secs(),
            "notice deferred"
        ),
    }
    outcome
}

fn without_addresses(text: &str) -> String {
    replace_addresses(text, |_| "…".to_owned())
}

fn outcome(courier: &Courier, id: i64, state: State, text: Option<String>) -> NoticeOutcome {
    NoticeOutcome {
        id,
        state,
        attempt: 0,
        code: None,
        text,
        relay: None,
        next_attempt: None,
        at: courier.clock.now(),
        dead: false,
    }
}
