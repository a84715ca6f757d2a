//! How often a schedule runs, in words for readers.

const DAYS: [(&str, &str); 7] = [
    ("sun", "Sunday"),
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
];

/// `every Monday`, `once a month` and the like; `None` where it takes more words than that.
pub fn how_often(schedule: &str) -> Option<String> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let words = match fields.as_slice() {
        ["@daily" | "@midnight"] => "every day".to_owned(),
        ["@weekly"] => "once a week".to_owned(),
        ["@monthly"] => "once a month".to_owned(),
        [minute, hour, "*", "*", "*"] if once(minute) && once(hour) => "every day".to_owned(),
        [minute, hour, "*", "*", days] if once(minute) && once(hour) => week_days(days)?,
        [minute, hour, day, "*", "*"] if once(minute) && once(hour) => {
            let days: Vec<&str> = day.split(',').collect();
            match (days.iter().all(|day| once(day)), days.len()) {
                (true, 1) => "once a month".to_owned(),
                (true, 2) => "twice a month".to_owned(),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(words)
}

/// Whether a field names one value.
fn once(field: &str) -> bool {
    field.parse::<u8>().is_ok()
}

/// Days of the week as crontab(5) counts them: 0 and 7 are Sunday.
fn week_days(field: &str) -> Option<String> {
    if let Some((first, last)) = field.split_once('-') {
        return Some(format!("from {} to {}", day(first)?, day(last)?));
    }
    let days = field.split(',').map(day).collect::<Option<Vec<_>>>()?;
    let (last, others) = days.split_last()?;
    Some(if others.is_empty() {
        format!("every {last}")
    } else {
        format!("every {} and {last}", others.join(", "))
    })
}

fn day(text: &str) -> Option<&'static str> {
    let number = text
        .parse::<usize>()
        .ok()
        .map(|number| if number == 7 { 0 } else { number });
    match number {
        Some(number) => DAYS.get(number).map(|(_, name)| *name),
        None => DAYS
            .iter()
            .find(|(short, _)| text.eq_ignore_ascii_case(short))
            .map(|(_, name)| *name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_few_words_can_say() {
        for (schedule, words) in [
            ("0 8 * * 1", Some("every Monday")),
            ("0 8 * * 7", Some("every Sunday")),
            ("0 8 * * SUN", Some("every Sunday")),
            ("30 6 * * 1,3,fri", Some("every Monday, Wednesday and Friday")),
            ("0 8 * * 1-5", Some("from Monday to Friday")),
            ("0 8 * * *", Some("every day")),
            ("0 8 1 * *", Some("once a month")),
            ("0 8 1,15 * *", Some("twice a month")),
            ("@weekly", Some("once a week")),
            ("", None),
            ("*/5 * * * *", None),
            ("0 8 1 1 *", None),
            ("0 8 1 * 1", None),
            ("0 8 * * 1#1", None),
            ("0 8 * * 9", None),
            ("0 8,20 * * 1", None),
        ] {
            assert_eq!(how_often(schedule).as_deref(), words, "{schedule}");
        }
    }
}
