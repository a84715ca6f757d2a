//! The command line: one definition for help text, man page and completions; one file per command.

mod check;
mod deliver;
mod dkim;
mod editions;
mod feeds;
mod forget;
mod gather;
mod intervene;
mod man;
mod memory;
mod moving;
mod output;
mod preview;
mod progress;
mod publish;
mod send;
mod serve;
mod status;
mod stopping;
mod subscribers;
mod summaries;
mod templates;
mod token;
mod worker;

use crate::app::Options;
use crate::domain::Result;
use crate::domain::problem::Kind;
use clap::{Args, Parser, Subcommand};
use output::{Log, LogFormat, Output};
use std::path::PathBuf;
use std::process::ExitCode;

/// Publishes plain-language research summaries as digest mails and feeds.
#[derive(Debug, Parser)]
#[command(name = "postrider", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  done, or nothing to do
  1  failed
  2  usage or configuration is wrong
  3  done for now, some deliveries wait for a later attempt or for your word";

#[derive(Debug, Args)]
struct Global {
    /// Configuration file; `config.toml` in the working directory when not given.
    #[arg(long, global = true, value_name = "FILE", env = "POSTRIDER_CONFIG")]
    config: Option<PathBuf>,
    /// Database to use instead of the configured one: sqlite:PATH or postgres://…
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "POSTRIDER_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Relay to use instead of all configured ones: outbox:DIR, smtp://… or smtps://…
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "POSTRIDER_RELAY",
        hide_env_values = true
    )]
    relay: Option<String>,
    /// Write the result as JSON, for other programs.
    #[arg(long, global = true)]
    json: bool,
    /// How the log is written: for people, or a JSON object a line.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        env = "POSTRIDER_LOG_FORMAT"
    )]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Do the scheduled job now: gather, plan, deliver. Nothing new is success.
    Publish(publish::Arguments),
    /// Pull every source and keep what is new or changed.
    Gather,
    /// Send a digest by hand.
    Send(send::Arguments),
    /// Write subject, text and HTML of the next edition as files.
    Preview(preview::Arguments),
    /// Serve feeds and links, start scheduled runs, and deliver.
    Serve(serve::Arguments),
    /// Deliver what is due, and nothing else, until it is told to stop.
    Worker(worker::Arguments),
    /// Import, export, show, add, remove and erase subscribers.
    #[command(subcommand)]
    Subscribers(subscribers::Command),
    /// List summaries, show one, or mark one as corrected or retracted.
    Summaries(summaries::Arguments),
    /// List editions, show one, change and approve a draft; pause, resume, cancel and retry.
    Editions(editions::Arguments),
    /// Write every feed as a file.
    Feeds(feeds::Arguments),
    /// Look after templates.
    #[command(subcommand)]
    Templates(templates::Command),
    /// Look after the API's bearer tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Make a key that signs mail, and show what the DNS must say.
    #[command(subcommand)]
    Dkim(dkim::Command),
    /// Look at configuration, database, templates and relays.
    Check,
    /// Show next runs, editions under way, subscribers and relays.
    Status,
    /// Print the manual page.
    Man(man::ManArguments),
    /// Print completions for a shell.
    Completions(man::CompletionArguments),
}

impl Command {
    /// Whether it may send an edition of any size.
    fn delivers(&self) -> bool {
        matches!(
            self,
            Self::Publish(_) | Self::Send(_) | Self::Serve(_) | Self::Worker(_) | Self::Editions(_)
        )
    }
}

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Done, or nothing to do.
    Fully,
    /// Some deliveries wait for a later attempt.
    ForNow,
    /// It went on in spite of trouble that it has told of.
    WithTrouble,
    /// It has told what is wrong with the configuration.
    Misconfigured,
}

/// Runs the command that `cli` names and returns its exit code.
pub fn run(cli: Cli) -> ExitCode {
    if cli.command.delivers() {
        memory::begin_with_few_arenas();
    }
    let output = Output::new(cli.global.json);
    // The database's threads and signing need the other processors; handing work to and fro costs more
    // than it brings.
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads((processors / 2).max(1))
        .enable_all()
        .build()
        .map_err(|error| crate::domain::Problem::failed("the runtime can't be started").because(error))
        .and_then(|runtime| {
            let outcome = runtime.block_on(dispatch(cli, &output));
            // A name that is being looked up, for one, would be waited for.
            runtime.shutdown_timeout(std::time::Duration::from_millis(200));
            outcome
        });
    match outcome {
        Ok(Done::Fully) => ExitCode::SUCCESS,
        Ok(Done::WithTrouble) => ExitCode::from(1),
        Ok(Done::Misconfigured) => ExitCode::from(2),
        Ok(Done::ForNow) => ExitCode::from(3),
        Err(problem) => {
            output.problem(&problem);
            ExitCode::from(if problem.kind() == Kind::Configuration {
                2
            } else {
                1
            })
        }
    }
}

async fn dispatch(cli: Cli, output: &Output) -> Result<Done> {
    let options = Options {
        config: cli.global.config,
        database: cli.global.database,
        relay: cli.global.relay,
    };
    let log = match &cli.command {
        Command::Serve(_) | Command::Worker(_) => Log::All,
        Command::Publish(arguments) if arguments.waits() => Log::Relays,
        Command::Send(arguments) if arguments.waits() => Log::Relays,
        Command::Editions(arguments) if arguments.waits() => Log::Relays,
        _ => Log::Warnings,
    };
    output::start_log(log, cli.global.log_format);
    match cli.command {
        Command::Publish(arguments) => publish::run(&options, output, arguments).await,
        Command::Gather => gather::run(&options, output).await,
        Command::Send(arguments) => send::run(&options, output, arguments).await,
        Command::Preview(arguments) => preview::run(&options, output, arguments).await,
        Command::Worker(arguments) => worker::run(&options, output, arguments).await,
        Command::Serve(arguments) => serve::run(&options, output, arguments).await,
        Command::Subscribers(command) => subscribers::run(&options, output, command).await,
        Command::Summaries(arguments) => summaries::run(&options, output, arguments).await,
        Command::Editions(arguments) => editions::run(&options, output, arguments).await,
        Command::Feeds(arguments) => feeds::run(&options, output, arguments).await,
        Command::Templates(command) => templates::run(&options, output, &command),
        Command::Token(command) => token::run(&options, output, command).await,
        Command::Dkim(command) => dkim::run(&options, output, command),
        Command::Check => check::run(&options, output).await,
        Command::Status => status::run(&options, output).await,
        Command::Man(arguments) => man::man(&arguments),
        Command::Completions(arguments) => man::completions(&arguments),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_holds_together() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
