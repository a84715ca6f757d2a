//! An admin's commands on an edition, and what is told of it.

use crate::account::{counts, delivery, edition, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use crate::mail::Mail;
use crate::ports::unused_port;
use crate::relay::{Act, Script, ScriptedRelay, say};
use crate::site::Site;
use serde_json::{Value, json};

on_both! {
    a_dead_address_is_told_of_and_left_out, what_is_held_waits_for_a_word, what_is_held_can_be_given_up,
    what_is_held_grows_too_old, a_paused_edition_holds_its_digest_up_until_it_goes_on,
    who_did_not_get_a_cancelled_edition_can_be_sent_it, a_retry_says_who_is_left_out, a_draft_can_be_given_up,
}

const READERS: [&str; 3] = ["ann@example.org", "bea@example.org", "cy@example.org"];

/// One summary and three readers.
fn site(database: &Database) -> Site {
    let site = site_on(database);
    site.summary("one", "urology");
    site.readers(&READERS.map(|address| (address, "")));
    site
}

fn set(site: &mut Site, name: &str, value: &str) {
    site.environment.retain(|(known, _)| known != name);
    site.environment.push((name.to_owned(), value.to_owned()));
}

fn start(site: &mut Site, script: Script) -> ScriptedRelay {
    let relay = ScriptedRelay::start(script);
    set(
        site,
        "POSTRIDER_RELAY",
        &format!("smtp://127.0.0.1:{}", relay.port),
    );
    relay
}

/// The relay is not there.
fn stop(site: &mut Site) {
    let nobody = format!("smtp://127.0.0.1:{}", unused_port());
    set(site, "POSTRIDER_RELAY", &nobody);
}

/// The Message-IDs of what came for `reader`, taken or not.
fn ids(relay: &ScriptedRelay, reader: &str) -> Vec<String> {
    relay.record(|record| {
        let messages = record.messages.iter().filter(|message| message.to == [reader]);
        messages
            .map(|message| Mail::read(&message.data).message_id)
            .collect()
    })
}

async fn a_dead_address_is_told_of_and_left_out(database: Database) {
    let mut site = site(&database);
    let gone = say("550 5.1.1 <bea@example.org>: no such user");
    let relay = start(
        &mut site,
        Script::default().on("RCPT", Act::Good).on("RCPT", gone),
    );
    let made = only_edition(&publish(&site, 0));
    assert_eq!(
        (&made["state"], counts(&made)),
        (&json!("finished"), [2, 0, 1, 0])
    );
    let shown = json(&site, &["subscribers", "show", "bea@example.org"], 0);
    assert_eq!(
        (&shown["state"], &shown["state_cause"]["cause"]),
        (&json!("bounced"), &json!("server"))
    );
    assert!(shown["state_cause"]["since"].is_string(), "{shown}");
    let told = site
        .run(&["subscribers", "show", "bea@example.org"])
        .expect_code(0);
    assert!(told.out.contains("by their mail server"), "{told:?}");
    assert!(
        told.out
            .contains("it refused edition 1 for good: 550 5.1.1 <bea@example.org>: no such user"),
        "{told:?}"
    );

    // Neither a list nor an admin brings the address back, and the next edition knows.
    site.readers(&[READERS[0], READERS[1], READERS[2], "dan@example.org"].map(|address| (address, "")));
    site.summary("two", "urology");
    let next = only_edition(&publish(&site, 0));
    assert_eq!((counts(&next), &next["audience"]), ([3, 0, 0, 0], &json!(3)));
    let said = site
        .run(&["subscribers", "add", "bea@example.org", "--confirmed"])
        .expect_code(1);
    assert!(said.err.contains("bounced"), "{said:?}");
    let retried = json(&site, &["editions", "retry", "1"], 0);
    assert_eq!(
        (&retried["retried"], &retried["left_out"]),
        (&json!(0), &json!({"bounced": 1}))
    );
    assert_eq!(relay.commands("RCPT").len(), 6);
}

/// The mail to the second reader may have arrived; it is held.
fn held(site: &mut Site) -> ScriptedRelay {
    set(site, "POSTRIDER_DELIVERY__UNCERTAIN", "hold");
    let script = Script::default().on("DOT", Act::Good).on("DOT", Act::Drop);
    let relay = start(site, script);
    let made = only_edition(&publish(site, 3));
    assert_eq!((&made["state"], counts(&made)), (&json!("waiting"), [2, 1, 0, 0]));
    assert_eq!(made["held"], 1);
    relay
}

async fn what_is_held_waits_for_a_word(database: Database) {
    let mut site = site(&database);
    let relay = held(&mut site);
    let account = edition(&site, 1);
    let row = delivery(&account, READERS[1]);
    assert_eq!(
        (&row["state"], &row["next_attempt"]),
        (&json!("uncertain"), &Value::Null)
    );
    // It waits for a person: nobody else waits for it.
    let said = site.run(&["publish", "--wait"]).expect_code(3);
    for words in [
        "1 held",
        "may have arrived",
        "editions retry 1",
        "editions cancel 1",
    ] {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    let said = site.run(&["status"]).expect_code(0);
    assert!(said.out.contains("edition 1: 1 held"), "{said:?}");
    let said = site.run(&["editions", "show", "1"]).expect_code(0);
    assert!(said.err.contains("edition 1: 1 held"), "{said:?}");
    site.summary("two", "urology");
    let next = publish(&site, 3);
    assert_eq!(next["digests"][0]["outcome"], "made", "{next:#}");
    assert_eq!(ids(&relay, READERS[1]).len(), 2);

    let retried = json(&site, &["editions", "retry", "1"], 0);
    assert_eq!(
        (counts(&retried), &retried["state"]),
        ([3, 0, 0, 0], &json!("finished"))
    );
    assert_eq!((&retried["retried"], &retried["held"]), (&json!(1), &json!(0)));
    let ids = ids(&relay, READERS[1]);
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[2], "the second try has the name of the first");
}

async fn what_is_held_can_be_given_up(database: Database) {
    let mut site = site(&database);
    let relay = held(&mut site);
    for given_up in [1, 0] {
        let cancelled = json(&site, &["editions", "cancel", "1"], 0);
        assert_eq!(
            (counts(&cancelled), &cancelled["state"]),
            ([2, 0, 0, 1], &json!("cancelled"))
        );
        assert_eq!(cancelled["excluded_by"], json!({"cancelled": 1}));
        assert_eq!(
            (&cancelled["given_up"], &cancelled["in_hand"]),
            (&json!(given_up), &json!(0))
        );
    }
    let said = json(&site, &["publish"], 0);
    assert_eq!(said["digests"][0]["outcome"], "nothing");
    assert_eq!(ids(&relay, READERS[1]).len(), 1);
    let said = site.run(&["editions", "retry", "1"]).expect_code(1);
    assert!(said.err.contains("edition 1 is cancelled"), "{said:?}");
}

async fn what_is_held_grows_too_old(database: Database) {
    let mut site = site(&database);
    let relay = held(&mut site);
    database.execute("UPDATE edition SET expires = planned").await;
    publish(&site, 0);
    let account = edition(&site, 1);
    assert_eq!(
        (&account["state"], counts(&account)),
        (&json!("finished"), [2, 0, 1, 0])
    );
    let row = delivery(&account, READERS[1]);
    assert_eq!(row["state"], "expired");
    assert!(
        row["text"].as_str().unwrap().starts_with("it may have arrived: "),
        "{row}"
    );
    let retried = json(&site, &["editions", "retry", "1"], 0);
    assert_eq!(counts(&retried), [3, 0, 0, 0]);
    assert_eq!(ids(&relay, READERS[1]).len(), 2);
}

async fn a_paused_edition_holds_its_digest_up_until_it_goes_on(database: Database) {
    let mut site = site(&database);
    stop(&mut site);
    publish(&site, 3);
    for _ in 0..2 {
        let paused = json(&site, &["editions", "pause", "1"], 0);
        assert_eq!(
            (&paused["state"], counts(&paused)),
            (&json!("paused"), [0, 3, 0, 0])
        );
    }
    let relay = start(&mut site, Script::default());
    site.summary("two", "urology");
    for arguments in [&["publish"][..], &["publish", "--wait"], &["send", "weekly"]] {
        let said = json(&site, arguments, 3);
        assert_eq!(
            (&said["digests"][0]["outcome"], &said["digests"][0]["edition"]),
            (&json!("paused"), &json!(1))
        );
    }
    let said = site.run(&["publish"]).expect_code(3);
    assert!(said.out.contains("editions resume 1"), "{said:?}");
    let forecast = json(&site, &["send", "weekly", "--dry-run"], 0);
    assert_eq!(
        (&forecast["under_way"], &forecast["paused"]),
        (&json!(1), &json!(true))
    );
    assert!(relay.taken().is_empty(), "it is paused");
    let status = json(&site, &["status"], 0);
    assert_eq!(status["editions"][0]["state"], "paused");

    let resumed = json(&site, &["editions", "resume", "1"], 0);
    assert_eq!(
        (&resumed["state"], counts(&resumed)),
        (&json!("finished"), [3, 0, 0, 0])
    );
    assert_eq!(texts(&only_edition(&publish(&site, 0))["summaries"]), ["two"]);
    assert_eq!(relay.taken().len(), 6);
    for (arguments, code, words) in [
        (["editions", "pause", "1"], 1, "edition 1 is finished"),
        (["editions", "resume", "1"], 1, "editions retry 1"),
        (["editions", "cancel", "2"], 1, "edition 2 is finished"),
        (["editions", "pause", "9"], 1, "there is no edition 9"),
        (["editions", "retry", "9"], 1, "there is no edition 9"),
        (["editions", "cancel", "last"], 2, "last"),
    ] {
        let said = site.run(&arguments).expect_code(code);
        assert!(said.err.contains(words), "{said:?}");
    }
}

async fn who_did_not_get_a_cancelled_edition_can_be_sent_it(database: Database) {
    let mut site = site(&database);
    let script = Script::default().on("RCPT", Act::Good);
    let script = script
        .on("RCPT", say("451 4.7.1 later"))
        .on("RCPT", say("451 4.7.1 later"));
    let relay = start(&mut site, script);
    assert_eq!(counts(&only_edition(&publish(&site, 3))), [1, 2, 0, 0]);
    let said = site.run(&["editions", "cancel", "1"]).expect_code(0);
    assert!(said.out.contains("send weekly --only"), "{said:?}");
    assert_eq!(
        publish(&site, 0)["editions"],
        json!([]),
        "its summaries are not repeated"
    );
    let sent = only_edition(&json(&site, &["send", "weekly", "--only", "one"], 0));
    assert_eq!(
        (counts(&sent), &sent["excluded_by"]),
        ([2, 0, 0, 1], &json!({"already_received": 1}))
    );
    let mut readers: Vec<_> = relay
        .taken()
        .iter()
        .flat_map(|message| message.to.clone())
        .collect();
    readers.sort();
    assert_eq!(readers, READERS);
}

async fn a_retry_says_who_is_left_out(database: Database) {
    let mut site = site(&database);
    let no = || say("554 5.7.1 blocked");
    let script = (0..3).fold(Script::default(), |script, _| script.on("RCPT", no()));
    let relay = start(&mut site, script);
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [0, 0, 3, 0]);
    let state = &json(&site, &["subscribers", "show", READERS[0]], 0)["state"];
    assert_eq!(state, "confirmed", "a refusal of ours says nothing of the reader");
    json(&site, &["subscribers", "remove", READERS[2]], 0);
    let said = site.run(&["editions", "retry", "1"]).expect_code(0);
    assert!(said.out.contains("edition 1: 2 to be sent again"), "{said:?}");
    assert!(
        said.out.contains("edition 1: 1 stay as they are: unsubscribed"),
        "{said:?}"
    );
    assert_eq!(counts(&edition(&site, 1)), [2, 0, 1, 0]);
    assert_eq!(relay.taken().len(), 2);
}

async fn a_draft_can_be_given_up(database: Database) {
    let site = site(&database);
    site.configure("approve = true", "");
    publish(&site, 0);
    let cancelled = json(&site, &["editions", "cancel", "1"], 0);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(publish(&site, 0)["digests"][0]["outcome"], "nothing");
    let said = site.run(&["editions", "approve", "1"]).expect_code(1);
    assert!(said.err.contains("edition 1 is cancelled"), "{said:?}");
    assert!(site.outbox().is_empty());
}
