//! What a command says: tables on a terminal, plain lines elsewhere, JSON when asked.

use crate::domain::{Problem, Result};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::ProgressBar;
use serde::Serialize;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Progress shows only on what takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Where and how a command speaks.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    terminal: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stdout().is_terminal(),
        }
    }

    /// Whether other programs read what is said.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person can be asked, and shown a progress bar.
    pub(super) fn is_interactive(&self) -> bool {
        !self.json && self.terminal && std::io::stdin().is_terminal()
    }

    /// Asks a person; anything but yes is no.
    pub(super) fn agrees(&self, question: &str) -> Result<bool> {
        let trouble = |error| Problem::failed("the answer can't be read").because(error);
        eprint!("{question} [y/N] ");
        std::io::stderr().flush().map_err(trouble)?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map_err(trouble)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// A line for people; nothing with `--json`.
    pub(super) fn line(&self, text: impl AsRef<str>) -> Result<()> {
        if self.json {
            Ok(())
        } else {
            write_out(&format!("{}\n", text.as_ref()))
        }
    }

    /// The result as JSON; nothing without `--json`.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Problem::failed("the result can't be written as JSON").because(error))?;
        write_out(&format!("{text}\n"))
    }

    /// Rows for people: a table on a terminal, tab-separated lines elsewhere.
    pub(super) fn table(&self, head: &[&str], rows: &[Vec<String>]) -> Result<()> {
        if self.json || rows.is_empty() {
            return Ok(());
        }
        if self.terminal {
            let mut table = Table::new();
            table
                .load_style(presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_header(head.to_vec());
            for row in rows {
                table.add_row(row.clone());
            }
            return write_out(&format!("{table}\n"));
        }
        let mut text = head.join("\t") + "\n";
        for row in rows {
            text += &(row.join("\t") + "\n");
        }
        write_out(&text)
    }

    /// Waits for `work`, and shows a person that something goes on when it takes longer.
    pub(super) async fn busy<T>(&self, what: &'static str, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let spinner = if self.is_interactive() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        spinner.set_message(what);
        spinner.enable_steady_tick(Duration::from_millis(120));
        let done = work.await;
        spinner.finish_and_clear();
        done
    }

    /// An error, with its causes and what to do.
    pub(super) fn problem(&self, problem: &Problem) {
        if self.json {
            let value = serde_json::json!({"error": problem.with_causes(), "hint": problem.hint_text()});
            let _ = write_out(&format!("{value}\n"));
        }
        eprintln!("postrider: {problem}");
    }

    /// Something that went wrong while the command went on.
    pub(super) fn warning(&self, text: impl AsRef<str>) {
        eprintln!("postrider: {}", text.as_ref());
    }
}

/// A closed pipe (`postrider … | head`) is the reader's wish, not a failure.
fn write_out(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Problem::failed("the result can't be written").because(error))
        }
        _ => Ok(()),
    }
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// What a server does.
    All,
    /// Warnings, and what relays say while a command waits for them.
    Relays,
    /// Warnings; what a command tells by itself at its end is left out.
    Warnings,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Logs go to standard error. `RUST_LOG` overrides what is logged.
pub(super) fn start_log(log: Log, format: LogFormat) {
    // A full hour keeps a command waiting, so it is told of.
    const QUIET: &str = "warn,postrider::progress=info,postrider::deliver::pace=info,postrider::gather=off,\
                         postrider::app::readers=off";
    let usual = match log {
        Log::All => "info,sqlx=warn".to_owned(),
        Log::Relays => QUIET.to_owned(),
        Log::Warnings => format!("{QUIET},postrider::deliver=off"),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(format == LogFormat::Text && std::io::stderr().is_terminal());
    // A second start, as in tests, keeps the first.
    let _ = match (format, log) {
        (LogFormat::Json, _) => subscriber.json().flatten_event(true).try_init(),
        (LogFormat::Text, Log::All) => subscriber.try_init(),
        (LogFormat::Text, _) => subscriber.without_time().with_target(false).try_init(),
    };
}

/// The word `text` for `count` things, such as `1 summary` or `2 summaries`.
pub(super) fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
