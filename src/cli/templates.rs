//! `postrider templates check`: every template with sample data.

use super::Done;
use super::output::Output;
use crate::app::{Options, check::check_templates};
use crate::domain::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Render every template with sample data.
    Check,
}

pub(super) fn run(options: &Options, output: &Output, command: &Command) -> Result<Done> {
    match command {
        Command::Check => super::check::say(output, &check_templates(options)?),
    }
}
