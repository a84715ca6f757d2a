//! What holds for every command: JSON, exit codes, paths, environment.

use crate::account::{document, json, publish};
use crate::ports::unused_port;
use crate::site::{Site, said};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

fn site() -> Site {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    site
}

/// The program as a person would start it in the folder of the site.
fn plain(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    command.args(arguments).current_dir(site.root());
    command
}

#[test]
fn every_command_says_one_document() {
    let site = site();
    let out = site.path("out");
    let out = out.to_str().unwrap();
    publish(&site, 0);
    for command in [
        &["gather"][..],
        &["publish"],
        &["publish", "weekly", "--wait"],
        &["send", "weekly"],
        &["send", "weekly", "--dry-run"],
        &["preview", "weekly", "--out", out],
        &["subscribers", "show", "ann@example.org"],
        &["summaries"],
        &["summaries", "show", "one"],
        &["editions"],
        &["editions", "show", "1"],
        &["feeds", "--out", out],
        &["templates", "check"],
        &["token", "create", "site"],
        &["check"],
        &["status"],
    ] {
        // In front and behind, as people write it.
        assert!(!json(&site, command, 0).is_null(), "{command:?}");
        let said = site.run(command);
        assert!(said.code == 0 || command[0] == "token", "{command:?}: {said:?}");
    }
    let shown = document(
        said(
            &site
                .command(&["--json", "editions", "show", "1"])
                .output()
                .unwrap(),
        ),
        0,
    );
    assert_eq!(
        (&shown["id"], &shown["summaries"], &shown["excluded_by"]),
        (&json!(1), &json!(["one"]), &json!({}))
    );
    assert_eq!(shown.get("deliveries"), None);
    assert_eq!(json(&site, &["editions"], 0), Value::Array(vec![shown]));
    let status = json(&site, &["status"], 0);
    assert_eq!(status["relays"][0]["relay"], "outbox");
    assert_eq!(status["digests"][0]["next_run"], Value::Null);
    assert_eq!(status["editions"], json!([]));
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let site = site();
    for (command, code) in [
        (&["nonsense"][..], 2),
        (&["publish", "--nonsense"], 2),
        (&["publish", "dayly"], 2),
        (&["preview", "weekly"], 2),
        (&["editions", "show", "x"], 2),
        (&["editions", "show", "7"], 1),
        (&["editions", "approve", "7"], 1),
        (&["summaries", "show", "none"], 1),
        (&["--database", "mysql://x", "publish"], 2),
        (&["--relay", "smtp://", "publish"], 2),
        (&["serve", "--listen", "nowhere"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["man"], 0),
        (&["completions", "bash"], 0),
    ] {
        let said = site.run(command);
        assert_eq!(said.code, code, "{command:?}: {said:?}");
        assert!(code == 0 || !said.err.is_empty(), "{command:?}");
    }
    site.configure("max_itmes = 3", "");
    let said = site.run(&["publish"]).expect_code(2);
    assert!(
        said.err.contains("max_itmes") && said.err.contains("max_items"),
        "{said:?}"
    );
    let verdicts = json(&site, &["check"], 2);
    assert_eq!(
        (&verdicts[0]["what"], &verdicts[0]["ok"]),
        (&json!("configuration"), &json!(false))
    );
    fs::remove_file(site.path("config.toml")).unwrap();
    let said = site.run(&["status"]).expect_code(2);
    assert!(
        said.err.contains("config.toml") && said.err.contains("hint"),
        "{said:?}"
    );
}

/// A source that fails is told of and costs only itself.
#[test]
fn a_source_that_cannot_be_read_is_a_failure_that_stops_nothing() {
    let site = site();
    site.configure(
        "",
        "[[source]]\nname = \"gone\"\nkind = \"feed\"\nurl = \"http://127.0.0.1:1/feed\"\n\
         allow_private = true\ncategory = \"urology\"\n",
    );
    let said = publish(&site, 1);
    assert!(
        said["sources"][1]["failed"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1:1"),
        "{said:#}"
    );
    assert_eq!(site.outbox().len(), 1);
    json(&site, &["gather"], 1);
    // A folder that was never there is a mistake in the file.
    site.configure(
        "",
        "[[source]]\nname = \"gone\"\nkind = \"folder\"\npath = \"nowhere\"\n",
    );
    let error = json(&site, &["gather"], 2);
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .contains("source[1].path: there is no folder"),
        "{error}"
    );
}

#[test]
fn paths_start_where_they_should() {
    let site = site();
    let said = said(&plain(&site, &["publish"]).output().unwrap());
    assert_eq!((said.code, site.outbox().len()), (0, 1), "{said:?}");
    assert!(site.path("data/postrider.db").exists() && site.path("data/secret").exists());
    for private in ["data/secret", "data/postrider.db"] {
        assert_eq!(
            fs::metadata(site.path(private)).unwrap().permissions().mode() & 0o777,
            0o600,
            "{private}"
        );
    }
    // On the command line they start at the working directory, in the file at the file.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        command
            .args(arguments)
            .current_dir(elsewhere.path())
            .env("POSTRIDER_CONFIG", site.path("config.toml"));
        crate::site::said(&command.output().unwrap()).expect_code(0)
    };
    run(&[
        "--database",
        "sqlite:here/x.db",
        "--relay",
        "outbox:box",
        "publish",
    ]);
    assert!(elsewhere.path().join("here/x.db").exists());
    assert_eq!(fs::read_dir(elsewhere.path().join("box")).unwrap().count(), 1);
    run(&["feeds", "--out", "feeds"]);
    assert!(elsewhere.path().join("feeds/all.rss").exists());
    run(&["subscribers", "export", "list.csv"]);
    assert!(elsewhere.path().join("list.csv").exists());
    assert_eq!(site.outbox().len(), 1);
}

#[test]
fn the_environment_overrides_and_a_wrong_name_is_a_warning() {
    let mut site = site();
    for (name, value) in [
        ("POSTRIDER_SITE__NAME", "Another Name"),
        ("POSTRIDER_DIGEST__0__TITLE", "Another digest"),
        ("POSTRIDER_DATABASE__URL", "sqlite:other/other.db"),
        ("POSTRIDER_RELAY", "outbox:replaced"),
        ("POSTRIDER_SITE__NMAE", "x"),
    ] {
        let value = if name == "POSTRIDER_RELAY" {
            format!("outbox:{}", site.path("replaced").display())
        } else {
            value.to_owned()
        };
        site.environment.push((name.to_owned(), value));
    }
    let said = site.run(&["publish"]).expect_code(0);
    assert!(
        said.err.contains("POSTRIDER_SITE__NMAE") && said.err.contains("POSTRIDER_SITE__NAME"),
        "{said:?}"
    );
    assert!(site.path("other/other.db").exists() && !site.path("data/postrider.db").exists());
    let file = fs::read_dir(site.path("replaced"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mail = crate::mail::Mail::read(&fs::read_to_string(file).unwrap());
    assert!(mail.subject.starts_with("Another digest, "));
    assert!(mail.text.contains("from Another Name."));
}

#[test]
fn a_token_is_shown_once_and_its_name_is_taken() {
    let site = site();
    let made = json(&site, &["token", "create", "website"], 0);
    let token = made["token"].as_str().unwrap();
    assert!(token.len() >= 32);
    let again = site.run(&["token", "create", "website"]).expect_code(1);
    assert!(again.err.contains("\"website\""), "{again:?}");
    let stored = fs::read(site.path("data/postrider.db")).unwrap();
    assert!(
        !stored
            .windows(token.len())
            .any(|window| window == token.as_bytes()),
        "stored as it is"
    );
}

#[test]
fn feeds_are_written_for_all_and_each_category() {
    let site = site();
    publish(&site, 0);
    let out = site.path("feeds");
    let written = json(&site, &["feeds", "--out", out.to_str().unwrap()], 0);
    assert_eq!(written.as_array().unwrap().len(), 9);
    let mut names: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let wanted: Vec<String> = ["all", "oncology", "urology"]
        .iter()
        .flat_map(|name| ["atom", "json", "rss"].map(|format| format!("{name}.{format}")))
        .collect();
    assert_eq!(names, wanted);
    let text = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert!(text("urology.rss").contains("About one") && !text("oncology.atom").contains("About one"));
    let before = text("all.atom");
    json(&site, &["feeds", "--out", out.to_str().unwrap()], 0);
    assert_eq!(text("all.atom"), before);
}

#[test]
fn check_gives_a_verdict_of_each() {
    let site = site();
    let verdicts = json(&site, &["check"], 0);
    let what: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        what,
        ["configuration", "templates", "secret", "database", "relay outbox"]
    );
    let nobody = format!("smtp://127.0.0.1:{}", unused_port());
    let verdicts = json(&site, &["--relay", &nobody, "check"], 1);
    let wrong: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .filter(|v| v["ok"] == false)
        .collect();
    assert_eq!((wrong.len(), &wrong[0]["what"]), (1, &json!("relay relay")));
    let status = site.run(&["--relay", &nobody, "status"]).expect_code(0);
    let line = "relay relay: can't be used now, 4 connections: connection lost (";
    assert!(status.out.contains(line), "{status:?}");
    // What can be looked at is looked at, whatever else is wrong.
    let verdicts = json(&site, &["--database", "sqlite:/dev/null/x.db", "check"], 1);
    let state = |what: &str| {
        let verdict = verdicts.as_array().unwrap().iter().find(|v| v["what"] == what);
        verdict.unwrap_or_else(|| panic!("no verdict of {what}: {verdicts:#}"))["ok"].clone()
    };
    assert_eq!(
        ["templates", "database", "relay outbox"].map(state),
        [json!(true), json!(false), json!(true)]
    );
}
