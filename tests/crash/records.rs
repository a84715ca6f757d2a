//! The ledger can't be written: nothing more goes than what is already on its way.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{World, assert_everybody, deliver, until, until_number};
use std::collections::HashSet;

/// From now on no outcome of this edition can be recorded; everything else can.
async fn refuse_outcomes(database: &Database, edition: i64) {
    let trigger = format!(
        "CREATE TRIGGER refuse BEFORE UPDATE ON delivery FOR EACH ROW WHEN (NEW.edition_id = {edition})"
    );
    if database.url.starts_with("sqlite:") {
        let refusing = format!("{trigger} BEGIN SELECT RAISE(ABORT, 'refused'); END");
        return database.execute(&refusing).await;
    }
    let function = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
    database.execute(function).await;
    database
        .execute(&format!("{trigger} EXECUTE FUNCTION refuse()"))
        .await;
}

async fn accept_outcomes(database: &Database) {
    let sql = if database.url.starts_with("sqlite:") {
        "DROP TRIGGER refuse"
    } else {
        "DROP TRIGGER refuse ON delivery"
    };
    database.execute(sql).await;
}

/// Each connection hands over one message and no other before that one is recorded; the run then
/// ends with an error, and the next one repeats just those.
async fn an_outcome_is_recorded_before_the_next_final_dot(database: Database) {
    const READERS: usize = 1_100;
    let world = World::new(database, READERS);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 3).await;
    let edition = world.plan(&app).await;
    refuse_outcomes(&world.database, edition).await;
    let problem = deliver(&app).await.unwrap_err();
    assert!(problem.to_string().contains("refused"), "{problem}");
    assert_eq!(relay.taken().len(), 3, "one for each connection");
    assert_eq!(world.deliveries("sent").await, 0);
    accept_outcomes(&world.database).await;
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), READERS, 3);
    assert_eq!(world.deliveries("sent").await, 1_100);
}

/// Who adds what is left to what was done needs both as they are now, whatever monitoring has kept.
async fn what_is_left_is_counted_now(database: Database) {
    let world = World::new(database, 3);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    world.plan(&app).await;
    let waiting = "postrider_deliveries_waiting{digest=\"weekly\"} 3";
    assert!(app.metrics().await.unwrap().contains(waiting));
    assert_eq!(app.deliveries_left().await.unwrap(), 3);
    deliver(&app).await.unwrap();
    assert_eq!(app.deliveries_left().await.unwrap(), 0);
    assert!(
        app.metrics().await.unwrap().contains(waiting),
        "not counted for each look"
    );
}

/// Gives `edition` to another digest, so that a further one of its own digest can be planned.
async fn rename(world: &World, edition: i64, digest: &str) {
    let sql = format!("UPDATE edition SET digest = '{digest}' WHERE id = {edition}");
    world.database.execute(&sql).await;
}

/// A batch whose relay turned out to be unusable shows what that relay took before it is free again.
async fn a_batch_is_free_only_with_its_outcomes(database: Database) {
    const READERS: usize = 5;
    let world = World::new(database, READERS);
    // It takes one message and refuses the sender of the next.
    let first =
        Hooked::start(|moment| ((moment.at, moment.number) == (At::Mail, 2)).then_some("550 5.7.1 no"));
    let second = Hooked::start(|_| None);
    let app = world.app(first.port, 1).await;
    let other = world.app(second.port, 1).await;
    let edition = world.plan(&app).await;
    rename(&world, edition, "monthly").await;
    world.site.summary("more", "urology");
    let later = world.plan(&app).await;
    rename(&world, edition, "weekly").await;
    world.split(later, READERS).await;
    refuse_outcomes(&world.database, edition).await;
    let refused = tokio::spawn(async move { deliver(&app).await });
    let trouble = format!("SELECT COUNT(*) FROM edition WHERE id = {edition} AND trouble IS NOT NULL");
    until_number(&world.database, &trouble, 1).await;
    // The other would take the oldest edition's batch first: for each reader of the later one it looks anew.
    let waiting = tokio::spawn(async move { deliver(&other).await });
    until("the later edition has gone out", || {
        second.taken().len() >= READERS
    })
    .await;
    accept_outcomes(&world.database).await;
    refused.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    let taken = [first.taken(), second.taken()].concat();
    let messages: HashSet<_> = taken.iter().map(|(id, _)| id).collect();
    assert_eq!((taken.len(), messages.len()), (2 * READERS, 2 * READERS));
    assert_eq!(world.deliveries("sent").await, 10);
}

/// An edition whose messages can't be made does not hold up another.
async fn an_edition_that_cannot_be_made_waits_alone(database: Database) {
    let world = World::new(database, 3);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    // As if its digest had left the configuration since.
    rename(&world, edition, "monthly").await;
    world.site.summary("more", "urology");
    let second = world.plan(&app).await;
    assert_ne!(second, edition);
    let problem = deliver(&app).await.unwrap_err();
    assert!(problem.to_string().contains("\"monthly\""), "{problem}");
    assert_everybody(&relay.taken(), 3, 0);
    let unfit = app.edition_report(edition).await.unwrap();
    assert_eq!((unfit.sent, unfit.waiting), (0, 3));
    assert!(unfit.trouble.unwrap().contains("monthly"));
    rename(&world, edition, "weekly").await;
    deliver(&app).await.unwrap();
    assert_eq!(relay.taken().len(), 6);
    assert_eq!(app.edition_report(edition).await.unwrap().trouble, None);
}

crate::on_both!(
    an_outcome_is_recorded_before_the_next_final_dot,
    what_is_left_is_counted_now,
    a_batch_is_free_only_with_its_outcomes,
    an_edition_that_cannot_be_made_waits_alone,
);
