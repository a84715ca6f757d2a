//! `approve = true`: an edition waits for an admin, who may change it first.

use crate::account::{counts, json, publish, site_on, texts};
use crate::database::Database;
use crate::mail::{mail_to, take_outbox, who_got_what};
use serde_json::{Value, json};

on_both! {
    nothing_leaves_before_approval, a_sending_of_some_waits_for_approval_too, a_draft_is_shown_as_it_will_go,
    a_dropped_sending_does_not_silence_a_later_correction,
}

async fn nothing_leaves_before_approval(database: Database) {
    let site = site_on(&database);
    site.configure("approve = true", "");
    for slug in ["one", "two", "three"] {
        site.summary(slug, "urology");
    }
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "oncology")]);
    let said = publish(&site, 0);
    assert_eq!(said["digests"][0]["outcome"], "draft");
    assert_eq!(said["digests"][0]["created"], true);
    assert_eq!(said["editions"], json!([]));
    for command in [&["publish"][..], &["send", "weekly"]] {
        let said = json(&site, command, 0);
        assert_eq!(
            (&said["digests"][0]["edition"], &said["digests"][0]["created"]),
            (&json!(1), &json!(false))
        );
    }
    let draft = json(&site, &["editions", "show", "1"], 0);
    assert_eq!((&draft["state"], counts(&draft)), (&json!("draft"), [0; 4]));
    assert!(site.outbox().is_empty(), "a draft was sent");
    assert!(
        site.run(&["publish"])
            .expect_code(0)
            .out
            .contains("postrider editions approve 1")
    );

    json(
        &site,
        &["editions", "note", "1", "Our first issue.\n\nTell <us> & others."],
        0,
    );
    let dropped = json(&site, &["editions", "drop", "1", "two"], 0);
    assert_eq!(texts(&dropped["summaries"]).len(), 2);
    json(&site, &["editions", "drop", "1", "two"], 1);
    // Who comes before the approval is in the audience.
    json(&site, &["subscribers", "add", "cy@example.org", "--confirmed"], 0);
    let approved = json(&site, &["editions", "approve", "1"], 0);
    assert_eq!(
        (&approved["id"], &approved["state"], counts(&approved)),
        (&json!(1), &json!("finished"), [2, 0, 0, 1])
    );
    for command in [
        &["editions", "approve", "1"][..],
        &["editions", "note", "1", "x"],
        &["editions", "drop", "1", "one"],
    ] {
        assert!(
            json(&site, command, 1)["error"]
                .as_str()
                .unwrap()
                .contains("edition 1 is finished, not a draft")
        );
    }
    let mails = take_outbox(&site);
    assert_eq!(mails.len(), 2);
    let ann = mail_to(&mails, "ann@example.org");
    assert_eq!(ann.slugs(&["one", "two", "three"]), ["one", "three"]);
    assert!(
        ann.text.contains("Our first issue.\n\nTell <us> & others."),
        "{}",
        ann.text
    );
    assert!(ann.html.contains("Tell &lt;us&gt; &amp; others."), "{}", ann.html);

    // What was dropped does not come back.
    assert_eq!(publish(&site, 0)["digests"][0]["outcome"], "nothing");
}

async fn a_sending_of_some_waits_for_approval_too(database: Database) {
    let site = site_on(&database);
    site.configure("approve = true", "");
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    json(&site, &["send", "weekly", "--only", "one"], 0);
    assert!(site.outbox().is_empty());
    json(&site, &["editions", "note", "1", "Thus"], 0);
    json(&site, &["editions", "note", "1", ""], 0);
    json(&site, &["editions", "approve", "1"], 0);
    publish(&site, 0);
    let mails = take_outbox(&site);
    assert_eq!(mails.len(), 1);
    assert!(!mails[0].text.contains("A note from the editor"));
}

async fn a_draft_is_shown_as_it_will_go(database: Database) {
    let site = site_on(&database);
    site.configure("approve = true", "");
    site.summary("one", "urology");
    site.summary("two", "oncology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "oncology")]);
    publish(&site, 0);
    json(&site, &["editions", "note", "1", "A word before."], 0);
    // What comes meanwhile is not the draft's.
    site.summary("three", "urology");
    let out = site.path("preview");
    let segments = json(&site, &["preview", "weekly", "--out", out.to_str().unwrap()], 0);
    let segments_of = |s: &Value| (s["readers"].as_i64().unwrap(), texts(&s["summaries"]).len());
    let mut shown: Vec<_> = segments.as_array().unwrap().iter().map(segments_of).collect();
    shown.sort_unstable();
    assert_eq!(shown, [(1, 1), (1, 2)]);
    for segment in segments.as_array().unwrap() {
        let text = std::fs::read_to_string(texts(&segment["files"])[1]).unwrap();
        assert!(
            text.contains("A word before.") && !text.contains("About three"),
            "{text}"
        );
    }
    let forecast = json(&site, &["send", "weekly", "--dry-run"], 0);
    assert_eq!(
        (&forecast["draft"], &forecast["segments"]),
        (&json!(1), &json!([]))
    );
    json(&site, &["send", "weekly", "--to", "boss@example.org"], 0);
    let mails = take_outbox(&site);
    assert_eq!(mails[0].slugs(&["one", "two", "three"]), ["one", "two"]);
    assert!(mails[0].text.contains("A word before."), "{}", mails[0].text);
    assert_eq!(json(&site, &["editions", "show", "1"], 0)["state"], "draft");
    // Nobody is shown a mail about nothing.
    for slug in ["one", "two"] {
        json(&site, &["editions", "drop", "1", slug], 0);
    }
    let again = site.path("again");
    for command in [
        &["send", "weekly", "--to", "boss@example.org"][..],
        &["preview", "weekly", "--out", again.to_str().unwrap()],
    ] {
        let said = json(&site, command, 1)["error"].as_str().unwrap().to_owned();
        assert!(said.contains("nothing is left in the draft 1"), "{said}");
    }
    assert!(take_outbox(&site).is_empty() && !again.exists());
}

/// Those who had a summary hear of its correction, whatever became of a second sending.
async fn a_dropped_sending_does_not_silence_a_later_correction(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    publish(&site, 0);
    site.empty_outbox();
    json(
        &site,
        &["subscribers", "add", "late@example.org", "--confirmed"],
        0,
    );
    site.configure("approve = true", "");
    json(&site, &["send", "weekly", "--only", "one"], 0);
    json(&site, &["editions", "drop", "2", "one"], 0);
    let emptied = site.run(&["editions", "approve", "2"]).expect_code(1);
    assert!(
        emptied.err.contains("nothing is left in the draft 2"),
        "{emptied:?}"
    );
    json(&site, &["editions", "cancel", "2"], 0);
    site.configure("", "");
    json(
        &site,
        &["summaries", "correct", "one", "--note", "A number was wrong."],
        0,
    );
    publish(&site, 0);
    assert_eq!(who_got_what(&site, &["one"]), ["ann@example.org: one"]);
}
