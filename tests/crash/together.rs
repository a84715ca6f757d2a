//! Several processes that begin at the same moment: one edition, each reader once.

use crate::database::Database;
use crate::inbox::Inbox;
use crate::site::{Site, said};
use postrider::domain::Timestamp;
use postrider::store::editions::NewEdition;
use postrider::store::lease;
use std::io::PipeReader;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READERS: usize = 5;
const ROUNDS: i64 = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// `command`, held until the other end of `gate` is closed.
fn behind(gate: &PipeReader, command: &Command) -> Child {
    let mut held = Command::new("sh");
    // `exec` keeps the process number, so that signals reach the program.
    held.args(["-c", "read _; exec \"$0\" \"$@\" </dev/null"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::from(gate.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in command.get_envs() {
        held.env(name, value.unwrap_or_default());
    }
    held.spawn().unwrap()
}

/// Rounds on one database, which is empty in the first: one edition each, whoever was first.
async fn rounds_on(database: Database) {
    let inbox = Inbox::new();
    let mut site = Site::new();
    site.environment
        .push(("POSTRIDER_DATABASE".into(), database.url.clone()));
    inbox.receives_from(&mut site, 2);
    // Due every second: at once on a database that knows of it.
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.write(
        "config.toml",
        &config.replace("schedule = \"\"", "schedule = \"* * * * * *\""),
    );
    site.many_readers(READERS);
    let mut last_run = 0;
    for round in 1..=ROUNDS {
        site.summary(&format!("news-{round}"), "urology");
        let (gate, opener) = std::io::pipe().unwrap();
        let send = || behind(&gate, &site.command(&["send", "weekly", "--yes"]));
        let sends = [send(), send()];
        let server = behind(&gate, &site.command(&["serve", "--listen", "127.0.0.1:0"]));
        drop(opener);
        for send in sends {
            said(&send.wait_with_output().unwrap()).expect_code(0);
        }
        let begun = Instant::now();
        let before = last_run;
        while last_run <= before {
            assert!(begun.elapsed() < PATIENCE, "the schedule did not run");
            tokio::time::sleep(Duration::from_millis(20)).await;
            last_run = scheduled(&database).await;
        }
        let asked = Command::new("kill").arg(server.id().to_string()).status();
        assert!(asked.unwrap().success());
        said(&server.wait_with_output().unwrap()).expect_code(0);
        let made = "SELECT COUNT(*) FROM edition";
        let finished = "SELECT COUNT(*) FROM edition WHERE state = 'finished' AND audience = 5";
        assert_eq!(database.number(made).await, round, "round {round}");
        assert_eq!(database.number(finished).await, round, "round {round}");
    }
    let messages = inbox.messages();
    assert_eq!(messages.len(), usize::try_from(ROUNDS).unwrap() * READERS);
    assert!(messages.values().all(|to| to.len() == 1), "{messages:?}");
}

/// The scheduled time that was handled last; 0 before the first.
async fn scheduled(database: &Database) -> i64 {
    database
        .number("SELECT COALESCE(MAX(last), 0) FROM schedule_run")
        .await
}

async fn one_edition_each(first: Database) {
    let more = if first.url.starts_with("sqlite:") { 9 } else { 1 };
    rounds_on(first.clone()).await;
    for _ in 0..more {
        if first.url.starts_with("sqlite:") {
            rounds_on(Database::sqlite()).await;
        } else {
            Database::postgres().await.run(rounds_on).await;
        }
    }
}

/// A planner that slept until another took its lease keeps nothing of what it planned.
async fn a_planner_that_slept_makes_no_edition(database: Database) {
    let store = database.open().await;
    let (now, later) = (Timestamp(1_768_003_200_000), Timestamp(1_768_003_270_000));
    let slept = lease::take(&store, "edition weekly", now).await.unwrap().unwrap();
    assert!(
        lease::take(&store, "edition weekly", now)
            .await
            .unwrap()
            .is_none()
    );
    let awake = lease::take(&store, "edition weekly", later)
        .await
        .unwrap()
        .unwrap();
    for (lease, holds) in [(&slept, false), (&awake, true)] {
        let new = NewEdition {
            digest: "weekly",
            items: &[],
            skipped: &[],
            now,
        };
        let mut planning = store.plan_new(&new, false).await.unwrap();
        let guarded = planning.guarded_by(lease).await;
        assert_eq!(guarded.is_ok(), holds, "{guarded:?}");
        if holds {
            planning.commit(now, later).await.unwrap();
        }
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM edition").await, 1);
    awake.release().await.unwrap();
}

crate::on_both!(one_edition_each, a_planner_that_slept_makes_no_edition);
