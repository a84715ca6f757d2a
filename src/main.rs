//! The program: parse, call, exit.

use clap::Parser;
use std::process::ExitCode;

/// Messages are made and dropped by the thousand on several threads, which the system's allocator pays for
/// with time and with memory that it does not give back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    postrider::cli::run(postrider::cli::Cli::parse())
}
