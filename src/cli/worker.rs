//! `postrider worker`: delivery alone, beside other processes on the same database.

use super::Done;
use super::output::Output;
use super::serve::listen;
use super::stopping::stop_on_signal;
use crate::app::{App, Options};
use crate::domain::Result;
use clap::Args;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Answer /metrics, /healthz and /readyz on this address and port. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    metrics: Option<String>,
}

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let app = Arc::new(App::open(options).await?);
    let listener = match &arguments.metrics {
        Some(text) => Some(listen(crate::app::parse_listen(text)?, "--metrics").await?),
        None => None,
    };
    let mut address = None;
    if let Some((_, at)) = &listener {
        output.line(format!("listening on http://{at}"))?;
        address = Some(at.to_string());
    }
    output.line("delivering until it is told to stop")?;
    output.json(&serde_json::json!({"listen": address}))?;
    let stop = stop_on_signal(1)?;
    let background = app.deliver_in_background(stop.clone())?;
    let served = match listener {
        Some((listener, _)) => crate::web::serve_watchers(Arc::clone(&app), listener, stop).await,
        None => Ok(()),
    };
    background.finish().await;
    app.close().await;
    served.map(|()| Done::Fully)
}
