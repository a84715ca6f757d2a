//! Round trips, counted and not timed: how often relay and program wait for each other.

use crate::relay::{Script, ScriptedRelay};
use crate::site::Site;
use std::time::Duration;

const READERS: usize = 200;

/// Sends an edition over one connection; the round trips it took.
fn flights(script: Script) -> usize {
    let relay = ScriptedRelay::start(script);
    let mut site = Site::new();
    site.summary("one", "urology");
    site.many_readers(READERS);
    for (name, value) in [
        ("POSTRIDER_RELAY", format!("smtp://127.0.0.1:{}", relay.port)),
        ("POSTRIDER_DELIVERY__CONNECTIONS", "1".to_owned()),
    ] {
        site.environment.push((name.to_owned(), value));
    }
    site.run(&["publish"]).expect_code(0);
    assert_eq!(relay.taken().len(), READERS);
    relay.record(|record| {
        assert_eq!(record.too_early, [] as [String; 0]);
        record.flights
    })
}

/// The relay says nothing to a message before it has the next one's DATA: whoever waits for an answer
/// in between costs a round trip more. It is patient: a machine that is busy must not look like that.
#[test]
fn a_message_costs_one_round_trip_where_commands_may_be_pipelined() {
    let flights = flights(Script::default().holding(Duration::from_secs(1)));
    assert!(flights * 10 <= READERS * 11, "{flights} for {READERS} messages");
}

/// MAIL, RCPT, DATA and the message are answered one by one.
#[test]
fn a_message_costs_four_round_trips_elsewhere() {
    let flights = flights(Script::default().offering(&["8BITMIME"]));
    assert!(flights >= READERS * 4, "{flights} for {READERS} messages");
    assert!(flights * 10 <= READERS * 41, "{flights} for {READERS} messages");
}
