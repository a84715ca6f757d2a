//! Delivering with a progress bar, and saying what became of it.

use super::Done;
use super::output::{Output, count};
use super::progress;
use super::stopping::stop_on_signal;
use crate::app::App;
use crate::app::publish::{Delivered, Prepared};
use crate::domain::Result;
use crate::domain::edition::{Report, State};

/// Delivers what is due, and says what became of it.
pub(super) async fn deliver(
    app: &App,
    output: &Output,
    prepared: &Prepared,
    wait: bool,
) -> Result<Delivered> {
    let delivered = deliver_quietly(app, output, prepared, wait).await?;
    say_editions(output, &delivered.editions)?;
    if delivered.notices_waiting > 0 {
        output.warning(format!(
            "{} to single readers wait for a later attempt",
            count_of(delivered.notices_waiting)
        ));
    }
    Ok(delivered)
}

fn count_of(notices: i64) -> String {
    count(usize::try_from(notices).unwrap_or(usize::MAX), "mail", "mails")
}

async fn deliver_quietly(app: &App, output: &Output, prepared: &Prepared, wait: bool) -> Result<Delivered> {
    let courier = app.courier()?;
    let tally = courier.tally();
    let stop = stop_on_signal(3)?;
    tokio::select! {
        delivered = app.deliver(&courier, prepared.editions(), wait, stop) => delivered,
        never = progress::show(app, output, || tally.counts()) => match never {},
    }
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

/// Says what became of editions.
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

/// Whether everything is final: the exit code.
pub(super) fn done(prepared: &Prepared, delivered: &Delivered) -> Done {
    let open = |report: &Report| {
        matches!(
            report.state,
            State::Planned | State::Sending | State::Waiting | State::Paused
        )
    };
    if prepared.has_failures() {
        Done::WithTrouble
    } else if delivered.notices_waiting > 0 || delivered.editions.iter().any(open) {
        Done::ForNow
    } else {
        Done::Fully
    }
}
