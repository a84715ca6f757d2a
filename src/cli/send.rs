//! `postrider send`: a digest by hand.

use super::Done;
use super::deliver::{done, say_planned, say_prepared};
use super::output::Output;
use super::publish::{named, publish, send_prepared};
use crate::app::publish::{Delivered, Prepared};
use crate::app::{App, Options, Request};
use crate::domain::{Digest, EmailAddress, Result, Slug};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The digest to send.
    digest: String,
    /// Send only these summaries, to those who have not had them.
    #[arg(long, value_name = "SLUG", num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    /// Say what would be sent to how many, and send nothing.
    #[arg(long, conflicts_with = "to")]
    dry_run: bool,
    /// Send one test mail to this address; it counts for nobody.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Stay until every delivery is final.
    #[arg(long)]
    wait: bool,
}

impl Arguments {
    /// Whether the command stays until every delivery is final.
    pub(super) fn waits(&self) -> bool {
        self.wait
    }
}

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let to = arguments.to.as_deref().map(EmailAddress::parse).transpose()?;
    let request = if arguments.only.is_empty() {
        Request::Next
    } else {
        Request::Only(
            arguments
                .only
                .iter()
                .map(|slug| Slug::parse(slug))
                .collect::<Result<_>>()?,
        )
    };
    let app = App::open(options).await?;
    let digests = named(&app, std::slice::from_ref(&arguments.digest))?;
    let done = match (&to, digests.first()) {
        (Some(address), Some(digest)) => test(&app, output, digest, &request, address).await?,
        (None, Some(digest)) if arguments.dry_run => {
            let prepared = gathered(&app, output, &request).await?;
            forecast(&app, output, digest, &request).await?;
            done(&prepared, &Delivered::default())
        }
        (None, Some(digest)) if output.is_interactive() && !arguments.yes => {
            let mut prepared = gathered(&app, output, &request).await?;
            let readers = forecast(&app, output, digest, &request).await?;
            let question = format!("Send to {readers} reader{}?", if readers == 1 { "" } else { "s" });
            if readers > 0 && !output.agrees(&question)? {
                output.line("nothing was sent")?;
                done(&prepared, &Delivered::default())
            } else {
                app.plan_all(&mut prepared, &digests, &request).await?;
                say_planned(output, &prepared)?;
                send_prepared(&app, output, &prepared, arguments.wait).await?
            }
        }
        _ => publish(&app, output, &digests, &request, arguments.wait).await?,
    };
    app.close().await;
    Ok(done)
}

/// Gathers and reads lists, and plans nothing.
async fn gathered(app: &App, output: &Output, request: &Request) -> Result<Prepared> {
    let prepared = output.busy("gathering", app.prepare(&[], request)).await?;
    say_prepared(output, &prepared)?;
    Ok(prepared)
}

async fn test(
    app: &App,
    output: &Output,
    digest: &Digest,
    request: &Request,
    address: &EmailAddress,
) -> Result<Done> {
    let prepared = gathered(app, output, request).await?;
    let sent = app.send_test(digest, request, address).await?;
    output.line(format!(
        "test of {} sent to {} through {}: {}",
        digest.name,
        address.full(),
        sent.relay,
        sent.said
    ))?;
    output.line(format!("it shows {}", sent.shows.as_str()))?;
    output.json(&sent)?;
    Ok(done(&prepared, &Delivered::default()))
}

/// Says what would go to how many; the number of readers who would receive something.
async fn forecast(app: &App, output: &Output, digest: &Digest, request: &Request) -> Result<i64> {
    let forecast = app.forecast(digest, request).await?;
    let rows: Vec<Vec<String>> = forecast
        .segments
        .iter()
        .map(|segment| {
            let slugs: Vec<&str> = segment.summaries.iter().map(Slug::as_str).collect();
            let what = match segment.excluded {
                Some(reason) => format!("excluded: {}", reason.replace('_', " ")),
                None => slugs.join(", "),
            };
            vec![segment.readers.to_string(), what]
        })
        .collect();
    if let (Some(edition), true) = (forecast.under_way, forecast.paused) {
        output.line(format!(
            "edition {edition} of {} is paused; `postrider editions resume {edition}` lets it go on",
            digest.name
        ))?;
    } else if let Some(edition) = forecast.under_way {
        output.line(format!(
            "edition {edition} of {} is not finished; sending resumes it",
            digest.name
        ))?;
    } else if let Some(edition) = forecast.draft {
        output.line(format!(
            "edition {edition} is a draft; `postrider editions approve {edition}` sends it"
        ))?;
    } else if rows.is_empty() {
        output.line(format!("{}: nothing new", digest.name))?;
    }
    output.table(&["readers", "receive"], &rows)?;
    output.json(&forecast)?;
    Ok(forecast
        .segments
        .iter()
        .filter(|segment| segment.excluded.is_none())
        .map(|segment| segment.readers)
        .sum())
}
