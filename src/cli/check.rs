//! `postrider check`: configuration, database, templates and relays, each with its verdict.

use super::Done;
use super::output::Output;
use crate::app::Options;
use crate::app::check::{Verdict, check};
use crate::domain::Result;

pub(super) async fn run(options: &Options, output: &Output) -> Result<Done> {
    say(output, &check(options).await)
}

/// Says each verdict; the exit code is that of the worst.
pub(super) fn say(output: &Output, verdicts: &[Verdict]) -> Result<Done> {
    for verdict in verdicts {
        let mark = match (verdict.ok, verdict.warning) {
            (false, _) => "WRONG",
            (true, true) => "warn ",
            (true, false) => "ok   ",
        };
        output.line(format!("{mark} {}: {}", verdict.what, verdict.said))?;
    }
    output.json(&verdicts)?;
    Ok(if verdicts.iter().any(|verdict| verdict.misconfigured) {
        Done::Misconfigured
    } else if verdicts.iter().all(|verdict| verdict.ok) {
        Done::Fully
    } else {
        Done::WithTrouble
    })
}
