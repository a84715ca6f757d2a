//! Mails that are signed: a key is made, its record published, and what arrives verifies.

use crate::account::{json, publish};
use crate::dkim::{Good, Letters};
use crate::relay::{Script, ScriptedRelay};
use crate::site::Site;
use postrider::domain::dkim::DnsRecord;
use postrider::domain::notice::NoticeData;
use postrider::domain::{Clock, SystemClock};
use postrider::store::Store;
use postrider::store::notices::NewNotice;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn site() -> Site {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "urology")]);
    site
}

/// Makes a key; what the DNS must say, and the lines for the configuration.
fn generate(site: &Site, selector: &str) -> (DnsRecord, String) {
    let made = json(site, &["dkim", "generate", "--selector", selector], 0);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let record = DnsRecord {
        name: text(&made["record"]["name"]),
        kind: "TXT",
        value: text(&made["record"]["value"]),
    };
    (record, text(&made["config"]))
}

fn use_relay(site: &mut Site) -> ScriptedRelay {
    let relay = ScriptedRelay::start(Script::default());
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    site.environment.push(("POSTRIDER_RELAY__0__URL".to_owned(), url));
    relay
}

/// Fails the test unless every message has `good` signatures that verify, and no other.
fn assert_signed(records: &[DnsRecord], messages: &[String], good: usize) {
    let mut letters = Letters::new(records.to_vec());
    let mut wanted = Good::new();
    for message in messages {
        assert_eq!(message.matches("DKIM-Signature: ").count(), good, "{message}");
        wanted.insert(letters.put("arrived", message.as_bytes()), good);
    }
    letters.assert(&wanted);
}

#[test]
fn a_key_is_made_and_what_arrives_verifies() {
    let mut site = site();
    let (record, config) = generate(&site, "jan");
    assert_eq!(record.name, "jan._domainkey.example.org");
    let file = site.path("data/dkim-jan.pem");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077,
        0
    );
    assert!(config.contains("key_file = \"data/dkim-jan.pem\"\n"), "{config}");
    site.configure("", &config);

    // The outbox shows mails as they would go, and a test mail is one of them.
    json(&site, &["send", "weekly", "--to", "me@example.org"], 0);
    publish(&site, 0);
    let written = site.outbox();
    assert_eq!(written.len(), 3);
    assert_signed(std::slice::from_ref(&record), &written, 1);

    let relay = use_relay(&mut site);
    site.summary("two", "urology");
    publish(&site, 0);
    let arrived: Vec<String> = relay.taken().into_iter().map(|message| message.data).collect();
    assert_eq!(arrived.len(), 2);
    assert_signed(&[record], &arrived, 1);
    for message in &arrived {
        assert!(message.starts_with("DKIM-Signature: "), "{message}");
        let head = message.split("\r\n\r\n").next().unwrap();
        assert!(head.lines().all(|line| line.len() <= 78), "{head}");
    }
}

/// A mail to a single reader has none of a digest's list fields, and is signed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_signed_as_well() {
    let site = site();
    let (record, config) = generate(&site, "jan");
    site.configure("", &config);
    site.run(&["status"]).expect_code(0);
    let url = format!("sqlite:{}", site.path("data/postrider.db").display());
    let store = Store::open(&url, 2).await.unwrap();
    let notice = NewNotice {
        subscriber: None,
        address: Some("admin@example.org".to_owned()),
        address_hash: "hash".to_owned(),
        mailbox_hash: None,
        data: NoticeData::SignIn { sign_in: 1 },
    };
    store.add_notices(&[notice], SystemClock.now()).await.unwrap();
    fs::remove_dir_all(site.path("content")).unwrap();
    fs::create_dir(site.path("content")).unwrap();
    publish(&site, 0);
    assert_signed(&[record], &site.outbox(), 1);
}

#[test]
fn keys_are_rotated_by_their_selectors() {
    let mut site = site();
    let (old, old_config) = generate(&site, "old");
    let (new, new_config) = generate(&site, "new");
    let relay = use_relay(&mut site);
    let mut seen = 0;
    // Published but not in use yet; both; the old one only published until its mails are delivered.
    for (number, (first, second, good)) in [("", "active = false", 1), ("", "", 2), ("active = false", "", 1)]
        .into_iter()
        .enumerate()
    {
        site.configure("", &format!("{old_config}{first}\n{new_config}{second}\n"));
        site.summary(&format!("more-{number}"), "urology");
        publish(&site, 0);
        let taken = relay.taken();
        let arrived: Vec<String> = taken[seen..].iter().map(|message| message.data.clone()).collect();
        assert_eq!(arrived.len(), 2);
        seen = taken.len();
        assert_signed(&[old.clone(), new.clone()], &arrived, good);
        for (selector, signs) in [("old", first.is_empty()), ("new", second.is_empty())] {
            assert!(
                arrived
                    .iter()
                    .all(|message| message.contains(&format!("s={selector};")) == signs)
            );
        }
    }
    let shown = json(&site, &["dkim", "show"], 0);
    assert_eq!(
        shown
            .as_array()
            .unwrap()
            .iter()
            .map(|key| (
                key["selector"].as_str().unwrap(),
                key["active"].as_bool().unwrap()
            ))
            .collect::<Vec<_>>(),
        [("old", false), ("new", true)]
    );
    assert_eq!(shown[1]["relays"], serde_json::json!(["outbox"]));
    assert_eq!(
        shown[1]["record"]["value"],
        new.value.as_str(),
        "as it was when the key was made"
    );
    let one = json(&site, &["dkim", "show", "old"], 0);
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert!(
        site.run(&["dkim", "show", "none"])
            .expect_code(1)
            .err
            .contains("\"none\"")
    );
}

#[test]
fn a_relay_that_signs_by_itself_gets_mails_unsigned_and_header_lists_are_kept() {
    let mut site = site();
    let (record, config) = generate(&site, "jan");
    site.configure("", &config);
    let relay = use_relay(&mut site);
    let set = |site: &mut Site, key: &str, value: &str| {
        site.environment
            .push((format!("POSTRIDER_RELAY__0__{key}"), value.to_owned()));
    };
    set(&mut site, "DKIM", "self");
    publish(&site, 0);
    assert!(
        relay
            .taken()
            .iter()
            .all(|message| !message.data.contains("DKIM-Signature"))
    );
    let seen = relay.taken().len();

    set(&mut site, "DKIM", "sign");
    for (number, (headers, list)) in [
        ("rewritten", "h=MIME-Version:Feedback-ID:List-Unsubscribe-Post:"),
        ("[\"from\", \"subject\"]", "h=subject:from:from;"),
    ]
    .into_iter()
    .enumerate()
    {
        set(&mut site, "DKIM_HEADERS", headers);
        site.summary(&format!("more-{number}"), "urology");
        publish(&site, 0);
        let taken = relay.taken();
        let arrived: Vec<String> = taken[seen + 2 * number..]
            .iter()
            .map(|message| message.data.clone())
            .collect();
        assert_eq!(arrived.len(), 2);
        assert_signed(std::slice::from_ref(&record), &arrived, 1);
        for message in &arrived {
            let list_is = message.split("\r\nSubject: ").next().unwrap();
            assert!(list_is.contains(list) && !list_is.contains(":Date"), "{message}");
        }
    }
}

#[test]
fn generate_prints_a_record_that_can_be_pasted_and_never_overwrites() {
    let site = site();
    let said = site.run(&["dkim", "generate", "--bits", "3072"]).expect_code(0);
    let selector = format!("postrider-{}", this_month());
    let file = site.path(&format!("data/dkim-{selector}.pem"));
    let pem = fs::read_to_string(&file).unwrap();
    let line = pem.lines().nth(1).unwrap();
    assert!(
        !said.out.contains(line) && !said.err.contains(line),
        "the private key was shown"
    );
    let value = said.out.split("value  ").nth(1).unwrap().lines().next().unwrap();
    assert!(value.starts_with("v=DKIM1; k=rsa; p=MII"), "{said:?}");
    let zone = said
        .out
        .split("zone file:\n\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    assert!(
        zone.starts_with(&format!("{selector}._domainkey.example.org. IN TXT (\n")),
        "{zone}"
    );
    let strings: Vec<&str> = zone.split('"').skip(1).step_by(2).collect();
    assert!(strings.len() > 2 && strings.iter().all(|text| text.len() <= 255));
    assert_eq!(strings.concat(), value);

    let again = site.run(&["dkim", "generate"]).expect_code(1);
    assert!(
        again.err.contains("exists") && again.err.contains("--out"),
        "{again:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), pem);
    for (arguments, wanted) in [
        (
            ["--domain", "example.com"],
            "example.com is neither the domain of [mail] from, example.org,",
        ),
        (["--domain", "no domain"], "expected a domain, got \"no domain\""),
        (["--selector", "a_b"], "expected a selector, got \"a_b\""),
        (["--bits", "1024"], "2048, 3072, 4096"),
    ] {
        let said = site
            .run(&[&["dkim", "generate"][..], &arguments].concat())
            .expect_code(2);
        assert!(said.err.contains(wanted), "{said:?}");
    }

    // The configuration may name the key before it is there.
    let (_, config) = generate(&site, "later");
    fs::remove_file(site.path("data/dkim-later.pem")).unwrap();
    site.configure("", &config);
    let said = site.run(&["check"]).expect_code(2);
    let hint = "`postrider dkim generate --domain example.org --selector later --out ";
    assert!(said.out.contains(hint), "{said:?}");
    let out = site.path("data/dkim-later.pem").display().to_string();
    let made = [
        "dkim",
        "generate",
        "--domain",
        "example.org",
        "--selector",
        "later",
        "--out",
        &out,
    ];
    site.run(&made).expect_code(0);
    site.run(&["check"]).expect_code(0);
    let said = site
        .run(&["dkim", "generate", "--selector", "later", "--out", "/dev/null/x"])
        .expect_code(2);
    assert!(
        said.err.contains("a key with the selector \"later\" already"),
        "{said:?}"
    );
}

/// Year and month, as the program's clock has them.
fn this_month() -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y%m"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
