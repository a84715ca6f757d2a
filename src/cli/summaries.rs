//! `postrider summaries`: what was gathered, and marks on it.

use super::Done;
use super::output::Output;
use crate::app::status::ListedSummary;
use crate::app::{App, Options};
use crate::domain::helpful::Votes;
use crate::domain::summary::{Fault, Status};
use crate::domain::{Problem, Result, Slug};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one summary.
    Show {
        /// Its slug.
        slug: String,
    },
    /// Mark a summary as corrected; the next edition tells those who had received it.
    Correct(Mark),
    /// Take a summary off the site and the feeds, for what must not stay there; its page says that it is gone.
    Remove {
        /// The summary's slug.
        slug: String,
        /// Why, in words for readers.
        #[arg(long)]
        note: String,
    },
    /// Bring back a summary that was removed.
    Restore {
        /// The summary's slug.
        slug: String,
    },
    /// Mark a summary as retracted; it keeps its page and its feed entry, and the next edition tells those who had received it.
    Retract(Mark),
}

#[derive(Debug, Args)]
struct Mark {
    /// The summary's slug.
    slug: String,
    /// What was wrong, in words for readers.
    #[arg(long)]
    note: String,
    /// Whose mistake it was; `summary` for a correction and `paper` for a retraction when not given.
    #[arg(long, value_enum)]
    fault: Option<FaultArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FaultArgument {
    Paper,
    Summary,
}

/// More than this are not listed.
const LISTED: i64 = 1000;

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let app = App::open(options).await?;
    match arguments.command {
        None => {
            let summaries = app.summaries(LISTED).await?;
            let rows: Vec<Vec<String>> = summaries.iter().map(row).collect();
            output.table(
                &["slug", "status", "first seen", "categories", "helpful", "title"],
                &rows,
            )?;
            output.json(&summaries)?;
        }
        Some(Command::Show { slug }) => show(output, &app.summary(&Slug::parse(&slug)?).await?)?,
        Some(Command::Correct(mark)) => apply(&app, output, mark, Status::Corrected).await?,
        Some(Command::Retract(mark)) => apply(&app, output, mark, Status::Retracted).await?,
        Some(Command::Remove { slug, note }) => remove(&app, output, &slug, &note).await?,
        Some(Command::Restore { slug }) => {
            let stored = app.restore_summary(&Slug::parse(&slug)?).await?;
            output.line(format!("{} is shown again", stored.summary.slug))?;
            output.json(&stored)?;
        }
    }
    app.close().await;
    Ok(Done::Fully)
}

async fn apply(app: &App, output: &Output, mark: Mark, status: Status) -> Result<()> {
    require_note(&mark.note)?;
    let fault = match mark.fault {
        Some(FaultArgument::Paper) => Fault::Paper,
        Some(FaultArgument::Summary) => Fault::Summary,
        None => Fault::usual(status).unwrap_or(Fault::Summary),
    };
    let stored = app
        .mark_summary(&Slug::parse(&mark.slug)?, status, fault, &mark.note)
        .await?;
    output.line(format!(
        "{} is marked as {}; the next edition of each digest that carried it says so",
        stored.summary.slug,
        status.as_str()
    ))?;
    output.json(&stored)
}

async fn remove(app: &App, output: &Output, slug: &str, note: &str) -> Result<()> {
    require_note(note)?;
    let stored = app.remove_summary(&Slug::parse(slug)?, note).await?;
    output.line(format!(
        "{} is off the site and the feeds; `postrider summaries restore {0}` brings it back",
        stored.summary.slug
    ))?;
    output.json(&stored)
}

fn require_note(note: &str) -> Result<()> {
    if note.trim().is_empty() {
        return Err(Problem::configuration("--note is empty")
            .hint("say in a sentence what was wrong; readers see it"));
    }
    Ok(())
}

fn row(listed: &ListedSummary) -> Vec<String> {
    let stored = &listed.stored;
    let categories: Vec<&str> = stored.summary.categories.iter().map(Slug::as_str).collect();
    vec![
        stored.summary.slug.to_string(),
        match stored.removed {
            Some(_) => "removed".to_owned(),
            None => stored.summary.status.as_str().to_owned(),
        },
        stored.first_seen.rfc3339(),
        categories.join(";"),
        format!(
            "{}/{}",
            listed.helpful.yes,
            listed.helpful.yes + listed.helpful.no
        ),
        stored.summary.title.clone(),
    ]
}

fn show(output: &Output, listed: &ListedSummary) -> Result<()> {
    let stored = &listed.stored;
    let summary = &stored.summary;
    let line = |name: &str, value: Option<String>| match value {
        Some(value) if !value.is_empty() => output.line(format!("{name}: {value}")),
        _ => Ok(()),
    };
    line("title", Some(summary.title.clone()))?;
    line("journal", summary.journal.clone())?;
    line("year", summary.year.map(|year| year.to_string()))?;
    line("doi", summary.doi.as_ref().map(ToString::to_string))?;
    line("published", summary.published.map(|date| date.to_string()))?;
    let categories: Vec<&str> = summary.categories.iter().map(Slug::as_str).collect();
    line("categories", Some(categories.join(", ")))?;
    line("status", Some(summary.status.as_str().to_owned()))?;
    line("note", summary.note.clone())?;
    line(
        "removed",
        stored.removed.as_ref().map(|removal| removal.note.clone()),
    )?;
    line("duration", summary.duration.clone())?;
    line("participants", summary.participants.clone())?;
    line("evidence", summary.evidence.clone())?;
    line("explanation", Some(summary.explanation.html().to_owned()))?;
    for finding in &summary.findings {
        line("finding", Some(finding.html().to_owned()))?;
    }
    line(
        "research summary",
        Some(summary.research_summary.html().to_owned()),
    )?;
    for implication in &summary.implications {
        line(
            "implication",
            Some(format!("{}: {}", implication.name, implication.text.html())),
        )?;
    }
    for limitation in &summary.limitations {
        line("limitation", Some(limitation.html().to_owned()))?;
    }
    line("entry id", Some(stored.entry_id.clone()))?;
    line("first seen", Some(stored.first_seen.rfc3339()))?;
    let Votes { yes, no } = listed.helpful;
    line("helpful", Some(format!("{yes} yes, {no} no")))?;
    output.json(listed)
}
