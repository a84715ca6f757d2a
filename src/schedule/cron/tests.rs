//! Tables of expressions, zones and the runs they give.
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
