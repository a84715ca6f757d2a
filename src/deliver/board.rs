//! Where this process shows how its relays are: rows that `status` reads.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::lane::Lane;
use super::patience::answered;
use crate::domain::condition::Condition;
use crate::domain::{Result, Timestamp};
use crate::store::{Store, owner};

/// How often a row is renewed that has not changed; a row much older is of a process that is gone.
const RENEWAL: Duration = Duration::from_secs(60);

/// What is shown now.
#[derive(Debug)]
pub(super) struct Board {
    node: String,
    state: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    /// What each relay's row says, and since when; `None` without a row.
    rows: Vec<Option<(Condition, Timestamp)>>,
    tidied: Option<Timestamp>,
}

impl Board {
    /// Nothing is shown yet.
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            node: owner::new(),
            state: Mutex::new(Shown {
                rows: vec![None; lanes],
                tidied: None,
            }),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Shown) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what has changed since the last call; costs nothing while all is well.
    ///
    /// # Errors
    /// When the database does not answer; the next call writes it again.
    pub(super) async fn show(&self, store: &Store, lanes: &[Lane], now: Timestamp) -> Result<()> {
        for (index, lane) in lanes.iter().enumerate() {
            let condition = Some(lane.condition()).filter(|condition| !condition.is_well());
            let shown = self.with(|state| state.rows.get(index).cloned().flatten());
            let name = lane.relay.name();
            match (&condition, &shown) {
                (None, None) => continue,
                (None, Some(_)) => answered(store.forget_relay(name, &self.node)).await?,
                (Some(new), Some((old, since))) if new == old && now.since(*since) < RENEWAL => continue,
                (Some(new), _) => answered(store.note_relay(name, &self.node, new, now)).await?,
            }
            self.with(|state| {
                if let Some(row) = state.rows.get_mut(index) {
                    *row = condition.map(|condition| (condition, now));
                }
            });
        }
        if self.with(|state| state.tidied.is_none_or(|tidied| now.since(tidied) >= RENEWAL)) {
            answered(store.tidy_relays(now)).await?;
            self.with(|state| state.tidied = Some(now));
        }
        Ok(())
    }

    /// Takes down what is shown: this process delivers no more.
    ///
    /// # Errors
    /// When the database does not answer; the rows then run out.
    pub(super) async fn take_down(&self, store: &Store, lanes: &[Lane]) -> Result<()> {
        for (index, lane) in lanes.iter().enumerate() {
            let shown = self.with(|state| state.rows.get_mut(index).and_then(Option::take));
            if shown.is_some() {
                answered(store.forget_relay(lane.relay.name(), &self.node)).await?;
            }
        }
        Ok(())
    }
}
