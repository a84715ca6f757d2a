//! The brake: which editions are left alone, because an admin says so or too much of them is refused.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::patience::answered;
use super::reply::replace_addresses;
use crate::domain::Result;
use crate::domain::delivery::State;
use crate::domain::text::one_line;
use crate::store::Store;
use crate::store::ledger::Outcome;
use crate::store::refusals::Tried;

/// How many refusals are looked at for the most frequent reply.
const LOOKED_AT: i64 = 1_000;

/// From when an edition with many refusals pauses itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// More than this share of what was tried, in percent.
    pub percent: u32,
    /// As soon as so many were tried.
    pub least: u32,
}

impl Limit {
    /// Whether `tried` is beyond the limit.
    fn is_passed(self, tried: Tried) -> bool {
        let all = tried.sent + tried.failed;
        all >= i64::from(self.least) && 100 * tried.failed > i64::from(self.percent) * all
    }
}

/// What this process knows of the editions it delivers.
#[derive(Debug)]
pub(super) struct Brake {
    limit: Option<Limit>,
    state: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Paused or cancelled, as the database said last.
    halted: HashSet<i64>,
    counts: HashMap<i64, Count>,
}

/// One edition, counted without asking the database for each message.
#[derive(Debug, Default)]
struct Count {
    /// What the database counted last, of all nodes, and what this process has recorded since.
    recorded: Tried,
    /// What this process will have recorded soon.
    ahead: Tried,
    /// Something was refused since the database was asked.
    news: bool,
    /// How often something was recorded: what the database says may be older than that.
    changes: u64,
    /// As far as this process can tell the limit is passed: nothing new is begun until the database is asked.
    suspect: bool,
}

impl Count {
    fn in_all(&self) -> Tried {
        Tried {
            sent: self.recorded.sent + self.ahead.sent,
            failed: self.recorded.failed + self.ahead.failed,
        }
    }
}

/// What an outcome adds to the count.
fn counted(outcome: &Outcome) -> Tried {
    Tried {
        sent: i64::from(outcome.state == State::Sent),
        failed: i64::from(outcome.state == State::Failed),
    }
}

impl Brake {
    pub(super) fn new(limit: Option<Limit>) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what an earlier run left behind; the database knows better.
    pub(super) fn begin(&self) {
        *self.lock() = Known::default();
    }

    /// Whether no message of `edition` is to be begun.
    pub(super) fn holds_back(&self, edition: i64) -> bool {
        let known = self.lock();
        known.halted.contains(&edition) || known.counts.get(&edition).is_some_and(|count| count.suspect)
    }

    /// The editions of which no batch is to be leased now.
    pub(super) fn editions(&self) -> Vec<i64> {
        let known = self.lock();
        let suspects = known.counts.iter().filter(|(_, count)| count.suspect);
        suspects.map(|(&edition, _)| edition).collect()
    }

    /// A batch of `edition` was leased: it is under way, whatever was known of it.
    pub(super) fn leased(&self, edition: i64) {
        self.lock().halted.remove(&edition);
    }

    /// An outcome is on its way to the database.
    pub(super) fn submitted(&self, outcome: &Outcome) {
        let (Some(limit), one) = (self.limit, counted(outcome)) else {
            return;
        };
        let mut known = self.lock();
        let count = known.counts.entry(outcome.edition).or_default();
        count.ahead.sent += one.sent;
        count.ahead.failed += one.failed;
        count.suspect |= limit.is_passed(count.in_all());
    }

    /// `outcomes` are in the database: where they seem to pass the limit, it is asked, and the edition paused.
    pub(super) async fn recorded(&self, store: &Store, outcomes: &[Outcome]) {
        if self.limit.is_none() {
            return;
        }
        let suspects = {
            let mut known = self.lock();
            for outcome in outcomes {
                let one = counted(outcome);
                let count = known.counts.entry(outcome.edition).or_default();
                count.ahead.sent -= one.sent;
                count.ahead.failed -= one.failed;
                count.recorded.sent += one.sent;
                count.recorded.failed += one.failed;
                count.news |= one.failed > 0;
                count.changes += 1;
            }
            let suspects = known.counts.iter().filter(|(_, count)| count.suspect);
            suspects.map(|(&edition, _)| edition).collect::<Vec<_>>()
        };
        for edition in suspects {
            if let Err(problem) = self.ask(store, edition).await {
                tracing::warn!(edition, %problem, "refusals not counted");
            }
        }
    }

    /// Learns which editions are to be left alone, and counts where other nodes may have had refusals too.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn look(&self, store: &Store) -> Result<()> {
        let halted = answered(store.halted_editions()).await?;
        let news: Vec<i64> = {
            let mut known = self.lock();
            known.halted = halted.into_iter().collect();
            let news = known
                .counts
                .iter()
                .filter(|(_, count)| count.news || count.suspect);
            news.map(|(&edition, _)| edition).collect()
        };
        for edition in news {
            self.ask(store, edition).await?;
        }
        Ok(())
    }

    /// Counts what was tried of `edition` by all nodes, and pauses it when that is beyond the limit.
    async fn ask(&self, store: &Store, edition: i64) -> Result<()> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let changes = |known: &Known| known.counts.get(&edition).map_or(0, |count| count.changes);
        let before = changes(&self.lock());
        let tried = answered(store.tried(edition)).await?;
        let passed = limit.is_passed(tried);
        if passed {
            let replies = answered(store.refusals(edition, LOOKED_AT)).await?;
            let why = why(edition, limit, tried, &replies);
            if answered(store.pause_because(edition, &why)).await? {
                tracing::error!(edition, why, "edition paused");
            }
        }
        let mut known = self.lock();
        if passed {
            known.halted.insert(edition);
        } else if changes(&known) != before {
            // More was recorded meanwhile: to be asked again.
            return Ok(());
        }
        let count = known.counts.entry(edition).or_default();
        count.recorded = tried;
        count.news = false;
        // What is on its way may still pass it.
        count.suspect = !passed && limit.is_passed(count.in_all());
        Ok(())
    }
}

/// What the limit was passed by, for people. Addresses are left out.
fn why(edition: i64, limit: Limit, tried: Tried, replies: &[(Option<i64>, String)]) -> String {
    // By code and first word, which tells the kind; what follows may differ from mail to mail.
    let mut kinds: HashMap<(Option<i64>, &str), (usize, &str)> = HashMap::new();
    for (code, text) in replies {
        let kind = (*code, text.split(' ').next().unwrap_or_default());
        kinds.entry(kind).or_insert((0, text)).0 += 1;
    }
    let most = kinds.into_iter().max_by_key(|&(kind, (count, _))| (count, kind));
    let most = most.map_or(String::new(), |((code, _), (_, text))| {
        let code = code.map(|code| format!("{code} ")).unwrap_or_default();
        let text = replace_addresses(text, |_| "…".to_owned());
        format!(", most often with \"{}\"", format!("{code}{text}").trim_end())
    });
    one_line(&format!(
        "{} of {} mails were refused, more than {} %{most}; find out why, then `postrider editions resume \
         {edition}` sends the rest, `postrider editions retry {edition}` also what was refused, and \
         `postrider editions cancel {edition}` gives up",
        tried.failed,
        tried.sent + tried.failed,
        limit.percent,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        percent: 5,
        least: 100,
    };

    fn outcome(state: State) -> Outcome {
        Outcome {
            edition: 3,
            subscriber: 1,
            state,
            attempt: 1,
            code: None,
            text: None,
            relay: None,
            next_attempt: None,
            dead: None,
        }
    }

    #[test]
    fn the_limit_is_passed_by_more_than_its_share_of_enough() {
        let passed = |sent, failed| LIMIT.is_passed(Tried { sent, failed });
        assert!(!passed(0, 99) && passed(0, 100));
        assert!(!passed(95, 5) && passed(94, 6) && !passed(93, 6));
        assert!(!passed(950_000, 50_000) && passed(949_999, 50_001));
    }

    #[test]
    fn nothing_new_is_begun_as_soon_as_it_seems_passed() {
        let brake = Brake::new(Some(LIMIT));
        for _ in 0..99 {
            brake.submitted(&outcome(State::Failed));
            brake.submitted(&outcome(State::Waiting));
            assert!(!brake.holds_back(3));
        }
        brake.submitted(&outcome(State::Sent));
        assert!(brake.holds_back(3) && !brake.holds_back(4));
        assert_eq!(brake.editions(), [3]);
        brake.begin();
        assert!(!brake.holds_back(3));
        let off = Brake::new(None);
        for _ in 0..200 {
            off.submitted(&outcome(State::Failed));
        }
        assert!(!off.holds_back(3));
    }

    #[test]
    fn the_most_frequent_reply_is_told_without_addresses() {
        let reply = |code, text: &str| (Some(code), text.to_owned());
        let said = why(
            7,
            LIMIT,
            Tried { sent: 96, failed: 8 },
            &[
                reply(550, "5.1.1 <a@example.org>: who?"),
                reply(554, "5.7.1 blocked, see b@example.org, ticket 1"),
                reply(554, "5.7.1 blocked, see b@example.org, ticket 2"),
                (None, String::new()),
            ],
        );
        let head = "8 of 104 mails were refused, more than 5 %, most often with \"554 5.7.1 blocked, see …, ticket 1\"; ";
        assert!(said.starts_with(head), "{said}");
        assert!(said.contains("editions retry 7") && !said.contains('@'), "{said}");
    }
}
