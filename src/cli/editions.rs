//! `postrider editions`: accounts, drafts, what can be done to an edition, and who got what.

use super::Done;
use super::deliver::{HEAD, deliver, done, row, say_editions, say_prepared};
use super::intervene::{cancel, resume, retry};
use super::output::Output;
use crate::app::{App, Options};
use crate::domain::edition::Report;
use crate::domain::{Problem, Result, Slug, delivery};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one edition's account.
    Show {
        /// The edition's number.
        number: i64,
        /// List every delivery with its address.
        #[arg(long)]
        deliveries: bool,
    },
    /// Approve a draft: its audience is frozen now, and it is sent.
    Approve {
        /// The edition's number.
        number: i64,
        /// Stay until every delivery is final.
        #[arg(long)]
        wait: bool,
    },
    /// Stop an edition for now: what is in flight ends, nothing new is begun.
    Pause {
        /// The edition's number.
        number: i64,
    },
    /// Let a paused edition go on, and deliver it.
    Resume {
        /// The edition's number.
        number: i64,
        /// Stay until every delivery is final.
        #[arg(long)]
        wait: bool,
    },
    /// End an edition: what is not sent is not sent any more. A draft is given up.
    Cancel {
        /// The edition's number.
        number: i64,
    },
    /// Send again what failed, expired or is held, with a new age limit; not to those who have left.
    Retry {
        /// The edition's number.
        number: i64,
        /// Stay until every delivery is final.
        #[arg(long)]
        wait: bool,
    },
    /// Take a summary out of a draft.
    Drop {
        /// The edition's number.
        number: i64,
        /// The summary's slug.
        slug: String,
    },
    /// Put a note from the editor on top of a draft; an empty one takes it away.
    Note {
        /// The edition's number.
        number: i64,
        /// The note.
        #[arg(num_args = 0..)]
        text: Vec<String>,
    },
}

impl Arguments {
    /// Whether the command stays until every delivery is final.
    pub(super) fn waits(&self) -> bool {
        match &self.command {
            Some(
                Command::Approve { wait, .. } | Command::Resume { wait, .. } | Command::Retry { wait, .. },
            ) => *wait,
            _ => false,
        }
    }
}

/// People are shown no more than this; other programs get them all.
const LISTED: i64 = 200;

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let app = App::open(options).await?;
    let mut code = Done::Fully;
    match arguments.command {
        None => {
            let limit = if output.is_json() { i64::MAX } else { LISTED };
            let reports = app.edition_reports(limit).await?;
            output.table(&HEAD, &reports.iter().map(row).collect::<Vec<_>>())?;
            output.json(&reports)?;
        }
        Some(Command::Show { number, deliveries }) => show(&app, output, number, deliveries).await?,
        Some(Command::Approve { number, wait }) => {
            let prepared = app.approve(number, None).await?;
            say_prepared(output, &prepared)?;
            let delivered = deliver(&app, output, &prepared, wait).await?;
            output.json(&delivered.editions.iter().find(|report| report.id == number))?;
            code = done(&prepared, &delivered);
        }
        Some(Command::Pause { number }) => say(output, &app.pause_edition(number).await?)?,
        Some(Command::Resume { number, wait }) => code = resume(&app, output, number, wait).await?,
        Some(Command::Cancel { number }) => cancel(&app, output, number).await?,
        Some(Command::Retry { number, wait }) => code = retry(&app, output, number, wait).await?,
        Some(Command::Drop { number, slug }) => {
            say(
                output,
                &app.drop_from_edition(number, &Slug::parse(&slug)?).await?,
            )?;
        }
        Some(Command::Note { number, text }) => {
            say(output, &app.note_on_edition(number, &text.join(" ")).await?)?
        }
    }
    app.close().await;
    Ok(code)
}

async fn show(app: &App, output: &Output, number: i64, deliveries: bool) -> Result<()> {
    let report = app.edition_report(number).await?;
    if !deliveries {
        return say(output, &report);
    }
    let rows = app.delivery_reports(number).await?;
    say_lines(output, &report)?;
    let cells: Vec<Vec<String>> = rows.iter().map(delivery_row).collect();
    output.table(
        &[
            "address",
            "state",
            "attempts",
            "code",
            "text",
            "relay",
            "next attempt",
        ],
        &cells,
    )?;
    let mut value = serde_json::to_value(&report)
        .map_err(|error| Problem::failed("the edition can't be written as JSON").because(error))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("deliveries".to_owned(), serde_json::json!(rows));
    }
    output.json(&value)
}

pub(super) fn say(output: &Output, report: &Report) -> Result<()> {
    say_lines(output, report)?;
    output.json(report)
}

fn say_lines(output: &Output, report: &Report) -> Result<()> {
    say_editions(output, std::slice::from_ref(report))?;
    for slug in &report.summaries {
        output.line(format!("  {slug}"))?;
    }
    if let Some(pruned) = report.pruned {
        output.line(format!(
            "who received it was deleted on {}, after `[retention] deliveries`; the counts stay",
            pruned.rfc3339()
        ))?;
    }
    if let Some(note) = &report.note {
        output.line(format!("note: {note}"))?;
    }
    Ok(())
}

fn delivery_row(report: &delivery::Report) -> Vec<String> {
    vec![
        report.address.as_str().to_owned(),
        report.state.as_str().to_owned(),
        report.attempts.to_string(),
        report.code.map(|code| code.to_string()).unwrap_or_default(),
        report.text.clone().unwrap_or_default(),
        report.relay.clone().unwrap_or_default(),
        report.next_attempt.map(|at| at.rfc3339()).unwrap_or_default(),
    ]
}
