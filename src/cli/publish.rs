//! `postrider publish`: the scheduled job, now.

use super::Done;
use super::deliver::{deliver, done, say_prepared};
use super::output::Output;
use crate::app::publish::Prepared;
use crate::app::{App, Options, Request};
use crate::domain::{Digest, Result};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Digests to publish; all when none is named.
    #[arg(value_name = "DIGEST")]
    digests: Vec<String>,
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
    let app = App::open(options).await?;
    let digests = if arguments.digests.is_empty() {
        app.digests().to_vec()
    } else {
        named(&app, &arguments.digests)?
    };
    let done = publish(&app, output, &digests, &Request::Next, arguments.wait).await?;
    output.busy("deleting what is old", app.tidy()).await?;
    app.close().await;
    Ok(done)
}

/// The same for a schedule, a command and an admin.
pub(super) async fn publish(
    app: &App,
    output: &Output,
    digests: &[Digest],
    request: &Request,
    wait: bool,
) -> Result<Done> {
    let work = app.prepare(digests, request);
    let prepared = output.busy("gathering and planning", work).await?;
    say_prepared(output, &prepared)?;
    send_prepared(app, output, &prepared, wait).await
}

/// Delivers what was planned, and says what became of it.
pub(super) async fn send_prepared(
    app: &App,
    output: &Output,
    prepared: &Prepared,
    wait: bool,
) -> Result<Done> {
    let delivered = deliver(app, output, prepared, wait).await?;
    output.json(&serde_json::json!({
        "sources": prepared.sources, "lists": prepared.lists, "digests": prepared.digests,
        "editions": delivered.editions, "notices_waiting": delivered.notices_waiting,
    }))?;
    Ok(done(prepared, &delivered))
}

/// The digests with these names; an unknown one is a mistake on the command line.
pub(super) fn named(app: &App, names: &[String]) -> Result<Vec<Digest>> {
    names
        .iter()
        .map(|name| {
            app.digest(name)
                .cloned()
                .map_err(|problem| problem.as_configuration())
        })
        .collect()
}
