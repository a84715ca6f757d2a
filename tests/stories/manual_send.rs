//! `send`: by hand, at once, and without repeating anything.

use crate::account::{counts, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use crate::mail::{take_outbox, who_got_what};
use crate::site::{Site, said};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

on_both! {
    chosen_summaries_go_at_once_and_are_not_repeated, sending_twice_is_sending_once, a_test_counts_for_nobody,
}

const ALL: [&str; 3] = ["one", "two", "three"];

async fn chosen_summaries_go_at_once_and_are_not_repeated(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "oncology")]);
    publish(&site, 0);
    site.empty_outbox();
    site.summary("two", "urology");
    site.summary("three", "oncology");
    let made = only_edition(&json(&site, &["send", "weekly", "--only", "two"], 0));
    assert_eq!(
        (texts(&made["summaries"]), counts(&made)),
        (vec!["two"], [1, 0, 0, 1])
    );
    assert_eq!(who_got_what(&site, &ALL), ["ann@example.org: two"]);

    // Again: nobody is left who has not had it, so there is no edition.
    let again = json(&site, &["send", "weekly", "--only", "two"], 0);
    assert_eq!(
        (&again["digests"][0]["outcome"], &again["editions"]),
        (&json!("nothing"), &json!([]))
    );
    // A newcomer gets the next edition, and an earlier one only by name.
    json(&site, &["subscribers", "add", "cy@example.org", "--confirmed"], 0);
    publish(&site, 0);
    assert_eq!(
        who_got_what(&site, &ALL),
        [
            "ann@example.org: three",
            "bea@example.org: three",
            "cy@example.org: three"
        ]
    );
    assert_eq!(publish(&site, 0)["editions"], json!([]));
    let made = only_edition(&json(
        &site,
        &["send", "weekly", "--only", "one", "two", "--wait"],
        0,
    ));
    assert_eq!(
        made["excluded_by"],
        json!({"already_received": 1, "nothing_for_them": 1})
    );
    assert_eq!(who_got_what(&site, &ALL), ["cy@example.org: one two"]);

    // A reader who had a part gets the rest.
    site.summary("four", "urology");
    json(&site, &["send", "weekly", "--only", "two,four"], 0);
    assert_eq!(
        who_got_what(&site, &["one", "two", "four"]),
        ["ann@example.org: four", "cy@example.org: four"]
    );
    let wrong = json(&site, &["send", "weekly", "--only", "five"], 1);
    assert!(wrong["error"].as_str().unwrap().contains("\"five\""), "{wrong}");
}

/// `send` is `publish DIGEST` by hand: it gathers, and what is done is not done again.
async fn sending_twice_is_sending_once(database: Database) {
    let site = site_on(&database);
    site.configure(
        "",
        "[[digest]]\nname = \"monthly\"\ntitle = \"Monthly digest\"\nschedule = \"\"\n",
    );
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    let made = only_edition(&json(&site, &["send", "weekly", "--yes"], 0));
    assert_eq!(made["digest"], "weekly");
    assert_eq!(json(&site, &["send", "weekly"], 0)["editions"], json!([]));
    assert_eq!(take_outbox(&site).len(), 1);
    for wrong in [
        &["send"][..],
        &["send", "dayly"],
        &["send", "weekly", "--to", "nobody"],
        &["send", "weekly", "--dry-run", "--to", "ann@example.org"],
        &["send", "weekly", "--only"],
        &["send", "weekly", "--only", "Not A Slug"],
    ] {
        site.run(wrong).expect_code(2);
    }
}

async fn a_test_counts_for_nobody(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.summary("two", "oncology");
    site.readers(&[("ann@example.org", "urology")]);
    let said = json(&site, &["send", "weekly", "--to", "boss@example.com"], 0);
    assert_eq!(texts(&said["summaries"]).len(), 2);
    json(
        &site,
        &["send", "weekly", "--to", "ann@example.org", "--only", "one"],
        0,
    );
    let mails = take_outbox(&site);
    let got: Vec<_> = mails
        .iter()
        .map(|mail| (mail.to.as_str(), mail.slugs(&ALL)))
        .collect();
    assert_eq!(
        got,
        [
            ("ann@example.org", vec!["one"]),
            ("boss@example.com", vec!["one", "two"])
        ]
    );
    assert_eq!(json(&site, &["editions"], 0), json!([]));
    let reader = json(&site, &["subscribers", "show", "boss@example.com"], 1);
    assert!(reader["error"].is_string());

    let made = only_edition(&publish(&site, 0));
    assert_eq!((&made["id"], counts(&made)), (&json!(1), [1, 0, 0, 0]));
    assert_eq!(who_got_what(&site, &ALL), ["ann@example.org: one"]);
}

/// On a terminal it asks; without one, as in every other test here, or with `--yes` it does not.
#[test]
fn a_person_is_asked() {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    for (more, answer, asked, sent) in [
        ("", "n\n", true, 0),
        ("", "\n", true, 0),
        ("--yes", "", false, 1),
        ("--only two", "y\n", true, 2),
    ] {
        if more == "--only two" {
            site.summary("two", "urology");
        }
        let command = format!(
            "{} --config {} send weekly {more}",
            env!("CARGO_BIN_EXE_postrider"),
            site.path("config.toml").display()
        );
        // Gives the program a terminal.
        let mut terminal = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        terminal
            .stdin
            .take()
            .unwrap()
            .write_all(answer.as_bytes())
            .unwrap();
        let said = said(&terminal.wait_with_output().unwrap()).expect_code(0);
        assert_eq!(said.out.contains("Send to 1 reader? [y/N]"), asked, "{said:?}");
        assert_eq!(site.outbox().len(), sent, "{more} {answer:?}: {said:?}");
    }
}
