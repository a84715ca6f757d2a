//! What the log says of deliveries, for programs that read it.

use crate::relay::{Script, ScriptedRelay, say};
use crate::site::{Site, said};
use serde_json::{Value, json};

#[test]
fn every_event_of_a_delivery_names_edition_reader_relay_and_code_and_no_address() {
    let site = Site::new();
    site.summary("one", "urology");
    let readers = ["ann@example.org", "bea@example.org", "cy@example.org"];
    site.readers(&readers.map(|address| (address, "")));
    let script = Script::default()
        .on("RCPT", say("450 4.2.0 <ann@example.org> is busy"))
        .on("RCPT", say("550 5.1.1 <bea@example.org> is unknown"));
    let relay = ScriptedRelay::start(script);
    let mut command = site.command(&["send", "weekly", "--yes"]);
    command
        .env("POSTRIDER_RELAY", format!("smtp://127.0.0.1:{}", relay.port))
        .env("POSTRIDER_LOG_FORMAT", "json")
        .env("RUST_LOG", "postrider=debug");
    let said = said(&command.output().unwrap()).expect_code(3);
    let events: Vec<Value> = said
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for (message, code, reader) in [
        ("delivery deferred", 450, 1),
        ("delivery failed", 550, 2),
        ("delivery sent", 250, 3),
    ] {
        let event = events.iter().find(|event| event["message"] == message);
        let event = event.unwrap_or_else(|| panic!("{message} is not in {events:#?}"));
        for (field, value) in [
            ("edition", json!(1)),
            ("subscriber", json!(reader)),
            ("relay", json!("relay")),
            ("code", json!(code)),
        ] {
            assert_eq!(event[field], value, "{field} of {event}");
        }
        assert!(
            event["said"].as_str().unwrap().starts_with(&code.to_string()),
            "{event}"
        );
        assert!(
            event["timestamp"].is_string() && event["level"].is_string(),
            "{event}"
        );
    }
    for address in readers {
        assert!(!said.err.contains(address), "{}", said.err);
    }
    // The ledger, which is for admins, has the relay's words whole.
    let account = site.edition(1).to_string();
    assert!(account.contains("<ann@example.org> is busy"), "{account}");
}
