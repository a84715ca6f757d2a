//! Handing one message over: a connection, a transaction, the message, and what the relay's answer means.

use std::time::Instant;

use super::carrier::{Carrier, Left};
use super::letter::Letter;
use super::meter::Open;
use super::place::told;
use super::recorder::{Entry, committed};
use super::relay::Connection;
use super::retry::{Attempt, Verdict};
use super::worker::Courier;
use crate::domain::{Problem, Result};
use crate::store::ledger::Batch;

impl Carrier {
    /// A connection that takes a message; `None` when the relay can't be used now.
    pub(super) async fn connect(&mut self, courier: &Courier) -> Result<Option<&mut Open<Connection>>> {
        if !self.connection.as_ref().is_some_and(|held| held.is_usable()) {
            if let Some(spent) = self.connection.take() {
                spent.into_inner().quit().await;
            }
            self.connection = self.open(courier).await?;
        }
        Ok(self.connection.as_mut())
    }

    async fn open(&mut self, courier: &Courier) -> Result<Option<Open<Connection>>> {
        let lane = self.lane(courier)?;
        if !self.place.may_connect(lane, courier.clock.now()) {
            return Ok(None);
        }
        let begun = Instant::now();
        let [stop, failure] = &mut self.stops;
        let connected = tokio::select! {
            connected = lane.relay.connect() => connected,
            // A relay that hangs may take minutes to say nothing.
            () = told(stop) => return Ok(None),
            () = told(failure) => return Ok(None),
        };
        match connected {
            Ok(connection) => Ok(Some(lane.meter.opened(connection, begun.elapsed()))),
            Err(trouble) => {
                let now = courier.clock.now();
                lane.refused(now, &trouble);
                // A relay that is busy with our other connections is not down.
                if !(trouble.code() == Some(421) && lane.health.took_lately(now)) {
                    lane.is_down(courier, &trouble.text()).await?;
                }
                self.resting = Some(now.plus(courier.backoff.first));
                Ok(None)
            }
        }
    }

    /// Opens the transaction of a message; what the curfew ends has not begun.
    pub(super) async fn begin(&mut self, letter: &Letter) -> std::result::Result<(), Attempt> {
        let Some(connection) = &mut self.connection else {
            return Err(Attempt::untouched("there is no connection"));
        };
        let envelope = letter.envelope();
        let opened = self.curfew.limits(connection.begin(&envelope)).await;
        opened.unwrap_or_else(|| Err(Attempt::untouched("the program was stopped")))
    }

    /// Hands the message of the open transaction over, of `batch` if it is no notice's, with the envelope of
    /// the next behind it.
    ///
    /// `None` when it was held back: the process or the edition is to stop, or the lease may have ended.
    ///
    /// # Errors
    /// When the outcome of the message before can't be recorded: nothing more must go then.
    pub(super) async fn hand_over(
        &mut self,
        courier: &Courier,
        owner: &str,
        batch: Option<&Batch>,
        letter: &Letter,
        next: Option<&Letter>,
    ) -> Result<Option<Attempt>> {
        let recorded = committed(self.pending.take()).await;
        let held_back = self.is_stopped()
            || batch.is_some_and(|batch| courier.holds_back(batch.edition))
            || !courier.tenure.holds(owner, courier.clock.now());
        if recorded.is_err() || held_back {
            // The relay waits for the message: only closing takes the transaction back.
            self.connection = None;
            return recorded.map(|()| None);
        }
        let connection = self
            .connection
            .as_mut()
            .ok_or_else(|| Problem::failed("a message was to go without a connection"))?;
        let next = next.map(Letter::envelope);
        let begun = Instant::now();
        let envelope = letter.envelope();
        let flight = self.recorder.flight();
        let handing = connection.finish(&envelope, &letter.message, next.as_ref());
        let attempt = match self.curfew.limits(handing).await {
            Some(attempt) => attempt,
            None => connection.left_unanswered(),
        };
        drop(flight);
        // Silence is no reply, and its time is that of a limit.
        if attempt.code.is_some() || attempt.verdict == Verdict::Sent {
            self.lane(courier)?.meter.answered(begun.elapsed());
        }
        Ok(Some(attempt))
    }

    /// Tells the relay's health of an attempt, and has the `outcome` written down that it makes
    /// of the relay's name; says when what is under way is left.
    pub(super) async fn judged<E: Into<Entry>>(
        &mut self,
        courier: &Courier,
        attempt: &Attempt,
        outcome: impl FnOnce(&str) -> E,
    ) -> Result<Option<Left>> {
        self.lane(courier)?.heard(courier.clock.now(), attempt);
        self.lane(courier)?.meter.judged(attempt.verdict);
        let lost = match attempt.verdict {
            Verdict::RelayDown => {
                self.lane(courier)?.is_down(courier, &attempt.log_text()).await?;
                return Ok(Some(Left::RelayDown));
            }
            Verdict::Untouched => return Ok(None),
            Verdict::Retry | Verdict::Uncertain if !attempt.session_usable => {
                self.lane(courier)?.health.lost_one()
            }
            _ => false,
        };
        let outcome = outcome(self.lane(courier)?.relay.name());
        self.record(outcome).await;
        if matches!(attempt.verdict, Verdict::Sent | Verdict::Fail { .. }) {
            self.lane(courier)?.took_one(courier).await;
        }
        if lost {
            self.lane(courier)?.is_down(courier, &attempt.log_text()).await?;
            return Ok(Some(Left::RelayDown));
        }
        Ok(None)
    }
}
