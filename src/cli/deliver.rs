//! Delivering with a progress bar, and saying what became of it.

use super::Done;
use super::output::{Output, PATIENCE};
use crate::app::App;
use crate::app::publish::Prepared;
use crate::domain::Result;
use crate::domain::edition::{Report, State};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// Delivers what is due and reports the editions that were involved.
pub(super) async fn deliver(
    app: &App,
    output: &Output,
    prepared: &Prepared,
    wait: bool,
) -> Result<Vec<Report>> {
    let courier = app.courier()?;
    let tally = courier.tally();
    let total = u64::try_from(app.deliveries_waiting().await?).unwrap_or(0);
    let bar = if output.is_interactive() {
        ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left  {msg}") {
        bar.set_style(style);
    }
    let stop = stop_on_signal();
    let delivering = app.deliver(&courier, prepared.editions(), wait, stop);
    tokio::pin!(delivering);
    let mut first = true;
    let outcome = loop {
        let pause = if first {
            PATIENCE
        } else {
            Duration::from_millis(100)
        };
        first = false;
        tokio::select! {
            outcome = &mut delivering => break outcome,
            () = tokio::time::sleep(pause) => {
                let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
                let (sent, failed) = (count(&tally.sent), count(&tally.failed));
                bar.set_position(sent + failed + count(&tally.excluded));
                bar.set_message(format!("{failed} failed, {} deferred", count(&tally.deferred)));
            }
        }
    };
    bar.finish_and_clear();
    outcome
}

/// Becomes true on SIGINT or SIGTERM: what is in flight ends, nothing new is begun.
pub(super) fn stop_on_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminate => {}
        }
        tracing::info!("stopping: what is in flight ends first");
        sender.send_replace(true);
    });
    receiver
}

/// Says what was gathered and imported.
pub(super) fn say_prepared(output: &Output, prepared: &Prepared) -> Result<()> {
    super::gather::say(output, &prepared.sources)?;
    for list in &prepared.lists {
        super::subscribers::say_list(output, list)?;
    }
    say_planned(output, prepared)
}

/// Says what was planned.
pub(super) fn say_planned(output: &Output, prepared: &Prepared) -> Result<()> {
    for outcome in &prepared.digests {
        let digest = &outcome.digest;
        let edition = outcome.edition.unwrap_or_default();
        output.line(match (outcome.outcome, outcome.waiting_summaries) {
            ("made", _) => format!("{digest}: edition {edition} planned"),
            ("resumed", _) => format!("{digest}: edition {edition} is not finished yet and goes on"),
            ("paused", _) => format!(
                "{digest}: edition {edition} is paused; `postrider editions resume {edition}` lets it go on"
            ),
            ("draft", _) => {
                format!(
                    "{digest}: edition {edition} is a draft; `postrider editions approve {edition}` sends it"
                )
            }
            ("held", _) => format!("{digest}: not planned: a list could not be read"),
            ("no_readers", waiting) => format!("{digest}: nobody receives it yet; {waiting} summaries wait"),
            (_, 0) => format!("{digest}: nothing new"),
            (_, waiting) => format!("{digest}: {waiting} new, fewer than the digest's minimum; they wait"),
        })?;
    }
    Ok(())
}

/// Says what became of editions; the exit code follows from it.
pub(super) fn say_editions(output: &Output, reports: &[Report]) -> Result<()> {
    let rows: Vec<Vec<String>> = reports.iter().map(row).collect();
    output.table(&HEAD, &rows)?;
    for report in reports {
        for (reason, count) in &report.excluded_by {
            output.line(format!(
                "edition {}: {count} excluded: {}",
                report.id,
                reason.replace('_', " ")
            ))?;
        }
        for line in concerns(report) {
            output.warning(line);
        }
    }
    Ok(())
}

/// What a person should know of an edition that is not finished, a line each.
pub(super) fn concerns(report: &Report) -> Vec<String> {
    let id = report.id;
    let mut lines = Vec::new();
    if let Some(trouble) = &report.trouble {
        let stands = if report.state == State::Paused {
            "is paused"
        } else {
            "waits"
        };
        lines.push(format!("edition {id} {stands}: {trouble}"));
    }
    if report.held > 0 {
        lines.push(format!(
            "edition {id}: {} held, which may have arrived: the relay did not answer after the whole mail; \
             `postrider editions retry {id}` sends them again, `postrider editions cancel {id}` gives them up",
            report.held
        ));
    }
    lines
}

/// The columns of [`row`].
pub(super) const HEAD: [&str; 9] = [
    "edition",
    "digest",
    "state",
    "summaries",
    "audience",
    "sent",
    "waiting",
    "failed",
    "excluded",
];

/// An edition's account as a row.
pub(super) fn row(report: &Report) -> Vec<String> {
    vec![
        report.id.to_string(),
        report.digest.clone(),
        report.state.as_str().to_owned(),
        report.summaries.len().to_string(),
        report.audience.to_string(),
        report.sent.to_string(),
        report.waiting.to_string(),
        report.failed.to_string(),
        report.excluded.to_string(),
    ]
}

/// Whether everything is final.
pub(super) fn done(prepared: &Prepared, reports: &[Report]) -> Done {
    let open = |report: &Report| {
        matches!(
            report.state,
            State::Planned | State::Sending | State::Waiting | State::Paused
        )
    };
    if prepared.has_failures() {
        Done::WithTrouble
    } else if reports.iter().any(open) {
        Done::ForNow
    } else {
        Done::Fully
    }
}
