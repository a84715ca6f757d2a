//! `postrider dkim`: the keys that sign mail.

use super::Done;
use super::output::Output;
use crate::app::Options;
use crate::app::dkim::{KeyReport, NewKey, generate, show};
use crate::domain::dkim_key::DkimBits;
use crate::domain::{Result, SystemClock};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key, and print the DNS record and the lines of the configuration that go with it.
    Generate {
        /// The name of the key in the DNS; `postrider-` with year and month when not given.
        #[arg(long)]
        selector: Option<String>,
        /// The domain that signs; that of the sender address when not given.
        #[arg(long)]
        domain: Option<String>,
        /// The length of the key.
        #[arg(long, default_value = "2048")]
        bits: Bits,
        /// The file to make; data/dkim-SELECTOR.pem beside the configuration when not given.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the keys of the configuration with their DNS records.
    Show {
        /// Only the key with this selector.
        selector: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Bits {
    #[value(name = "2048")]
    Rsa2048,
    #[value(name = "3072")]
    Rsa3072,
    #[value(name = "4096")]
    Rsa4096,
}

pub(super) fn run(options: &Options, output: &Output, command: Command) -> Result<Done> {
    match command {
        Command::Generate {
            selector,
            domain,
            bits,
            out,
        } => {
            let asked = NewKey {
                domain,
                selector,
                bits: match bits {
                    Bits::Rsa2048 => DkimBits::Rsa2048,
                    Bits::Rsa3072 => DkimBits::Rsa3072,
                    Bits::Rsa4096 => DkimBits::Rsa4096,
                },
                out,
            };
            let made = generate(options, asked, &SystemClock)?;
            output.line(format!(
                "the key is in {} (RSA {}); only you can read it",
                made.key_file.display(),
                made.bits
            ))?;
            say_record(output, &made)?;
            output.line(format!(
                "\nOnce the DNS answers with it, add to the configuration:\n\n{}",
                made.config
            ))?;
            output.json(&made)?;
        }
        Command::Show { selector } => {
            let keys = show(options, selector.as_deref())?;
            if keys.is_empty() {
                output.line("the configuration has no key; `postrider dkim generate` makes one")?;
            }
            for (number, shown) in keys.iter().enumerate() {
                let signs = match (shown.active, shown.relays.as_slice()) {
                    (false, _) => "not active".to_owned(),
                    (true, []) => "signs for no relay".to_owned(),
                    (true, relays) => format!("signs for {}", relays.join(", ")),
                };
                output.line(format!(
                    "{}{} of {} (RSA {}), in {}: {signs}",
                    if number > 0 { "\n" } else { "" },
                    shown.key.selector,
                    shown.key.domain,
                    shown.key.bits,
                    shown.key.key_file.display(),
                ))?;
                say_record(output, &shown.key)?;
            }
            output.json(&keys)?;
        }
    }
    Ok(Done::Fully)
}

fn say_record(output: &Output, key: &KeyReport) -> Result<()> {
    let record = &key.record;
    output.line(format!(
        "\nThe record for the DNS:\n\n  name   {}\n  type   {}\n  value  {}\n\nThe same for a zone file:\n\n{}",
        record.name, record.kind, record.value, key.zone_file
    ))
}
