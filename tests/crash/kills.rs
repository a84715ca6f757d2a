//! `kill -9` in the middle of an edition, again and again.

use crate::database::Database;
use crate::inbox::{Inbox, doubles};
use crate::site::{Site, said};
use std::process::{Child, Stdio};

const CONNECTIONS: usize = 8;

/// Kills a `send` again and again, each time after the sink's record has grown by a random part of
/// what is left, and lets the last one end.
fn survives(database: &Database, readers: usize, kills: usize, seed: u64) {
    let inbox = Inbox::new();
    let mut site = Site::new();
    site.environment
        .push(("POSTRIDER_DATABASE".into(), database.url.clone()));
    inbox.receives_from(&mut site, CONNECTIONS);
    site.many_readers(readers);
    site.summary("news", "urology");
    let start = || -> Child {
        let mut command = site.command(&["send", "weekly", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut random = seed;
    let mut killed_at = Vec::new();
    for left in (1..=kills).rev() {
        let mut child = start();
        let share = (readers - inbox.count()) / (left + 1);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let growth = 1 + usize::try_from(random >> 33).unwrap() % share;
        inbox.grows_beyond(inbox.count() + growth);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended by itself: {status}");
        killed_at.push(inbox.count());
    }
    let last = said(&start().wait_with_output().unwrap()).expect_code(0);
    let messages = inbox.messages();
    let doubles = doubles(&messages);
    println!("seed {seed}: killed at {killed_at:?}, {doubles} sent twice");
    assert_eq!(messages.len(), readers, "missing; {last:?}");
    assert!(
        doubles <= kills * CONNECTIONS,
        "{doubles} doubles after {kills} kills"
    );
    let edition = site.edition(1);
    for (name, count) in [
        ("audience", readers),
        ("sent", readers),
        ("waiting", 0),
        ("failed", 0),
        ("excluded", 0),
    ] {
        assert_eq!(edition[name], count, "{name}");
    }
    assert_eq!(edition["state"], "finished");
    let deliveries = edition["deliveries"].as_array().unwrap();
    assert!(
        deliveries
            .iter()
            .all(|delivery| messages.contains_key(delivery["message_id"].as_str().unwrap()))
    );
}

async fn kills_lose_nothing(database: Database) {
    let (readers, kills) = if database.url.starts_with("sqlite:") {
        (20_000, 10)
    } else {
        (4_000, 4)
    };
    tokio::task::spawn_blocking(move || survives(&database, readers, kills, 1))
        .await
        .unwrap();
}

crate::on_both!(kills_lose_nothing);
