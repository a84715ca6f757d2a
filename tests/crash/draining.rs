//! SIGTERM while something hangs: the process ends in time, and the ledger tells what is known.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::ports::unused_port;
use crate::processes::{signal, site};
use crate::programs::wait_until;
use crate::site::Site;
use crate::world::assert_everybody;
use sqlx::Executor;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A batch is one connection's work.
const BATCH: usize = 500;
const LIMIT: Duration = Duration::from_secs(10);

/// A relay that answers the first 100 messages, and from then on nothing at `place`.
struct Hanging {
    relay: Hooked,
    hangs: Arc<AtomicBool>,
    /// Sessions that wait for an answer in vain.
    stuck: Arc<AtomicUsize>,
}

impl Hanging {
    fn at(place: At) -> Self {
        let (hangs, stuck) = (Arc::new(AtomicBool::new(true)), Arc::<AtomicUsize>::default());
        let (still, count) = (Arc::clone(&hangs), Arc::clone(&stuck));
        let relay = Hooked::start(move |moment| {
            if moment.at == place && moment.number > 100 && still.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
                while still.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                return Some("421 too late");
            }
            None
        });
        Self { relay, hangs, stuck }
    }

    fn wait_until_all_hang(&self, connections: usize) {
        wait_until("every connection hangs", || {
            self.stuck.load(Ordering::SeqCst) == connections
        });
    }
}

/// A planned edition with a batch for each connection, whose relay hangs at `place`.
fn planned(database: &Database, connections: usize, place: At) -> (Site, Hanging) {
    let hanging = Hanging::at(place);
    let mut planned = site(database, connections * BATCH, unused_port(), connections);
    planned.run(&["send", "weekly", "--yes"]).expect_code(3);
    planned.environment[1].1 = format!("smtp://127.0.0.1:{}", hanging.relay.port);
    (planned, hanging)
}

fn start(site: &Site, arguments: &[&str]) -> Child {
    let mut command = site.command(arguments);
    // What the relay needs to hang must not be what ends the wait.
    command.env("POSTRIDER_DELIVERY__TIMEOUT", "5m");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Asks `child` to stop; its exit code, which must come in time.
fn stopped_in_time(child: &mut Child) -> i32 {
    let begun = Instant::now();
    signal("-TERM", child.id());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("it was killed");
        }
        if begun.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it did not end within {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Stops `arguments` while every connection hangs at `place`; then the rest goes out.
async fn stop_while_it_hangs(database: &Database, connections: usize, arguments: &[&str], place: At) {
    let readers = connections * BATCH;
    let code = if arguments[0] == "send" || arguments[0] == "publish" {
        3
    } else {
        0
    };
    let (site, hanging) = planned(database, connections, place);
    let mut child = start(&site, arguments);
    hanging.wait_until_all_hang(connections);
    let taken = hanging.relay.taken().len();
    assert_eq!(stopped_in_time(&mut child), code, "{arguments:?}");
    let count = async |what: &str| {
        let sql = format!("SELECT COUNT(*) FROM {what}");
        usize::try_from(database.number(&sql).await).unwrap()
    };
    let uncertain = if place == At::Dot { connections } else { 0 };
    for (what, expected) in [
        ("delivery WHERE state = 'sent'", taken),
        ("delivery WHERE state = 'uncertain' AND attempts = 1", uncertain),
        (
            "delivery WHERE state = 'waiting' AND attempts = 0",
            readers - taken - uncertain,
        ),
        ("batch WHERE owner IS NOT NULL", 0),
    ] {
        assert_eq!(count(what).await, expected, "{arguments:?}: {what}");
    }
    hanging.hangs.store(false, Ordering::SeqCst);
    site.run(&["send", "weekly", "--yes", "--wait"]).expect_code(0);
    assert_everybody(&hanging.relay.taken(), readers, 0);
    assert_eq!(count("delivery WHERE state = 'sent'").await, readers);
}

/// No answer after the final dot: the relay may have taken it, and the ledger says so.
async fn what_was_not_answered_is_uncertain(database: Database) {
    stop_while_it_hangs(&database, 20, &["send", "weekly", "--yes"], At::Dot).await;
}

#[tokio::test]
async fn a_worker_ends_in_time() {
    stop_while_it_hangs(&Database::sqlite(), 2, &["worker"], At::Dot).await;
}

#[tokio::test]
async fn a_server_ends_in_time() {
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    stop_while_it_hangs(&Database::sqlite(), 2, &serve, At::Dot).await;
}

#[tokio::test]
async fn what_had_not_left_is_untouched() {
    stop_while_it_hangs(&Database::sqlite(), 2, &["publish"], At::Rcpt).await;
}

/// Somebody holds a lock that every outcome needs.
async fn a_busy_database_holds_nobody_up(database: Database) {
    let connections = 3;
    let (site, hanging) = planned(&database, connections, At::Dot);
    let mut child = start(&site, &["send", "weekly", "--yes"]);
    hanging.wait_until_all_hang(connections);
    let mut busy = database.connect().await;
    let locks: &[&'static str] = if database.url.starts_with("sqlite:") {
        &["BEGIN IMMEDIATE"]
    } else {
        &["BEGIN", "LOCK TABLE delivery, batch IN ACCESS EXCLUSIVE MODE"]
    };
    for lock in locks {
        busy.execute(*lock).await.unwrap();
    }
    assert_eq!(stopped_in_time(&mut child), 3);
    busy.execute("ROLLBACK").await.unwrap();
    hanging.hangs.store(false, Ordering::SeqCst);
    site.run(&["send", "weekly", "--yes", "--wait"]).expect_code(0);
    assert_everybody(&hanging.relay.taken(), connections * BATCH, 0);
}

/// Whoever asks twice does not want to wait for anything.
#[test]
fn a_second_signal_ends_it_at_once() {
    let database = Database::sqlite();
    let (site, hanging) = planned(&database, 1, At::Dot);
    let mut child = start(&site, &["worker"]);
    hanging.wait_until_all_hang(1);
    signal("-TERM", child.id());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("stopping: what is in flight ends first")));
    signal("-INT", child.id());
    // Ended by itself, and not by the drain, whose code is 0 or 1.
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

crate::on_both!(
    what_was_not_answered_is_uncertain,
    a_busy_database_holds_nobody_up
);
