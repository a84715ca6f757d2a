//! Through a real SMTP server with TLS and a password, into an inbox, and out again with one click.

use crate::account::{counts, delivery, edition, only_edition, publish};
use crate::mail::Mail;
use crate::programs::{Certificates, Running, aiosmtpd};
use crate::site::Site;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// The user and password that `aiosmtpd_relay.py` knows.
const LOGIN: &str = "user:pa%20ss%3Aw%C3%B6rd";
const SAMPLE: &str = include_str!("../../subscribers/sample.csv");

struct Relay {
    folder: tempfile::TempDir,
    running: Running,
}

impl Relay {
    fn start(certificates: &Certificates, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| certificates.path(name).to_str().unwrap().to_owned();
        let (cert, key) = (path("leaf.pem"), path("leaf.key"));
        let arguments = ["--cert", &cert, "--key", &key, "--mechanism", "PLAIN"];
        let running = aiosmtpd(folder.path(), &[&arguments, more].concat());
        Self { folder, running }
    }

    fn url(&self, host: &str, ca: &Path) -> String {
        format!(
            "smtp://{LOGIN}@{host}:{}?tls=required&ca={}",
            self.running.port,
            ca.display()
        )
    }

    /// What it recorded of one kind: `connection`, `login` or `message`.
    fn of(&self, kind: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut files: Vec<_> = entries
            .filter(|path| path.extension().is_some_and(|ending| ending == kind))
            .collect();
        files.sort();
        files
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }
}

/// The site with the sample readers; each of their categories stands for urology here.
fn site() -> Site {
    let site = Site::new();
    let wanted = ["oncology", "urology"];
    let mut list = String::new();
    for (n, line) in SAMPLE.lines().enumerate() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        // A quoted name has a comma of its own.
        let categories = cells.len() - 4;
        if n > 0 && !cells[categories].is_empty() && !wanted.contains(&cells[categories].as_str()) {
            cells[categories] = "urology".to_owned();
        }
        list += &(cells.join(",") + "\n");
    }
    site.write("subscribers/list.csv", &list);
    site.summary("one", "urology,oncology");
    site
}

fn confirmed() -> Vec<String> {
    let mut readers: Vec<_> = SAMPLE
        .lines()
        .filter(|line| line.contains(",confirmed,"))
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    readers.sort();
    readers
}

fn recipients(relay: &Relay) -> Vec<String> {
    let mut to: Vec<_> = relay.of("message").iter().map(|raw| Mail::read(raw).to).collect();
    to.sort();
    to
}

#[test]
fn nothing_goes_through_an_unsafe_door_and_all_through_a_safe_one() {
    let mut site = site();
    let good = Certificates::make("DNS:localhost");
    let other = Certificates::make("DNS:mail.example.org");
    let wrong_name = Relay::start(&other, &[]);
    let unknown = Relay::start(&good, &[]);
    let stripped = Relay::start(&good, &["--no-starttls"]);
    let count = i64::try_from(confirmed().len()).unwrap();
    for (name, relay, ca, why) in [
        ("wrong name", &wrong_name, other.path("ca.pem"), "certificate"),
        ("unknown CA", &unknown, other.path("ca.pem"), "certificate"),
        ("stripped STARTTLS", &stripped, good.path("ca.pem"), "STARTTLS"),
    ] {
        use_relay(&mut site, &relay.url("localhost", &ca));
        let made = only_edition(&publish(&site, 3));
        assert_eq!(
            (&made["id"], &made["state"], counts(&made)),
            (&json!(1), &json!("waiting"), [0, count, 0, 0]),
            "{name}"
        );
        let trouble = made["trouble"].as_str().unwrap();
        assert!(trouble.contains(why), "{name}: {trouble}");
        let said = site.run(&["status"]).expect_code(0);
        assert!(
            said.out.contains(why) && !said.out.contains("pa ss") && !said.out.contains("pa%20"),
            "{said:?}"
        );
        assert!(!relay.of("connection").is_empty(), "{name}: nobody came");
        assert!(
            relay.of("login").is_empty() && relay.of("message").is_empty(),
            "{name}"
        );
    }
    // The same edition goes on as soon as the address is right.
    let relay = Relay::start(&good, &[]);
    use_relay(&mut site, &relay.url("localhost", &good.path("ca.pem")));
    let made = only_edition(&publish(&site, 0));
    assert_eq!((&made["id"], counts(&made)), (&json!(1), [count, 0, 0, 0]));
    assert_eq!(recipients(&relay), confirmed());
    assert!(
        relay
            .of("login")
            .iter()
            .all(|login| login == "PLAIN user pa ss:wörd")
    );
    let account = edition(&site, 1);
    for raw in relay.of("message") {
        let mail = Mail::read(&raw);
        assert!(raw.contains(&format!("X-To: {}\r\n", mail.to)));
        assert!(mail.tells_of("one"));
        assert_eq!(delivery(&account, &mail.to)["code"], 250);
    }
    assert_eq!(publish(&site, 0)["editions"], json!([]));
    assert_eq!(recipients(&relay), confirmed());

    one_click_ends_it(&site, &relay);
}

fn one_click_ends_it(site: &Site, relay: &Relay) {
    let mails: Vec<_> = relay.of("message").iter().map(|raw| Mail::read(raw)).collect();
    let leaver = &mails[0];
    let path = leaver
        .unsubscribe
        .strip_prefix("https://site.example.org")
        .unwrap();
    let server = site.serve(&["--no-schedule"]);
    let url = format!("{}{path}", server.url);
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}"])
            .args(arguments)
            .output();
        let output = output.expect("curl is missing");
        String::from_utf8(output.stdout).unwrap()
    };
    let state = || crate::account::json(site, &["subscribers", "show", &leaver.to], 0);
    assert_eq!(
        (curl(&[&url]), curl(&["-I", &url])),
        ("200".to_owned(), "200".to_owned())
    );
    assert_eq!(state()["digests"], json!(["weekly"]), "a GET changed something");
    assert_eq!(curl(&["-d", "List-Unsubscribe=One-Click", &url]), "200");
    assert_eq!(state()["digests"], json!([]));
    assert_eq!(
        curl(&["-F", "List-Unsubscribe=One-Click", &url]),
        "200",
        "a repeat is fine"
    );
    assert_eq!(
        curl(&["-d", "List-Unsubscribe=One-Click", &format!("{url}x")]),
        "404"
    );
    assert_eq!(server.stop(), 0);

    site.summary("two", "urology,oncology");
    let made = only_edition(&publish(site, 0));
    let count = i64::try_from(confirmed().len()).unwrap();
    assert_eq!(counts(&made), [count - 1, 0, 0, 0]);
    let second: Vec<_> = relay
        .of("message")
        .iter()
        .map(|raw| Mail::read(raw))
        .filter(|mail| mail.tells_of("two"))
        .collect();
    assert_eq!(second.len(), confirmed().len() - 1);
    assert!(second.iter().all(|mail| mail.to != leaver.to));
}

fn use_relay(site: &mut Site, url: &str) {
    site.environment.retain(|(name, _)| name != "POSTRIDER_RELAY");
    site.environment
        .push(("POSTRIDER_RELAY".to_owned(), url.to_owned()));
}
