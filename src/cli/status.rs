//! `postrider status`: what is going on.

use super::Done;
use super::deliver::{HEAD, concerns, row};
use super::output::{Output, count};
use crate::app::{App, Options};
use crate::domain::Result;
use std::time::Duration;

pub(super) async fn run(options: &Options, output: &Output) -> Result<Done> {
    let app = App::open(options).await?;
    let overview = app.overview().await?;
    for digest in &overview.digests {
        let next = digest.next_run_local.as_deref().unwrap_or("only by hand");
        output.line(format!(
            "{}: next run {next}, {} new",
            digest.digest, digest.waiting_summaries
        ))?;
    }
    for (state, count) in &overview.subscribers {
        output.line(format!("subscribers {state}: {count}"))?;
    }
    if overview.notices.waiting > 0 {
        let waiting = usize::try_from(overview.notices.waiting).unwrap_or(usize::MAX);
        let oldest = Duration::from_secs(overview.notices.oldest_seconds);
        output.line(format!(
            "{} to single readers waiting, the oldest for {oldest:?}",
            count(waiting, "mail", "mails")
        ))?;
    }
    for relay in &overview.relays {
        let state = if relay.ready { "ready" } else { "can't be used now" };
        let backup = if relay.backup { ", backup" } else { "" };
        output.line(format!(
            "relay {}: {state}, {}{backup}: {}",
            relay.relay,
            count(relay.connections as usize, "connection", "connections"),
            relay.said
        ))?;
        for seen in &relay.seen {
            // The third part of its name is what `ps` shows.
            let process = seen.process.split('/').nth(2).unwrap_or("?");
            output.line(format!(
                "relay {}: process {process}: {}",
                relay.relay, seen.condition
            ))?;
        }
    }
    if overview.editions.is_empty() {
        output.line("no edition is under way")?;
    }
    output.table(&HEAD, &overview.editions.iter().map(row).collect::<Vec<_>>())?;
    for edition in &overview.editions {
        for line in concerns(edition) {
            output.line(line)?;
        }
    }
    output.json(&overview)?;
    app.close().await;
    Ok(Done::Fully)
}
