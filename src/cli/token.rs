//! `postrider token`: bearer tokens for the API.

use super::Done;
use super::output::Output;
use crate::app::{App, Options};
use crate::domain::{Problem, Result};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token and print it; it is shown this once.
    Create {
        /// What the token is for.
        name: String,
    },
    /// List the names of all tokens.
    List,
    /// End a token: requests that bear it are refused from now on.
    Revoke {
        /// What the token was for.
        name: String,
    },
}

pub(super) async fn run(options: &Options, output: &Output, command: Command) -> Result<Done> {
    let app = App::open(options).await?;
    match command {
        Command::Create { name } => {
            if name.trim().is_empty() {
                return Err(
                    Problem::configuration("the token's name is empty").hint("say what the token is for")
                );
            }
            let token = app.create_api_token(name.trim()).await?;
            output.line(&token)?;
            output.json(&serde_json::json!({"name": name, "token": token}))?;
        }
        Command::List => {
            let names = app.api_token_names().await?;
            for name in &names {
                output.line(name)?;
            }
            output.json(&names)?;
        }
        Command::Revoke { name } => {
            app.revoke_api_token(&name).await?;
            output.line(format!("token {name:?} is revoked"))?;
            output.json(&serde_json::json!({"name": name, "revoked": true}))?;
        }
    }
    app.close().await;
    Ok(Done::Fully)
}
