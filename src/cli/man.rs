//! `postrider man` and `postrider completions`, from the one definition of the command line.

use super::{Cli, Done};
use crate::domain::{Problem, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write a page for every command into this folder instead.
    #[arg(long, value_name = "DIR")]
    out: Option<std::path::PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn man(arguments: &ManArguments) -> Result<Done> {
    let trouble = |error: std::io::Error| Problem::failed("the manual page can't be written").because(error);
    match &arguments.out {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(trouble)?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(trouble)?;
        }
        None => clap_mangen::Man::new(Cli::command())
            .render(&mut std::io::stdout())
            .map_err(trouble)?,
    }
    Ok(Done::Fully)
}

pub(super) fn completions(arguments: &CompletionArguments) -> Result<Done> {
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "postrider",
        &mut std::io::stdout(),
    );
    Ok(Done::Fully)
}
