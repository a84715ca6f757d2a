//! Cells of other programs in our form: several values in one cell, and times.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use std::borrow::Cow;

/// The values of a cell, which commas separate; a comma in quotes or behind a backslash belongs to its value.
pub(super) fn split(cell: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '"' => {
                quoted = !quoted;
                continue;
            }
            ',' if !quoted => {
                values.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(value) = values.last_mut() {
            value.push(c);
        }
    }
    values
        .into_iter()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

/// `cell` as a time of RFC 3339, when it is a time as these programs write it, which is UTC where no offset
/// stands; anything else as it is.
pub(super) fn time(cell: &str) -> Cow<'_, str> {
    // Go writes `2025-01-02 03:04:05.678 +0000 UTC`, with a name of the zone behind the offset.
    let mut parts = cell.split(' ').filter(|part| !part.is_empty());
    let offset = match (parts.next(), parts.next(), parts.next()) {
        (Some(date), Some(time), Some(offset)) => Some(format!("{date} {time} {offset}")),
        _ => None,
    };
    let time: Option<DateTime<Utc>> = match offset {
        Some(text) => DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f %z")
            .ok()
            .map(|time| time.to_utc()),
        None => NaiveDateTime::parse_from_str(cell, "%Y-%m-%d %H:%M:%S%.f")
            .ok()
            .map(|time| time.and_utc()),
    };
    time.map_or(Cow::Borrowed(cell), |time| {
        Cow::Owned(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_values_and_belong_to_some() {
        for (cell, values) in [
            (
                "\"Bladder Health\",\"Heart, lungs\"",
                &["Bladder Health", "Heart, lungs"][..],
            ),
            (
                "Bladder Health, Heart\\, lungs",
                &["Bladder Health", "Heart, lungs"],
            ),
            (" , ,\"\"", &[]),
            ("\"open, end", &["open, end"]),
            ("end\\", &["end\\"]),
        ] {
            assert_eq!(split(cell), values, "{cell}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for (cell, expected) in [
            ("2025-01-02 03:04:05", "2025-01-02T03:04:05Z"),
            (
                "2025-01-02 03:04:05.678901 +0000 UTC",
                "2025-01-02T03:04:05.678901Z",
            ),
            ("2025-01-02 03:04:05 +0200 EET", "2025-01-02T01:04:05Z"),
            ("2025-01-02T03:04:05+02:00", "2025-01-02T03:04:05+02:00"),
            ("2025-01-02", "2025-01-02"),
            ("2025-02-30 00:00:00", "2025-02-30 00:00:00"),
            ("", ""),
        ] {
            assert_eq!(time(cell), expected, "{cell}");
        }
    }
}
