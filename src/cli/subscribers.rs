//! `postrider subscribers`: lists, and one reader at a time.

use super::Done;
use super::forget;
use super::moving::{self, say_report};
use super::output::Output;
use super::publish::named;
use crate::app::readers::{Cause, ListReport, NewReader, Subscriber};
use crate::app::{App, Options};
use crate::domain::subscriber::{Choice, State};
use crate::domain::{EmailAddress, Problem, Result, Slug};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import CSV lists, or what another program exported: all, or nothing when a line is wrong.
    Import(moving::Arguments),
    /// Write every subscriber as a CSV list.
    Export {
        /// The file; standard output when not given.
        file: Option<PathBuf>,
    },
    /// Show one subscriber.
    Show {
        /// The reader's address.
        address: String,
    },
    /// Add a reader, pending until they confirm: a mail asks them to.
    Add(Reader),
    /// Unsubscribe a reader from everything.
    Remove {
        /// The reader's address.
        address: String,
    },
    /// Erase everything about a person: in the database, the outbox, and the folder of lists.
    Forget(forget::Arguments),
    /// Write everything that the database keeps about a person, as JSON.
    Data {
        /// Their address.
        address: String,
    },
    /// Let an address be written to again whose owner had said "it was not me".
    Allow {
        /// The address.
        address: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Reader {
    /// The reader's address.
    address: String,
    /// The reader agreed already, and gets no such mail; recorded with the source `admin`.
    #[arg(long)]
    confirmed: bool,
    /// The reader's name.
    #[arg(long)]
    name: Option<String>,
    /// Digests to receive; the first configured one when none is named.
    #[arg(long = "digest", value_name = "DIGEST", value_delimiter = ',')]
    digests: Vec<String>,
    /// Categories to receive; all when none is named.
    #[arg(long, value_name = "SLUG", value_delimiter = ',')]
    categories: Option<Vec<String>>,
}

pub(super) async fn run(options: &Options, output: &Output, command: Command) -> Result<Done> {
    let app = App::open(options).await?;
    let mut done = Done::Fully;
    match command {
        Command::Import(arguments) => moving::run(&app, output, arguments).await?,
        Command::Export { file } => export(&app, output, file.as_deref()).await?,
        Command::Show { address } => {
            let subscriber = app.subscriber(&EmailAddress::parse(&address)?).await?;
            let cause = app.cause_of_state(&subscriber).await?;
            show(output, &subscriber, cause.as_ref())?;
        }
        Command::Add(reader) => add(&app, output, &reader).await?,
        Command::Remove { address } => {
            say(
                output,
                &app.remove_subscriber(&EmailAddress::parse(&address)?).await?,
            )?;
        }
        Command::Forget(arguments) => done = forget::forget(&app, output, &arguments).await?,
        Command::Data { address } => forget::data(&app, &address).await?,
        Command::Allow { address } => {
            let address = EmailAddress::parse(&address)?;
            let allowed = app.allow_address(&address).await?;
            output.line(if allowed {
                format!("{address} can sign up, and be asked for, again")
            } else {
                format!("{address} had not refused to be written to; nothing changed")
            })?;
            output.json(&serde_json::json!({ "allowed": allowed }))?;
        }
    }
    app.close().await;
    Ok(done)
}

async fn export(app: &App, output: &Output, file: Option<&Path>) -> Result<()> {
    let Some(path) = file else {
        if output.is_json() {
            return Err(
                Problem::configuration("subscribers export writes a CSV list, which is no JSON")
                    .hint("leave --json out, or name a file: `postrider subscribers export FILE --json`"),
            );
        }
        app.export(&mut std::io::stdout()).await?;
        return Ok(());
    };
    let count = output.busy("exporting", app.export_to(path)).await?;
    output.line(format!("{count} subscribers written to {}", path.display()))?;
    output.json(&serde_json::json!({"subscribers": count, "file": path}))
}

async fn add(app: &App, output: &Output, reader: &Reader) -> Result<()> {
    let added = app.add_subscriber(&new_reader(app, reader)?).await?;
    row(output, &added)?;
    let is_asked = added.state == State::Pending;
    if is_asked {
        output.line(
            "a mail asks them to confirm; it goes with the next `serve`, `worker` or `publish`, at most three \
             in a day to one mailbox, ten minutes apart",
        )?;
    }
    let mut value = serde_json::json!(added);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("confirmation_queued".to_owned(), serde_json::json!(is_asked));
    }
    output.json(&value)
}

fn new_reader(app: &App, reader: &Reader) -> Result<NewReader> {
    let categories = reader
        .categories
        .as_ref()
        .map(|slugs| {
            slugs
                .iter()
                .map(|slug| Slug::parse(slug))
                .collect::<Result<Choice>>()
        })
        .transpose()?;
    Ok(NewReader {
        address: EmailAddress::parse(&reader.address)?,
        confirmed: reader.confirmed,
        name: reader.name.clone(),
        digests: named(app, &reader.digests)?
            .into_iter()
            .map(|digest| digest.name)
            .collect(),
        categories,
        wording: app.consent_to_sign_up(),
    })
}

fn show(output: &Output, subscriber: &Subscriber, cause: Option<&Cause>) -> Result<()> {
    row(output, subscriber)?;
    if let Some(cause) = cause {
        output.line(format!(
            "{} since {}, by {}",
            subscriber.state.as_str(),
            cause.since,
            match cause.cause.as_str() {
                "reader" => "the reader",
                "import" => "a list",
                "server" => "their mail server",
                _ => "an admin",
            }
        ))?;
        if let Some(refusal) = &cause.refusal {
            let code = refusal.code.map(|code| format!("{code} ")).unwrap_or_default();
            output.line(format!(
                "it refused edition {} for good: {code}{}",
                refusal.edition,
                refusal.text.as_deref().unwrap_or_default()
            ))?;
        }
    }
    let mut value = serde_json::json!(subscriber);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("state_cause".to_owned(), serde_json::json!(cause));
    }
    output.json(&value)
}

fn say(output: &Output, subscriber: &Subscriber) -> Result<()> {
    row(output, subscriber)?;
    output.json(subscriber)
}

fn row(output: &Output, subscriber: &Subscriber) -> Result<()> {
    let row = vec![
        subscriber.address.as_str().to_owned(),
        subscriber.name.clone().unwrap_or_default(),
        subscriber.state.as_str().to_owned(),
        subscriber.digests.join(";"),
        subscriber.categories.to_string(),
        subscriber.consent_at.map(|at| at.rfc3339()).unwrap_or_default(),
        subscriber.consent_source.clone().unwrap_or_default(),
    ];
    output.table(
        &[
            "address",
            "name",
            "state",
            "digests",
            "categories",
            "agreed",
            "source",
        ],
        &[row],
    )
}

/// Says what a list of the folder did.
pub(super) fn say_list(output: &Output, list: &ListReport) -> Result<()> {
    if let Some(failed) = &list.failed {
        output.warning(format!("list {failed}"));
    }
    match &list.report {
        Some(report) => say_report(output, &list.file, report),
        None => Ok(()),
    }
}
