//! The program itself: asked to stop, killed at the worst moment, and with relays that are down.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::inbox::Inbox;
use crate::ports::unused_port;
use crate::programs::wait_until;
use crate::site::{Site, said};
use crate::world::{assert_everybody, per_reader};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

pub fn signal(name: &str, pid: u32) {
    let asked = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(asked.unwrap().success());
}

/// A site on `database` with readers and one summary, whose only relay listens at `port`.
pub fn site(database: &Database, readers: usize, port: u16, connections: usize) -> Site {
    let mut site = Site::new();
    site.many_readers(readers);
    site.summary("news", "urology");
    for (name, value) in [
        ("POSTRIDER_DATABASE", database.url.clone()),
        ("POSTRIDER_RELAY", format!("smtp://127.0.0.1:{port}")),
        ("POSTRIDER_DELIVERY__CONNECTIONS", connections.to_string()),
    ] {
        site.environment.push((name.to_owned(), value));
    }
    site
}

/// SIGTERM: what is in flight ends and is recorded, and the next run sends just the rest.
async fn a_request_to_stop_loses_and_repeats_nothing(database: Database) {
    const READERS: usize = 3_000;
    let inbox = Inbox::new();
    let mut site = site(&database, READERS, 0, 1);
    site.environment.truncate(1);
    inbox.receives_from(&mut site, 8);
    let mut command = site.command(&["send", "weekly", "--yes"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    inbox.grows_beyond(500);
    signal("-TERM", child.id());
    said(&child.wait_with_output().unwrap()).expect_code(3);
    let (sent, waiting) = (inbox.messages().len(), site.edition(1));
    assert!(sent < READERS, "it did not stop");
    assert_eq!(
        (&waiting["sent"], &waiting["waiting"]),
        (&sent.into(), &(READERS - sent).into())
    );
    site.run(&["send", "weekly", "--yes"]).expect_code(0);
    let messages = inbox.messages();
    assert_eq!(messages.len(), READERS);
    assert!(messages.values().all(|to| to.len() == 1));
    assert_eq!(site.edition(1)["sent"], READERS);
}

/// Killed when a final dot has left and its answer has not come: that message alone is repeated.
async fn a_kill_at_the_final_dot_repeats_that_message_alone(database: Database) {
    const READERS: usize = 5;
    let victim = Arc::new(Mutex::new(0));
    let pid = Arc::clone(&victim);
    let relay = Hooked::start(move |moment| {
        if moment.at == At::Dot && moment.number % 2 == 1 {
            let pid = *pid.lock().unwrap();
            signal("-KILL", pid);
            wait_until("it is dead", || {
                // A zombie, or waited for already.
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
                stat.map_or(true, |stat| stat.contains(") Z "))
            });
        }
        None
    });
    let site = site(&database, READERS, relay.port, 1);
    let mut killed = 0;
    let code = loop {
        let mut victim = victim.lock().unwrap();
        let mut command = site.command(&["send", "weekly", "--yes"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        *victim = child.id();
        drop(victim);
        match child.wait().unwrap().code() {
            None => killed += 1,
            Some(code) => break code,
        }
    };
    assert_eq!((killed, code), (READERS, 0));
    let counts = per_reader(&relay.taken());
    assert_eq!(counts.len(), READERS);
    assert!(counts.values().all(|&count| count == 2), "{counts:?}");
    assert_eq!(site.edition(1)["sent"], READERS);
}

/// One relay is down: the other takes everything, and the run is a success.
#[test]
fn a_dead_relay_does_not_keep_a_living_one_from_working() {
    let relay = Hooked::start(|_| None);
    let site = Site::new();
    site.many_readers(1_200);
    site.summary("news", "urology");
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let relays = format!(
        "[[relay]]\nname = \"dead\"\nurl = \"smtp://127.0.0.1:{}\"\n[[relay]]\nname = \"alive\"\nurl = \"smtp://127.0.0.1:{}\"\n",
        unused_port(),
        relay.port
    );
    let outbox = "[[relay]]\nname = \"outbox\"\nurl = \"outbox:outbox\"\n";
    site.write("config.toml", &config.replace(outbox, &relays));
    site.run(&["send", "weekly", "--yes"]).expect_code(0);
    assert_everybody(&relay.taken(), 1_200, 0);
    let edition = site.edition(1);
    assert_eq!(
        (&edition["state"], &edition["sent"]),
        (&"finished".into(), &1_200.into())
    );
    let deliveries = edition["deliveries"].as_array().unwrap();
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery["relay"] == "alive" && delivery["attempts"] == 1)
    );
}

/// With `--wait` an edition waits for its relay, and goes out when that is back.
#[test]
fn an_edition_waits_for_its_relay() {
    let database = Database::sqlite();
    let port = unused_port();
    let site = site(&database, 20, port, 2);
    site.run(&["send", "weekly", "--yes"]).expect_code(3);
    let state = site.edition(1);
    assert_eq!(
        (&state["state"], &state["waiting"]),
        (&"waiting".into(), &20.into())
    );
    assert!(state["trouble"].as_str().unwrap().contains("relay"), "{state}");
    let mut command = site.command(&["send", "weekly", "--yes", "--wait"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has found nobody there.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("relay can't be used now")));
    let relay = Hooked::listen(TcpListener::bind(("127.0.0.1", port)).unwrap(), |_| None);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "{:?}",
        lines.collect::<Vec<_>>()
    );
    assert_everybody(&relay.taken(), 20, 0);
    let state = site.edition(1);
    assert_eq!(
        (&state["state"], &state["trouble"]),
        (&"finished".into(), &serde_json::Value::Null)
    );
}

crate::on_both!(
    a_request_to_stop_loses_and_repeats_nothing,
    a_kill_at_the_final_dot_repeats_that_message_alone,
);
