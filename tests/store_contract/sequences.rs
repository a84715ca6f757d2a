//! Whatever happens to an edition, in whatever order: the account adds up, and what is sent stays sent.

use crate::counting::{of_report, of_rows};
use crate::database::Database;
use crate::ledger::{outcome, planned};
use crate::seed::{NOW, at};
use postrider::domain::Timestamp;
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;
use postrider::store::Store;
use postrider::store::ledger::{Batch, Due, Outcome};
use std::collections::BTreeSet;
use std::time::Duration;

crate::on_both! { every_sequence_adds_up }

const READERS: usize = 24;
const BATCHES: i64 = 4;
const STEPS: usize = 70;
const SEEDS: u64 = 12;

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// A batch in the hands of a worker, who may have lost it without knowing.
struct Hand {
    batch: Batch,
    owner: String,
    due: Vec<Due>,
}

struct Run {
    db: Database,
    store: Store,
    id: i64,
    now: Timestamp,
    hands: Vec<Hand>,
    sent: BTreeSet<i64>,
    dice: Dice,
    log: Vec<String>,
}

impl Run {
    async fn lease(&mut self) {
        let owner = format!("worker {}", self.dice.below(3));
        let until = self.now.plus(Duration::from_secs(60));
        let leased = self.store.lease_batch(&owner, self.now, until).await.unwrap();
        if let Some(batch) = leased {
            let due = self.store.due_deliveries(&batch, self.now).await.unwrap();
            self.log
                .push(format!("{owner} leases {}: {} due", batch.no, due.len()));
            self.hands.push(Hand { batch, owner, due });
        }
    }

    /// Ends one delivery of a hand, well or badly; a worker that has lost its lease does not know.
    async fn deliver(&mut self, always_well: bool) {
        let Some(n) = (!self.hands.is_empty()).then(|| self.dice.below(self.hands.len())) else {
            return;
        };
        let Some(due) = self.hands[n].due.pop() else {
            return;
        };
        let state = match if always_well { 0 } else { self.dice.below(8) } {
            _ if due.left.is_some() => Delivery::Excluded,
            0..=2 => Delivery::Sent,
            3 => Delivery::Failed,
            4 | 5 => Delivery::Uncertain,
            _ => Delivery::Waiting,
        };
        let again = state == Delivery::Waiting || state == Delivery::Uncertain && self.dice.below(2) == 0;
        let refused = state == Delivery::Failed && self.dice.below(3) == 0;
        let outcome = Outcome {
            text: due.left.map(str::to_owned),
            next_attempt: again.then(|| self.now.plus(Duration::from_secs(30))),
            dead: refused.then_some(self.now),
            ..outcome(self.id, due.subscriber, state)
        };
        self.log
            .push(format!("{} becomes {state:?}, again {again}", due.subscriber));
        self.store.record(&[outcome]).await.unwrap();
        if state == Delivery::Sent {
            self.sent.insert(due.subscriber);
        }
    }

    async fn release(&mut self) {
        if !self.hands.is_empty() {
            let hand = self.hands.swap_remove(self.dice.below(self.hands.len()));
            self.log
                .push(format!("{} releases {}", hand.owner, hand.batch.no));
            self.store
                .release_batch(&hand.batch, &hand.owner, self.now)
                .await
                .unwrap();
        }
    }

    async fn look_after(&self) {
        self.store.expire_deliveries(self.now).await.unwrap();
        self.store.end_cancelled(self.now).await.unwrap();
        self.store.settle_editions(self.now, false).await.unwrap();
    }

    async fn step(&mut self) {
        let limit = self.now.plus(Duration::from_secs(900));
        let action = self.dice.below(40);
        self.log.push(format!("action {action} at {}", self.now));
        match action {
            0..=7 => self.lease().await,
            8..=23 => self.deliver(false).await,
            24..=27 => self.release().await,
            28 | 29 => self.now = self.now.plus(Duration::from_secs(40)),
            // Past every lease, or past the age limit.
            30 => self.now = self.now.plus(Duration::from_secs([61, 901][self.dice.below(2)])),
            31 | 32 => self.look_after().await,
            // A refusal of a word is an answer too: the edition may be in any state.
            33 => drop(self.store.pause_edition(self.id).await),
            34 | 35 => drop(self.store.resume_edition(self.id, self.now).await),
            36 | 37 => drop(self.store.retry_edition(self.id, self.now, limit).await),
            38 if self.dice.below(4) == 0 => drop(self.store.cancel_edition(self.id, None, self.now).await),
            39 => {
                let who = self.dice.below(READERS);
                let left = "UPDATE subscriber SET state = 'unsubscribed' WHERE address_key";
                self.db
                    .execute(&format!("{left} = 'reader-{who}@readers.net'"))
                    .await;
            }
            _ => {}
        }
    }

    async fn check(&self) -> postrider::domain::edition::Report {
        let report = self.store.edition_report(self.id).await.unwrap();
        let parts = report.sent + report.waiting + report.failed + report.excluded;
        let reasons: i64 = report.excluded_by.values().sum();
        assert_eq!(
            (report.audience, report.excluded),
            (parts, reasons),
            "{report:?} {:#?}",
            self.log
        );
        assert!(report.held <= report.waiting);
        let rows = self.store.delivery_reports(self.id).await.unwrap();
        let sent = rows.iter().filter(|(_, row)| row.state == Delivery::Sent);
        let sent: BTreeSet<i64> = sent.map(|(who, _)| *who).collect();
        assert_eq!(sent, self.sent, "{:#?}", self.log);
        // Who comes back too late has it counted anew when they give it back.
        if self.hands.is_empty() {
            let rows = of_rows(&self.store, &self.db, self.id).await;
            assert_eq!(of_report(&report), rows, "{:#?}", self.log);
        }
        if report.state == State::Finished {
            assert_eq!(report.waiting, 0, "{report:?} {:#?}", self.log);
        }
        report
    }

    /// Lets everything come to its end: nothing may be stuck.
    async fn end(&mut self) {
        for _ in 0..200 {
            while !self.hands.is_empty() {
                self.release().await;
            }
            self.look_after().await;
            let report = self.check().await;
            match report.state {
                State::Finished => return,
                State::Cancelled if report.waiting == 0 => return,
                State::Paused => {
                    let limit = self.now.plus(Duration::from_secs(900));
                    self.store.retry_edition(self.id, self.now, limit).await.unwrap();
                }
                _ if report.held == report.waiting => {
                    self.store.cancel_edition(self.id, None, self.now).await.unwrap();
                }
                _ => {}
            }
            self.now = self.now.plus(Duration::from_secs(31));
            self.lease().await;
            while self.hands.iter().any(|hand| !hand.due.is_empty()) {
                self.deliver(true).await;
                self.check().await;
            }
        }
        panic!("it does not come to an end: {:#?}", self.log);
    }
}

async fn every_sequence_adds_up(db: Database) {
    let (store, first) = planned(&db, READERS).await;
    // Small batches, so that several are in several hands.
    let spread = format!("UPDATE delivery SET batch_no = subscriber_id % {BATCHES}");
    let batches = "INSERT INTO batch (segment_id, no, edition_id, due, size)
        SELECT segment_id, batch_no, edition_id, 0, COUNT(*) FROM delivery
        GROUP BY segment_id, batch_no, edition_id";
    for sql in [&spread, "DELETE FROM batch", batches] {
        db.execute(sql).await;
    }
    let mut ends = BTreeSet::new();
    for seed in 1..=SEEDS {
        for sql in [
            "UPDATE delivery SET state = 'waiting', attempts = 0, text = NULL, next_attempt = NULL",
            "UPDATE batch SET due = 0, owner = NULL, until = NULL, sent = 0, failed = 0, held = 0,
                 expired = 0, excluded = 0, counted = 1",
            "DELETE FROM batch_exclusion",
            "UPDATE subscriber SET state = 'confirmed'",
            "DELETE FROM suppression",
        ] {
            db.execute(sql).await;
        }
        let expires = at(900).0;
        db.execute(&format!(
            "UPDATE edition SET state = 'planned', expires = {expires}, finished = NULL,
             sent_before = 0, failed_before = 0"
        ))
        .await;
        let mut run = Run {
            db: db.clone(),
            store: store.clone(),
            id: first,
            now: NOW,
            hands: Vec::new(),
            sent: BTreeSet::new(),
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            log: vec![format!("seed {seed}")],
        };
        for _ in 0..STEPS {
            run.step().await;
            run.check().await;
        }
        run.end().await;
        ends.insert(run.check().await.state.as_str());
    }
    // The sequences are worth something only when they come to different ends.
    assert_eq!(ends, BTreeSet::from(["cancelled", "finished"]));
}
