//! `postrider feeds`: every feed as a file.

use super::Done;
use super::output::{Output, count};
use crate::app::{App, Options};
use crate::domain::Result;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder for the files; made when missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let app = App::open(options).await?;
    let files = output
        .busy("writing feeds", app.write_feeds(&arguments.out))
        .await?;
    output.line(format!(
        "{} written to {}",
        count(files.len(), "feed", "feeds"),
        arguments.out.display()
    ))?;
    output.json(&files)?;
    app.close().await;
    Ok(Done::Fully)
}
