//! A full disk and a locked database: said clearly, and nothing is lost or sent twice.

use crate::account::{check_accounts, counts, document, json, only_edition, publish};
use crate::database::Database;
use crate::mail::Mail;
use crate::programs::wait_until;
use crate::relay::{Script, ScriptedRelay};
use crate::site::{Said, Site, said};
use serde_json::json;
use sqlx::Executor;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A small disk in the place of one folder of a site, seen by the programs that are run in it.
struct SmallDisk {
    holder: Child,
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(site: &Site, folder: &str, size: &str) -> Self {
        let folder = site.path(folder);
        fs::create_dir_all(&folder).unwrap();
        let mut holder = Command::new("unshare")
            // Whoever is not root becomes it within a namespace of its own.
            .args([
                "-m",
                "-r",
                "sh",
                "-c",
                "mount -t tmpfs -o size=$1 none \"$2\" && echo ready && exec cat",
                "sh",
                size,
            ])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n", "a disk for the test can't be mounted");
        Self { holder, folder }
    }

    /// The folder as the programs within see it.
    fn seen(&self) -> PathBuf {
        PathBuf::from(format!(
            "/proc/{}/root{}",
            self.holder.id(),
            self.folder.display()
        ))
    }

    fn enter(&self) -> Command {
        let mut enter = Command::new("nsenter");
        enter.args([
            "--preserve-credentials",
            "-U",
            "-m",
            "-t",
            &self.holder.id().to_string(),
            "--",
        ]);
        enter
    }

    fn grow(&self, size: &str) {
        let mut remount = self.enter();
        remount
            .args(["mount", "-o", &format!("remount,size={size}")])
            .arg(&self.folder);
        assert!(remount.status().unwrap().success());
    }

    fn run(&self, site: &Site, arguments: &[&str]) -> Said {
        let outside = site.command(arguments);
        let mut inside = self.enter();
        inside.arg(outside.get_program()).args(outside.get_args());
        inside.envs(
            outside
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        said(&inside.stdin(Stdio::null()).output().unwrap())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

const READERS: [&str; 6] = [
    "a@example.org",
    "b@example.org",
    "c@example.org",
    "d@example.org",
    "e@example.org",
    "f@example.org",
];

fn site() -> Site {
    let site = Site::new();
    site.summary_with("one", "urology", "", &"Many words make a long mail. ".repeat(200));
    site.readers(&READERS.map(|address| (address, "")));
    site
}

#[test]
fn a_full_outbox_keeps_the_rest_waiting() {
    let site = site();
    let disk = SmallDisk::mount(&site, "outbox", "64k");
    let made = only_edition(&document(disk.run(&site, &["publish", "--json"]), 3));
    let [sent, waiting, failed, excluded] = counts(&made);
    assert!(sent > 0 && waiting > 0 && failed + excluded == 0, "{made:#}");
    assert!(
        made["trouble"].as_str().unwrap().contains("the disk is full"),
        "{made:#}"
    );
    let files = || -> Vec<Mail> {
        let mut mails: Vec<_> = fs::read_dir(disk.seen())
            .unwrap()
            .map(|file| Mail::read(&fs::read_to_string(file.unwrap().path()).unwrap()))
            .collect();
        mails.sort();
        mails
    };
    let first = files();
    assert_eq!(i64::try_from(first.len()).unwrap(), sent, "a torn file was left");
    disk.grow("4m");
    let done = only_edition(&document(disk.run(&site, &["publish", "--json"]), 0));
    assert_eq!(
        (&done["id"], &done["state"], counts(&done)),
        (&json!(1), &json!("finished"), [6, 0, 0, 0])
    );
    let all = files();
    assert_eq!(
        all.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(),
        READERS
    );
    assert!(
        first.iter().all(|mail| all.contains(mail)),
        "a mail was written twice"
    );
}

#[test]
fn a_full_disk_under_the_database_loses_nothing() {
    let mut site = site();
    let disk = SmallDisk::mount(&site, "data", "800k");
    site.many_readers(4000);
    let said = disk.run(&site, &["publish"]).expect_code(1);
    assert!(
        said.err.contains("the disk that holds the database is full") && said.err.contains("hint"),
        "{said:?}"
    );
    assert!(site.outbox().is_empty());
    disk.grow("8m");
    let status = document(disk.run(&site, &["status", "--json"]), 0);
    assert_eq!(
        (&status["subscribers"], &status["editions"]),
        (&json!({}), &json!([])),
        "a part was kept"
    );

    // Planned, and then the disk fills up.
    site.readers(&READERS.map(|address| (address, "")));
    site.environment
        .push(("POSTRIDER_RELAY".to_owned(), "smtp://127.0.0.1:1".to_owned()));
    document(disk.run(&site, &["publish", "--json"]), 3);
    let filler = disk.seen().join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4k"])
        .arg(format!("of={}", filler.display()))
        .output()
        .unwrap();
    assert!(!full.status.success(), "the disk was not filled");
    let relay = ScriptedRelay::start(Script::default());
    site.environment.pop();
    site.environment.push((
        "POSTRIDER_RELAY".to_owned(),
        format!("smtp://127.0.0.1:{}", relay.port),
    ));
    let said = disk.run(&site, &["publish"]).expect_code(1);
    assert!(
        said.err.contains("the disk that holds the database is full"),
        "{said:?}"
    );
    assert!(relay.taken().is_empty(), "sent what could not be recorded");
    fs::remove_file(filler).unwrap();
    let done = only_edition(&document(disk.run(&site, &["publish", "--json"]), 0));
    assert_eq!((&done["id"], counts(&done)), (&json!(1), [6, 0, 0, 0]));
    let mut to: Vec<_> = relay.taken().into_iter().flat_map(|message| message.to).collect();
    to.sort();
    assert_eq!(to, READERS);
}

/// Another program holds the lock: a short while is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_waited_for() {
    let (database, site) = locked_site().await;
    let mut holder = database.connect().await;
    holder.execute("BEGIN EXCLUSIVE").await.unwrap();
    let publishing = site
        .command(&["publish", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let open = format!("/proc/{}/fd", publishing.id());
    let path = database.url.strip_prefix("sqlite:").unwrap().to_owned();
    wait_until("the program has opened the database", || {
        let Ok(files) = fs::read_dir(&open) else {
            return false;
        };
        files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target == Path::new(&path)))
    });
    holder.execute("ROLLBACK").await.unwrap();
    let value = document(said(&publishing.wait_with_output().unwrap()), 0);
    check_accounts(&value);
    assert_eq!(counts(&only_edition(&value)), [6, 0, 0, 0]);
}

/// For longer than the half minute that a program waits: it says so, and the next run does the work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_locked_is_named() {
    let (database, site) = locked_site().await;
    let mut holder = database.connect().await;
    holder.execute("BEGIN EXCLUSIVE").await.unwrap();
    let said = site.run(&["publish"]).expect_code(1);
    assert!(
        said.err.contains("the database is locked by another process") && said.err.contains("hint"),
        "{said:?}"
    );
    assert!(site.outbox().is_empty());
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [6, 0, 0, 0]);
}

async fn locked_site() -> (Database, Site) {
    let database = Database::sqlite();
    let mut site = site();
    site.environment
        .push(("POSTRIDER_DATABASE".to_owned(), database.url.clone()));
    json(&site, &["status"], 0);
    (database, site)
}
