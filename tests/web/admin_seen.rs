//! What was seen of a draft: nothing else is sent or cancelled, and looking at it changes nothing.

use crate::admin::{everything, prepared, said, state, value, with_readers};
use crate::desk::{Desk, change, left_out_by, one};

#[test]
fn what_was_not_seen_is_neither_sent_nor_cancelled() {
    let site = with_readers();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    prepared(&desk);
    let (send, cancel) = ("/admin/editions/1/send", "/admin/editions/1/cancel");
    let changes: [(&str, &str, &dyn Fn()); 3] = [
        ("a note", "Send to 3 readers", &|| {
            desk.act("/admin/editions/1/note", &[("note", "Hello.")]);
        }),
        ("a correction", "Send to 3 readers", &|| {
            let correct = ["summaries", "correct", "first", "--note", "A number."];
            site.run(&correct).expect_code(0);
        }),
        ("a removal", "Send to 2 readers", &|| {
            let remove = ["summaries", "remove", "second", "--note", "A name."];
            site.run(&remove).expect_code(0);
        }),
    ];
    for (what, button, change) in changes {
        let look = desk.get(send);
        let (count, print) = (value(&look, "count"), value(&look, "print"));
        change();
        let again = desk.post(send, &[("count", &count), ("print", &print)]);
        assert_eq!((again.status, state(&site, 1).as_str()), (409, "draft"), "{what}");
        assert!(
            one(&again, "[role=alert]").contains("was changed since"),
            "{what}"
        );
        assert_eq!(one(&again, "main .buttons button"), button, "{what}");
    }
    // What was removed is nowhere to be seen.
    let page = desk.get("/admin/editions/1");
    assert_eq!(left_out_by(&page), ["Leave out: About first"]);
    assert!(page.text().contains("2 readers receive it"), "{}", page.text());
    let mail = desk.get("/admin/editions/1/preview?format=text").text();
    assert!(!mail.contains("About second"), "{mail}");
    desk.act("/admin/editions/1/test", &[]);
    let outbox = site.outbox();
    assert!(!outbox.last().unwrap().contains("About second"), "{outbox:?}");

    let remove = ["summaries", "remove", "first", "--note", "A name."];
    site.run(&remove).expect_code(0);
    for method in ["GET", "POST"] {
        let answer = match method {
            "GET" => desk.ask("GET", send),
            _ => desk.post(send, &[("count", "2"), ("print", "x")]),
        };
        assert_eq!(answer.status, 409);
        assert!(
            answer.text().contains("othing is left in the draft"),
            "{}",
            answer.text()
        );
    }
    let approve = site.run(&["editions", "approve", "1"]).expect_code(1);
    assert!(approve.err.contains("nothing is left"), "{}", approve.err);
    site.run(&["summaries", "restore", "first"]).expect_code(0);

    // Cancelling: what was a draft when it was seen must be one.
    let seen = value(&desk.get(cancel), "seen");
    assert_eq!(seen, "draft");
    desk.act("/admin/editions/1/drop", &[("slug", "first")]);
    for wrong in ["approved", "", "x"] {
        let answer = desk.post(cancel, &[("seen", wrong)]);
        assert_eq!(
            (answer.status, state(&site, 1).as_str()),
            (409, "draft"),
            "{wrong}"
        );
        assert_eq!(one(&answer, "main .buttons button"), "Cancel this edition");
    }
    desk.act(cancel, &[("seen", "draft")]);
    assert_eq!(state(&site, 1), "cancelled");
    let to = desk.act(send, &[("count", "2"), ("print", "x")]);
    assert_eq!(
        said(&desk.get(&to)),
        "This edition was cancelled before. Nothing was sent."
    );
}

#[test]
fn looking_at_a_draft_wakes_nobody_and_counts_whose_pause_is_over() {
    let site = with_readers();
    let server = site.serve(&["--no-schedule"]);
    let desk = Desk::open(&site, &server);
    prepared(&desk);
    // What ends pauses looks once a minute, and has just looked.
    change(
        &site,
        "UPDATE subscriber SET state = 'paused', paused_until = 1 WHERE address = 'ann@example.org'",
    );
    let kept = || {
        let lines: Vec<String> = everything(&site).lines().map(str::to_owned).collect();
        let tables = ["subscriber", "reader_event", "edition"].map(|name| format!("INTO \"{name}\""));
        let holds = |line: &String| tables.iter().any(|table| line.contains(table));
        lines.into_iter().filter(holds).collect::<Vec<_>>()
    };
    let before = kept();
    let page = desk.get("/admin/editions/1").text();
    assert!(page.contains("3 readers receive it"), "{page}");
    let look = desk.get("/admin/editions/1/send");
    assert_eq!(one(&look, "main .buttons button"), "Send to 3 readers");
    let dry = site.run(&["send", "weekly", "--only", "first", "--dry-run", "--json"]);
    let segments = dry.expect_code(0).json()["segments"].to_string();
    assert!(segments.contains("\"readers\":2"), "{segments}");
    site.run(&["preview", "weekly", "--out", "shown"]).expect_code(0);
    assert_eq!(kept(), before);
}
