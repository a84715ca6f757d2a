//! When no edition is made, when one is all the same, and what does not count.

use crate::account::{counts, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use crate::relay::{Script, ScriptedRelay, say};
use serde_json::json;

on_both! {
    nobody_uses_an_edition_up, a_named_sending_is_not_the_first_edition,
    what_was_retracted_while_a_draft_waited_goes_to_nobody, a_slow_mailbox_holds_no_digest_up,
}

async fn nobody_uses_an_edition_up(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    let said = publish(&site, 0);
    assert_eq!(said["digests"][0]["outcome"], "no_readers", "{said:#}");
    assert_eq!(said["editions"], json!([]));
    site.readers(&[("ann@example.org", "")]);
    assert_eq!(texts(&only_edition(&publish(&site, 0))["summaries"]), ["one"]);
}

async fn a_named_sending_is_not_the_first_edition(database: Database) {
    let site = site_on(&database);
    site.configure("first_edition_items = 1", "");
    site.readers(&[("ann@example.org", "")]);
    for slug in ["one", "two", "three"] {
        site.summary(slug, "urology");
    }
    json(&site, &["send", "weekly", "--only", "one"], 0);
    assert_eq!(texts(&only_edition(&publish(&site, 0))["summaries"]).len(), 1);
    // The other one is skipped for good.
    assert_eq!(publish(&site, 0)["editions"], json!([]));
}

async fn what_was_retracted_while_a_draft_waited_goes_to_nobody(database: Database) {
    let site = site_on(&database);
    site.configure("approve = true", "");
    site.readers(&[("ann@example.org", "")]);
    site.summary("kept", "urology");
    site.summary("gone", "urology");
    publish(&site, 0);
    json(
        &site,
        &["summaries", "retract", "gone", "--note", "It was wrong."],
        0,
    );
    let approved = json(&site, &["editions", "approve", "1"], 0);
    assert_eq!(texts(&approved["summaries"]), ["kept"]);
    assert_eq!(
        publish(&site, 0)["editions"],
        json!([]),
        "nobody had it, so nobody is told"
    );
}

async fn a_slow_mailbox_holds_no_digest_up(database: Database) {
    let mut site = site_on(&database);
    let path = site.path("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let patient = text.replace(
        "retry_first = \"1s\"\nretry_max = \"2s\"",
        "retry_first = \"1h\"\nretry_max = \"1h\"",
    );
    assert_ne!(text, patient);
    std::fs::write(&path, patient).unwrap();
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "")]);
    site.summary("one", "urology");
    let relay = ScriptedRelay::start(Script::default().on("RCPT", say("452 4.2.2 full")));
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    site.environment.push(("POSTRIDER_RELAY".to_owned(), url));
    assert_eq!(counts(&only_edition(&publish(&site, 3))), [1, 1, 0, 0]);
    assert_eq!(publish(&site, 3)["digests"][0]["outcome"], "resumed");

    site.summary("two", "urology");
    let said = publish(&site, 3);
    assert_eq!(said["digests"][0]["outcome"], "made", "{said:#}");
    let states: Vec<_> = said["editions"].as_array().unwrap().iter().map(counts).collect();
    assert_eq!(states, [[1, 1, 0, 0], [2, 0, 0, 0]]);
    assert_eq!(relay.taken().len(), 3);
}
