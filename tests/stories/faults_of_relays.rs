//! What relays do wrong, through the whole program: the ledger is right, and in the end everyone has one mail.

use crate::account::{counts, delivery, edition, json, only_edition, publish, texts};
use crate::mail::Mail;
use crate::ports::unused_port;
use crate::relay::{Act, Script, ScriptedRelay, say};
use crate::site::Site;
use serde_json::{Value, json};

const READERS: [&str; 3] = ["ann@example.org", "bea@example.org", "cy@example.org"];

/// One summary and three readers.
fn site() -> Site {
    let mut site = Site::new();
    site.summary("one", "urology");
    site.readers(&READERS.map(|address| (address, "")));
    site.environment
        .push(("POSTRIDER_DELIVERY__TIMEOUT".to_owned(), "1s".to_owned()));
    site
}

fn use_relay(site: &mut Site, url: &str) {
    site.environment.retain(|(name, _)| name != "POSTRIDER_RELAY");
    site.environment
        .push(("POSTRIDER_RELAY".to_owned(), url.to_owned()));
}

fn start(site: &mut Site, script: Script) -> ScriptedRelay {
    let relay = ScriptedRelay::start(script);
    use_relay(site, &format!("smtp://127.0.0.1:{}", relay.port));
    relay
}

/// The address of a relay that is not there.
fn nobody() -> String {
    format!("smtp://127.0.0.1:{}", unused_port())
}

/// Fails the test unless each of `readers` has taken one message, with the Message-ID of the ledger.
fn assert_each_once(relay: &ScriptedRelay, account: &Value, readers: &[&str]) {
    let mut got: Vec<_> = relay
        .taken()
        .iter()
        .map(|message| {
            let mail = Mail::read(&message.data);
            assert_eq!(message.to, std::slice::from_ref(&mail.to));
            let id = delivery(account, &mail.to)["message_id"].as_str().unwrap();
            assert_eq!(id.trim_matches(['<', '>']), mail.message_id);
            mail.to
        })
        .collect();
    got.sort();
    assert_eq!(got, readers);
}

/// Delivers what waits through a good relay.
fn mend(site: &mut Site) -> (ScriptedRelay, Value) {
    let relay = start(site, Script::default());
    let said = publish(site, 0);
    assert_eq!(said["digests"][0]["outcome"], "resumed");
    assert_eq!(only_edition(&said)["trouble"], Value::Null);
    let account = edition(site, 1);
    (relay, account)
}

#[test]
fn what_waits_goes_first_and_is_not_planned_twice() {
    let mut site = site();
    site.configure(
        "",
        "[[digest]]\nname = \"monthly\"\ntitle = \"Monthly digest\"\nschedule = \"\"\n",
    );
    use_relay(&mut site, &nobody());
    json(&site, &["publish", "weekly"], 3);
    site.summary("two", "urology");
    let said = json(&site, &["send", "weekly"], 3);
    assert_eq!(
        (&said["digests"][0]["outcome"], &said["digests"][0]["edition"]),
        (&json!("resumed"), &json!(1))
    );
    let forecast = json(&site, &["send", "weekly", "--dry-run"], 0);
    assert_eq!(forecast["under_way"], 1);
    // A chosen summary does not wait for the edition that is under way.
    json(&site, &["send", "weekly", "--only", "one"], 3);
    json(&site, &["send", "weekly", "--only", "two"], 3);
    assert_eq!(
        json(&site, &["editions"], 0).as_array().unwrap().len(),
        2,
        "nobody is left for a second time of one"
    );

    // Another digest's run delivers what is due from earlier editions.
    let relay = start(&mut site, Script::default());
    let said = json(&site, &["publish", "monthly"], 0);
    let reports = said["editions"].as_array().unwrap();
    let sent: Vec<_> = reports
        .iter()
        .map(|report| (texts(&report["summaries"]), counts(report)))
        .collect();
    // Nobody reads the monthly digest.
    assert_eq!(
        sent[..2],
        [(vec!["one"], [3, 0, 0, 0]), (vec!["two"], [3, 0, 0, 0])]
    );
    assert_eq!(relay.taken().len(), 6);
    json(&site, &["publish", "weekly"], 0);
    assert_eq!(relay.taken().len(), 6);
}

#[test]
fn an_edition_that_grows_too_old_fails_and_ends() {
    let mut site = site();
    site.environment
        .push(("POSTRIDER_DELIVERY__MAX_AGE".to_owned(), "2s".to_owned()));
    use_relay(&mut site, &nobody());
    let made = only_edition(&json(&site, &["publish", "--wait"], 0));
    assert_eq!(
        (&made["state"], counts(&made)),
        (&json!("finished"), [0, 0, 3, 0])
    );
    let account = edition(&site, 1);
    assert_eq!(delivery(&account, READERS[0])["state"], "expired");
    let relay = start(&mut site, Script::default());
    publish(&site, 0);
    assert!(relay.taken().is_empty(), "an expired delivery was sent");
}

/// Trouble is what stops an edition now, not what stopped it once.
#[test]
fn trouble_that_is_over_is_not_told_any_more() {
    let mut site = site();
    use_relay(&mut site, &nobody());
    assert!(only_edition(&publish(&site, 3))["trouble"].is_string());
    start(
        &mut site,
        Script::default()
            .on("RCPT", Act::Good)
            .on("RCPT", say("451 4.7.1 later")),
    );
    let made = only_edition(&publish(&site, 3));
    assert_eq!((counts(&made), &made["trouble"]), ([2, 1, 0, 0], &Value::Null));
}

/// Who leaves while their mail waits is excluded, and counted.
#[test]
fn who_leaves_after_planning_is_excluded() {
    let mut site = site();
    use_relay(&mut site, &nobody());
    publish(&site, 3);
    json(&site, &["subscribers", "remove", READERS[1]], 0);
    let (relay, account) = mend(&mut site);
    assert_eq!(counts(&account), [2, 0, 0, 1]);
    assert_eq!(account["excluded_by"], json!({"unsubscribed": 1}));
    assert_each_once(&relay, &account, &[READERS[0], READERS[2]]);
}
