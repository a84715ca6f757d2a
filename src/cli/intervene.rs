//! What an admin does to an edition that is planned: the commands that send it, or end it.

use super::Done;
use super::deliver::{deliver, done, say_editions};
use super::output::Output;
use crate::app::App;
use crate::app::publish::Prepared;
use crate::domain::edition::Report;
use crate::domain::{Problem, Result};
use serde_json::Value;

/// Lets a paused edition go on, and delivers it.
pub(super) async fn resume(app: &App, output: &Output, number: i64, wait: bool) -> Result<Done> {
    let prepared = app.resume_edition(number).await?;
    send(app, output, &prepared, number, wait, &[]).await
}

/// Sends again what failed or is held.
pub(super) async fn retry(app: &App, output: &Output, number: i64, wait: bool) -> Result<Done> {
    let (retried, prepared) = app.retry_edition(number).await?;
    output.line(format!("edition {number}: {} to be sent again", retried.again))?;
    for (reason, count) in &retried.left_out {
        output.line(format!(
            "edition {number}: {count} stay as they are: {}",
            reason.replace('_', " ")
        ))?;
    }
    let more = [
        ("retried", serde_json::json!(retried.again)),
        ("left_out", serde_json::json!(retried.left_out)),
    ];
    send(app, output, &prepared, number, wait, &more).await
}

/// Ends an edition.
pub(super) async fn cancel(app: &App, output: &Output, number: i64) -> Result<()> {
    let work = app.cancel_edition(number, None);
    let (cancelled, report) = output.busy("cancelling", work).await?;
    say_editions(output, std::slice::from_ref(&report))?;
    output.line(format!(
        "edition {number}: {} not sent any more",
        cancelled.given_up
    ))?;
    if cancelled.in_hand > 0 {
        output.warning(format!(
            "edition {number}: {} are in the hands of another process, which ends what is in flight; \
             `postrider editions show {number}` tells what became of them",
            cancelled.in_hand
        ));
    }
    if report.sent < report.audience || report.audience == 0 {
        output.line(format!(
            "its summaries are not repeated; `postrider send {} --only SLUG` sends one to those who have not had it",
            report.digest
        ))?;
    }
    say_json(
        output,
        &report,
        &[
            ("given_up", serde_json::json!(cancelled.given_up)),
            ("in_hand", serde_json::json!(cancelled.in_hand)),
        ],
    )
}

/// Delivers what is due, and says what became of the edition; `more` stands in its JSON.
async fn send(
    app: &App,
    output: &Output,
    prepared: &Prepared,
    number: i64,
    wait: bool,
    more: &[(&str, Value)],
) -> Result<Done> {
    let delivered = deliver(app, output, prepared, wait).await?;
    if let Some(report) = delivered.editions.iter().find(|report| report.id == number) {
        say_json(output, report, more)?;
    }
    Ok(done(prepared, &delivered))
}

fn say_json(output: &Output, report: &Report, more: &[(&str, Value)]) -> Result<()> {
    let mut value = serde_json::to_value(report)
        .map_err(|error| Problem::failed("the edition can't be written as JSON").because(error))?;
    if let Some(fields) = value.as_object_mut() {
        for (key, what) in more {
            fields.insert((*key).to_owned(), what.clone());
        }
    }
    output.json(&value)
}
