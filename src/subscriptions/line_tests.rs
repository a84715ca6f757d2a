#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn slugs<C: FromIterator<Slug>>(names: &[&str]) -> C {
    names.iter().map(|name| Slug::parse(name).unwrap()).collect()
}

fn settings() -> ImportSettings {
    ImportSettings {
        digests: slugs(&["weekly", "monthly"]),
        categories: slugs(&["oncology", "urology"]),
        local_part: LocalPartRule::Insensitive,
        skip_invalid: false,
        salt: "salt".to_owned(),
    }
}

/// 2026-01-10T00:00:00Z.
const NOW: Timestamp = Timestamp(1_768_003_200_000);

fn cells(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn read(text: &str) -> std::result::Result<Line, Wrong> {
    Header::parse(&cells(&COLUMNS.join(",")))
        .unwrap()
        .line(&cells(text), &settings(), NOW)
}

fn reason(text: &str) -> String {
    read(text).unwrap_err().reason
}

#[test]
fn reads_a_line() {
    let line = read("Ann@Example.org, Ann\r\n  B. ,monthly; weekly;monthly, urology;oncology;urology ,Confirmed,2026-01-02,web form").unwrap();
    assert_eq!(line.address.full(), "Ann@example.org");
    assert_eq!(line.name.as_deref(), Some("Ann B."));
    assert_eq!(line.digests, slugs::<Vec<_>>(&["monthly", "weekly"]));
    assert_eq!(line.categories.to_string(), "oncology;urology");
    assert_eq!(line.state, State::Confirmed);
    assert_eq!(line.consent_at.unwrap().rfc3339(), "2026-01-02T00:00:00Z");
    let zoned = read("a@example.org,,,,confirmed,2026-01-02T03:04:05.678+02:00,x").unwrap();
    assert_eq!(zoned.consent_at, Some(Timestamp(1_767_315_845_678)));
    assert_eq!(zoned.digests, slugs::<Vec<_>>(&["weekly"]));
    assert_eq!(zoned.name, None);
}

#[test]
fn columns_stand_in_any_order() {
    let header = Header::parse(&cells("STATUS , email")).unwrap();
    let line = header
        .line(&cells("pending,a@example.org"), &settings(), NOW)
        .unwrap();
    assert_eq!((line.state, line.address.local()), (State::Pending, "a"));
}

#[test]
fn a_header_says_what_is_wrong() {
    for (header, said) in [
        ("email;name;status", "unknown column \"email;name;status\""),
        ("email,status,phone", "unknown column \"phone\""),
        ("ann@example.org,status", "unknown column \"a***@e***.org\""),
        ("email,status,email", "there are two columns \"email\""),
        ("email,name", "there is no column \"status\""),
        ("status", "there is no column \"email\""),
    ] {
        let problem = Header::parse(&cells(header)).unwrap_err();
        assert_eq!(problem.message(), said);
        assert!(
            problem
                .hint_text()
                .unwrap()
                .ends_with("email,name,digest,categories,status,consent_at,consent_source")
        );
    }
}

#[test]
fn a_line_says_what_is_wrong() {
    for (line, said) in [
        ("ann,,,,pending,,", "address a***: has no @"),
        ("a@example.org,,,,,,", "has no status"),
        (
            "a@example.org,,,,happy,,",
            "status \"happy\" is none of pending, confirmed, paused, unsubscribed, bounced, complained",
        ),
        (
            "a@example.org,,,,b@example.org,,",
            "status \"b***@e***.org\" is none of pending, confirmed, paused, unsubscribed, bounced, complained",
        ),
        (
            "a@example.org,,daily,,pending,,",
            "digest \"daily\" is not in the configuration",
        ),
        (
            "a@example.org,,,cardiology,pending,,",
            "category \"cardiology\" is not in the configuration",
        ),
        (
            "a@example.org,,,Spinal Cord,pending,,",
            "categories \"Spinal Cord\" are no slugs joined by ;",
        ),
        (
            "a@example.org,,,,confirmed,,web",
            "status \"confirmed\" needs consent_at",
        ),
        (
            "a@example.org,,,,confirmed,2026-01-02,",
            "status \"confirmed\" needs consent_source",
        ),
        (
            "a@example.org,,,,confirmed,2.1.2026,web",
            "consent_at \"2.1.2026\" is neither a date such as 2026-01-31 nor a time of RFC 3339",
        ),
        (
            "a@example.org,,,,confirmed,2026-02-30,web",
            "consent_at \"2026-02-30\" is neither a date such as 2026-01-31 nor a time of RFC 3339",
        ),
        (
            "a@example.org,,,,confirmed,2026-01-12,web",
            "consent_at \"2026-01-12\" lies in the future",
        ),
        ("a@example.org,,pending", "has 3 cells, the first line has 7"),
        (
            &format!("a@example.org,{},,,pending,,", "x".repeat(201)),
            "name has 201 characters, at most 200 are possible",
        ),
    ] {
        assert_eq!(reason(line), said);
    }
    assert!(reason("änn@example.org,,,,pending,,").contains("SMTPUTF8"));
}

#[test]
fn who_leaves_is_left_alone_whatever_else_is_wrong() {
    for status in ["unsubscribed", "bounced", "complained"] {
        let wrong = read(&format!("a@example.org,,daily,nonsense,{status},,")).unwrap_err();
        let leaver = wrong.leaver.unwrap();
        assert_eq!((leaver.state.as_str(), leaver.digests.len()), (status, 0));
    }
    assert_eq!(read("a@example.org,,daily,,pending,,").unwrap_err().leaver, None);
    assert_eq!(read("a@example.org,,,,unsubscribed,,").unwrap().digests, []);
}

proptest! {
    #[test]
    fn no_cell_makes_it_fall_over_or_lets_a_line_break_through(
        cells in proptest::collection::vec(any::<String>(), 0..9), name in any::<String>(), when in any::<String>(),
    ) {
        let header = Header::parse(&COLUMNS.map(str::to_owned)).unwrap();
        let _ = Header::parse(&cells);
        let _ = header.line(&cells, &settings(), NOW);
        let line = ["a@example.org", &name, "", "", "pending", &when, &name].map(str::to_owned);
        if let Ok(line) = header.line(&line, &settings(), NOW) {
            for text in [line.name, line.consent_source].into_iter().flatten() {
                prop_assert!(!text.contains(['\r', '\n', '\0']) && !text.is_empty());
            }
        }
    }
}
