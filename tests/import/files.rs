//! Lists as files: wrong lines, doubles, garbage, and the way out and in again.

use crate::database::Database;
use crate::seed::{NOW, list, many_readers, reader, readers, settings};
use crate::{suppressed, take};
use postrider::domain::subscriber::State;
use postrider::store::Store;
use postrider::subscriptions::export::export;
use postrider::subscriptions::import::{ImportSettings, import};
use std::io::Read;

crate::on_both! {
    doubles_are_wrong_wherever_they_stand, a_double_that_leaves_leaves, one_wrong_line_keeps_everything_out,
    wrong_lines_are_left_out_when_asked, a_list_of_garbage_is_refused, an_export_imports_as_itself,
    twenty_thousand_in_a_few_seconds, a_failing_file_keeps_nothing,
}

fn skipping() -> ImportSettings {
    ImportSettings {
        skip_invalid: true,
        ..settings()
    }
}

/// The list of all readers.
pub async fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    export(store, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn doubles_are_wrong_wherever_they_stand(db: Database) {
    let store = db.open().await;
    let text = list(&["a@readers.net,,,,confirmed", "A@Readers.NET,,,,confirmed"]);
    let said = take(&store, &text, &settings()).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "nothing was imported: line 3: address A***@r***.net stands on line 2 already\n  \
         hint: correct these lines, or leave them out with --skip-invalid"
    );
    let mut lines: Vec<_> = (0..1500)
        .map(|n| format!("r{n}@readers.net,,,,confirmed"))
        .collect();
    lines.push("r3@readers.net,Second,,,confirmed".to_owned());
    let text = list(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let report = take(&store, &text, &skipping()).await.unwrap();
    assert_eq!((report.added, report.invalid_count), (1500, 1));
    assert_eq!(report.invalid[0].line, 1502);
    assert_eq!(reader(&store, "r3@readers.net").await.name, None);
}

async fn a_double_that_leaves_leaves(db: Database) {
    let store = db.open().await;
    let text = list(&[
        "a@readers.net,,,,confirmed",
        "a@readers.net,,,,unsubscribed",
        "a@readers.net,,,,confirmed",
    ]);
    let report = take(&store, &text, &skipping()).await.unwrap();
    assert_eq!(report.invalid_count, 2);
    let reader = reader(&store, "a@readers.net").await;
    assert_eq!(
        (reader.state, reader.digests.join(";").as_str()),
        (State::Unsubscribed, "")
    );
    assert!(suppressed(&db, "a@readers.net", "unsubscribed").await);
}

async fn one_wrong_line_keeps_everything_out(db: Database) {
    let store = db.open().await;
    let mut lines: Vec<_> = (0..2500)
        .map(|n| format!("r{n}@readers.net,,,,confirmed"))
        .collect();
    lines[2100] = "r2100@readers.net,,daily,,confirmed".to_owned();
    lines[2400] = "r2400.readers.net,,,,confirmed".to_owned();
    let text = list(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let said = take(&store, &text, &settings()).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "nothing was imported: 2 lines are wrong\n  \
         line 2102: digest \"daily\" is not in the configuration\n  \
         line 2402: address r***: has no @\n  \
         hint: correct these lines, or leave them out with --skip-invalid"
    );
    assert_eq!(store.count_subscribers().await.unwrap(), []);
    // The lock was given back.
    many_readers(&store, 1).await;
}

async fn wrong_lines_are_left_out_when_asked(db: Database) {
    let store = db.open().await;
    readers(&store, &["left@readers.net,,,,confirmed"]).await;
    let text = list(&[
        "a@readers.net,,,,confirmed",
        "b@readers.net,,,unknown,confirmed",
        "left@readers.net,,,unknown,unsubscribed",
        "a b@readers.net,,,,confirmed",
    ]);
    let report = take(&store, &text, &skipping()).await.unwrap();
    // Whoever a wrong line says has left is not counted twice.
    assert_eq!(
        (
            report.rows,
            report.added,
            report.updated,
            report.invalid_count,
            report.heeded
        ),
        (4, 1, 0, 3, 1)
    );
    assert_eq!(
        report.invalid.iter().map(|wrong| wrong.line).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert_eq!(
        reader(&store, "left@readers.net").await.state,
        State::Unsubscribed
    );
    let many = list(&["x,,,,pending"; 150]);
    let report = take(&store, &many, &skipping()).await.unwrap();
    assert_eq!((report.invalid.len(), report.invalid_count), (100, 150));
}

async fn a_list_of_garbage_is_refused(db: Database) {
    let store = db.open().await;
    for (text, said) in [
        (&b""[..], "the list has no first line in UTF-8"),
        (b"\xFF\xFEe\0m\0a\0i\0l\0", "the list has no first line in UTF-8"),
        (
            b"email;status\na@readers.net;pending\n",
            "unknown column \"email;status\"",
        ),
        (b"email\na@readers.net\n", "there is no column \"status\""),
        (
            b"email,status\na@readers.net,pending\n\"b@readers.net,pending\nc@readers.net,pending\n",
            "line 3: a quote is not closed",
        ),
        (
            b"email,status\n\xE4@readers.net,pending\n",
            "nothing was imported: line 2: is not in UTF-8",
        ),
    ] {
        let problem = import(&store, text, &settings(), NOW).await.unwrap_err();
        assert_eq!(problem.message(), said);
        assert!(problem.hint_text().is_some());
        assert_eq!(store.count_subscribers().await.unwrap(), [], "{said}");
    }
}

async fn an_export_imports_as_itself(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,\"Ann, \"\"the\"\" reader\",weekly;monthly,urology;oncology,confirmed",
            "+b@readers.net,=SUM(1+1),,,confirmed",
            "'c@readers.net,'t Hooft,monthly,,pending",
            "=d@readers.net,@d,,,paused",
            "-e@readers.net,-e,,,unsubscribed",
            "f@readers.net,,weekly,,bounced",
            "g@readers.net,Ünï 😀 مرحبا,,,complained",
        ],
    )
    .await;
    let precise =
        "email,status,consent_at,consent_source\nh@readers.net,confirmed,2025-01-02T03:04:05.678Z,=x\n";
    take(&store, precise, &settings()).await.unwrap();
    let text = exported(&store).await;
    for cell in text.lines().flat_map(|line| line.split([',', ';'])) {
        assert!(
            !cell.trim_start_matches('"').starts_with(['=', '+', '-', '@']),
            "{cell}"
        );
    }
    let other = Database::sqlite();
    let copy = other.open().await;
    let report = take(&copy, &text, &settings()).await.unwrap();
    assert_eq!(report.added, 8);
    assert_eq!(exported(&copy).await, text);
    let report = take(&store, &text, &settings()).await.unwrap();
    assert_eq!((report.unchanged, report.kept), (8, 0));
}

async fn twenty_thousand_in_a_few_seconds(db: Database) {
    let store = db.open().await;
    assert_eq!(many_readers(&store, 20_000).await.added, 20_000);
    assert_eq!(many_readers(&store, 20_000).await.unchanged, 20_000);
}

/// A file on a disk that fails half-way.
struct Failing<R>(R);

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

async fn a_failing_file_keeps_nothing(db: Database) {
    let store = db.open().await;
    let lines: Vec<_> = (0..3000)
        .map(|n| format!("r{n}@readers.net,,,,confirmed"))
        .collect();
    let text = list(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let problem = import(&store, Failing(text.as_bytes()), &skipping(), NOW)
        .await
        .unwrap_err();
    assert_eq!(
        problem.to_string(),
        "line 3002: the list can't be read on: the disk is gone"
    );
    assert_eq!(many_readers(&store, 1).await.added, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 1);
}
