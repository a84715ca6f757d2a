//! Sessions that cannot be opened: the relay is named with what it said, and nothing is sent.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/relay.rs"]
mod relay;
#[path = "support/sending.rs"]
mod sending;

use postrider::deliver::{Happened, RelayTrouble, Stage, Verdict};
use postrider::domain::Problem;
use relay::{Act, Script, ScriptedRelay, encode, say};
use sending::{assert_taken, relay_at, relay_to, send};
use std::time::Duration;

async fn trouble(script: Script, hangs: bool) -> (RelayTrouble, ScriptedRelay) {
    let server = ScriptedRelay::start(script);
    let trouble = relay_to(&server, hangs).connect().await.map(|_| ()).unwrap_err();
    // The relay gets well: so does the connection.
    let mut connection = relay_to(&server, false).connect().await.unwrap();
    assert_eq!(send(&mut connection, 2).await.verdict, Verdict::Sent);
    assert_taken(&server, &[2]);
    (trouble, server)
}

#[tokio::test]
async fn a_relay_that_is_in_trouble_says_where() {
    for (place, line, stage) in [
        ("CONNECT", "554 5.7.1 blocked", Stage::Greeting),
        ("CONNECT", "421 4.3.2 busy", Stage::Greeting),
        ("EHLO", "502 5.5.1 what?", Stage::Ehlo),
        ("EHLO", "421 4.7.0 bye", Stage::Ehlo),
    ] {
        for act in [say(line), Act::SayAndDrop(format!("{line}\r\n").into_bytes())] {
            let (trouble, _) = trouble(Script::default().on(place, act), false).await;
            assert_eq!(trouble.happened.stage(), Some(stage), "{trouble}");
            assert_eq!(trouble.code(), line[..3].parse().ok());
            assert!(trouble.to_string().contains(&line[4..]), "{trouble}");
        }
    }
    for (place, stage) in [("CONNECT", Stage::Greeting), ("EHLO", Stage::Ehlo)] {
        for (act, hangs) in [(Act::Drop, false), (Act::Hang, true), (say("hello"), false)] {
            let (trouble, _) = trouble(Script::default().on(place, act), hangs).await;
            assert_eq!(trouble.happened.stage(), Some(stage), "{trouble}");
        }
    }
}

#[tokio::test]
async fn a_relay_that_is_down_is_named() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let relay = relay_at(
        &format!("smtp://user:secret@127.0.0.1:{port}"),
        Duration::from_secs(30),
    );
    let trouble = relay.connect().await.unwrap_err();
    assert!(matches!(trouble.happened, Happened::NoReply(Stage::Connect, _)));
    let shown = Problem::from(trouble).to_string();
    assert!(
        shown.contains(&format!("smtp://127.0.0.1:{port}")) && shown.contains("hint"),
        "{shown}"
    );
    assert!(!shown.contains("secret"));
}

#[tokio::test]
async fn logs_in_as_the_relay_offers() {
    let password = "pa%20ss:w%C3%B6rd";
    for (offer, mechanism) in [
        ("AUTH LOGIN PLAIN", "PLAIN"),
        ("AUTH=LOGIN", "LOGIN"),
        ("auth cram-md5 login", "LOGIN"),
    ] {
        let server = ScriptedRelay::start(Script::default().offering(&[offer]));
        let url = |password| format!("smtp://user:{password}@127.0.0.1:{}", server.port);
        let relay = relay_at(&url(password), Duration::from_secs(30));
        assert!(
            relay
                .probe()
                .await
                .unwrap()
                .ends_with(&format!("AUTH {mechanism}"))
        );
        let mut connection = relay.connect().await.unwrap();
        assert_eq!(send(&mut connection, 1).await.verdict, Verdict::Sent);
        assert_taken(&server, &[1]);

        let trouble = relay_at(&url("wrong"), Duration::from_secs(30))
            .connect()
            .await
            .unwrap_err();
        assert_eq!(
            (trouble.happened.stage(), trouble.code()),
            (Some(Stage::Auth), Some(535))
        );
    }
    // What a relay repeats of the password is not kept.
    let echo = "535-5.7.8 refused: user secret\r\n535 5.7.8 try again";
    let script = Script::default().offering(&["AUTH PLAIN"]).on("AUTH", say(echo));
    let server = ScriptedRelay::start(script);
    let url = format!("smtp://user:secret@127.0.0.1:{}", server.port);
    let trouble = relay_at(&url, Duration::from_secs(30))
        .connect()
        .await
        .unwrap_err();
    assert!(
        trouble
            .to_string()
            .ends_with("refused at AUTH: 535 5.7.8 try again"),
        "{trouble}"
    );
    assert!(!format!("{trouble:?}").contains("secret"), "{trouble:?}");

    let script = Script::default().offering(&["AUTH CRAM-MD5"]);
    let server = ScriptedRelay::start(script);
    let url = format!("smtp://user:secret@127.0.0.1:{}", server.port);
    let trouble = relay_at(&url, Duration::from_secs(30))
        .connect()
        .await
        .unwrap_err();
    assert!(
        trouble.to_string().contains("neither AUTH PLAIN nor AUTH LOGIN"),
        "{trouble}"
    );
    assert!(server.commands("AUTH").is_empty());
}

/// Neither the password nor the message may have gone out.
fn assert_nothing_sent(server: &ScriptedRelay) {
    assert!(!server.has_seen(b"secret"));
    assert!(!server.has_seen(encode("secret").trim_end_matches('=').as_bytes()));
    assert!(server.commands("AUTH").is_empty() && server.commands("MAIL").is_empty());
}

#[tokio::test]
async fn without_tls_nothing_is_sent_when_tls_is_required() {
    let injected = b"220 go on\r\n250-relay.test\r\n250 AUTH PLAIN\r\n235 in\r\n".to_vec();
    for (script, said) in [
        (
            Script::default().offering(&["AUTH PLAIN LOGIN"]),
            "offers no STARTTLS",
        ),
        (
            Script::default().offering(&["STARTTLS", "AUTH PLAIN"]),
            "TLS failed",
        ),
        (
            Script::default()
                .offering(&["STARTTLS"])
                .on("STARTTLS", say("454 4.7.0 not now")),
            "not now",
        ),
        (
            Script::default()
                .offering(&["STARTTLS"])
                .on("STARTTLS", say("554 5.7.3 no")),
            "554",
        ),
        (
            Script::default()
                .offering(&["STARTTLS"])
                .on("STARTTLS", Act::Say(injected)),
            "tampered",
        ),
        (
            Script::default()
                .offering(&["STARTTLS"])
                .on("STARTTLS", Act::Drop),
            "connection lost",
        ),
    ] {
        let server = ScriptedRelay::start(script);
        let url = format!("smtp://user:secret@localhost:{}?tls=required", server.port);
        let trouble = relay_at(&url, Duration::from_secs(30))
            .connect()
            .await
            .unwrap_err();
        assert_eq!(trouble.happened.stage(), Some(Stage::StartTls), "{trouble}");
        assert!(trouble.to_string().contains(said), "{trouble}");
        assert_nothing_sent(&server);
    }
    // A server that speaks first and plainly where TLS should be, and one that says nothing.
    for (act, hangs) in [(Act::Good, false), (Act::Hang, true)] {
        let server = ScriptedRelay::start(Script::default().on("CONNECT", act));
        let url = format!("smtps://user:secret@localhost:{}", server.port);
        let timeout = Duration::from_secs(if hangs { 2 } else { 30 });
        let trouble = relay_at(&url, timeout).connect().await.unwrap_err();
        assert_eq!(trouble.happened.stage(), Some(Stage::StartTls), "{trouble}");
        assert_nothing_sent(&server);
    }
}
