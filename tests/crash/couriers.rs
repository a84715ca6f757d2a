//! Two couriers on one ledger: leases that run out, are taken over, and are not sent on after that.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{TestClock, World, assert_everybody, deliver};
use postrider::store::owner;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Longer than a lease.
const LONG: Duration = Duration::from_secs(70);

/// Something that happens once and can be waited for.
#[derive(Default)]
struct Event(Mutex<bool>, Condvar);

impl Event {
    fn happen(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        let state = self.0.lock().unwrap();
        let (_state, timeout) = self
            .1
            .wait_timeout_while(state, Duration::from_secs(30), |happened| !*happened)
            .unwrap();
        assert!(!timeout.timed_out(), "it did not happen");
    }
}

/// A process that stands still past its leases sends nothing of what another took over.
async fn a_sleeper_does_not_send_on(database: Database) {
    const READERS: usize = 1_200;
    let world = Arc::new(World::new(database, READERS));
    let sleepers_clock = TestClock::new();
    let one_connection_ended = Arc::new(Event::default());
    let (clock, ended) = (Arc::clone(&sleepers_clock), Arc::clone(&one_connection_ended));
    let sleepers_relay = Hooked::start(move |moment| {
        match (moment.at, moment.number) {
            (At::Rcpt, 41) => clock.freeze(),
            // The other connection is held until the first has ended and the leases were renewed.
            (At::Rcpt, 42) => {
                ended.wait();
                std::thread::sleep(Duration::from_millis(1_500));
            }
            (At::End, _) => ended.happen(),
            _ => {}
        }
        None
    });
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 2).await;
    world.plan(&app).await;
    let (sleeper, port) = (Arc::clone(&world), sleepers_relay.port);
    let clock = Arc::clone(&sleepers_clock);
    // A runtime with one thread stands still as a whole when it asks the frozen clock.
    let asleep = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let app = sleeper.app_at(&sleeper.database.url, clock, port, 2).await;
            deliver(&app).await.unwrap();
        });
    });
    let frozen = Arc::clone(&sleepers_clock);
    tokio::task::spawn_blocking(move || frozen.wait_until_frozen())
        .await
        .unwrap();
    world.clock.advance(LONG);
    deliver(&app).await.unwrap();
    let by_the_sleeper = sleepers_relay.taken().len();
    assert!((20..=41).contains(&by_the_sleeper), "{by_the_sleeper}");
    sleepers_clock.advance(LONG);
    sleepers_clock.thaw();
    tokio::task::spawn_blocking(|| asleep.join().unwrap())
        .await
        .unwrap();
    assert_eq!(sleepers_relay.taken().len(), by_the_sleeper, "it sent on");
    let all = [sleepers_relay.taken(), relay.taken()].concat();
    assert_everybody(&all, READERS, 2);
    assert_eq!(world.deliveries("sent").await, 1_200);
    assert_eq!(
        world
            .database
            .number("SELECT COUNT(*) FROM batch WHERE owner IS NOT NULL")
            .await,
        0
    );
}

/// What a live process holds is left alone until its lease has run out, and then taken over.
async fn a_lease_is_taken_over_when_it_has_run_out(database: Database) {
    let world = World::new(database, 5);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    world.plan(&app).await;
    let now = world.database.number("SELECT MAX(due) FROM batch").await;
    let held = format!(
        "UPDATE batch SET owner = '{}', until = {}",
        owner::new(),
        now + 60_000
    );
    world.database.execute(&held).await;
    let courier = tokio::spawn(async move { deliver(&app).await });
    world.clock.advance(Duration::from_secs(59));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(relay.taken(), [], "it is somebody else's");
    assert!(!courier.is_finished());
    world.clock.advance(Duration::from_secs(2));
    courier.await.unwrap().unwrap();
    assert_everybody(&relay.taken(), 5, 0);
}

/// What a process of this machine held when it died is free at once.
async fn what_the_dead_hold_is_free(database: Database) {
    let world = World::new(database, 5);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    world.plan(&app).await;
    let mut dead: Vec<String> = owner::new().split('/').map(str::to_owned).collect();
    // The number of a process that began at another time.
    dead[3] = "1".to_owned();
    let held = format!(
        "UPDATE batch SET owner = '{}', until = {}",
        dead.join("/"),
        i64::MAX
    );
    world.database.execute(&held).await;
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), 5, 0);
}

/// Who leaves while a slow relay is busy with others gets no mail.
async fn who_leaves_during_a_batch_is_left_out(database: Database) {
    let world = World::new(database, 5);
    let (clock, url) = (Arc::clone(&world.clock), world.database.clone());
    let handle = tokio::runtime::Handle::current();
    let relay = Hooked::start(move |moment| {
        if (moment.at, moment.number) == (At::Dot, 2) {
            handle.block_on(url.execute(
                "UPDATE subscription SET active = 0 WHERE subscriber_id = (SELECT MAX(id) FROM subscriber)",
            ));
            clock.advance(Duration::from_secs(11));
        }
        None
    });
    let app = world.app(relay.port, 1).await;
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let report = app.edition_report(edition).await.unwrap();
    assert_eq!((report.sent, report.excluded), (4, 1));
    assert_eq!(report.excluded_by["unsubscribed"], 1);
    assert_everybody(&relay.taken(), 4, 0);
}

crate::on_both!(
    a_sleeper_does_not_send_on,
    a_lease_is_taken_over_when_it_has_run_out,
    what_the_dead_hold_is_free,
    who_leaves_during_a_batch_is_left_out,
);
