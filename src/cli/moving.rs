//! `postrider subscribers import`: lists of ours, and moving in from another program.

use super::output::Output;
use crate::app::App;
use crate::app::readers::{Export, Field, ImportReport, ListFile, Program};
use crate::domain::subscriber::State;
use crate::domain::{Problem, Result, Slug};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A program whose exports are read.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// The CSV files of an audience export, unpacked.
    Mailchimp,
    /// The CSV export of subscribers.
    Listmonk,
    /// The CSV file of the email list.
    Substack,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The lists, which are imported in one go.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The program that exported the files; without it they are lists of ours.
    #[arg(long, value_name = "PROGRAM")]
    from: Option<From>,
    /// The state of readers of whom the files do not say one.
    #[arg(long = "as", value_name = "STATE", requires = "from",
        value_parser = PossibleValuesParser::new(["pending", "confirmed", "unsubscribed", "bounced", "complained"]))]
    unsaid: Option<String>,
    /// What a column holds: email, name, first_name, last_name, status, consent_at, consent_source,
    /// categories or digests.
    #[arg(long = "map", value_name = "COLUMN=FIELD", requires = "from")]
    columns: Vec<String>,
    /// The category that a tag, group or interest stands for.
    #[arg(long = "category", value_name = "VALUE=SLUG", requires = "from")]
    categories: Vec<String>,
    /// The digest that a list becomes, or a digest for all these readers.
    #[arg(long = "digest", value_name = "[LIST=]DIGEST", requires = "from")]
    digests: Vec<String>,
    /// When readers agreed of whom the files do not say it, such as 2024-05-31.
    #[arg(long, value_name = "DATE", requires = "from")]
    consent_at: Option<String>,
    /// Where readers agreed; the program's name when not given.
    #[arg(long, value_name = "TEXT", requires = "from")]
    consent_source: Option<String>,
    /// Import the good lines and report the wrong ones.
    #[arg(long)]
    skip_invalid: bool,
    /// Count what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The report of a command that read several files, or those of another program.
#[derive(Debug, Serialize)]
struct Reports<'a> {
    dry_run: bool,
    files: Vec<FileReport<'a>>,
    total: &'a ImportReport,
}

#[derive(Debug, Serialize)]
struct FileReport<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: &'a ImportReport,
}

pub(super) async fn run(app: &App, output: &Output, arguments: Arguments) -> Result<()> {
    let export = arguments
        .from
        .map(|program| export(program, &arguments))
        .transpose()?;
    let files = arguments
        .files
        .iter()
        .map(|path| open(path))
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let work = app.import(files, export.as_ref(), arguments.skip_invalid, arguments.dry_run);
    let reports = output.busy("importing", work).await?;
    let mut total = ImportReport::default();
    for (name, report) in names.iter().zip(&reports) {
        say_report(output, name, report)?;
        total.add(report);
    }
    if reports.len() > 1 {
        output.line(format!("all lists: {}", counts(&total)))?;
    }
    if !total.states.is_empty() {
        let states: Vec<_> = total
            .states
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        output.line(format!("states of these readers: {}", states.join(", ")))?;
    }
    if arguments.dry_run {
        output.line("nothing was changed: this was a dry run")?;
    }
    match reports.as_slice() {
        [only] if export.is_none() && !arguments.dry_run => output.json(only),
        reports => output.json(&Reports {
            dry_run: arguments.dry_run,
            files: names
                .iter()
                .zip(reports)
                .map(|(file, report)| FileReport { file, report })
                .collect(),
            total: &total,
        }),
    }
}

fn open(path: &Path) -> Result<ListFile> {
    let name = path.display().to_string();
    let file =
        File::open(path).map_err(|error| Problem::failed(format!("{name} can't be read")).because(error))?;
    Ok(ListFile {
        name,
        from: Box::new(BufReader::new(file)),
    })
}

fn export(program: From, arguments: &Arguments) -> Result<Export> {
    let mut lists = Vec::new();
    let mut digests = Vec::new();
    for text in &arguments.digests {
        match text.rsplit_once('=') {
            Some((list, digest)) => lists.push((list.to_owned(), slug("--digest", text, digest)?)),
            None => digests.push(slug("--digest", text, text)?),
        }
    }
    Ok(Export {
        program: match program {
            From::Mailchimp => Program::Mailchimp,
            From::Listmonk => Program::Listmonk,
            From::Substack => Program::Substack,
        },
        unsaid: arguments.unsaid.as_deref().and_then(State::parse),
        columns: arguments
            .columns
            .iter()
            .map(|text| column(text))
            .collect::<Result<_>>()?,
        categories: arguments
            .categories
            .iter()
            .map(|text| category(text))
            .collect::<Result<_>>()?,
        lists,
        digests,
        consent_at: arguments.consent_at.clone(),
        consent_source: arguments.consent_source.clone(),
    })
}

fn column(text: &str) -> Result<(String, Field)> {
    let known = Field::NAMED.map(|(name, _)| name).join(", ");
    let hint = format!("--map \"Column name=FIELD\", where FIELD is one of {known}");
    let (column, field) = pair("--map", text, &hint)?;
    let (_, field) = Field::NAMED
        .into_iter()
        .find(|(name, _)| *name == field)
        .ok_or_else(|| {
            Problem::configuration(format!("--map {text:?}: there is no field {field:?}")).hint(hint)
        })?;
    Ok((column.to_owned(), field))
}

fn category(text: &str) -> Result<(String, Slug)> {
    let (value, category) = pair("--category", text, "--category \"Bladder Health=urology\"")?;
    Ok((value.to_owned(), slug("--category", text, category)?))
}

/// Both sides of the last `=`; names of columns and tags may hold others.
fn pair<'a>(option: &str, text: &'a str, hint: &str) -> Result<(&'a str, &'a str)> {
    match text.rsplit_once('=') {
        Some((left, right)) if !left.trim().is_empty() => Ok((left.trim(), right.trim())),
        _ => Err(Problem::configuration(format!("{option} {text:?} is no pair")).hint(hint)),
    }
}

fn slug(option: &str, text: &str, slug: &str) -> Result<Slug> {
    Slug::parse(slug.trim()).map_err(|problem| problem.at(format!("{option} {text:?}")))
}

/// Says what a list did.
pub(super) fn say_report(output: &Output, file: &str, report: &ImportReport) -> Result<()> {
    output.line(format!("list {file}: {}", counts(report)))?;
    for (what, reasons) in [("refused", &report.refused), ("skipped", &report.skipped)] {
        for (reason, count) in reasons {
            output.line(format!("list {file}: {count} {what}: {reason}"))?;
        }
    }
    if report.heeded > 0 {
        output.line(format!(
            "list {file}: {} of the wrong lines say that somebody left, which was taken from them",
            report.heeded
        ))?;
    }
    for (value, count) in &report.unmapped {
        output.line(format!("list {file}: {value} means nothing here, {count} times"))?;
    }
    for wrong in &report.invalid {
        output.warning(format!("list {file}, line {}: {}", wrong.line, wrong.reason));
    }
    let more = report.invalid_count.saturating_sub(report.invalid.len() as u64);
    if more > 0 {
        output.warning(format!("list {file}: {more} more lines are wrong"));
    }
    Ok(())
}

/// The counts, which add up to the rows.
fn counts(report: &ImportReport) -> String {
    format!(
        "{} rows: {} added, {} updated, {} unchanged, {} kept as they are, {} refused, {} skipped, {} wrong",
        report.rows,
        report.added,
        report.updated,
        report.unchanged,
        report.kept,
        report.refused.values().sum::<u64>(),
        report.skipped.values().sum::<u64>(),
        report.invalid_count
    )
}
