//! `kill -9` in the middle of an edition, again and again.

use crate::database::Database;
use crate::inbox::{Inbox, doubles};
use crate::site::{Site, said};
use std::process::{Child, Stdio};

const CONNECTIONS: usize = 8;
/// In one edition.
const MOST_KILLS: usize = 10;

/// Kills a `send` of edition `number` again and again, each time after the sink's record has grown by
/// a random part of what is left, and lets the last one end. Gives how many messages were sent twice.
fn survives(site: &mut Site, number: usize, readers: usize, kills: usize) -> usize {
    let inbox = Inbox::new();
    site.environment.truncate(1);
    inbox.receives_from(site, CONNECTIONS);
    site.summary(&format!("news-{number}"), "urology");
    let start = || -> Child {
        let mut command = site.command(&["send", "weekly", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut random = u64::try_from(number).unwrap();
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
    println!("edition {number}: killed at {killed_at:?}, {doubles} sent twice");
    assert_eq!(messages.len(), readers, "missing; {last:?}");
    assert!(
        doubles <= kills * CONNECTIONS,
        "{doubles} doubles after {kills} kills"
    );
    let edition = site.edition(i64::try_from(number).unwrap());
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
    doubles
}

/// A number that `scripts/kill-test.sh` sets, for more than there is time for in the suite.
fn set_by(name: &str) -> Option<usize> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number of kills or readers"))
}

async fn kills_lose_nothing(database: Database) {
    let (readers, kills) = if database.url.starts_with("sqlite:") {
        (20_000, 10)
    } else {
        (4_000, 4)
    };
    let readers = set_by("POSTRIDER_TEST_KILL_READERS").unwrap_or(readers);
    let kills = set_by("POSTRIDER_TEST_KILLS").unwrap_or(kills);
    let killing = move || {
        let mut site = Site::new();
        site.environment
            .push(("POSTRIDER_DATABASE".into(), database.url.clone()));
        site.many_readers(readers);
        let (mut number, mut left, mut doubles) = (0, kills, 0);
        while left > 0 {
            number += 1;
            let now = left.min(MOST_KILLS);
            doubles += survives(&mut site, number, readers, now);
            left -= now;
        }
        let kind = database.url.split(':').next().unwrap_or_default();
        println!("{kind}: {number} editions of {readers}, {kills} kills, 0 missing, {doubles} sent twice");
    };
    tokio::task::spawn_blocking(killing).await.unwrap();
}

crate::on_both!(kills_lose_nothing);
