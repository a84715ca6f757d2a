//! How far delivery has come: a bar on a terminal, a line in the log now and then elsewhere.

use super::output::{Output, PATIENCE};
use crate::app::App;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);
/// How often the ledger is asked what other processes have done.
const ASK: Duration = Duration::from_secs(5);
/// How often the log says it when there is no bar.
const LINE: Duration = Duration::from_secs(10);

/// What is to be done, and how much of it others have done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Course {
    total: u64,
    others: u64,
}

impl Course {
    /// The ledger has `left`. This process has brought `own` to their end, `recorded` of them so long ago that
    /// the ledger knows.
    fn counted(&mut self, left: u64, recorded: u64, own: u64) {
        // Editions that were planned since are more to do.
        self.total = self.total.max(left + recorded);
        self.others = self.total.saturating_sub(left + own);
    }

    fn done(&self, own: u64) -> u64 {
        (own + self.others).min(self.total)
    }
}

/// Shows how far delivery has come, until it is dropped; `counts` are this process's sent, failed,
/// deferred and excluded.
pub(super) async fn show(app: &App, output: &Output, counts: impl Fn() -> [u64; 4]) -> Infallible {
    let mut course = Course::default();
    let left = || async { u64::try_from(app.deliveries_left().await.ok()?).ok() };
    let own = || {
        let [sent, failed, _, excluded] = counts();
        sent + failed + excluded
    };
    course.counted(left().await.unwrap_or_default(), 0, 0);
    tokio::time::sleep(PATIENCE).await;
    let bar = bar(output, course.total);
    let _cleared = Cleared(bar.clone());
    let (mut asked, mut said) = (Instant::now(), Instant::now());
    let mut recorded = 0;
    loop {
        if asked.elapsed() >= ASK {
            if let Some(left) = left().await {
                course.counted(left, recorded, own());
            }
            asked = Instant::now();
        }
        let [sent, failed, deferred, excluded] = counts();
        // A tick is many times what outcomes wait before they are recorded.
        recorded = own();
        let done = course.done(recorded);
        let remaining = course.total - done;
        bar.set_length(course.total);
        bar.set_position(done);
        bar.set_message(format!(
            "{sent} sent, {failed} failed, {deferred} put off, {remaining} left"
        ));
        if bar.is_hidden() && said.elapsed() >= LINE {
            said = Instant::now();
            tracing::info!(
                target: "postrider::progress",
                done, total = course.total, sent, failed, deferred, excluded,
                per_second = bar.per_sec().round(), seconds_left = bar.eta().as_secs(),
                "delivering"
            );
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Takes the bar off the terminal, so that what is said next stands alone.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn bar(output: &Output, total: u64) -> ProgressBar {
    let target = if output.is_interactive() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::Course;

    #[test]
    fn what_others_do_counts_and_what_is_planned_meanwhile_is_more_to_do() {
        let mut course = Course::default();
        course.counted(100, 0, 0);
        assert_eq!(course.done(20), 20);
        course.counted(50, 18, 20);
        assert_eq!((course.done(20), course.done(30)), (50, 60));
        // Another edition of 15.
        course.counted(40, 75, 75);
        assert_eq!(course.total, 115);
        course.counted(0, 80, 80);
        assert_eq!(course.done(80), 115);
        assert_eq!(course.done(1_000), 115);
    }

    #[test]
    fn what_the_ledger_does_not_know_yet_is_no_more_to_do() {
        let mut course = Course::default();
        course.counted(100, 0, 0);
        // This process has done 50, and ten of them wait to be recorded.
        course.counted(60, 35, 50);
        assert_eq!((course.total, course.others), (100, 0));
        assert_eq!(course.done(50), 50);
    }
}
