//! "Delete me" on a reader's own page: the rows are gone when it answers, and the database's files are swept
//! soon, also when the process is killed in between.

use crate::account::site_on;
use crate::being_forgotten::{NAME, found, leave_traces, post, serve};
use crate::database::Database;
use crate::site::Site;
use postrider::config::load_or_create;
use postrider::domain::{Clock, Random, SystemClock, SystemRandom};
use postrider::subscriptions::token::{Key, Purpose, Signer};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

on_both! { a_kill_between_the_page_and_the_sweep_loses_nothing }

/// What the log says when it is done.
const SWEPT: &str = "what erased readers had left in the database's files is overwritten";
/// What it says when it has looked for nothing.
const NOT_DUE: &str = "nothing is to be swept now";

/// The path of the fresh link that deletes the reader `id`.
fn delete_link(site: &Site, id: i64) -> String {
    let random: Arc<dyn Random> = Arc::<SystemRandom>::default();
    let secrets = load_or_create(&site.path("data/secret"), &*random).unwrap();
    let keys = secrets.keys.iter().map(|key| Key {
        id: key.id,
        bytes: key.bytes,
        revoked: key.revoked,
    });
    let signer = Signer::new(&keys.collect::<Vec<_>>()).unwrap();
    let end = SystemClock.now().plus(Duration::from_secs(1800));
    let token = signer.short_lived_token(Purpose::Account, id, end);
    format!("/account/{token}/delete")
}

fn says(site: &Site, log: &str, what: &str) -> bool {
    fs::read_to_string(site.path(log)).unwrap().contains(what)
}

async fn wait_for(site: &Site, log: &str, what: &str) {
    let begun = Instant::now();
    while !says(site, log, what) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{log} never says: {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_kill_between_the_page_and_the_sweep_loses_nothing(database: Database) {
    let site = site_on(&database);
    assert_eq!(leave_traces(&site, &database).await.stop(), 0);
    let id = database
        .number(&format!("SELECT id FROM subscriber WHERE name = '{NAME}'"))
        .await;
    // A fresh one, which has looked whether there is anything to sweep and looks again only later.
    let server = serve(&site, "serve-page.log");
    wait_for(&site, "serve-page.log", NOT_DUE).await;
    let form = "application/x-www-form-urlencoded";
    let answer = post(&server, &delete_link(&site, id), form, "");
    assert!(answer.contains("Everything is deleted"), "{answer}");
    for promise in ["nothing about you any more", "go soon after"] {
        assert!(answer.contains(promise), "{promise}: {answer}");
    }
    // Killed at once. No connection of our own: closing it would fold SQLite's log back, and reading the files
    // beside it would take its locks away.
    drop(server);
    let left = found(&site, &database).await;
    assert_eq!(left.is_empty(), !database.url.starts_with("sqlite"), "{left:#?}");
    for place in left {
        assert!(place.contains("postrider.db"), "{place}");
    }
    assert!(!says(&site, "serve-page.log", SWEPT));
    let server = serve(&site, "serve-again.log");
    wait_for(&site, "serve-again.log", SWEPT).await;
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
    assert_eq!(server.stop(), 0);
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
    for gone in [
        format!("SELECT COUNT(*) FROM subscriber WHERE id = {id}"),
        "SELECT COUNT(*) FROM sweep WHERE due IS NOT NULL".to_owned(),
    ] {
        assert_eq!(database.number(&gone).await, 0, "{gone}");
    }
}
