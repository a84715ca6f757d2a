//! Every row of the table, with a relay that offers PIPELINING and with one that does not.

use crate::account::{delivery, edition, json, only_edition};
use crate::faults::{Fault, fault};
use crate::mail::Mail;
use crate::ports::unused_port;
use crate::relay::{Received, Script, ScriptedRelay};
use crate::site::Site;
use crate::table::{Met, Row, rows};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

/// In the order in which they are served.
const READERS: [&str; 5] = [
    "ann@example.org",
    "bea@example.com",
    "cy@example.org",
    "dee@example.com",
    "eve@example.org",
];
/// How many rows are tried at a time; most of them wait.
const SIDE_BY_SIDE: usize = 6;

fn site() -> Site {
    let mut site = Site::new();
    site.summary("one", "urology");
    site.readers(&READERS.map(|address| (address, "")));
    for (key, value) in [
        ("TIMEOUT", "2s"),
        ("CONNECTIONS", "1"),
        // Longer than the rest of a run takes, so that nothing is tried twice in it.
        ("RETRY_FIRST", "3s"),
        ("RETRY_MAX", "3s"),
    ] {
        site.environment
            .push((format!("POSTRIDER_DELIVERY__{key}"), value.to_owned()));
    }
    site
}

fn use_relay(site: &mut Site, fault: &Fault, port: u16) {
    let url = format!("smtp://{}localhost:{port}{}", fault.login, fault.query);
    site.environment.retain(|(name, _)| name != "POSTRIDER_RELAY");
    site.environment.push(("POSTRIDER_RELAY".to_owned(), url));
}

/// Two runs of `publish`, the first with the fault and the second without.
fn holds(row: &Row, pipelining: bool) {
    let mut fault = fault(&row.what);
    let mut offers = fault.offers.to_vec();
    if pipelining {
        offers.push("PIPELINING");
    }
    let relay = ScriptedRelay::start(std::mem::take(&mut fault.script).offering(&offers));
    let mut site = site();
    let port = if fault.absent { unused_port() } else { relay.port };
    use_relay(&mut site, &fault, port);

    let made = only_edition(&json(&site, &["publish"], row.exit));
    let first = edition(&site, 1);
    check_first(row, &first);
    check_relay(row, &fault, &made, &relay);
    if row.relay == "down" {
        let status = json(&site, &["status"], 0);
        assert_eq!(status["editions"][0]["trouble"], made["trouble"]);
    }

    relay.heal("wrong");
    let healed = if fault.absent || !fault.query.is_empty() {
        fault = Fault::default();
        let healed = ScriptedRelay::start(Script::default());
        use_relay(&mut site, &fault, healed.port);
        healed
    } else {
        relay.clone()
    };
    json(&site, &["publish", "--wait"], 0);
    let last = edition(&site, 1);
    assert_eq!(
        (&last["state"], &last["trouble"]),
        (&json!("finished"), &Value::Null)
    );
    check_last(
        row,
        &last,
        &first,
        &healed.record(|record| record.messages.clone()),
    );
    let list = site.run(&["subscribers", "export"]).expect_code(0).out;
    for (number, address) in READERS.iter().enumerate() {
        let met = met(row, number + 1).is_some();
        let wanted = if met { row.reader.as_str() } else { "confirmed" };
        let line = list.lines().find(|line| line.starts_with(address)).unwrap();
        assert_eq!(line.split(',').nth(4), Some(wanted), "{line}");
    }
    for relay in [relay, healed] {
        relay.record(|record| assert_eq!(record.too_early, [] as [String; 0]));
    }
}

fn met(row: &Row, number: usize) -> Option<&Met> {
    row.met.iter().find(|met| met.readers.contains(&number))
}

/// The ledger after the run that met the trouble.
fn check_first(row: &Row, account: &Value) {
    for (number, address) in READERS.iter().enumerate() {
        let found = delivery(account, address);
        let (state, attempts, code) = match met(row, number + 1) {
            Some(met) => (met.state.as_str(), met.attempts, met.code),
            None => ("sent", 1, Some(250)),
        };
        assert_eq!(
            (&found["state"], &found["attempts"], &found["code"]),
            (&json!(state), &json!(attempts), &json!(code)),
            "{address}: {found:#}"
        );
        assert_eq!(
            found["text"].is_null(),
            attempts == 0 || is_bare(row, code),
            "{found:#}"
        );
    }
}

/// Whether the relay gives no words with this code.
fn is_bare(row: &Row, code: Option<i64>) -> bool {
    row.what.contains("bare 550") && code == Some(550)
}

/// What the edition says of the relay, and what the relay saw.
fn check_relay(row: &Row, fault: &Fault, made: &Value, relay: &ScriptedRelay) {
    match row.relay.as_str() {
        "usable" => assert_eq!(made["trouble"], Value::Null),
        "down" => {
            let trouble = made["trouble"].as_str().expect("a trouble");
            assert!(trouble.contains(fault.trouble), "{trouble}");
            assert!(
                trouble.contains("relay \"relay\"") && !trouble.contains("wrong"),
                "{trouble}"
            );
        }
        other => panic!("no such state of a relay: {other}"),
    }
    relay.record(|record| {
        let (connections, begun) = (record.connections, record.transactions > 0);
        let fits = match row.connection.as_str() {
            "kept" | "closed" => connections == 1 && begun,
            "lost" => connections > 1 && begun,
            "none" => !begun,
            other => panic!("no such fate of a connection: {other}"),
        };
        assert!(
            fits,
            "{connections} connections, {} transactions",
            record.transactions
        );
        assert!(record.messages.iter().all(|message| !message.to.is_empty()));
    });
    // Where TLS is asked for nothing goes without it.
    if fault.query.contains("required") {
        assert_eq!(relay.commands(""), ["EHLO site.example.org", "STARTTLS"]);
    }
}

/// The ledger and the relay's record in the end.
fn check_last(row: &Row, account: &Value, first: &Value, received: &[Received]) {
    for (number, address) in READERS.iter().enumerate() {
        let found = delivery(account, address);
        let (state, messages) = match met(row, number + 1) {
            Some(met) => (met.then.as_str(), met.messages),
            None => ("sent", 1),
        };
        assert_eq!(found["state"], state, "{address}: {found:#}");
        let before = delivery(first, address);
        assert!(before["attempts"] == 0 || before["message_id"] == found["message_id"]);
        let id = found["message_id"].as_str().unwrap().trim_matches(['<', '>']);
        let to_them: Vec<&Received> = received.iter().filter(|mail| mail.to == [*address]).collect();
        assert_eq!(to_them.len(), messages, "whole messages to {address}");
        let taken = to_them.iter().filter(|mail| mail.taken).count();
        let most = if before["state"] == "uncertain" {
            messages
        } else {
            1
        };
        let wanted = if state == "sent" { 1..=most } else { 0..=0 };
        assert!(wanted.contains(&taken), "taken {taken} times for {address}");
        for message in to_them {
            let mail = Mail::read(&message.data);
            assert_eq!((mail.to.as_str(), mail.message_id.as_str()), (*address, id));
        }
    }
}

fn all_rows_hold(pipelining: bool) {
    let rows = Mutex::new(rows().into_iter());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = rows.lock().unwrap().next();
                    let Some(row) = next else { break };
                    if catch_unwind(AssertUnwindSafe(|| holds(&row, pipelining))).is_err() {
                        eprintln!("^^^ a relay that {} (pipelining: {pipelining})", row.what);
                        broken.lock().unwrap().push(row.what);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "these rows of docs/relays.md do not hold: {broken:#?}"
    );
}

#[test]
fn the_table_holds_with_pipelining() {
    all_rows_hold(true);
}

#[test]
fn the_table_holds_step_by_step() {
    all_rows_hold(false);
}

#[test]
fn the_table_has_every_row_once() {
    let rows = rows();
    let names: HashSet<&str> = rows.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.len() >= 50, "{} rows", rows.len());
}
