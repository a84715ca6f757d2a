//! `postrider token create`: a bearer token for the API.

use super::Done;
use super::output::Output;
use crate::app::{App, Options};
use crate::domain::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token and print it; it is shown this once.
    Create {
        /// What the token is for.
        name: String,
    },
}

pub(super) async fn run(options: &Options, output: &Output, command: Command) -> Result<Done> {
    let app = App::open(options).await?;
    match command {
        Command::Create { name } => {
            let token = app.create_api_token(&name).await?;
            output.line(&token)?;
            output.json(&serde_json::json!({"name": name, "token": token}))?;
        }
    }
    app.close().await;
    Ok(Done::Fully)
}
