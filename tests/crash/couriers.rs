//! Two couriers on one ledger: leases that run out, are taken over, and are not sent on after that.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{TestClock, World, assert_everybody, dead_owner, deliver, until, until_number};
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
            .wait_timeout_while(state, Duration::from_secs(60), |happened| !*happened)
            .unwrap();
        assert!(!timeout.timed_out(), "it did not happen");
    }
}

/// A process that stands still past its leases sends nothing of what another took over.
async fn a_sleeper_does_not_send_on(database: Database) {
    const READERS: usize = 1_200;
    let world = Arc::new(World::new(database, READERS));
    let sleepers_clock = TestClock::new();
    let leases_renewed = Arc::new(Event::default());
    let (clock, renewed) = (Arc::clone(&sleepers_clock), Arc::clone(&leases_renewed));
    let ended = Event::default();
    let sleepers_relay = Hooked::start(move |moment| {
        match (moment.at, moment.number) {
            // One connection is held until the other has ended and the leases were renewed.
            (At::Rcpt, 41) => {
                ended.wait();
                renewed.wait();
            }
            // All that follow are of the other.
            (At::Rcpt, 45) => clock.freeze(),
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
    // A batch that is never due: nobody takes it over, and its row shows when its owner renews all leases.
    let mark = "INSERT INTO batch (segment_id, no, edition_id, owner, until)
        SELECT segment_id, 99, edition_id, owner, 0 FROM batch WHERE owner IS NOT NULL LIMIT 1";
    world.database.execute(mark).await;
    world.clock.advance(LONG);
    deliver(&app).await.unwrap();
    let by_the_sleeper = sleepers_relay.taken().len();
    assert!((40..=45).contains(&by_the_sleeper), "{by_the_sleeper}");
    sleepers_clock.advance(LONG);
    sleepers_clock.thaw();
    let renewals = "SELECT COUNT(*) FROM batch WHERE no = 99 AND until > 0";
    until_number(&world.database, renewals, 1).await;
    world.database.execute("DELETE FROM batch WHERE no = 99").await;
    leases_renewed.happen();
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
    let (later, end) = (now + 59_000, now + 60_000);
    let holder = owner::new();
    for statement in [
        // The last reader in a batch of its own, due when the lease has a second left.
        &format!(
            "INSERT INTO batch (segment_id, no, edition_id, due)
             SELECT segment_id, 1, edition_id, {later} FROM batch"
        ),
        "UPDATE delivery SET batch_no = 1 WHERE subscriber_id = (SELECT MAX(id) FROM subscriber)",
        &format!("UPDATE batch SET owner = '{holder}', until = {end} WHERE no = 0"),
    ] {
        world.database.execute(statement).await;
    }
    let courier = tokio::spawn(async move { deliver(&app).await });
    world.clock.advance(Duration::from_secs(59));
    // Whoever takes the second batch has found the first one in other hands: it would go before.
    until("the second batch goes out", || !relay.taken().is_empty()).await;
    assert!(!courier.is_finished());
    world.clock.advance(Duration::from_secs(2));
    courier.await.unwrap().unwrap();
    let readers = relay.taken().into_iter().map(|(_, reader)| reader);
    let expected = [4, 0, 1, 2, 3].map(|n| format!("RCPT TO:<reader{n}@example.org>"));
    assert_eq!(readers.collect::<Vec<_>>(), expected);
}

/// What a process of this machine held when it died is free at once.
async fn what_the_dead_hold_is_free(database: Database) {
    let world = World::new(database, 5);
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    world.plan(&app).await;
    let held = format!(
        "UPDATE batch SET owner = '{}', until = {}",
        dead_owner(),
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
