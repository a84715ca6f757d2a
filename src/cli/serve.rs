//! `postrider serve`: feeds, links, scheduled runs and delivery in one process.

use super::Done;
use super::output::Output;
use super::stopping::stop_on_signal;
use crate::app::{App, Options};
use crate::domain::{Problem, Result};
use clap::Args;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

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
    let wanted = match &arguments.listen {
        Some(text) => crate::app::parse_listen(text)?,
        None => app.listen(),
    };
    let (listener, address) = listen(wanted, "--listen or `[serve] listen`").await?;
    output.line(format!("listening on http://{address}"))?;
    output.json(&serde_json::json!({"listen": address.to_string()}))?;
    let stop = stop_on_signal(1)?;
    let background = app.run_in_background(!arguments.no_schedule, stop.clone())?;
    let served = crate::web::serve(Arc::clone(&app), listener, stop).await;
    background.finish().await;
    app.close().await;
    served.map(|()| Done::Fully)
}

/// Listens on `address`, and says on which one it is; `option` is what would name another one.
pub(super) async fn listen(address: SocketAddr, option: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Problem::failed(format!("can't listen on {address}"))
            .because(error)
            .hint(format!("choose another address with {option}"))
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Problem::failed("the address is not known").because(error))?;
    Ok((listener, address))
}
