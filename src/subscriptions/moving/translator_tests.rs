#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::super::columns::Known;
use super::*;
use crate::domain::LocalPartRule;
use proptest::prelude::*;

/// 2026-01-10T00:00:00Z.
const NOW: Timestamp = Timestamp(1_768_003_200_000);

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn settings() -> ImportSettings {
    ImportSettings {
        digests: vec![slug("weekly"), slug("monthly")],
        categories: [slug("urology"), slug("oncology")].into(),
        local_part: LocalPartRule::Insensitive,
        skip_invalid: false,
        salt: "salt".to_owned(),
    }
}

fn export(program: Program, unsaid: Option<State>) -> Export {
    Export {
        program,
        unsaid,
        columns: Vec::new(),
        categories: Vec::new(),
        lists: Vec::new(),
        digests: Vec::new(),
        consent_at: Some("2024-05-31".to_owned()),
        consent_source: None,
    }
}

fn read(export: &Export, name: &str, header: &str, row: &str) -> std::result::Result<Told, Wrong> {
    let cells = |text: &str| -> Vec<String> { text.split('|').map(str::to_owned).collect() };
    Translator::new(export, name, &cells(header))
        .unwrap()
        .read(&cells(row), &settings(), NOW)
}

fn state(told: Told) -> &'static str {
    match told {
        Told::Reader(line) => line.state.as_str(),
        Told::Skipped(_) => "skipped",
    }
}

#[test]
fn a_file_that_a_person_speaks_for_still_says_who_left() {
    let export = export(Program::Mailchimp, Some(State::Confirmed));
    let header = "Email|UNSUB_TIME|UNSUB_REASON|CLEAN_TIME";
    for (row, expected) in [
        ("a@example.org|||", "confirmed"),
        ("a@example.org|2024-01-01 00:00:00||", "unsubscribed"),
        ("a@example.org|2024-01-01 00:00:00|ABUSE|", "complained"),
        ("a@example.org||SPAM|", "confirmed"),
        ("a@example.org|||2024-01-01 00:00:00", "bounced"),
    ] {
        let told = read(&export, "all.csv", header, row).unwrap();
        assert_eq!(state(told), expected, "{row}");
    }
}

#[test]
fn the_first_filled_column_counts_and_one_that_is_named_comes_first() {
    let mut export = export(Program::Mailchimp, None);
    let header = "Email Address|Work|OPTIN_TIME|CONFIRM_TIME|Status";
    let line = |export: &Export, row: &str| match read(export, "subscribed.csv", header, row).unwrap() {
        Told::Reader(line) => line,
        Told::Skipped(reason) => panic!("{reason}"),
    };
    let row = "a@example.org|b@example.org|2024-01-01 00:00:00|2024-02-01 00:00:00|";
    let read = line(&export, row);
    assert_eq!(read.address.local(), "a");
    assert_eq!(read.consent_at.unwrap().rfc3339(), "2024-02-01T00:00:00Z");
    export.columns = vec![
        ("work".to_owned(), Field::Email),
        ("status".to_owned(), Field::Status),
    ];
    assert_eq!(line(&export, row).address.local(), "b");
    let read = line(&export, "a@example.org|||2024-02-01 00:00:00|Cleaned");
    assert_eq!((read.address.local(), read.state), ("a", State::Bounced));
}

#[test]
fn values_that_are_many_are_counted_together() {
    let mut export = export(Program::Substack, Some(State::Pending));
    export.columns = vec![("tags".to_owned(), Field::Categories)];
    export.categories = vec![
        ("Both".to_owned(), slug("urology")),
        ("both".to_owned(), slug("oncology")),
    ];
    let head = ["email", "email_disabled", "tags"].map(str::to_owned);
    let mut translator = Translator::new(&export, "x.csv", &head).unwrap();
    for n in 0..150 {
        let row = ["a@example.org".to_owned(), String::new(), format!("tag {n},BOTH")];
        let Told::Reader(line) = translator.read(&row, &settings(), NOW).unwrap() else {
            panic!("skipped");
        };
        assert_eq!(line.categories.to_string(), "oncology;urology");
    }
    let unmapped = translator.unmapped();
    assert_eq!((unmapped.len(), unmapped[OTHERS]), (101, 50));
}

proptest! {
    #[test]
    fn nothing_makes_it_fall_over(
        program in 0..3_usize,
        name in "(un)?subscribed.csv|\\PC{0,9}",
        cells in prop::collection::vec("[a-z@., \"\\\\0-9:+-]{0,24}|enabled|true|\\PC{0,9}", 0..16),
    ) {
        let program = Program::ALL[program];
        let known: &[Known] = match program {
            Program::Mailchimp => mailchimp::COLUMNS,
            Program::Listmonk => listmonk::COLUMNS,
            Program::Substack => substack::COLUMNS,
        };
        let head: Vec<String> = known
            .iter()
            .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
            .collect();
        let mut row = cells.clone();
        row.resize(head.len(), String::new());
        let mut export = export(program, Some(State::Confirmed));
        export.columns = vec![(head[0].clone(), Field::Categories)];
        let _ = Translator::new(&export, &name, &cells);
        if let Ok(mut translator) = Translator::new(&export, &name, &head) {
            let _ = translator.read(&row, &settings(), NOW);
            let _ = translator.read(&cells, &settings(), NOW);
        }
    }
}
