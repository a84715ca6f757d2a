//! `postrider serve`: feeds, links, scheduled runs and delivery in one process.

use super::Done;
use super::deliver::stop_on_signal;
use super::output::Output;
use crate::app::{App, Options};
use crate::domain::{Problem, Result};
use clap::Args;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address and port; the configured one when not given. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Do not start scheduled runs.
    #[arg(long)]
    no_schedule: bool,
}

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let app = Arc::new(App::open(options).await?);
    let listen = match &arguments.listen {
        Some(text) => crate::app::parse_listen(text)?,
        None => app.listen(),
    };
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|error| {
        Problem::failed(format!("can't listen on {listen}"))
            .because(error)
            .hint("choose another address with --listen or `[serve] listen`")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Problem::failed("the address is not known").because(error))?;
    output.line(format!("listening on http://{address}"))?;
    output.json(&serde_json::json!({"listen": address.to_string()}))?;
    let stop = stop_on_signal();
    let background = app.run_in_background(!arguments.no_schedule, stop.clone())?;
    let served = crate::web::serve(Arc::clone(&app), listener, stop).await;
    background.finish().await;
    app.close().await;
    served.map(|()| Done::Fully)
}
