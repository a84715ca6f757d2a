//! "Delete me" on a reader's own page: the rows are gone when it answers, and the database's files are swept
//! soon, also when the process is killed in between.

use crate::being_forgotten::{ADDRESS, NAME, found, leave_traces, post, serve};
use crate::database::Database;
use postrider::config::load_or_create;
use postrider::domain::{Clock, Random, SystemClock, SystemRandom};
use postrider::subscriptions::token::{Key, Purpose, Signer};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::account::site_on;
use crate::site::Site;

on_both! { a_kill_between_the_page_and_the_sweep_loses_nothing }

const DUE: &str = "SELECT COUNT(*) FROM sweep WHERE due IS NOT NULL";

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

async fn a_kill_between_the_page_and_the_sweep_loses_nothing(database: Database) {
    let site = site_on(&database);
    assert_eq!(leave_traces(&site, &database).await.stop(), 0);
    let id = database
        .number(&format!("SELECT id FROM subscriber WHERE name = '{NAME}'"))
        .await;
    assert_ne!(found(&site, &database).await, Vec::<String>::new());
    // A fresh one, which has just looked whether there is anything to sweep.
    let server = serve(&site, "serve-page.log");
    let form = "application/x-www-form-urlencoded";
    let answer = post(&server, &delete_link(&site, id), form, "");
    assert!(answer.contains("Everything is deleted"), "{answer}");
    for promise in ["nothing about you any more", "cleared out soon", "within an hour"] {
        assert!(answer.contains(promise), "{promise}: {answer}");
    }
    // Killed at once; the rows are gone, and the sweep is due.
    drop(server);
    let readers = "SELECT COUNT(*) FROM subscriber WHERE address LIKE 'Erase%'";
    assert_eq!(database.number(readers).await, 0);
    assert_eq!(database.number(DUE).await, 1);
    if database.url.starts_with("sqlite") {
        let left = found(&site, &database).await;
        assert!(
            left.iter().all(|place| place.contains("postrider.db")),
            "{ADDRESS} is left elsewhere than in the database's files: {left:#?}"
        );
    }
    let server = serve(&site, "serve-again.log");
    let begun = Instant::now();
    while database.number(DUE).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody sweeps");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
    assert_eq!(server.stop(), 0);
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
}
