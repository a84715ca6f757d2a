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
    /// The ledger has `left`, when this process has brought `own` to their end.
    fn counted(&mut self, left: u64, own: u64) {
        // Editions that were planned since are more to do.
        self.total = self.total.max(left + own);
        self.others = self.total - left - own;
    }

    fn done(&self, own: u64) -> u64 {
        (own + self.others).min(self.total)
    }
}

/// Shows how far delivery has come, until it is dropped; `counts` are this process's sent, failed,
/// deferred and excluded.
pub(super) async fn show(app: &App, output: &Output, counts: impl Fn() -> [u64; 4]) -> Infallible {
    let mut course = Course::default();
    let left = || async {
        let backlog = app.backlog().await.ok()?;
        u64::try_from(backlog.iter().map(|left| left.deliveries).sum::<i64>()).ok()
    };
    course.counted(left().await.unwrap_or_default(), 0);
    tokio::time::sleep(PATIENCE).await;
    let bar = bar(output, course.total);
    let _cleared = Cleared(bar.clone());
    let (mut asked, mut said) = (Instant::now(), Instant::now());
    loop {
        if asked.elapsed() >= ASK {
            asked = Instant::now();
            // Before the ledger: what ends meanwhile must not count twice.
            let [sent, failed, _, excluded] = counts();
            if let Some(left) = left().await {
                course.counted(left, sent + failed + excluded);
            }
        }
        let [sent, failed, deferred, excluded] = counts();
        let own = sent + failed + excluded;
        let done = course.done(own);
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
        course.counted(100, 0);
        assert_eq!(course.done(20), 20);
        course.counted(50, 20);
        assert_eq!((course.done(20), course.done(30)), (50, 60));
        // The ledger lags behind what this process has done already.
        course.counted(40, 75);
        assert_eq!(
            course,
            Course {
                total: 115,
                others: 0
            }
        );
        course.counted(0, 80);
        assert_eq!(course.done(80), 115);
        assert_eq!(course.done(1_000), 115);
    }
}
