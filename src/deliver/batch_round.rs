//! A batch: leased, handed over message by message, and given back.

use std::time::Duration;

use super::carrier::{Carrier, Left};
use super::leased::{Leased, put_off};
use super::letter::ReaderLetter;
use super::outcome;
use super::patience::answered;
use super::place::Turn;
use super::recorder::committed;
use super::retry::Verdict;
use super::segment_mail::SegmentMail;
use super::worker::Courier;
use crate::domain::{Result, Timestamp};
use crate::store::ledger::{Batch, Due};

/// How long what was read of readers holds: who leaves while a slow relay is busy gets no more mail.
const FRESH: Duration = Duration::from_secs(10);

impl Carrier {
    pub(super) async fn deliver(&mut self, courier: &Courier, leased: &Leased) -> Result<()> {
        let mail = match answered(courier.composer.segment(&leased.batch)).await {
            Ok(mail) => mail,
            Err(problem) => return put_off(courier, leased, problem).await,
        };
        let left = self.deliver_batch(courier, leased, &mail).await;
        // First: a batch that is free again must show everything that has left in it as sent.
        committed(self.pending.take()).await?;
        let now = courier.clock.now();
        answered(courier.store.release_batch(&leased.batch, &leased.owner, now)).await?;
        if let Left::RelayDown = left? {
            self.connection = None;
        }
        Ok(())
    }

    async fn deliver_batch(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
    ) -> Result<Left> {
        loop {
            let read = courier.clock.now();
            let due = answered(courier.store.due_deliveries(&leased.batch, read)).await?;
            if let Some(left) = self.deliver_due(courier, leased, mail, due, read).await? {
                return Ok(left);
            }
            // What is read again must show what has left as sent.
            committed(self.pending.take()).await?;
        }
    }

    /// `None` when what was `read` is too old to go by.
    ///
    /// The message after the one that goes is made already: its envelope may travel behind it.
    async fn deliver_due(
        &mut self,
        courier: &Courier,
        leased: &Leased,
        mail: &SegmentMail,
        due: Vec<Due>,
        read: Timestamp,
    ) -> Result<Option<Left>> {
        let batch = &leased.batch;
        let mut due = due.into_iter();
        self.place.begin_anew();
        let mut next = self.next_letter(courier, batch, mail, &mut due).await?;
        while let Some(letter) = next.take() {
            if self.is_stopped() || courier.holds_back(batch.edition) {
                return Ok(Some(Left::Stopped));
            }
            // What was announced has its transaction open, and goes first.
            if courier.bell.rings()
                && !self.place.has_announced()
                && let Some(left @ (Left::RelayDown | Left::Stopped)) = self.deliver_notices(courier).await?
            {
                return Ok(Some(left));
            }
            // After the notices: they may have taken long.
            if courier.clock.now().since(read) > FRESH {
                return Ok(None);
            }
            if self.connect(courier).await?.is_none() {
                return Ok(Some(Left::RelayDown));
            }
            if self.lane(courier)?.pace.is_some() {
                // Waited for now, it does not make this message late for its slot.
                committed(self.pending.take()).await?;
            }
            if self.place.turn(courier, &mut self.stops).await? == Turn::Later {
                return Ok(Some(Left::Stopped));
            }
            let attempt = match self.begin(&letter.letter).await {
                Err(attempt) if attempt.verdict == Verdict::Untouched => {
                    self.lane(courier)?.heard(courier.clock.now(), &attempt);
                    next = Some(letter);
                    continue;
                }
                Err(attempt) => attempt,
                Ok(()) => {
                    next = self.next_letter(courier, batch, mail, &mut due).await?;
                    let announced = match &next {
                        Some(_) if courier.bell.rings() || !self.place.may_announce(courier).await? => None,
                        next => next.as_ref(),
                    };
                    let announced = announced.map(|next| &next.letter);
                    let batch = Some(batch);
                    match self
                        .hand_over(courier, &leased.owner, batch, &letter.letter, announced)
                        .await?
                    {
                        Some(attempt) => attempt,
                        None => return Ok(Some(Left::Stopped)),
                    }
                }
            };
            let outcome = |relay: &str| outcome::of_attempt(courier, batch, &letter.due, &attempt, relay);
            if let Some(left) = self.judged(courier, &attempt, outcome).await? {
                return Ok(Some(left));
            }
            self.spare = letter.letter.message;
            if next.is_none() {
                next = self.next_letter(courier, batch, mail, &mut due).await?;
            }
        }
        Ok(Some(Left::Done))
    }

    /// The message for the next reader who is to have one; who has left is recorded as excluded.
    async fn next_letter(
        &mut self,
        courier: &Courier,
        batch: &Batch,
        mail: &SegmentMail,
        due: &mut impl Iterator<Item = Due>,
    ) -> Result<Option<ReaderLetter>> {
        for mut due in due {
            match (due.address.take(), due.left) {
                (Some(address), None) => {
                    let room = std::mem::take(&mut self.spare);
                    let relay = &self.lane(courier)?.relay;
                    match ReaderLetter::write(courier, relay, batch, mail, &due, address, room).await {
                        Ok(letter) => return Ok(Some(letter)),
                        // One reader's mail that can't be made holds up nobody else's.
                        Err(problem) => self.record(outcome::unmade(courier, batch, &due, &problem)).await,
                    }
                }
                _ => {
                    self.lane(courier)?.meter.excluded();
                    self.record(outcome::excluded(courier, batch, &due)).await;
                }
            }
        }
        Ok(None)
    }
}
