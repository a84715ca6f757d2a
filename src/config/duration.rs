//! Durations as people write them: `30s`, `5m`, `1h`, `2d`, `1w`.

use std::time::Duration;

use crate::domain::{Problem, Result};

/// The longest duration that is taken: ten years.
const LONGEST: u64 = 10 * 365 * 86_400;

/// Reads a whole number and its unit: `s`, `m`, `h`, `d` or `w`.
pub(super) fn parse(text: &str) -> Result<Duration> {
    let wrong = || {
        Problem::configuration(format!("expected a duration, got {text:?}"))
            .hint("write a whole number and a unit: \"30s\", \"5m\", \"1h\", \"2d\" or \"1w\"")
    };
    let trimmed = text.trim();
    let at = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = trimmed.split_at(at);
    let seconds = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= LONGEST)
        .map(Duration::from_secs)
        .ok_or_else(|| {
            Problem::configuration(format!("expected at most 3650d, got {text:?}"))
                .hint("write a shorter duration")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_number_and_unit_and_nothing_else() {
        for (text, seconds) in [
            ("0s", 0),
            ("30s", 30),
            ("5m", 300),
            ("1 h", 3_600),
            ("2d", 172_800),
            ("1w", 604_800),
        ] {
            assert_eq!(parse(text).ok(), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "",
            "5",
            "m",
            "-5m",
            "1.5h",
            "5 minutes",
            "1h30m",
            "4000d",
            "99999999999999999999s",
            "9999999999999999w",
        ] {
            let error = parse(wrong).map_or_else(|problem| problem.to_string(), |d| format!("{d:?}"));
            assert!(error.contains(&format!("{wrong:?}")), "{wrong}: {error}");
        }
    }
}
