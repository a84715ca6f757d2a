//! Several `worker` processes on one PostgreSQL: they share an edition, and outlive each other.

use crate::database::Database;
use crate::hooked::{At, Hooked, Taken};
use crate::ports::unused_port;
use crate::processes::{signal, site};
use crate::programs::wait_until;
use crate::proxy::Proxy;
use crate::site::Site;
use crate::world::{per_reader, until_number};
use std::collections::HashSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 4;
const LEASE: Duration = Duration::from_secs(5);

/// How many readers: `POSTRIDER_TEST_NODES`, or few enough for every run of the tests.
fn readers() -> usize {
    let asked = std::env::var("POSTRIDER_TEST_NODES").ok();
    asked.map_or(5_000, |number| number.parse().unwrap())
}

/// A worker that is killed when the test ends.
struct Node(Child);

impl Node {
    fn start(site: &Site) -> Self {
        let mut command = site.command(&["worker"]);
        Self(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn told(&self, name: &str) {
        signal(name, self.0.id());
    }

    /// Asks it to stop; its exit code.
    fn stop(mut self) -> Option<i32> {
        self.told("-TERM");
        self.0.wait().unwrap().code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A relay that takes so long for a message.
fn slow(delay: Duration) -> Hooked {
    Hooked::start(move |moment| {
        if moment.at == At::Dot {
            std::thread::sleep(delay);
        }
        None
    })
}

/// Plans an edition that no relay takes yet.
fn planned(database: &Database, readers: usize) -> Site {
    let mut site = site(database, readers, unused_port(), CONNECTIONS);
    site.environment.push((
        "POSTRIDER_DELIVERY__LEASE".into(),
        format!("{}s", LEASE.as_secs()),
    ));
    site.run(&["send", "weekly", "--yes"]).expect_code(3);
    site
}

/// A worker of `site` that uses this relay.
fn node(site: &mut Site, relay: &Hooked) -> Node {
    site.environment[1].1 = format!("smtp://127.0.0.1:{}", relay.port);
    Node::start(site)
}

/// Waits while the edition goes on; it fails when nothing happens for long.
fn goes_on(what: &str, taken: impl Fn() -> usize, until: impl Fn(usize) -> bool) {
    let (mut most, mut since) = (0, Instant::now());
    loop {
        let now = taken();
        if until(now) {
            return;
        }
        if now > most {
            (most, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < 10 * LEASE, "{what}: stands still at {now}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn nodes_outlive_each_other(database: Database) {
    let readers = readers();
    let delay = Duration::from_millis(10);
    let (killed_at, stopped_at, cut_at) = (slow(delay), slow(delay), slow(delay));
    let all = || [&killed_at, &stopped_at, &cut_at].map(Hooked::taken).concat();
    let taken = || all().len();
    let mut url = url::Url::parse(&database.url).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let line = Proxy::to(server, Duration::ZERO);
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(line.port)).unwrap();

    let mut site = planned(&database, readers);
    let mut killed = node(&mut site, &killed_at);
    let stopped = node(&mut site, &stopped_at);
    site.environment[0].1 = url.into();
    let cut_off = node(&mut site, &cut_at);
    wait_until("all three are at work", || {
        [&killed_at, &stopped_at, &cut_at]
            .iter()
            .all(|relay| relay.taken().len() > readers / 100)
    });

    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    let so_far = taken();
    goes_on("after the kill", taken, |now| now > so_far + readers / 50);

    stopped.told("-STOP");
    // What it held has run out, or is in other hands already.
    let held = format!(
        "SELECT COUNT(*) FROM batch WHERE owner LIKE '%/{}/%'
             AND until >= EXTRACT(EPOCH FROM clock_timestamp()) * 1000",
        stopped.0.id()
    );
    until_number(&database, &held, 0).await;
    stopped.told("-CONT");
    let so_far = taken();
    goes_on("after the rest", taken, |now| now > so_far + readers / 50);

    line.stall();
    let before_the_cut = cut_at.taken().len();
    // The others do everything, also what the one without a database holds.
    goes_on("after the cut", || per_reader(&all()).len(), |now| now == readers);
    wait_until("everything is final", || site_is_finished(&site, &database));
    assert_eq!(stopped.stop(), Some(0));
    let messages = all();
    let after_the_cut = cut_at.taken().len();
    line.mend();
    plan_another(&mut site, &database);
    let again = || cut_at.taken().split_off(after_the_cut);
    goes_on(
        "with the database back",
        || again().len(),
        |now| now > readers / 50,
    );
    assert_eq!(cut_off.stop(), Some(0));
    let (old, again) = (ids(&messages), again());
    assert!(ids(&again).is_disjoint(&old), "it went on after its leases");
    assert_eq!(ids(&again).len(), again.len(), "nothing goes twice");

    let doubles = messages.len() - per_reader(&messages).len();
    println!("{readers} readers: {} messages, {doubles} twice", messages.len());
    assert!(
        after_the_cut <= before_the_cut + CONNECTIONS,
        "{before_the_cut} before the cut, {after_the_cut} after it"
    );
    assert!(doubles <= 3 * CONNECTIONS, "{doubles} after three events");
    for (what, expected) in [
        ("delivery WHERE edition_id = 1 AND state = 'sent'", readers),
        ("delivery WHERE edition_id = 1 AND state <> 'sent'", 0),
        ("delivery WHERE edition_id = 2 AND state = 'sent'", again.len()),
        ("edition WHERE id = 1 AND state = 'finished'", 1),
        ("batch WHERE owner IS NOT NULL", 0),
    ] {
        let count = database.number(&format!("SELECT COUNT(*) FROM {what}")).await;
        assert_eq!(count, i64::try_from(expected).unwrap(), "{what}");
    }
}

/// The Message-IDs.
fn ids(messages: &[Taken]) -> HashSet<&str> {
    messages.iter().map(|(id, _)| id.as_str()).collect()
}

/// Plans a second edition by a process that finds nobody at its own relay.
fn plan_another(site: &mut Site, database: &Database) {
    site.summary("more", "urology");
    site.environment[0].1.clone_from(&database.url);
    site.environment[1].1 = format!("smtp://127.0.0.1:{}", unused_port());
    site.run(&["send", "weekly", "--yes"]).expect_code(3);
}

/// Asked for without the line that is silent.
fn site_is_finished(site: &Site, database: &Database) -> bool {
    let said = site.run(&["--database", &database.url, "editions", "show", "1", "--json"]);
    said.expect_code(0).json()["state"] == "finished"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_of_which_one_is_killed_one_sleeps_and_one_is_cut_off() {
    Database::postgres().await.run(nodes_outlive_each_other).await;
}

/// Messages a second that so many nodes bring to a relay that takes 5 ms for each.
async fn rate(nodes: usize) -> f64 {
    const READERS: usize = 12_000;
    let database = Database::postgres().await;
    let relay = slow(Duration::from_millis(5));
    let mut site = planned(&database, READERS);
    let running: Vec<Node> = (0..nodes).map(|_| node(&mut site, &relay)).collect();
    let taken = || relay.taken().len();
    goes_on("at the start", taken, |now| now > READERS / 6);
    let (begun, first) = (Instant::now(), taken());
    goes_on("in the middle", taken, |now| now > READERS * 5 / 6);
    let rate = (taken() - first) as f64 / begun.elapsed().as_secs_f64();
    for node in running {
        node.stop();
    }
    rate
}

/// A measurement: see scripts/bench-nodes.sh.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, and needs a quiet machine: scripts/bench-nodes.sh"]
async fn two_nodes_deliver_nearly_twice_as_much_as_one() {
    let (one, two) = (rate(1).await, rate(2).await);
    println!(
        "one node {one:.0}/s, two nodes {two:.0}/s, ratio {:.2}",
        two / one
    );
    assert!(two >= 1.8 * one);
}
