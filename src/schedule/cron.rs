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
    let last = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .next_back();
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use chrono::DateTime;

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
    }

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text).unwrap().unwrap()
    }

    /// The first `count` runs after `after`, as local times with their offset.
    fn runs(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let zone: Tz = zone.parse().unwrap();
        let schedule = schedule(text);
        let mut now = at(after);
        let mut all = Vec::new();
        for _ in 0..count {
            let Some(next) = schedule.next_after(now, zone) else {
                break;
            };
            assert!(next > now, "{text}: the same instant twice");
            all.push(next.utc().with_timezone(&zone).format("%a %F %T %:z").to_string());
            now = next;
        }
        all
    }

    fn check(text: &str, zone: &str, after: &str, expected: &[&str]) {
        assert_eq!(
            runs(text, zone, after, expected.len()),
            expected,
            "{text} in {zone} after {after}"
        );
    }

    #[test]
    fn five_fields_mean_what_crontab_means() {
        let from = "2026-01-01T00:00:00Z"; // a Thursday
        for (text, expected) in [
            (
                "0 8 * * 1",
                ["Mon 2026-01-05 08:00:00 +00:00", "Mon 2026-01-12 08:00:00 +00:00"],
            ),
            (
                "0 8 * * 0",
                ["Sun 2026-01-04 08:00:00 +00:00", "Sun 2026-01-11 08:00:00 +00:00"],
            ),
            (
                "0 8 * * 7",
                ["Sun 2026-01-04 08:00:00 +00:00", "Sun 2026-01-11 08:00:00 +00:00"],
            ),
            (
                "0 8 * * sun",
                ["Sun 2026-01-04 08:00:00 +00:00", "Sun 2026-01-11 08:00:00 +00:00"],
            ),
            (
                "30 6 * * Mon-Fri",
                ["Thu 2026-01-01 06:30:00 +00:00", "Fri 2026-01-02 06:30:00 +00:00"],
            ),
            (
                "0 8 * * 5-7",
                ["Fri 2026-01-02 08:00:00 +00:00", "Sat 2026-01-03 08:00:00 +00:00"],
            ),
            (
                "0 8 * * sat-sun",
                ["Sat 2026-01-03 08:00:00 +00:00", "Sun 2026-01-04 08:00:00 +00:00"],
            ),
            (
                "0 8 * * 1-5/2",
                ["Fri 2026-01-02 08:00:00 +00:00", "Mon 2026-01-05 08:00:00 +00:00"],
            ),
            (
                "0 8 * * 2,6",
                ["Sat 2026-01-03 08:00:00 +00:00", "Tue 2026-01-06 08:00:00 +00:00"],
            ),
            (
                "*/45 * * * *",
                ["Thu 2026-01-01 00:45:00 +00:00", "Thu 2026-01-01 01:00:00 +00:00"],
            ),
            (
                "0 9-17/4 1,15 * *",
                ["Thu 2026-01-01 09:00:00 +00:00", "Thu 2026-01-01 13:00:00 +00:00"],
            ),
            (
                "0 0 29 feb *",
                ["Tue 2028-02-29 00:00:00 +00:00", "Sun 2032-02-29 00:00:00 +00:00"],
            ),
            (
                "0 0 31 * *",
                ["Sat 2026-01-31 00:00:00 +00:00", "Tue 2026-03-31 00:00:00 +00:00"],
            ),
            // Both days restricted: either is enough.
            (
                "0 8 3 * 1",
                ["Sat 2026-01-03 08:00:00 +00:00", "Mon 2026-01-05 08:00:00 +00:00"],
            ),
            // A star in one of them: both must be met.
            (
                "0 8 ? * 1",
                ["Mon 2026-01-05 08:00:00 +00:00", "Mon 2026-01-12 08:00:00 +00:00"],
            ),
            (
                "0 8 */2 * 1",
                ["Mon 2026-01-05 08:00:00 +00:00", "Mon 2026-01-19 08:00:00 +00:00"],
            ),
        ] {
            check(text, "UTC", from, &expected);
        }
    }

    #[test]
    fn six_and_seven_fields_and_words_mean_what_the_crate_means() {
        let from = "2026-01-01T00:00:00Z";
        check("15 0 8 * * 2", "UTC", from, &["Mon 2026-01-05 08:00:15 +00:00"]);
        check("@daily", "UTC", from, &["Fri 2026-01-02 00:00:00 +00:00"]);
        check(
            "@weekly",
            "UTC",
            from,
            &["Sun 2026-01-04 00:00:00 +00:00", "Sun 2026-01-11 00:00:00 +00:00"],
        );
        assert_eq!(
            runs("0 0 8 1 12 * 2025-2026", "UTC", "2025-06-01T00:00:00Z", 9),
            ["Mon 2025-12-01 08:00:00 +00:00", "Tue 2026-12-01 08:00:00 +00:00"]
        );
    }

    #[test]
    fn a_skipped_time_runs_after_the_gap_and_once() {
        check(
            "30 1 29 3 *",
            "Europe/London",
            "2026-01-01T00:00:00Z",
            &["Sun 2026-03-29 02:00:00 +01:00", "Mon 2027-03-29 01:30:00 +01:00"],
        );
        check(
            "0,15,30 1,2 * * *",
            "Europe/London",
            "2026-03-29T00:00:00Z",
            &[
                "Sun 2026-03-29 02:00:00 +01:00",
                "Sun 2026-03-29 02:15:00 +01:00",
                "Sun 2026-03-29 02:30:00 +01:00",
                "Mon 2026-03-30 01:00:00 +01:00",
            ],
        );
        // Half an hour on Lord Howe, midnight itself in Beirut, a whole day on Samoa.
        check(
            "10 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            &["Sun 2026-10-04 02:30:00 +11:00", "Mon 2026-10-05 02:10:00 +11:00"],
        );
        check(
            "0 0 * * *",
            "Asia/Beirut",
            "2026-03-28T12:00:00Z",
            &["Sun 2026-03-29 01:00:00 +03:00", "Mon 2026-03-30 00:00:00 +03:00"],
        );
        check(
            "0 8 * * *",
            "Pacific/Apia",
            "2011-12-29T18:30:00Z",
            &["Sat 2011-12-31 00:00:00 +14:00", "Sat 2011-12-31 08:00:00 +14:00"],
        );
    }

    #[test]
    fn a_repeated_time_runs_once() {
        check(
            "30 1 * * *",
            "Europe/London",
            "2026-10-24T12:00:00Z",
            &["Sun 2026-10-25 01:30:00 +01:00", "Mon 2026-10-26 01:30:00 +00:00"],
        );
        // Asked inside the second pass of the hour, where the clock shows 01:10 again.
        check(
            "30 1 * * *",
            "Europe/London",
            "2026-10-25T01:10:00Z",
            &["Mon 2026-10-26 01:30:00 +00:00"],
        );
        check(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T00:00:00Z",
            &["Sun 2026-04-05 01:45:00 +11:00", "Mon 2026-04-06 01:45:00 +10:30"],
        );
        // A run each half hour pauses during the repeated hour.
        check(
            "*/30 * * * *",
            "Europe/London",
            "2026-10-25T00:00:00Z",
            &[
                "Sun 2026-10-25 01:30:00 +01:00",
                "Sun 2026-10-25 02:00:00 +00:00",
                "Sun 2026-10-25 02:30:00 +00:00",
            ],
        );
    }

    #[test]
    fn the_last_due_run_is_the_last_of_those_that_follow_each_other() {
        for (text, zone, from, days) in [
            ("30 1 * * *", "Europe/London", "2026-03-25T00:00:00Z", 8),
            ("*/20 * * * *", "Europe/London", "2026-10-24T22:00:00Z", 1),
            ("0 8 * * 1", "America/New_York", "2026-10-01T00:00:00Z", 40),
            ("10 2 1,4 * 3", "Australia/Lord_Howe", "2026-09-28T00:00:00Z", 20),
        ] {
            let (schedule, zone): (_, Tz) = (schedule(text), zone.parse().unwrap());
            let since = at(from);
            let end = since.plus(std::time::Duration::from_secs(days * 86_400));
            let (mut now, mut last) = (since, None);
            let mut next = schedule.next_after(since, zone);
            while now <= end {
                while next.is_some_and(|next| next <= now) {
                    last = next;
                    next = schedule.next_after(last.unwrap(), zone);
                }
                assert_eq!(schedule.last_due(since, now, zone), last, "{text} {now}");
                now = now.plus(std::time::Duration::from_millis(599_999));
            }
            assert!(last.is_some());
            let last = last.unwrap();
            assert_eq!(
                schedule.last_due(last, last, zone),
                None,
                "{text}: after is after"
            );
            assert_eq!(
                schedule.last_due(Timestamp(last.0 - 1), last, zone),
                Some(last),
                "{text}"
            );
        }
    }

    #[test]
    fn parts_of_a_second_count() {
        let zone = Tz::UTC;
        let daily = schedule("0 8 * * *");
        let due = at("2026-01-02T08:00:00Z");
        assert_eq!(daily.next_after(Timestamp(due.0 - 1), zone), Some(due));
        assert_eq!(
            daily.next_after(Timestamp(due.0 + 1), zone),
            Some(at("2026-01-03T08:00:00Z"))
        );
    }

    #[test]
    fn blank_is_no_schedule_and_nonsense_says_what_is_wrong() {
        assert!(Schedule::parse(" ").unwrap().is_none());
        for (text, expected) in [
            ("0 8 * *", "expected 5 fields, got 4: \"0 8 * *\""),
            (
                "0 8 * * 8",
                "expected a day of the week from 0 to 7 or SUN to SAT, got \"8\": \"0 8 * * 8\"",
            ),
            (
                "0 8 * * 5-2",
                "expected a day of the week from 0 to 7 or SUN to SAT, got \"5-2\": \"0 8 * * 5-2\"",
            ),
            (
                "0 8 * * 1/0",
                "expected a day of the week from 0 to 7 or SUN to SAT, got \"1/0\": \"0 8 * * 1/0\"",
            ),
            ("0 8 * * ", "expected 5 fields, got 4: \"0 8 * * \""),
            ("0 8 30 2 *", "no day ever meets the schedule: \"0 8 30 2 *\""),
            (
                "60 8 * * *",
                "not a schedule (Minutes must be at most 59. ('60' specified.)): \"60 8 * * *\"",
            ),
            (
                "*/0 8 * * *",
                "not a schedule (range step cannot be zero): \"*/0 8 * * *\"",
            ),
            ("@reboot", "not a schedule: \"@reboot\""),
            ("every monday", "expected 5 fields, got 2: \"every monday\""),
            ("99999999999 8 * * *", "x"),
            ("0 8 * * 99999999999999999999999", "x"),
            ("a b c d e", "x"),
            ("0 8 , * *", "x"),
            ("é é é é é é", "x"),
        ] {
            let problem = Schedule::parse(text).map(|_| ()).unwrap_err();
            assert!(problem.hint_text().is_some());
            if expected == "x" {
                assert!(problem.message().ends_with(&format!("{text:?}")), "{problem}");
            } else {
                assert_eq!(problem.message(), expected);
            }
        }
    }
}
