//! Notices go ahead of digests: a connection takes a few of those that are due and delivers them one by one.

use super::carrier::{Carrier, Left};
use super::leased;
use super::letter::Letter;
use super::notice_outcome;
use super::patience::answered;
use super::place::Turn;
use super::recorder::committed;
use super::retry::Verdict;
use super::worker::Courier;
use crate::domain::Result;
use crate::domain::problem::Kind;
use crate::store::notice_ledger::DueNotice;

impl Carrier {
    /// Takes notices that are due and delivers them; `None` when there was none to take.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn deliver_notices(&mut self, courier: &Courier) -> Result<Option<Left>> {
        let connections = courier
            .lanes
            .iter()
            .map(|lane| u64::from(lane.limits.connections));
        let owner = leased::owner(courier).await?;
        let (waiting, share) = courier.bell.answer(connections.sum());
        let now = courier.clock.now();
        let until = now.plus(courier.tenure.term());
        let leasing = courier.store.lease_notices(&owner, now, until, share);
        let mut held = answered(leasing).await?;
        courier.bell.taken(waiting, share, held.len());
        if held.is_empty() {
            return Ok(None);
        }
        let left = self.deliver_held(courier, &owner, &mut held).await;
        // First: what is free again must show what has left as sent.
        committed(self.pending.take()).await?;
        answered(courier.store.release_notices(&held, &owner)).await?;
        left.map(Some)
    }

    /// Delivers the notices `held`; those that are given back are left in it.
    async fn deliver_held(&mut self, courier: &Courier, owner: &str, held: &mut Vec<i64>) -> Result<Left> {
        for id in held.clone() {
            if self.is_stopped() {
                return Ok(Left::Stopped);
            }
            let notice = match answered(courier.store.due_notice(id, owner)).await {
                Ok(Some(notice)) => notice,
                // Its reader was erased meanwhile, or somebody else has it.
                Ok(None) => continue,
                Err(problem) if problem.kind() == Kind::Database => return Err(problem),
                // One that can't be read holds up nobody else's.
                Err(problem) => {
                    self.record(notice_outcome::unmade(courier, id, 0, &problem))
                        .await;
                    held.retain(|other| *other != id);
                    continue;
                }
            };
            let (left, recorded) = self.deliver_notice(courier, owner, notice).await?;
            if recorded {
                held.retain(|other| *other != id);
            }
            if let Some(left) = left {
                return Ok(left);
            }
        }
        Ok(Left::Done)
    }

    /// Delivers one notice: why no other is to follow, and whether an outcome was recorded.
    async fn deliver_notice(
        &mut self,
        courier: &Courier,
        owner: &str,
        mut notice: DueNotice,
    ) -> Result<(Option<Left>, bool)> {
        if let Some(outcome) = notice_outcome::unwanted(courier, &notice) {
            self.record(outcome).await;
            return Ok((None, true));
        }
        let Some(address) = notice.address.take() else {
            return Ok((None, false));
        };
        let relay = &self.lane(courier)?.relay;
        let letter = match Letter::of_notice(courier, relay, &notice, address).await {
            Ok(letter) => letter,
            Err(problem) if problem.kind() == Kind::Database => return Err(problem),
            Err(problem) => {
                let outcome = notice_outcome::unmade(courier, notice.id, notice.attempts, &problem);
                self.record(outcome).await;
                return Ok((None, true));
            }
        };
        let attempt = loop {
            if self.is_stopped() {
                return Ok((Some(Left::Stopped), false));
            }
            if self.connect(courier).await?.is_none() {
                return Ok((Some(Left::RelayDown), false));
            }
            if self.lane(courier)?.pace.is_some() {
                // Waited for now, it does not make this message late for its slot.
                committed(self.pending.take()).await?;
            }
            if self.place.turn(courier, &mut self.stops).await? == Turn::Later {
                return Ok((Some(Left::Stopped), false));
            }
            match self.begin(&letter).await {
                Err(attempt) if attempt.verdict == Verdict::Untouched => {
                    self.lane(courier)?.heard(courier.clock.now(), &attempt);
                }
                Err(attempt) => break attempt,
                Ok(()) => match self.hand_over(courier, owner, None, &letter, None).await? {
                    Some(attempt) => break attempt,
                    None => return Ok((Some(Left::Stopped), false)),
                },
            }
        };
        let outcome = |relay: &str| notice_outcome::of_attempt(courier, &notice, &attempt, relay);
        let left = self.judged(courier, &attempt, outcome).await?;
        let untouched = matches!(attempt.verdict, Verdict::RelayDown | Verdict::Untouched);
        Ok((left, !untouched))
    }
}
