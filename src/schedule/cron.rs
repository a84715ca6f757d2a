//! Cron expressions as crontab(5) means them, in local time, over every change of the clocks.
//!
//! The `cron` crate is asked in a time without daylight saving; what it answers is brought into the
//! zone here: a time that does not exist becomes the first moment after the gap, and one that exists
//! twice is its first.

use std::str::FromStr;

use chrono::{Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::{Problem, Result, Timestamp};

/// A cron expression that was understood.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// A run is due when one of them says so.
    any_of: Vec<cron::Schedule>,
}

impl Schedule {
    /// Reads five fields as crontab(5) does (0 and 7 are Sunday), six or seven fields and `@daily`
    /// as the crate does (seconds first, 1 is Sunday); blank text is no schedule.
    ///
    /// # Errors
    /// Shows the expression and says what is wrong with it; one that no day ever meets is wrong too.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let expressions = match fields.as_slice() {
            [] => return Ok(None),
            &[minute, hour, day, month, weekday] => crontab(minute, hour, day, month, weekday),
            [word] if word.starts_with('@') => Ok(vec![(*word).to_owned()]),
            [_, _, _, _, _, _] | [_, _, _, _, _, _, _] => Ok(vec![fields.join(" ")]),
            other => Err(format!("expected 5 fields, got {}", other.len())),
        };
        let wrong = |what: &str| {
            Problem::configuration(format!("{what}: {text:?}")).hint(
                "write minute, hour, day of the month, month and day of the week, such as \"0 8 * * 1\" for Mondays at eight",
            )
        };
        let any_of = expressions
            .map_err(|what| wrong(&what))?
            .iter()
            .map(|one| cron::Schedule::from_str(one).map_err(|error| wrong(&reason(&error.to_string()))))
            .collect::<Result<Vec<_>>>()?;
        let schedule = Self { any_of };
        // A leap day may be eight years away.
        match schedule.next_local(chrono::DateTime::UNIX_EPOCH.naive_utc()) {
            Some(_) => Ok(Some(schedule)),
            None => Err(wrong("no day ever meets the schedule")),
        }
    }

    /// The first run after `after`, in whole seconds; `None` when there is none before 2101.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        // What is due later than `after` has a later local time too, so the search can start there.
        let mut local = after.utc().with_timezone(&zone).naive_local();
        loop {
            local = self.next_local(local)?;
            let due = instant(local, zone)?;
            if due > after {
                return Some(due);
            }
        }
    }

    /// The latest run after `since` and not after `now`.
    pub fn last_due(&self, since: Timestamp, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let mut latest = None;
        let (mut low, mut high) = (since.0, now.0);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.next_after(Timestamp(middle), zone) {
                Some(due) if due <= now => {
                    latest = Some(due);
                    low = due.0;
                }
                _ => high = middle,
            }
        }
        latest
    }

    fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let after = Utc.from_utc_datetime(&after);
        self.any_of
            .iter()
            .filter_map(|schedule| schedule.after(&after).next())
            .map(|due| due.naive_utc())
            .min()
    }
}

/// The expressions with seconds that together mean a line of crontab(5).
fn crontab(
    minute: &str,
    hour: &str,
    day: &str,
    month: &str,
    weekday: &str,
) -> std::result::Result<Vec<String>, String> {
    let weekdays = weekdays(weekday)?;
    let line = |day: &str, weekdays: &str| format!("0 {minute} {hour} {day} {month} {weekdays}");
    // Two restricted fields widen each other in crontab(5); the crate takes both as conditions.
    if day.contains(['*', '?']) || weekday.contains(['*', '?']) {
        Ok(vec![line(day, &weekdays)])
    } else {
        Ok(vec![line(day, "*"), line("*", &weekdays)])
    }
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A day-of-week field of crontab(5) as a list of names, whose meaning no numbering changes.
fn weekdays(field: &str) -> std::result::Result<String, String> {
    let mut days = [false; WEEKDAYS.len()];
    for item in field.split(',') {
        let wrong = || format!("expected a day of the week from 0 to 7 or SUN to SAT, got {item:?}");
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)),
            None => (item, Some(1)),
        };
        let step = step.ok_or_else(wrong)?;
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (0, 6),
            Some((first, last)) => (
                weekday(first).ok_or_else(wrong)?,
                weekday(last).ok_or_else(wrong)?,
            ),
            None => {
                let day = weekday(range).ok_or_else(wrong)?;
                (day, if item.contains('/') { 6 } else { day })
            }
        };
        // Sunday by name or as 0 can end a week.
        let last = if last == 0 && first > 0 { 7 } else { last };
        if first > last {
            return Err(wrong());
        }
        for day in (first..=last).step_by(step) {
            if let Some(chosen) = days.get_mut(day % 7) {
                *chosen = true;
            }
        }
    }
    let chosen = WEEKDAYS.iter().zip(days).filter(|(_, chosen)| *chosen);
    Ok(chosen.map(|(name, _)| *name).collect::<Vec<_>>().join(","))
}

fn weekday(text: &str) -> Option<usize> {
    match text.parse::<usize>() {
        Ok(number) => (number <= 7).then_some(number),
        Err(_) => WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(text)),
    }
}

/// The last line of the crate's message, which is the reason; the lines above draw an arrow.
fn reason(message: &str) -> String {
    let last = message.lines().map(str::trim).rfind(|line| !line.is_empty());
    match last {
        // The crate says "less than 59" where it takes 59.
        Some(line) if !line.starts_with('^') => {
            format!("not a schedule ({})", line.replace("less than", "at most"))
        }
        _ => "not a schedule".to_owned(),
    }
}

/// The instant that local clocks first show `local`, or that they first show anything later.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.to_utc().into()),
        LocalResult::None => gap_end(local, zone),
    }
}

/// The first whole second whose local time is later than `local`, which lies in a gap.
fn gap_end(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    // No offset is beyond 14 hours, so the end lies between these two.
    let middle = local.and_utc();
    let start = middle.checked_sub_signed(Duration::hours(26))?.timestamp();
    let end = middle.checked_add_signed(Duration::hours(26))?.timestamp();
    let (mut before, mut after) = (start, end);
    while after - before > 1 {
        let half = before + (after - before) / 2;
        let shown = Utc
            .timestamp_opt(half, 0)
            .single()?
            .with_timezone(&zone)
            .naive_local();
        if shown > local {
            after = half;
        } else {
            before = half;
        }
    }
    after.checked_mul(1_000).map(Timestamp)
}

#[cfg(test)]
mod tests;
