//! Sessions with mail servers that others wrote: `aiosmtpd` with TLS and AUTH, and Postfix's `smtp-sink`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/programs.rs"]
mod programs;

use postrider::deliver::{
    Envelope, Mailbox, MessageHead, Part, ReaderValues, Relay, RelayTrouble, SegmentMessage, SessionSettings,
    Stage, Timeouts, Verdict,
};
use postrider::domain::EmailAddress;
use postrider::domain::relay::RelayAddress;
use programs::{Certificates, Running, aiosmtpd, files, smtp_sink, wait_until};
use std::collections::BTreeMap;
use std::future::ready;
use std::path::Path;
use std::time::Duration;

fn relay_at(url: &str) -> Relay {
    let settings = SessionSettings {
        hello: "news.example.org".to_owned(),
        timeouts: Timeouts::all(Duration::from_secs(30)),
        messages: 1000,
        idle: Duration::ZERO,
    };
    Relay::new("test", RelayAddress::parse(url).unwrap(), settings).unwrap()
}

/// A message as a digest would be, with a line of dots.
fn segment(from: &EmailAddress) -> SegmentMessage {
    let head = MessageHead {
        from: Mailbox {
            name: Some("Studien \u{1F600}"),
            address: from,
        },
        reply_to: None,
        subject: &[Part::Literal("Neue Studien \u{1F600}")],
        list_id: "weekly.example.org",
        list_name: "Weekly",
        archive_url: "https://example.org/research",
        help_url: "https://example.org/help",
        feedback_id: "1:weekly:digest:example",
        unsubscribe_mailto: None,
        boundary_seed: "1",
    };
    let text = [
        Part::Literal("Hello "),
        Part::Name,
        Part::Literal(",\n\n.\n..\n. x\n"),
        Part::UnsubscribeUrl,
        Part::Literal("\n"),
    ];
    SegmentMessage::new(&head, &text, &text).unwrap()
}

/// Sends messages `numbers` over one session; the number stands in Message-ID, recipient and link.
async fn deliver(relay: &Relay, numbers: impl Iterator<Item = usize>) -> Result<(), RelayTrouble> {
    let from = EmailAddress::parse("digest@example.org").unwrap();
    let segment = segment(&from);
    let mut connection = relay.connect().await?;
    let mut bytes = Vec::new();
    for number in numbers {
        let to = EmailAddress::parse(&format!("reader{number}@example.com")).unwrap();
        let message_id = format!("1.{number}@example.org");
        let link = format!("https://example.org/u/{number}=.{number}");
        let values = ReaderValues {
            to: &to,
            name: Some(". Ann\u{e9}"),
            message_id: &message_id,
            date: "Fri, 2 Jan 2026 03:04:05 +0000",
            unsubscribe_url: &link,
            preferences_url: "https://example.org/p",
        };
        bytes.clear();
        segment.splice(&values, &mut bytes).unwrap();
        let envelope = Envelope {
            from: "bounces+1@example.org",
            to: &to,
            message_id: &message_id,
        };
        let attempt = connection.send(&envelope, &bytes, ready(Ok(()))).await;
        assert_eq!(attempt.verdict, Verdict::Sent, "{attempt:?}");
    }
    connection.quit().await;
    Ok(())
}

/// The recorded message as an independent parser reads it.
fn assert_arrived(raw: &str, number: usize) {
    assert!(!raw.contains("\n."), "no line begins with a dot");
    let message = mail_parser::MessageParser::default()
        .parse(raw.as_bytes())
        .unwrap();
    assert_eq!(message.subject(), Some("Neue Studien \u{1F600}"));
    assert_eq!(
        message.message_id(),
        Some(format!("1.{number}@example.org").as_str())
    );
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    let link = format!("https://example.org/u/{number}=.{number}");
    assert_eq!(text, format!("Hello . Ann\u{e9},\n\n.\n..\n. x\n{link}\n"));
}

/// What `aiosmtpd` recorded of one kind: connection, login or message.
fn recorded(folder: &Path, kind: &str) -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == kind))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| String::from_utf8(std::fs::read(path).unwrap()).unwrap())
        .collect()
}

struct Scene {
    certificates: Certificates,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(subject_alt_name: &str) -> Self {
        Self {
            certificates: Certificates::make(subject_alt_name),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn server(&self, arguments: &[&str]) -> Running {
        let (cert, key) = (
            self.certificates.path("leaf.pem"),
            self.certificates.path("leaf.key"),
        );
        let tls = ["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
        aiosmtpd(self.folder.path(), &[&tls, arguments].concat())
    }

    fn ca(&self) -> String {
        format!("ca={}", self.certificates.path("ca.pem").display())
    }

    fn recorded(&self, kind: &str) -> Vec<String> {
        recorded(self.folder.path(), kind)
    }

    async fn refused(&self, url: &str) -> RelayTrouble {
        let trouble = deliver(&relay_at(url), 0..1).await.unwrap_err();
        assert!(!self.recorded("connection").is_empty(), "the server was reached");
        assert!(self.recorded("login").is_empty(), "no credentials were sent");
        assert!(self.recorded("message").is_empty(), "nothing was sent");
        trouble
    }
}

const LOGIN: &str = "user:pa%20ss:w%C3%B6rd";

#[tokio::test]
async fn the_right_name_and_authority_deliver_with_either_login() {
    let scene = Scene::new("DNS:localhost,IP:127.0.0.1");
    let ca = scene.ca();
    let mut logins = Vec::new();
    for mechanism in ["PLAIN", "LOGIN"] {
        for (extra, scheme, tls, host) in [
            (&[][..], "smtp", "tls=required&", "localhost"),
            (&[], "smtp", "tls=required&", "127.0.0.1"),
            (&["--implicit"], "smtps", "", "localhost"),
        ] {
            let server = scene.server(&[&["--mechanism", mechanism], extra].concat());
            let relay = relay_at(&format!("{scheme}://{LOGIN}@{host}:{}?{tls}{ca}", server.port));
            let verdict = relay.probe().await.unwrap();
            assert!(
                verdict.ends_with(&format!("TLSv1_3, AUTH {mechanism}")),
                "{verdict}"
            );
            deliver(&relay, 0..3).await.unwrap();
            logins.extend([
                format!("{mechanism} user pa ss:w\u{f6}rd"),
                format!("{mechanism} user pa ss:w\u{f6}rd"),
            ]);
        }
    }
    assert_eq!(scene.recorded("login"), logins);
    let messages = scene.recorded("message");
    assert_eq!(messages.len(), 18);
    for (index, raw) in messages.iter().enumerate() {
        assert_arrived(raw, index % 3);
        assert!(raw.starts_with(&format!(
            "X-From: bounces+1@example.org\r\nX-To: reader{}@example.com\r\n",
            index % 3
        )));
    }
}

#[tokio::test]
async fn a_wrong_name_sends_nothing() {
    let scene = Scene::new("DNS:relay.example.org");
    let server = scene.server(&["--mechanism", "PLAIN"]);
    let url = format!(
        "smtp://{LOGIN}@localhost:{}?tls=required&{}",
        server.port,
        scene.ca()
    );
    let trouble = scene.refused(&url).await;
    assert!(trouble.to_string().contains("not valid for name"), "{trouble}");
}

#[tokio::test]
async fn an_unknown_authority_sends_nothing() {
    let (scene, other) = (Scene::new("DNS:localhost"), Scene::new("DNS:localhost"));
    for (arguments, scheme, tls) in [
        (&["--implicit"][..], "smtps", "?"),
        (&[], "smtp", "?tls=required&"),
    ] {
        let server = scene.server(&[&["--mechanism", "PLAIN"], arguments].concat());
        for ca in ["", &other.ca()] {
            let url = format!("{scheme}://{LOGIN}@localhost:{}{tls}{ca}", server.port);
            let trouble = scene.refused(url.trim_end_matches(['?', '&'])).await;
            assert_eq!(trouble.happened.stage(), Some(Stage::StartTls));
            let shown = postrider::domain::Problem::from(trouble).to_string();
            assert!(
                shown.contains("invalid peer certificate") && shown.contains("ca=FILE"),
                "{shown}"
            );
        }
    }
}

#[tokio::test]
async fn a_stripped_starttls_sends_nothing() {
    let scene = Scene::new("DNS:localhost");
    // It would take the password over plain text.
    let server = scene.server(&["--mechanism", "PLAIN", "--no-starttls"]);
    let url = format!(
        "smtp://{LOGIN}@localhost:{}?tls=required&{}",
        server.port,
        scene.ca()
    );
    let trouble = scene.refused(&url).await;
    assert!(trouble.to_string().contains("offers no STARTTLS"), "{trouble}");
}

#[tokio::test]
async fn opportunistic_takes_tls_when_offered_and_any_certificate() {
    let scene = Scene::new("DNS:relay.example.org");
    for (arguments, tls) in [(&[][..], "TLSv1_3"), (&["--no-starttls"], "plain text")] {
        let server = scene.server(&[&["--mechanism", "PLAIN"], arguments].concat());
        let relay = relay_at(&format!(
            "smtp://{LOGIN}@localhost:{}?tls=opportunistic",
            server.port
        ));
        let verdict = relay.probe().await.unwrap();
        assert!(verdict.contains(tls), "{verdict}");
        deliver(&relay, 0..1).await.unwrap();
    }
    assert_eq!(scene.recorded("message").len(), 2);
}

#[test]
fn an_authority_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for (content, said) in [
        (None, "cannot be read"),
        (Some("no certificate"), "holds no certificate"),
    ] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let address =
            RelayAddress::parse(&format!("smtps://relay.example.org?ca={}", file.display())).unwrap();
        let settings = SessionSettings {
            hello: "news.example.org".to_owned(),
            timeouts: Timeouts::all(Duration::from_secs(1)),
            messages: 1000,
            idle: Duration::ZERO,
        };
        let problem = Relay::new("main", address, settings)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        for part in ["relay \"main\"", &file.display().to_string(), said, "hint"] {
            assert!(problem.contains(part), "{problem}");
        }
    }
}

#[tokio::test]
async fn two_hundred_messages_arrive_at_smtp_sink_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let server = smtp_sink(folder.path());
    let relay = relay_at(&format!("smtp://127.0.0.1:{}", server.port));
    let session = |first: usize| deliver(&relay, (first..200).step_by(4));
    tokio::try_join!(session(0), session(1), session(2), session(3)).unwrap();
    wait_until("smtp-sink has written 200 messages", || {
        files(folder.path()).len() >= 200
    });

    let mut counts = BTreeMap::new();
    for raw in files(folder.path()) {
        let (_, id) = raw.split_once("Message-ID: <1.").unwrap();
        let number: usize = id.split_once('@').unwrap().0.parse().unwrap();
        // smtp-sink puts its own lines above the message.
        assert!(
            raw.contains(&format!("X-Rcpt-Args: <reader{number}@example.com>")),
            "{raw}"
        );
        *counts.entry(number).or_insert(0) += 1;
    }
    assert_eq!(counts, (0..200).map(|number| (number, 1)).collect());
}
