//! An admin's word reaches couriers that are at work, and what is in flight is recorded as what it becomes.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{World, assert_everybody, deliver, deliver_by, until};
use postrider::app::App;
use postrider::deliver::worker::Courier;
use postrider::domain::Result;
use postrider::domain::edition::State;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

crate::on_both!(
    a_message_in_flight_counts_as_sent_when_the_edition_is_cancelled,
    a_pause_stops_couriers_at_work,
    a_message_in_flight_expires_only_when_it_is_not_taken,
);

/// A relay that says what it has reached, and answers the final dot number `at` only when it is told to.
fn holding(at: usize) -> (Hooked, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (reached, is_reached) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let ends = Mutex::new((reached, may_go_on));
    let relay = Hooked::start(move |moment| {
        if (moment.at, moment.number) == (At::Dot, at) {
            let ends = ends.lock().unwrap();
            ends.0.send(()).unwrap();
            ends.1.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        None
    });
    (relay, is_reached, go_on)
}

/// A courier that delivers from now on, and its work.
fn at_work(app: &App) -> (Arc<Courier>, JoinHandle<Result<()>>) {
    let courier = app.courier().unwrap();
    let working = Arc::clone(&courier);
    (courier, tokio::spawn(async move { deliver_by(&working).await }))
}

async fn wait(event: mpsc::Receiver<()>) {
    let waited = tokio::task::spawn_blocking(move || event.recv_timeout(Duration::from_secs(30)));
    waited.await.unwrap().unwrap();
}

async fn a_message_in_flight_counts_as_sent_when_the_edition_is_cancelled(database: Database) {
    let world = World::new(database, 1_200);
    let (relay, reached, go_on) = holding(7);
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    let (courier, delivering) = at_work(&app);
    wait(reached).await;
    let admin = world.app(relay.port, 1).await;
    let (cancelled, report) = admin.cancel_edition(edition, None).await.unwrap();
    until("the courier has heard of it", || courier.holds_back(edition)).await;
    // The batch in hand is left to its holder, the others are given up.
    assert_eq!((cancelled.given_up, cancelled.in_hand), (700, 494));
    assert_eq!(
        (report.state, report.waiting, report.sent),
        (State::Cancelled, 494, 6)
    );
    assert_eq!(report.audience, report.sent + report.waiting + report.excluded);
    go_on.send(()).unwrap();
    delivering.await.unwrap().unwrap();
    let report = app.edition_report(edition).await.unwrap();
    let taken = i64::try_from(relay.taken().len()).unwrap();
    assert_eq!((report.sent, report.waiting), (taken, 0), "{report:?}");
    assert_eq!(taken, 7);
    assert_eq!(report.excluded_by["cancelled"], 1_193);
    // Once more is no mistake, and nobody sends it on.
    let (again, _) = admin.cancel_edition(edition, None).await.unwrap();
    assert_eq!((again.given_up, again.in_hand), (0, 0));
    deliver(&admin).await.unwrap();
    assert_eq!(relay.taken().len(), 7);
}

async fn a_pause_stops_couriers_at_work(database: Database) {
    let world = World::new(database, 600);
    let (relay, reached, go_on) = holding(5);
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    let (courier, delivering) = at_work(&app);
    wait(reached).await;
    let admin = world.app(relay.port, 1).await;
    for _ in 0..2 {
        assert_eq!(admin.pause_edition(edition).await.unwrap().state, State::Paused);
    }
    until("the courier has heard of it", || courier.holds_back(edition)).await;
    go_on.send(()).unwrap();
    delivering.await.unwrap().unwrap();
    let report = app.edition_report(edition).await.unwrap();
    assert_eq!(
        (report.state, report.sent, report.waiting),
        (State::Paused, 5, 595)
    );
    assert_eq!((relay.taken().len(), report.trouble), (5, None));
    assert_eq!(
        world
            .database
            .number("SELECT COUNT(*) FROM batch WHERE owner IS NOT NULL")
            .await,
        0
    );
    deliver(&admin).await.unwrap();
    assert_eq!(relay.taken().len(), 5, "it is paused");
    admin.resume_edition(edition).await.unwrap();
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), 600, 0);
    assert_eq!(app.edition_report(edition).await.unwrap().state, State::Finished);
}

/// A courier that stood still past its lease finds its deliveries expired; what the relay took is sent.
async fn a_message_in_flight_expires_only_when_it_is_not_taken(database: Database) {
    let world = World::new(database, 20);
    let (relay, reached, go_on) = holding(3);
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    let (_, delivering) = at_work(&app);
    wait(reached).await;
    // Another node, to which the lease has run out and the age limit has passed.
    let days = world.database.number("SELECT MAX(expires) FROM edition").await + 1;
    let store = postrider::store::Store::open(&world.database.url, 2)
        .await
        .unwrap();
    store
        .expire_deliveries(postrider::domain::Timestamp(days))
        .await
        .unwrap();
    let report = app.edition_report(edition).await.unwrap();
    assert_eq!((report.sent, report.failed), (2, 18));
    go_on.send(()).unwrap();
    delivering.await.unwrap().unwrap();
    let report = app.edition_report(edition).await.unwrap();
    let taken = i64::try_from(relay.taken().len()).unwrap();
    assert_eq!((report.sent, report.failed), (taken, 20 - taken), "{report:?}");
    assert!(taken >= 3);
}
