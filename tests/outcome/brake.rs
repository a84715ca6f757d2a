//! An edition of which too much is refused stops by itself.

use crate::database::Database;
use crate::hooked::{At, Hooked, Moment};
use crate::world::{World, deliver};
use postrider::app::App;
use postrider::domain::edition::{Report, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

crate::on_both!(
    a_relay_that_refuses_everything_is_asked_a_hundred_times,
    what_was_refused_before_a_resume_does_not_count,
    few_refusals_stop_nothing,
    a_small_edition_does_not_stop,
    two_nodes_count_together,
    the_limit_can_be_turned_off,
);

const REFUSED: Option<&str> = Some("550 5.7.1 <somebody@example.org>: blocked");
/// How many may be under way when the limit is passed: one for each connection, and one more of each
/// that had begun.
const UNDER_WAY: i64 = 8;

/// A relay that refuses every reader while the flag is up.
fn refusing() -> (Hooked, Arc<AtomicBool>) {
    let refuses = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&refuses);
    let relay = Hooked::start(move |moment| {
        let refused = moment.at == At::Rcpt && flag.load(Ordering::Relaxed);
        refused.then_some(REFUSED).flatten()
    });
    (relay, refuses)
}

async fn report(app: &App, edition: i64) -> Report {
    let report = app.edition_report(edition).await.unwrap();
    let parts = report.sent + report.waiting + report.failed + report.excluded;
    assert_eq!(parts, report.audience, "{report:?}");
    report
}

fn assert_near(count: i64, limit: i64) {
    assert!((limit..=limit + UNDER_WAY).contains(&count), "{count}");
}

async fn a_relay_that_refuses_everything_is_asked_a_hundred_times(database: Database) {
    let world = World::new(database, 5_000);
    let (relay, refuses) = refusing();
    let app = world.app(relay.port, 4).await;
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let stopped = report(&app, edition).await;
    assert_eq!(stopped.state, State::Paused, "{stopped:?}");
    assert_near(stopped.failed, 100);
    assert_eq!(stopped.waiting, 5_000 - stopped.failed);
    let why = stopped.trouble.unwrap();
    let counts = why.split(" mails").next().unwrap();
    assert!(counts == "100 of 100" || counts.starts_with("10"), "{why}");
    assert!(why.contains("550 5.7.1 <…>: blocked"), "{why}");
    assert!(why.contains(&format!("editions resume {edition}")), "{why}");
    // Nothing goes on by itself, neither here nor in another process.
    let other = world.app(relay.port, 4).await;
    deliver(&other).await.unwrap();
    assert_eq!(report(&app, edition).await.failed, stopped.failed);

    refuses.store(false, Ordering::Relaxed);
    app.resume_edition(edition).await.unwrap();
    deliver(&app).await.unwrap();
    let ended = report(&app, edition).await;
    assert_eq!((ended.state, ended.failed), (State::Finished, stopped.failed));
    assert_eq!(ended.trouble, None);
    let (retried, _) = app.retry_edition(edition).await.unwrap();
    assert_eq!(i64::try_from(retried.again).unwrap(), stopped.failed);
    deliver(&app).await.unwrap();
    let ended = report(&app, edition).await;
    assert_eq!((ended.state, ended.sent), (State::Finished, 5_000));
    crate::world::assert_everybody(&relay.taken(), 5_000, 0);
}

async fn what_was_refused_before_a_resume_does_not_count(database: Database) {
    let world = World::new(database, 1_000);
    let (relay, _) = refusing();
    let app = world.app(relay.port, 4).await;
    let edition = world.plan(&app).await;
    let mut before = 0;
    for _ in 0..3 {
        deliver(&app).await.unwrap();
        let stopped = report(&app, edition).await;
        assert_eq!(stopped.state, State::Paused);
        assert_near(stopped.failed - before, 100);
        before = stopped.failed;
        app.resume_edition(edition).await.unwrap();
        // A second word changes nothing.
        app.resume_edition(edition).await.unwrap();
    }
}

async fn few_refusals_stop_nothing(database: Database) {
    let world = World::new(database, 600);
    let one_of_25 = |moment: &Moment| {
        let refused = moment.at == At::Rcpt && moment.number.is_multiple_of(25);
        refused.then_some(REFUSED).flatten()
    };
    let relay = Hooked::start(one_of_25);
    let app = world.app(relay.port, 4).await;
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let ended = report(&app, edition).await;
    assert_eq!(
        (ended.state, ended.sent, ended.failed),
        (State::Finished, 576, 24)
    );
}

async fn a_small_edition_does_not_stop(database: Database) {
    let world = World::new(database, 90);
    let (relay, _) = refusing();
    let app = world.app(relay.port, 4).await;
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let ended = report(&app, edition).await;
    assert_eq!((ended.state, ended.failed), (State::Finished, 90));
}

async fn two_nodes_count_together(database: Database) {
    // Each node has batches of its own; one relay refuses a third, so that neither is beyond 100 soon.
    let world = World::new(database, 3_000);
    let third = |moment: &Moment| {
        let refused = moment.at == At::Rcpt && moment.number.is_multiple_of(3);
        refused.then_some(REFUSED).flatten()
    };
    let relay = Hooked::start(third);
    let (one, two) = (world.app(relay.port, 2).await, world.app(relay.port, 2).await);
    let edition = world.plan(&one).await;
    let (first, second) = tokio::join!(deliver(&one), deliver(&two));
    first.unwrap();
    second.unwrap();
    let stopped = report(&one, edition).await;
    assert_eq!(stopped.state, State::Paused, "{stopped:?}");
    // Each of them may have counted to a hundred by itself before it asked.
    let tried = stopped.sent + stopped.failed;
    assert!((100..=200 + UNDER_WAY).contains(&tried), "{tried}");
    let leased = "SELECT COUNT(*) FROM batch WHERE owner IS NOT NULL";
    assert_eq!(world.database.number(leased).await, 0);
}

async fn the_limit_can_be_turned_off(database: Database) {
    let world = World::new(database, 150);
    let config = std::fs::read_to_string(world.site.path("config.toml")).unwrap();
    let off = config.replace("[delivery]\n", "[delivery]\npause_failed_percent = 0\n");
    world.site.write("config.toml", &off);
    let (relay, _) = refusing();
    let app = world.app(relay.port, 4).await;
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let ended = report(&app, edition).await;
    assert_eq!((ended.state, ended.failed), (State::Finished, 150));
}
