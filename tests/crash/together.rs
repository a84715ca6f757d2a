//! Several processes that begin at the same moment: one edition, each reader once.

use crate::database::Database;
use crate::inbox::Inbox;
use crate::programs::wait_until;
use crate::site::{Site, said};
use std::io::PipeReader;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READERS: usize = 5;
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

/// One edition a round, whoever was first; every fifth round begins with an empty database.
async fn one_edition_each(fresh: impl AsyncFn() -> Database, rounds: usize) {
    let inbox = Inbox::new();
    let mut made = Vec::new();
    let mut site = None;
    let mut editions = 0;
    let mut last_run = 0;
    for round in 0..rounds {
        if round % 5 == 0 {
            let database = fresh().await;
            let mut new = Site::new();
            new.environment.push(("POSTRIDER_DATABASE".into(), database.url.clone()));
            inbox.receives_from(&mut new, 2);
            // Due every second: on a database that knows it, at once.
            let config = std::fs::read_to_string(new.path("config.toml")).unwrap();
            new.write("config.toml", &config.replace("schedule = \"\"", "schedule = \"* * * * * *\""));
            new.many_readers(READERS);
            (site, editions, last_run) = (Some(new), 0, 0);
            made.push(database);
        }
        let (site, database) = (site.as_ref().unwrap(), made.last().unwrap());
        site.summary(&format!("news-{round}"), "urology");
        editions += 1;
        let (gate, opener) = std::io::pipe().unwrap();
        let send = || behind(&gate, &site.command(&["send", "weekly", "--yes"]));
        let sends = [send(), send()];
        let server = behind(&gate, &site.command(&["serve", "--listen", "127.0.0.1:0"]));
        let released = Instant::now();
        drop(opener);
        for send in sends {
            said(&send.wait_with_output().unwrap()).expect_code(0);
        }
        let before = std::mem::replace(&mut last_run, scheduled(database).await);
        while last_run <= before {
            assert!(released.elapsed() < PATIENCE, "the schedule did not run");
            tokio::time::sleep(Duration::from_millis(20)).await;
            last_run = scheduled(database).await;
        }
        assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
        said(&server.wait_with_output().unwrap()).expect_code(0);
        let count = database.number("SELECT COUNT(*) FROM edition").await;
        assert_eq!(count, editions, "round {round}");
        let finished = database.number("SELECT COUNT(*) FROM edition WHERE state = 'finished'").await;
        assert_eq!(finished, editions, "round {round}");
        wait_until("the sink has written what it took", || inbox.count() == (round + 1) * READERS);
    }
    let messages = inbox.messages();
    // A site of its own has a secret of its own, so that no two rounds share a Message-ID.
    assert_eq!(messages.len(), rounds * READERS);
    assert_eq!(messages.values().filter(|to| to.len() > 1).count(), 0);
}

/// The scheduled time that was handled last; 0 before the first.
async fn scheduled(database: &Database) -> i64 {
    database
        .number("SELECT COALESCE(MAX(last), 0) FROM schedule_run")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_released_together_make_one_edition_on_sqlite() {
    one_edition_each(async || Database::sqlite(), 50).await;
}
