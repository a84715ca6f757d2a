//! Notices: ahead of a running edition, once each, and with one name for every attempt.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{World, dead_owner, deliver, until, until_number};
use postrider::app::App;
use postrider::domain::Timestamp;
use postrider::domain::notice::NoticeData;
use postrider::store::notices::NewNotice;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

fn sign_in(address: &str) -> NewNotice {
    NewNotice {
        subscriber: None,
        address: Some(address.to_owned()),
        address_hash: format!("hash of {address}"),
        mailbox_hash: None,
        data: NoticeData::SignIn { sign_in: 7 },
    }
}

/// Who heard of a notice that was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// The process that delivers: it was written there.
    AtOnce,
    /// Nobody: another process wrote it.
    Later,
}

/// Comes back when couriers at work have looked after notices from beginning to end since it was called.
async fn looked_after(database: &Database) {
    let freed = "SELECT COUNT(*) FROM notice WHERE kind = 'mark' AND owner IS NULL";
    for round in 1..=2 {
        // Each round begins with freeing what the dead hold: when a second one has begun, the first is over.
        let mark = format!(
            "INSERT INTO notice (kind, address_hash, data, created, expires, state, owner)
             VALUES ('mark', 'mark', '{{}}', 0, 0, 'sent', '{}')",
            dead_owner()
        );
        database.execute(&mark).await;
        until_number(database, freed, round).await;
    }
    database.execute("DELETE FROM notice WHERE kind = 'mark'").await;
}

/// Writes a notice when the relay has taken `after` messages, and gives the place at which it came.
async fn place_of_a_notice(database: Database, after: usize, heard: Heard) -> usize {
    const READERS: usize = 100;
    let world = World::new(database, READERS);
    let store = world.database.open().await;
    let (handle, now) = (tokio::runtime::Handle::current(), Timestamp(1_768_003_200_000));
    let courier = Arc::new(OnceLock::<Arc<App>>::new());
    let (app_of_hook, database) = (Arc::clone(&courier), world.database.clone());
    let relay = Hooked::start(move |moment| {
        if (moment.at, moment.number) == (At::Dot, after) {
            handle.block_on(async {
                store
                    .add_notices(&[sign_in("ahead@example.org")], now)
                    .await
                    .unwrap();
                match heard {
                    Heard::AtOnce => app_of_hook.get().unwrap().notices_waiting(),
                    Heard::Later => looked_after(&database).await,
                }
            });
        }
        None
    });
    let app = world.app(relay.port, 1).await;
    courier.set(Arc::clone(&app)).ok().unwrap();
    world.plan(&app).await;
    deliver(&app).await.unwrap();
    let taken = relay.taken();
    assert_eq!(taken.len(), READERS + 1);
    assert_eq!(world.deliveries("sent").await, 100);
    assert_eq!(
        world
            .database
            .number("SELECT COUNT(*) FROM notice WHERE state = 'sent' AND attempts = 1 AND owner IS NULL")
            .await,
        1
    );
    1 + taken
        .iter()
        .position(|(_, reader)| reader.contains("ahead@example.org"))
        .unwrap()
}

/// Within a batch: what is announced goes first, then the notice, and the batch goes on.
async fn a_notice_goes_ahead_of_a_running_edition(database: Database) {
    assert_eq!(place_of_a_notice(database, 50, Heard::AtOnce).await, 52);
}

/// What another process wrote is found by the next look at notices, in the midst of a batch.
async fn a_notice_of_another_process_is_found_soon(database: Database) {
    assert_eq!(place_of_a_notice(database, 50, Heard::Later).await, 52);
}

/// Notices may take long: whoever leaves meanwhile gets no mail, though it was made before.
async fn who_leaves_while_notices_go_out_is_left_out(database: Database) {
    let world = World::new(database, 5);
    let store = world.database.open().await;
    let (handle, now) = (tokio::runtime::Handle::current(), Timestamp(1_768_003_200_000));
    let courier = Arc::new(OnceLock::<Arc<App>>::new());
    let app_of_hook = Arc::clone(&courier);
    let (database, clock) = (world.database.clone(), Arc::clone(&world.clock));
    let relay = Hooked::start(move |moment| {
        match (moment.at, moment.number) {
            (At::Dot, 1) => {
                let notice = sign_in("ahead@example.org");
                handle
                    .block_on(store.add_notices(std::slice::from_ref(&notice), now))
                    .unwrap();
                app_of_hook.get().unwrap().notices_waiting();
            }
            // The second was announced; this is the notice.
            (At::Dot, 3) => {
                handle.block_on(database.execute(
                    "UPDATE subscription SET active = 0 WHERE subscriber_id =
                         (SELECT id FROM subscriber WHERE address = 'reader2@example.org')",
                ));
                clock.advance(Duration::from_secs(11));
            }
            _ => {}
        }
        None
    });
    let app = world.app(relay.port, 1).await;
    courier.set(Arc::clone(&app)).ok().unwrap();
    let edition = world.plan(&app).await;
    deliver(&app).await.unwrap();
    let readers = relay.taken().into_iter().map(|(_, reader)| reader);
    let expected = ["reader0", "reader1", "ahead", "reader3", "reader4"];
    assert_eq!(
        readers.collect::<Vec<_>>(),
        expected.map(|name| format!("RCPT TO:<{name}@example.org>"))
    );
    let report = app.edition_report(edition).await.unwrap();
    assert_eq!((report.sent, report.excluded), (4, 1));
    assert_eq!(report.excluded_by["unsubscribed"], 1);
}

/// The relay says "later" once: the notice waits and goes, with the same name, and nothing of it stays.
async fn a_notice_is_tried_again(database: Database) {
    let world = World::new(database, 0);
    let store = world.database.open().await;
    let relay = Hooked::start(|moment| {
        (moment.at == At::Dot && moment.number == 1).then_some("451 4.3.0 ahead@example.org waits")
    });
    let app = world.app(relay.port, 2).await;
    let now = Timestamp(1_768_003_200_000);
    store
        .add_notices(&[sign_in("ahead@example.org")], now)
        .await
        .unwrap();
    deliver(&app).await.unwrap();
    let waits = "SELECT COUNT(*) FROM notice WHERE state = 'waiting' AND code = 451 AND attempts = 1
        AND text LIKE '%… waits' AND owner IS NULL AND address IS NOT NULL";
    assert_eq!(world.database.number(waits).await, 1);
    world.clock.advance(Duration::from_secs(3));
    deliver(&app).await.unwrap();
    assert_eq!(relay.taken().len(), 1);
    let sent = "SELECT COUNT(*) FROM notice WHERE state = 'sent' AND attempts = 2 AND address IS NULL
        AND data = '{}' AND ended IS NOT NULL AND next_attempt IS NULL";
    assert_eq!(world.database.number(sent).await, 1);
}

/// A link that has run out helps nobody: what carries it is not sent.
async fn what_comes_too_late_is_not_sent(database: Database) {
    let world = World::new(database, 0);
    let store = world.database.open().await;
    let relay = Hooked::start(|_| None);
    let app = world.app(relay.port, 1).await;
    let now = Timestamp(1_768_003_200_000);
    store
        .add_notices(&[sign_in("late@example.org")], now)
        .await
        .unwrap();
    // The notice lives for 30 minutes, its link for 15.
    world.clock.advance(Duration::from_secs(15 * 60));
    deliver(&app).await.unwrap();
    assert_eq!(relay.taken(), []);
    let expired = "SELECT COUNT(*) FROM notice WHERE state = 'failed' AND text LIKE 'expired%'
        AND attempts = 0 AND address IS NULL AND next_attempt IS NULL";
    assert_eq!(world.database.number(expired).await, 1);
}

crate::on_both!(
    a_notice_goes_ahead_of_a_running_edition,
    a_notice_of_another_process_is_found_soon,
    who_leaves_while_notices_go_out_is_left_out,
    a_notice_is_tried_again,
    what_comes_too_late_is_not_sent,
);

/// Killed between the final dot and the record, a notice goes again under the same name, and no third time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_after_the_final_dot_repeats_the_same_message() {
    let database = Database::sqlite();
    let mut world = World::new(database.clone(), 0);
    let store = database.open().await;
    let now = postrider::domain::Clock::now(&postrider::domain::SystemClock);
    store
        .add_notices(&[sign_in("ahead@example.org")], now)
        .await
        .unwrap();
    let victim = Arc::new(Mutex::new(None::<u32>));
    let pid = Arc::clone(&victim);
    let relay = Hooked::start(move |moment| {
        if moment.at == At::Dot
            && let Some(pid) = pid.lock().unwrap().take()
        {
            let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            assert!(killed.unwrap().success());
            // Some kernels let it run on for a moment; it must not hear the answer.
            let stat = format!("/proc/{pid}/stat");
            while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z")) {
                std::thread::yield_now();
            }
        }
        None
    });
    world.site.environment = vec![
        ("POSTRIDER_DATABASE".to_owned(), database.url.clone()),
        (
            "POSTRIDER_RELAY".to_owned(),
            format!("smtp://127.0.0.1:{}", relay.port),
        ),
    ];
    let mut child = {
        // Held until the number is known: the relay waits for it.
        let mut victim = victim.lock().unwrap();
        let child = world
            .site
            .command(&["publish"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *victim = Some(child.id());
        child
    };
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    // The relay writes its record when the killer has come back.
    until("the message is taken", || relay.taken().len() == 1).await;
    let held = "SELECT COUNT(*) FROM notice WHERE state = 'waiting' AND owner IS NOT NULL";
    assert_eq!(database.number(held).await, 1);
    for _ in 0..2 {
        world.site.run(&["publish"]).expect_code(0);
        let taken = relay.taken();
        assert_eq!(taken.len(), 2, "{taken:?}");
        assert_eq!(taken[0], taken[1]);
    }
}
