//! The ledger can't be written: nothing more goes than what is already on its way.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{World, assert_everybody, deliver};
use std::time::Duration;

/// From now on no outcome can be recorded; everything else can.
async fn refuse_outcomes(database: &Database) {
    if database.url.starts_with("sqlite:") {
        let trigger =
            "CREATE TRIGGER refuse BEFORE UPDATE ON delivery BEGIN SELECT RAISE(ABORT, 'refused'); END";
        return database.execute(trigger).await;
    }
    let function = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
    database.execute(function).await;
    database
        .execute("CREATE TRIGGER refuse BEFORE UPDATE ON delivery EXECUTE FUNCTION refuse()")
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
    world.plan(&app).await;
    refuse_outcomes(&world.database).await;
    let problem = deliver(&app).await.unwrap_err();
    assert!(problem.to_string().contains("refused"), "{problem}");
    assert_eq!(relay.taken().len(), 3, "one for each connection");
    assert_eq!(world.deliveries("sent").await, 0);
    accept_outcomes(&world.database).await;
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), READERS, 3);
    assert_eq!(world.deliveries("sent").await, 1_100);
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
    world.plan(&app).await;
    refuse_outcomes(&world.database).await;
    let refused = tokio::spawn(async move { deliver(&app).await });
    while first.taken().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waiting = tokio::spawn(async move { deliver(&other).await });
    // Long enough for the other to find the batch, were it free.
    tokio::time::sleep(Duration::from_millis(700)).await;
    accept_outcomes(&world.database).await;
    refused.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert_everybody(&[first.taken(), second.taken()].concat(), READERS, 0);
    assert_eq!(world.deliveries("sent").await, 5);
}

/// An edition whose messages can't be made does not hold up another.
async fn an_edition_that_cannot_be_made_waits_alone(database: Database) {
    let world = World::new(database, 3);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    // As if its digest had left the configuration since.
    let renamed = format!("UPDATE edition SET digest = 'monthly' WHERE id = {edition}");
    world.database.execute(&renamed).await;
    world.site.summary("more", "urology");
    let second = world.plan(&app).await;
    assert_ne!(second, edition);
    let problem = deliver(&app).await.unwrap_err();
    assert!(problem.to_string().contains("\"monthly\""), "{problem}");
    assert_everybody(&relay.taken(), 3, 0);
    let unfit = app.edition_report(edition).await.unwrap();
    assert_eq!((unfit.sent, unfit.waiting), (0, 3));
    assert!(unfit.trouble.unwrap().contains("monthly"));
    let back = format!("UPDATE edition SET digest = 'weekly' WHERE id = {edition}");
    world.database.execute(&back).await;
    deliver(&app).await.unwrap();
    assert_eq!(relay.taken().len(), 6);
    assert_eq!(app.edition_report(edition).await.unwrap().trouble, None);
}

crate::on_both!(
    an_outcome_is_recorded_before_the_next_final_dot,
    a_batch_is_free_only_with_its_outcomes,
    an_edition_that_cannot_be_made_waits_alone,
);
