//! Two relays, the first of which can't be used: the other takes all, and the ledger says who took what.

use crate::account::{counts, delivery, edition, json, only_edition, publish};
use crate::ports::unused_port;
use crate::relay::{Act, Script, ScriptedRelay};
use crate::site::Site;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const READERS: [&str; 3] = ["ann@example.org", "bea@example.org", "cy@example.org"];

/// One summary, three readers, and these relays: name, address, further keys.
fn site(relays: &[(&str, String, &str)]) -> Site {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&READERS.map(|address| (address, "")));
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let tables: String = relays
        .iter()
        .map(|(name, url, keys)| format!("[[relay]]\nname = \"{name}\"\nurl = \"{url}\"\n{keys}\n"))
        .collect();
    let outbox = "[[relay]]\nname = \"outbox\"\nurl = \"outbox:outbox\"\n";
    site.write("config.toml", &config.replace(outbox, &tables));
    // The address holds a password.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(site.path("config.toml"), mode).unwrap();
    site
}

fn refuses(place: &'static str, line: &str) -> Script {
    let act = Act::SayAndDrop(format!("{line}\r\n").into_bytes());
    // Often enough for every connection that may try.
    (0..8).fold(Script::default(), |script, _| script.on(place, act.clone()))
}

fn took(account: &Value) -> Vec<&str> {
    READERS
        .iter()
        .map(|reader| delivery(account, reader)["relay"].as_str().unwrap())
        .collect()
}

#[test]
fn the_second_takes_what_the_first_refuses() {
    let auth = || Script::default().offering(&["AUTH PLAIN"]);
    for (name, script, login) in [
        ("down", None, ""),
        ("greeting", Some(refuses("CONNECT", "554 5.7.1 go away")), ""),
        ("AUTH", Some(auth()), "user:wrong@"),
        ("MAIL", Some(refuses("MAIL", "550 5.7.1 not from there")), ""),
    ] {
        for keys in ["", "backup = true"] {
            let name = format!("{name} {keys}");
            let port = match &script {
                Some(script) => ScriptedRelay::start(script.clone()).port,
                None => unused_port(),
            };
            let second = ScriptedRelay::start(Script::default());
            let relays = [
                ("first", format!("smtp://{login}127.0.0.1:{port}"), ""),
                ("second", format!("smtp://127.0.0.1:{}", second.port), keys),
            ];
            let site = site(&relays);
            let made = only_edition(&publish(&site, 0));
            assert_eq!(
                (&made["state"], counts(&made), &made["trouble"]),
                (&json!("finished"), [3, 0, 0, 0], &Value::Null),
                "{name}"
            );
            assert_eq!(took(&edition(&site, 1)), ["second"; 3], "{name}");
            assert_eq!(second.taken().len(), 3, "{name}");
        }
    }
}

#[test]
fn a_backup_is_left_alone_while_the_first_is_well() {
    let relays = [(); 2].map(|()| ScriptedRelay::start(Script::default()));
    let site = site(&[
        (
            "backup",
            format!("smtp://127.0.0.1:{}", relays[0].port),
            "backup = true",
        ),
        ("main", format!("smtp://127.0.0.1:{}", relays[1].port), ""),
    ]);
    publish(&site, 0);
    assert_eq!(took(&edition(&site, 1)), ["main"; 3]);
    assert_eq!(relays[0].record(|record| record.connections), 0);
    let status = json(&site, &["status"], 0);
    let backups: Vec<_> = [0, 1].map(|n| &status["relays"][n]["backup"]).into();
    assert_eq!(backups, [&json!(true), &json!(false)]);
    assert_eq!(status["relays"][0]["seen"], json!([]));
}

#[test]
fn with_all_relays_down_the_edition_waits_and_goes_on_with_the_first_that_is_back() {
    let closed = || format!("smtp://127.0.0.1:{}", unused_port());
    let relay = ScriptedRelay::start(refuses("CONNECT", "554 5.7.1 go away"));
    let site = site(&[
        ("first", closed(), ""),
        (
            "second",
            format!("smtp://127.0.0.1:{}", relay.port),
            "connections = 4",
        ),
        ("third", closed(), "backup = true"),
    ]);
    let made = only_edition(&publish(&site, 3));
    assert_eq!((&made["state"], counts(&made)), (&json!("waiting"), [0, 3, 0, 0]));
    assert!(made["trouble"].as_str().unwrap().starts_with("relay \""));
    // It is well once its script is used up; `--wait` tries it again and again.
    let done = only_edition(&json(&site, &["publish", "--wait"], 0));
    assert_eq!(
        (&done["state"], counts(&done)),
        (&json!("finished"), [3, 0, 0, 0])
    );
    assert_eq!(took(&edition(&site, 1)), ["second"; 3]);
    assert_eq!(relay.taken().len(), 3);
}

/// What `status` of another process shows of a relay that a server has found unusable.
#[test]
fn status_shows_what_a_server_knows() {
    let relay = ScriptedRelay::start(Script::default().offering(&["AUTH PLAIN"]));
    let mut site = site(&[("main", format!("smtp://user:wrong@127.0.0.1:{}", relay.port), "")]);
    site.environment
        .push(("POSTRIDER_DELIVERY__RETRY_FIRST".to_owned(), "10m".to_owned()));
    site.environment
        .push(("POSTRIDER_DELIVERY__RETRY_MAX".to_owned(), "10m".to_owned()));
    publish(&site, 3);
    let server = site.serve(&[]);
    let begun = std::time::Instant::now();
    let seen = loop {
        let status = json(&site, &["status"], 0);
        let seen = &status["relays"][0]["seen"];
        if seen != &json!([]) {
            break seen.clone();
        }
        assert!(begun.elapsed().as_secs() < 30, "{status:#}");
    };
    assert_eq!(seen.as_array().unwrap().len(), 1, "{seen:#}");
    assert_eq!(
        (&seen[0]["state"], &seen[0]["failures"]),
        (&json!("open"), &json!(1))
    );
    assert!(seen[0]["until"].is_string() && !seen.to_string().contains("wrong"));
    let said = site.run(&["status"]).expect_code(0);
    let line = format!("relay main: process {}: open until ", server.pid());
    assert!(said.out.contains(&line), "{said:?}");
    assert!(said.out.contains("535 5.7.8 who?), 1 failure\n"), "{said:?}");
    assert_eq!(server.stop(), 0);
    assert_eq!(json(&site, &["status"], 0)["relays"][0]["seen"], json!([]));
}

/// Fails the test unless the command says `expected` in its log while it waits; then stops it.
fn assert_says_while_it_waits(site: &Site, arguments: &[&str], expected: &str) {
    let log = site.path("log");
    let mut command = site.command(arguments);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    let begun = Instant::now();
    while !said().contains(expected) && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let stop = Command::new("kill").arg(child.id().to_string()).status();
    assert!(stop.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(said().contains(expected), "{arguments:?}: {}", said());
}

#[test]
fn a_command_that_waits_says_for_what() {
    let relay = ScriptedRelay::start(Script::default());
    let url = |port: u16| format!("smtp://127.0.0.1:{port}");
    let full = site(&[("main", url(relay.port), "rate_per_hour = 1")]);
    assert_says_while_it_waits(&full, &["publish"], "hourly limit reached");
    let down = site(&[("main", url(unused_port()), "")]);
    publish(&down, 3);
    down.run(&["editions", "pause", "1"]).expect_code(0);
    for command in ["resume", "retry"] {
        let arguments = ["editions", command, "1", "--wait"];
        assert_says_while_it_waits(&down, &arguments, "relay can't be used now");
        down.run(&["editions", "pause", "1"]);
    }
}
