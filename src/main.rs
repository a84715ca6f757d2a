//! The program: parse, call, exit.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    postrider::cli::run(postrider::cli::Cli::parse())
}
