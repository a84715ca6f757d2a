//! What relays do wrong, through the whole program: the ledger is right, and in the end everyone has one mail.

use crate::account::{counts, delivery, edition, json, only_edition, publish, texts};
use crate::mail::Mail;
use crate::relay::{Act, Script, ScriptedRelay, say};
use crate::site::Site;
use serde_json::{Value, json};
use std::net::TcpListener;

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
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("smtp://127.0.0.1:{}", listener.local_addr().unwrap().port())
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
fn a_relay_that_cannot_be_used_leaves_the_edition_waiting() {
    let refused = |place, line: &str| {
        let act = Act::SayAndDrop(format!("{line}\r\n").into_bytes());
        // One for each connection that may try before the relay counts as down.
        (0..8).fold(Script::default(), |script, _| script.on(place, act.clone()))
    };
    let auth = Script::default().offering(&["AUTH PLAIN"]);
    let cases = [
        ("down", None, "", "refused"),
        (
            "greeting",
            Some(refused("CONNECT", "554 5.7.1 go away")),
            "",
            "554 5.7.1 go away",
        ),
        (
            "EHLO",
            Some(refused("EHLO", "550 5.7.1 not you")),
            "",
            "550 5.7.1 not you",
        ),
        ("AUTH", Some(auth), "user:wrong@", "535 5.7.8 who?"),
        (
            "MAIL",
            Some(refused("MAIL", "550 5.7.1 not from there")),
            "",
            "550 5.7.1 not from there",
        ),
        (
            "421",
            Some(refused("CONNECT", "421 4.3.2 closing")),
            "",
            "421 4.3.2 closing",
        ),
    ];
    for (name, script, login, why) in cases {
        let mut site = site();
        match script {
            Some(script) => {
                let port = ScriptedRelay::start(script).port;
                use_relay(&mut site, &format!("smtp://{login}127.0.0.1:{port}"));
            }
            None => use_relay(&mut site, &nobody()),
        }
        let made = only_edition(&publish(&site, 3));
        assert_eq!(
            (&made["state"], counts(&made)),
            (&json!("waiting"), [0, 3, 0, 0]),
            "{name}"
        );
        let trouble = made["trouble"].as_str().unwrap();
        assert!(
            trouble.contains("relay \"relay\"") && trouble.contains(why),
            "{name}: {trouble}"
        );
        assert!(!trouble.contains("wrong"), "{name}: {trouble}");
        for reader in READERS {
            assert_eq!(delivery(&edition(&site, 1), reader)["attempts"], 0, "{name}");
        }
        let said = site.run(&["publish"]).expect_code(3);
        assert!(said.err.contains(why), "{name}: {said:?}");
        let status = json(&site, &["status"], 0);
        assert_eq!(status["editions"][0]["trouble"], made["trouble"], "{name}");
        let (relay, account) = mend(&mut site);
        assert_eq!(counts(&account), [3, 0, 0, 0], "{name}");
        assert_each_once(&relay, &account, &READERS);
    }
}

#[test]
fn a_message_that_is_put_off_goes_with_a_later_run() {
    let cases = [
        ("RCPT", say("451 4.7.1 come back"), "waiting", json!(451)),
        ("DATA", say("452 4.3.1 no room"), "waiting", json!(452)),
        ("DOT", say("451 4.3.0 later"), "waiting", json!(451)),
        (
            "RCPT",
            Act::SayAndDrop(b"421 4.3.2 closing\r\n".to_vec()),
            "waiting",
            json!(421),
        ),
        ("RCPT", Act::Hang, "waiting", json!(null)),
        ("DATA", Act::Drop, "waiting", json!(null)),
        // Message and final dot leave in one write: the relay may have both.
        ("BODY", Act::Drop, "uncertain", json!(null)),
        ("DOT", Act::Drop, "uncertain", json!(null)),
        ("DOT", Act::Hang, "uncertain", json!(null)),
    ];
    for (place, act, state, code) in cases {
        let name = format!("{place} {act:?}");
        let mut site = site();
        let relay = start(&mut site, Script::default().on(place, Act::Good).on(place, act));
        let made = only_edition(&publish(&site, 3));
        assert_eq!(
            (&made["state"], counts(&made)),
            (&json!("waiting"), [2, 1, 0, 0]),
            "{name}"
        );
        let account = edition(&site, 1);
        let row = delivery(&account, READERS[1]);
        assert_eq!(
            (&row["state"], &row["code"], &row["attempts"]),
            (&json!(state), &code, &json!(1)),
            "{name}"
        );
        assert!(
            row["text"].is_string() && row["next_attempt"].is_string(),
            "{name}: {row}"
        );
        let done = only_edition(&json(&site, &["publish", "--wait"], 0));
        assert_eq!(
            (&done["state"], counts(&done)),
            (&json!("finished"), [3, 0, 0, 0]),
            "{name}"
        );
        let after = edition(&site, 1);
        assert_eq!(delivery(&after, READERS[1])["attempts"], 2, "{name}");
        assert_eq!(
            delivery(&after, READERS[1])["message_id"],
            row["message_id"],
            "{name}"
        );
        assert_each_once(&relay, &after, &READERS);
        // The same message, known by its Message-ID, where the first may have arrived.
        let to_bea = relay.record(|record| {
            let messages = record
                .messages
                .iter()
                .filter(|message| message.to == [READERS[1]]);
            messages
                .map(|message| Mail::read(&message.data).message_id)
                .collect::<Vec<_>>()
        });
        assert_eq!(to_bea.len(), if place == "DOT" { 2 } else { 1 }, "{name}");
        assert!(to_bea.iter().all(|id| *id == to_bea[0]), "{name}: {to_bea:?}");
    }
}

#[test]
fn a_refused_reader_costs_nobody_else() {
    for (place, line, code) in [
        ("RCPT", "550 5.1.1 <bea@example.org>: no such user", 550),
        ("DOT", "554 5.7.1 this looks like advertising", 554),
    ] {
        let mut site = site();
        let relay = start(
            &mut site,
            Script::default().on(place, Act::Good).on(place, say(line)),
        );
        let made = only_edition(&publish(&site, 0));
        assert_eq!(
            (&made["state"], counts(&made)),
            (&json!("finished"), [2, 0, 1, 0]),
            "{place}"
        );
        let account = edition(&site, 1);
        let row = delivery(&account, READERS[1]);
        assert_eq!((&row["state"], &row["code"]), (&json!("failed"), &json!(code)));
        assert!(line.ends_with(row["text"].as_str().unwrap()), "{row}");
        assert_each_once(&relay, &account, &[READERS[0], READERS[2]]);
        assert_eq!(publish(&site, 0)["editions"], json!([]));
        assert_eq!(relay.taken().len(), 2);
        let said = site
            .run(&["editions", "show", "1", "--deliveries"])
            .expect_code(0);
        assert!(said.out.contains(&code.to_string()), "{said:?}");
    }
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
