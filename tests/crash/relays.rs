//! Several relays, and several nodes at one: shared rates, failover, backups, slowing, a full hour.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{World, assert_everybody, deliver, until_number};
use postrider::app::{App, Options, load_config};
use postrider::deliver::worker::Until;
use postrider::domain::SystemRandom;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

/// The program with these relays: port, and further keys.
async fn app(world: &World, relays: &[(&str, u16, &str)]) -> Arc<App> {
    let config = std::fs::read_to_string(world.site.path("config.toml")).unwrap();
    let outbox = "[[relay]]\nname = \"outbox\"\nurl = \"outbox:outbox\"\n";
    let mut tables = String::new();
    for (name, port, keys) in relays {
        write!(
            tables,
            "[[relay]]\nname = \"{name}\"\nurl = \"smtp://127.0.0.1:{port}\"\n{keys}\n"
        )
        .unwrap();
    }
    assert!(config.contains(outbox));
    world.site.write("relays.toml", &config.replace(outbox, &tables));
    let config = load_config(&Options {
        config: Some(world.site.path("relays.toml")),
        database: Some(world.database.url.clone()),
        relay: None,
    });
    let random = Arc::<SystemRandom>::default();
    let clock = Arc::clone(&world.clock);
    Arc::new(App::with(config.unwrap(), clock, random).await.unwrap())
}

/// Stands still until `is_so`.
fn stand_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many deliveries the ledger says that `relay` took.
async fn by(world: &World, relay: &str) -> usize {
    let sql = format!("SELECT COUNT(*) FROM delivery WHERE state = 'sent' AND relay = '{relay}'");
    usize::try_from(world.database.number(&sql).await).unwrap()
}

/// Two nodes with two connections each: no second holds what each of them might have sent alone.
async fn nodes_share_a_rate(database: Database) {
    const READERS: usize = 60;
    let world = World::new(database, READERS);
    world.site.many_readers(READERS);
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let relay = Hooked::start(move |moment| {
        if moment.at == At::Dot {
            noted.lock().unwrap().push(Instant::now());
        }
        None
    });
    let keys = "connections = 2\nrate_per_second = 20";
    let one = app(&world, &[("main", relay.port, keys)]).await;
    let two = app(&world, &[("main", relay.port, keys)]).await;
    let edition = world.plan(&one).await;
    world.split(edition, 2).await;
    let (one, two) = tokio::join!(deliver(&one), deliver(&two));
    one.unwrap();
    two.unwrap();
    assert_everybody(&relay.taken(), READERS, 0);
    let mut times = times.lock().unwrap().clone();
    times.sort();
    let fullest = times
        .iter()
        .map(|begin| {
            let second = Duration::from_secs(1);
            let within = times.iter().filter(|at| *at >= begin && **at < *begin + second);
            within.count()
        })
        .max()
        .unwrap();
    // A message may be on its way for long, one on each connection; twice the rate would be 40.
    assert!(fullest <= 30, "{fullest}");
}

/// What one relay does not take the other does, and when the first is back it takes its share.
async fn the_others_take_all_until_a_relay_is_back(database: Database) {
    const READERS: usize = 120;
    let world = World::new(database, READERS);
    let mended = Arc::new(AtomicUsize::new(0));
    let (is_mended, mending) = (Arc::clone(&mended), Arc::clone(&mended));
    let first = Hooked::start(move |moment| {
        let refuses = moment.at == At::Mail && is_mended.load(Ordering::SeqCst) == 0;
        refuses.then_some("550 5.7.1 not from there")
    });
    let (clock, is_back) = (Arc::clone(&world.clock), first.clone());
    let second = Hooked::start(move |moment| {
        match (moment.at, moment.number) {
            (At::Dot, 20) => {
                mending.store(1, Ordering::SeqCst);
                // Longer than the first wait of this configuration.
                clock.advance(Duration::from_secs(2));
            }
            (At::Dot, 30) => stand_until("the first relay is not used again", || {
                !is_back.taken().is_empty()
            }),
            _ => {}
        }
        None
    });
    let relays = [
        ("first", first.port, "connections = 2"),
        ("second", second.port, "connections = 1"),
    ];
    let app = app(&world, &relays).await;
    let edition = world.plan(&app).await;
    world.split(edition, 6).await;
    deliver(&app).await.unwrap();
    let (by_first, by_second) = (first.taken(), second.taken());
    assert!(!by_first.is_empty() && by_second.len() >= 30);
    assert_eq!(by(&world, "first").await, by_first.len());
    assert_eq!(by(&world, "second").await, by_second.len());
    assert_everybody(&[by_first, by_second].concat(), READERS, 0);
    assert_eq!(world.deliveries("sent").await, 120);
    let troubles = "SELECT COUNT(*) FROM edition WHERE trouble IS NOT NULL";
    assert_eq!(world.database.number(troubles).await, 0);
}

/// A backup works only while the other can't be used.
async fn a_backup_stands_back(database: Database) {
    const READERS: usize = 120;
    let world = World::new(database, READERS);
    let mended = Arc::new(AtomicUsize::new(0));
    let (is_mended, mending) = (Arc::clone(&mended), Arc::clone(&mended));
    let main = Hooked::start(move |moment| {
        let refuses = moment.at == At::Mail && is_mended.load(Ordering::SeqCst) == 0;
        refuses.then_some("550 5.7.1 not from there")
    });
    let (clock, is_back) = (Arc::clone(&world.clock), main.clone());
    let backup = Hooked::start(move |moment| {
        match (moment.at, moment.number) {
            (At::Dot, 20) => {
                mending.store(1, Ordering::SeqCst);
                clock.advance(Duration::from_secs(2));
            }
            (At::Dot, 21) => stand_until("the main relay is not used again", || !is_back.taken().is_empty()),
            _ => {}
        }
        None
    });
    let relays = [
        ("backup", backup.port, "connections = 1\nbackup = true"),
        ("main", main.port, "connections = 1"),
    ];
    let app = app(&world, &relays).await;
    let edition = world.plan(&app).await;
    world.split(edition, 6).await;
    deliver(&app).await.unwrap();
    let by_backup = backup.taken();
    // It was standing at 21, and one more may have been announced or begun.
    assert!((21..=23).contains(&by_backup.len()), "{}", by_backup.len());
    assert_eq!(by(&world, "backup").await, by_backup.len());
    assert_everybody(&[by_backup, main.taken()].concat(), READERS, 0);
    // With the main relay well from the start, nobody even connects to the backup.
    world.site.summary("more", "urology");
    world.plan(&app).await;
    deliver(&app).await.unwrap();
    assert_eq!(world.deliveries("sent").await, 240);
    assert!(backup.taken().len() <= 23);
}

/// Fewer connections after a complaint; everybody is served all the same.
async fn a_relay_that_complains_is_spared(database: Database) {
    const READERS: usize = 200;
    let world = World::new(database, READERS);
    let (open, most) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let (opened, highest) = (Arc::clone(&open), Arc::clone(&most));
    let spared = Arc::new(AtomicUsize::new(0));
    let (is_spared, noted) = (Arc::clone(&spared), Arc::clone(&spared));
    let relay = Hooked::start(move |moment| {
        match moment.at {
            At::Mail => {
                let now = opened.fetch_add(1, Ordering::SeqCst) + 1;
                if noted.load(Ordering::SeqCst) == 1 {
                    highest.fetch_max(now, Ordering::SeqCst);
                }
            }
            At::Dot => {
                opened.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
        match (moment.at, moment.number) {
            (At::Dot, 20) => return Some("451 4.7.1 slow down"),
            (At::Dot, 100..) => {
                // The state is written every second; nothing else ends before it was seen.
                stand_until("nobody saw that it is slowed", || {
                    is_spared.load(Ordering::SeqCst) == 1
                });
            }
            _ => {}
        }
        None
    });
    let app = app(&world, &[("main", relay.port, "connections = 4")]).await;
    let edition = world.plan(&app).await;
    world.split(edition, 8).await;
    let delivering = {
        let app = Arc::clone(&app);
        tokio::spawn(async move { deliver(&app).await })
    };
    let slowed =
        "SELECT COUNT(*) FROM relay_state WHERE state = 'ready' AND slowed_to = 2 AND connections = 4";
    until_number(&world.database, slowed, 1).await;
    let seen = app.overview().await.unwrap().relays[0].seen[0]
        .condition
        .to_string();
    assert!(seen.starts_with("slowed to 2 of 4 connections since "), "{seen}");
    spared.store(1, Ordering::SeqCst);
    delivering.await.unwrap().unwrap();
    let most = most.load(Ordering::SeqCst);
    assert!((1..=2).contains(&most), "{most}");
    assert_eq!(world.deliveries("waiting").await, 1);
    let rows = "SELECT COUNT(*) FROM relay_state";
    assert_eq!(
        world.database.number(rows).await,
        0,
        "who delivers no more shows nothing"
    );
    world.clock.advance(Duration::from_secs(3));
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), READERS, 0);
}

/// A full hour makes connections wait, not deliveries; `status` knows until when, and a stop ends it.
async fn a_full_hour_waits(database: Database) {
    let world = World::new(database, 8);
    let relay = Hooked::start(|_| None);
    let app = app(&world, &[("main", relay.port, "rate_per_hour = 5")]).await;
    world.plan(&app).await;
    let (stop, stopped) = watch::channel(false);
    let courier = app.courier().unwrap();
    let delivering = tokio::spawn(async move { courier.run(Until::Settled, stopped).await });
    let full = "SELECT COUNT(*) FROM relay_state WHERE full_until IS NOT NULL";
    until_number(&world.database, full, 1).await;
    let seen = app.overview().await.unwrap().relays[0].seen[0]
        .condition
        .to_string();
    assert!(seen.starts_with("hourly limit reached, next at "), "{seen}");
    assert_eq!(relay.taken().len(), 5);
    let held = "SELECT COUNT(*) FROM batch WHERE owner IS NOT NULL";
    // It is given back, and not held for an hour.
    until_number(&world.database, held, 0).await;
    let begun = Instant::now();
    stop.send_replace(true);
    delivering.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(world.deliveries("waiting").await, 3);
    let touched = "SELECT COUNT(*) FROM delivery WHERE state = 'waiting' AND attempts > 0";
    assert_eq!(world.database.number(touched).await, 0);
    // The hour passes.
    world
        .database
        .execute("UPDATE relay_hour SET bucket = bucket - 362")
        .await;
    deliver(&app).await.unwrap();
    assert_everybody(&relay.taken(), 8, 0);
}

crate::on_both!(
    nodes_share_a_rate,
    the_others_take_all_until_a_relay_is_back,
    a_backup_stands_back,
    a_relay_that_complains_is_spared,
    a_full_hour_waits,
);
