//! What changes after it was sent: silently, as a correction, or as a retraction.

use crate::account::{counts, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use crate::mail::{take_outbox, who_got_what};
use crate::site::Site;
use serde_json::json;
use std::fs;

on_both! {
    a_correction_goes_to_those_who_had_it, a_retraction_goes_to_those_who_had_it_and_stays_in_the_feed,
    a_changed_text_updates_silently, a_file_that_vanishes_is_nothing, a_sending_to_some_does_not_swallow_a_correction,
}

/// `old` was sent to ann and bea; cy came later, and dee does not want it.
fn sent(database: &Database) -> Site {
    let site = site_on(database);
    site.summary("old", "urology");
    site.readers(&[
        ("ann@example.org", "urology"),
        ("bea@example.org", ""),
        ("dee@example.org", "oncology"),
    ]);
    publish(&site, 0);
    json(&site, &["subscribers", "add", "cy@example.org", "--confirmed"], 0);
    site.empty_outbox();
    site
}

async fn a_correction_goes_to_those_who_had_it(database: Database) {
    let site = sent(&database);
    let head = "status = \"corrected\"\nfault = \"paper\"\nnote = \"The dose was twice as high.\"";
    site.summary_with("old", "urology", head, "New words.");
    let made = only_edition(&publish(&site, 0));
    assert_eq!(
        texts(&made["summaries"]),
        ["old"],
        "a correction alone makes an edition"
    );
    assert_eq!(counts(&made), [2, 0, 0, 2]);
    assert_eq!(made["excluded_by"], json!({"nothing_for_them": 2}));
    for mail in take_outbox(&site) {
        assert!(["ann@example.org", "bea@example.org"].contains(&mail.to.as_str()));
        for words in [
            "CORRECTED: About old",
            "The dose was twice as high.",
            "The paper behind this summary",
        ] {
            assert!(mail.text.contains(words), "{words}: {}", mail.text);
        }
        assert!(mail.html.contains("The dose was twice as high."));
    }
    assert_eq!(publish(&site, 0)["editions"], json!([]), "it is told once");

    // By command: again, with another note, and beside something new.
    json(
        &site,
        &["summaries", "correct", "old", "--note", "And it was mice."],
        0,
    );
    site.summary("new", "oncology");
    let made = only_edition(&publish(&site, 0));
    assert_eq!(
        texts(&made["summaries"]),
        ["old", "new"],
        "corrections come first"
    );
    let mails = take_outbox(&site);
    let got: Vec<_> = mails
        .iter()
        .map(|mail| (mail.to.as_str(), mail.slugs(&["old", "new"])))
        .collect();
    let wanted = [
        ("ann@example.org", vec!["old"]),
        ("bea@example.org", vec!["old", "new"]),
        ("cy@example.org", vec!["new"]),
        ("dee@example.org", vec!["new"]),
    ];
    assert_eq!(got, wanted);
    assert!(mails[0].text.contains("What changed: And it was mice."));
    assert!(
        mails[0]
            .text
            .contains("Our summary was wrong; the paper was not.")
    );
    assert!(
        json(&site, &["summaries", "correct", "none", "--note", "x"], 1)["error"]
            .as_str()
            .unwrap()
            .contains("none")
    );
    site.run(&["summaries", "correct", "old", "--note", " "])
        .expect_code(2);
    site.run(&["summaries", "correct", "old"]).expect_code(2);
}

async fn a_retraction_goes_to_those_who_had_it_and_stays_in_the_feed(database: Database) {
    let site = sent(&database);
    let said = json(
        &site,
        &["summaries", "retract", "old", "--note", "The data were made up."],
        0,
    );
    assert_eq!(
        (&said["status"], &said["fault"]),
        (&json!("retracted"), &json!("paper"))
    );
    let made = only_edition(&publish(&site, 0));
    assert_eq!(counts(&made), [2, 0, 0, 2]);
    for mail in take_outbox(&site) {
        assert!(mail.text.contains("RETRACTED: About old") && mail.text.contains("The data were made up."));
        assert!(
            !mail.text.contains("What old says."),
            "a retracted text was sent: {}",
            mail.text
        );
    }
    let out = site.path("feeds");
    json(&site, &["feeds", "--out", out.to_str().unwrap()], 0);
    let feed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("urology.json")).unwrap()).unwrap();
    let entry = &feed["items"][0];
    assert_eq!(entry["title"], "Retracted: About old");
    assert!(
        entry["content_html"]
            .as_str()
            .unwrap()
            .contains("The data were made up.")
    );

    // It is not sent to anybody else, by whatever way.
    let refused = json(&site, &["send", "weekly", "--only", "old"], 1);
    assert!(
        refused["error"].as_str().unwrap().contains("retracted"),
        "{refused}"
    );
    // A source that still shows the old status does not take the mark away.
    site.summary_with("old", "urology", "", "Still there.");
    publish(&site, 0);
    assert_eq!(
        json(&site, &["summaries", "show", "old"], 0)["status"],
        "retracted"
    );
    assert!(site.outbox().is_empty());
}

async fn a_changed_text_updates_silently(database: Database) {
    let site = sent(&database);
    site.summary_with("old", "urology", "", "Better words.");
    let said = publish(&site, 0);
    assert_eq!(
        (&said["sources"][0]["changed"], &said["editions"]),
        (&json!(1), &json!([]))
    );
    let shown = json(&site, &["summaries", "show", "old"], 0);
    assert!(
        shown["explanation"].to_string().contains("Better words."),
        "{shown:#}"
    );
    assert!(
        site.run(&["summaries", "show", "old"])
            .expect_code(0)
            .out
            .contains("Better words.")
    );
    json(&site, &["send", "weekly", "--only", "old"], 0);
    let mails = take_outbox(&site);
    assert_eq!(mails.len(), 1, "only the one who had not had it");
    assert!(mails[0].text.contains("Better words.") && mails[0].to == "cy@example.org");
}

async fn a_file_that_vanishes_is_nothing(database: Database) {
    let site = sent(&database);
    fs::remove_file(site.path("content/old.md")).unwrap();
    let said = publish(&site, 0);
    assert_eq!(said["editions"], json!([]));
    assert_eq!(
        json(&site, &["summaries", "show", "old"], 0)["status"],
        "published"
    );
    site.summary("old", "urology");
    let said = publish(&site, 0);
    assert_eq!(
        (&said["sources"][0]["unchanged"], &said["editions"]),
        (&json!(1), &json!([]))
    );
}

/// Marked, and sent to a newcomer before the next edition: those who had it are told all the same.
async fn a_sending_to_some_does_not_swallow_a_correction(database: Database) {
    let site = sent(&database);
    json(
        &site,
        &["summaries", "correct", "old", "--note", "A number was wrong."],
        0,
    );
    json(&site, &["send", "weekly", "--only", "old"], 0);
    assert_eq!(who_got_what(&site, &["old"]), ["cy@example.org: old"]);
    publish(&site, 0);
    assert_eq!(
        who_got_what(&site, &["old"])[..2],
        ["ann@example.org: old", "bea@example.org: old"]
    );
}
