//! Sessions with relays that misbehave, over real TCP: the verdict is right, and the next message arrives.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "smtp_session/leaving.rs"]
mod leaving;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/relay.rs"]
mod relay;
#[path = "support/sending.rs"]
mod sending;

use postrider::deliver::{Attempt, Envelope, Stage, Verdict};
use postrider::domain::{EmailAddress, Problem};
use relay::{Act, Script, ScriptedRelay, say};
use sending::{TEXT, assert_taken, relay_at, relay_to, send, send_text};
use std::future::ready;
use std::time::Duration;

const RETRY: Verdict = Verdict::Retry;
const REFUSED: Verdict = Verdict::Fail { dead_address: false };

/// Sends message 1 into the trouble, then message 2, over a new connection when the first is spent.
async fn through(script: Script, hangs: bool) -> (Attempt, ScriptedRelay) {
    let server = ScriptedRelay::start(script);
    let relay = relay_to(&server, hangs);
    let mut connection = relay.connect().await.unwrap();
    let attempt = send(&mut connection, 1).await;
    assert_eq!(attempt.session_usable, connection.is_usable());
    if !connection.is_usable() {
        // A spent session refuses without a word to the relay.
        assert_eq!(send(&mut connection, 9).await.verdict, Verdict::Untouched);
        connection = relay_to(&server, false).connect().await.unwrap();
    }
    let next = send(&mut connection, 2).await;
    assert_eq!(next.verdict, Verdict::Sent, "{next:?}");
    connection.quit().await;
    (attempt, server)
}

#[tokio::test]
async fn one_session_carries_many_messages_unchanged() {
    let server = ScriptedRelay::start(Script::default());
    let mut connection = relay_to(&server, false).connect().await.unwrap();
    for number in 0..20 {
        let attempt = send(&mut connection, number).await;
        assert_eq!((attempt.verdict, attempt.code), (Verdict::Sent, Some(250)));
        assert_eq!(attempt.text.as_deref(), Some("2.0.0 taken"));
    }
    connection.quit().await;
    assert_taken(&server, &(0..20).collect::<Vec<_>>());
    assert_eq!(server.commands("EHLO"), ["EHLO news.example.org"]);
    assert_eq!(server.commands("QUIT").len(), 1);
    assert_eq!(server.record(|record| record.connections), 1);
}

#[tokio::test]
async fn refusals_are_judged_and_leave_the_session_usable() {
    let dead = Verdict::Fail { dead_address: true };
    for (place, line, verdict, stage) in [
        ("MAIL", "550 5.7.1 sender", Verdict::RelayDown, Stage::Mail),
        ("RCPT", "451 4.7.1 greylisted", RETRY, Stage::Rcpt),
        ("RCPT", "550 5.1.1 no such user", dead, Stage::Rcpt),
        ("RCPT", "550", REFUSED, Stage::Rcpt),
        ("RCPT", "554 5.7.1 reputation", REFUSED, Stage::Rcpt),
        ("DATA", "451 4.3.0 later", RETRY, Stage::Data),
        ("DATA", "554 5.5.1 no", REFUSED, Stage::Data),
        ("DOT", "550 5.7.1 spam", REFUSED, Stage::Body),
        ("DOT", "552 5.3.4 too big", REFUSED, Stage::Body),
        ("DOT", "554 5.6.0 bad", REFUSED, Stage::Body),
        ("DOT", "452 4.3.1 full", RETRY, Stage::Body),
    ] {
        let (attempt, server) = through(Script::default().on(place, say(line)), false).await;
        assert_eq!(
            (attempt.verdict, attempt.stage),
            (verdict, Some(stage)),
            "{place} {line}"
        );
        assert_eq!(attempt.code, line[..3].parse().ok());
        assert_eq!(attempt.text.as_deref().unwrap_or_default(), line[3..].trim());
        assert!(attempt.session_usable, "{place} {line}");
        assert_eq!(server.record(|record| record.connections), 1);
        assert_taken(&server, &[2]);
    }
}

#[tokio::test]
async fn a_session_that_has_carried_enough_gives_the_message_to_the_next() {
    for (place, line) in [
        ("MAIL", "450 4.2.0 wait"),
        ("MAIL", "452 4.5.3 too many messages"),
        ("RCPT", "452 4.5.3 too many recipients"),
    ] {
        let server = ScriptedRelay::start(Script::default().after(1, place, say(line)));
        let mut connection = relay_to(&server, false).connect().await.unwrap();
        assert_eq!(send(&mut connection, 1).await.verdict, Verdict::Sent);
        let attempt = send(&mut connection, 2).await;
        assert_eq!(attempt.verdict, Verdict::Untouched, "{place} {line}");
        assert!(!attempt.session_usable, "{place} {line}");
        // At the first message of a session it is an answer.
        let server = ScriptedRelay::start(Script::default().on(place, say(line)));
        let mut connection = relay_to(&server, false).connect().await.unwrap();
        let attempt = send(&mut connection, 1).await;
        assert_eq!((attempt.verdict, attempt.code), (RETRY, line[..3].parse().ok()));
    }
}

#[tokio::test]
async fn a_greylisted_reader_gets_the_message_the_second_time() {
    let script = Script::default()
        .on("RCPT", Act::Good)
        .on("RCPT", say("451 4.7.1 later"));
    let server = ScriptedRelay::start(script);
    let mut connection = relay_to(&server, false).connect().await.unwrap();
    let mut verdicts = Vec::new();
    for number in [1, 2, 3, 2] {
        verdicts.push(send(&mut connection, number).await.verdict);
    }
    assert_eq!(verdicts, [Verdict::Sent, RETRY, Verdict::Sent, Verdict::Sent]);
    assert_taken(&server, &[1, 3, 2]);
}

#[tokio::test]
async fn replies_in_every_shape_are_understood() {
    for (bytes, code, text) in [
        (&b"550\r\n"[..], 550, ""),
        (
            b"550 5.2.1 bo\xeete ferm\xe9e\r\n",
            550,
            "5.2.1 bo\u{ee}te ferm\u{e9}e",
        ),
        (b"550 5.2.1 bo\xc3\xaete\r\n", 550, "5.2.1 bo\u{ee}te"),
        (b"550 5.2.1 closed\n", 550, "5.2.1 closed"),
        (
            b"550-5.2.1 closed\n550-5.2.1 \n550 5.2.1 for good\n",
            550,
            "5.2.1 closed for good",
        ),
        (b"550-\r\n550\r\n", 550, ""),
        (b"571 5.2.1 \x1b[31mno\0\r\n", 571, "5.2.1 [31mno"),
    ] {
        for place in ["RCPT", "DOT"] {
            let (attempt, server) =
                through(Script::default().on(place, Act::Say(bytes.to_vec())), false).await;
            assert_eq!(attempt.verdict, REFUSED, "{place} {attempt:?}");
            assert_eq!(attempt.code, Some(code));
            assert_eq!(attempt.text.unwrap_or_default(), text);
            assert!(attempt.session_usable);
            assert_taken(&server, &[2]);
        }
    }
    // Good replies too, and a blank line in EHLO's, which lettre alone would not survive.
    let script = Script::default()
        .on("CONNECT", Act::Say(b"220-relay\n220-\n220\n".to_vec()))
        .on(
            "EHLO",
            Act::Say(b"250-relay\xe9\r\n250-  \r\n250 PIPELINING\n".to_vec()),
        )
        .on("MAIL", Act::Say(b"250\n".to_vec()))
        .on("RCPT", Act::Say(b"251-not here\r\n251 but there\r\n".to_vec()))
        .on("DATA", Act::Say(b"354\r\n".to_vec()))
        .on("DOT", Act::Say(b"250-taken\n250 \xe9\r\n".to_vec()));
    let (attempt, server) = through(script, false).await;
    assert_eq!((attempt.verdict, attempt.session_usable), (Verdict::Sent, true));
    assert_taken(&server, &[1, 2]);
    assert_eq!(server.record(|record| record.connections), 1);
}

#[tokio::test]
async fn a_relay_that_says_421_is_left_and_the_delivery_waits() {
    for place in ["MAIL", "RCPT", "DATA", "DOT"] {
        let act = Act::SayAndDrop(b"421 4.7.0 too much for today\r\n".to_vec());
        let (attempt, server) = through(Script::default().on(place, act), false).await;
        assert_eq!((attempt.verdict, attempt.code), (RETRY, Some(421)), "{place}");
        assert!(!attempt.session_usable);
        assert_taken(&server, &[2]);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_before_the_dot_is_a_retry() {
    for (place, stage) in [
        ("MAIL", Stage::Mail),
        ("RCPT", Stage::Rcpt),
        ("DATA", Stage::Data),
    ] {
        let (attempt, server) = through(Script::default().on(place, Act::Drop), false).await;
        assert_eq!((attempt.verdict, attempt.stage), (RETRY, Some(stage)), "{place}");
        assert!(!attempt.session_usable);
        assert_taken(&server, &[2]);
        let (attempt, server) = through(Script::default().on(place, Act::Hang), true).await;
        assert_eq!((attempt.verdict, attempt.stage), (RETRY, Some(stage)), "{place}");
        assert_eq!(attempt.text, Some(format!("no reply in time in {stage}")));
        assert_taken(&server, &[2]);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_message_is_a_retry() {
    // Larger than all buffers on the way: the final dot cannot have left.
    let long = format!("Subject: x\r\n\r\n{}", "x".repeat(70).to_owned() + "\r\n").repeat(400_000);
    for (act, code, verdict) in [
        (Act::Drop, None, RETRY),
        (
            Act::SayAndDrop(b"552 5.3.4 too big\r\n".to_vec()),
            Some(552),
            REFUSED,
        ),
    ] {
        let server = ScriptedRelay::start(Script::default().on("BODY", act));
        let mut connection = relay_to(&server, false).connect().await.unwrap();
        let attempt = send_text(&mut connection, 1, &long).await;
        assert_eq!((attempt.verdict, attempt.code), (verdict, code), "{attempt:?}");
        assert!(!attempt.session_usable);
        assert!(server.taken().is_empty());
    }
}

#[tokio::test]
async fn no_answer_after_the_final_dot_is_uncertain() {
    for (act, hangs) in [
        (Act::Drop, false),
        (Act::Hang, true),
        (Act::SayAndDrop(b"250 2.0".to_vec()), false),
        (say("what?"), false),
        (say("354 again"), false),
    ] {
        let (attempt, server) = through(Script::default().on("DOT", act.clone()), hangs).await;
        assert_eq!(attempt.verdict, Verdict::Uncertain, "{act:?} {attempt:?}");
        assert!(!attempt.session_usable && attempt.code.is_none());
        assert!(attempt.text.unwrap().contains("after the final dot") || matches!(act, Act::Say(_)));
        // It had the message: a repeat carries the same Message-ID.
        assert_eq!(server.record(|record| record.messages.len()), 2);
    }
}

#[tokio::test]
async fn garbage_ends_the_session_and_the_delivery_waits() {
    for bytes in [
        &b"hello\r\n"[..],
        b"\r\n",
        b"250-a\r\n550 b\r\n",
        b"354 not yet\r\n",
        b"999 what\r\n",
        b"\x16\x03\x01\x00",
    ] {
        let (attempt, server) = through(Script::default().on("RCPT", Act::Say(bytes.to_vec())), false).await;
        assert_eq!(attempt.verdict, RETRY, "{bytes:?} {attempt:?}");
        assert!(!attempt.session_usable, "{bytes:?}");
        assert_taken(&server, &[2]);
    }
}

#[tokio::test]
async fn one_reply_too_many_is_never_taken_for_the_next() {
    // The second reply to RCPT would answer DATA; the one behind 354 would answer the message.
    for (place, bytes) in [
        ("RCPT", &b"250 ok\r\n250 ok\r\n"[..]),
        ("DATA", b"354 go on\r\n250 2.0.0 taken\r\n"),
        ("DATA", b"354 go on\r\n550 5.7.1 no\r\n"),
    ] {
        let script = Script::default().on(place, Act::Say(bytes.to_vec()));
        let (attempt, server) = through(script, false).await;
        assert_eq!(
            (attempt.verdict, attempt.session_usable),
            (RETRY, false),
            "{attempt:?}"
        );
        assert_taken(&server, &[2]);
    }
}

#[tokio::test]
async fn the_dot_waits_for_the_ledger() {
    let server = ScriptedRelay::start(Script::default());
    let relay = relay_to(&server, false);
    let mut connection = relay.connect().await.unwrap();
    let to = EmailAddress::parse("reader1@example.com").unwrap();
    let envelope = Envelope {
        from: "",
        to: &to,
        message_id: "1@example.org",
    };
    let looking = async {
        assert_eq!(
            server.commands("DATA").len(),
            1,
            "everything before the message is done"
        );
        assert_eq!(server.record(|record| record.messages.len()), 0);
        Ok(())
    };
    let attempt = connection.send(&envelope, TEXT.as_bytes(), looking).await;
    assert_eq!(attempt.verdict, Verdict::Sent);
    assert_eq!(server.taken()[0].from, "");

    let refusing = ready(Err(Problem::failed("the database is locked")));
    let attempt = connection.send(&envelope, TEXT.as_bytes(), refusing).await;
    assert_eq!((attempt.verdict, attempt.session_usable), (RETRY, false));
    assert_eq!(attempt.text.as_deref(), Some("not sent: the database is locked"));
    drop(connection);
    let mut connection = relay.connect().await.unwrap();
    assert_eq!(send(&mut connection, 2).await.verdict, Verdict::Sent);
    assert!(!server.has_seen(b"end\r\n.\r\nend"));
    assert_eq!(server.record(|record| record.messages.len()), 2);
}

#[tokio::test]
async fn an_abandoned_send_spends_the_session() {
    let server = ScriptedRelay::start(Script::default());
    let mut connection = relay_to(&server, false).connect().await.unwrap();
    let to = EmailAddress::parse("reader1@example.com").unwrap();
    let envelope = Envelope {
        from: "a@example.org",
        to: &to,
        message_id: "1@example.org",
    };
    let (reached, waits) = tokio::sync::oneshot::channel::<()>();
    {
        let for_ever = async {
            reached.send(()).unwrap();
            std::future::pending().await
        };
        let sending = connection.send(&envelope, TEXT.as_bytes(), for_ever);
        tokio::select! {
            _ = sending => unreachable!("it never may"),
            _ = waits => {}
        }
    }
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn nothing_that_is_no_address_reaches_the_relay() {
    let server = ScriptedRelay::start(Script::default());
    let mut connection = relay_to(&server, false).connect().await.unwrap();
    let to = EmailAddress::parse("reader1@example.com").unwrap();
    for (from, text) in [
        ("a@example.org>\r\nRCPT TO:<x@example.com", TEXT),
        ("a b@example.org", TEXT),
        ("a@example.org", "no line end"),
        ("a@example.org", "\u{e9}\r\n"),
    ] {
        let envelope = Envelope {
            from,
            to: &to,
            message_id: "1@example.org",
        };
        let attempt = connection.send(&envelope, text.as_bytes(), ready(Ok(()))).await;
        assert_eq!(
            (attempt.verdict, attempt.session_usable),
            (RETRY, true),
            "{from:?}"
        );
    }
    assert!(server.commands("MAIL").is_empty());
}

#[tokio::test]
async fn an_outbox_takes_the_same_messages() {
    let folder = tempfile::tempdir().unwrap();
    let relay = relay_at(
        &format!("outbox:{}", folder.path().join("out").display()),
        Duration::from_secs(1),
    );
    assert!(relay.probe().await.unwrap().ends_with("can be written"));
    let mut connection = relay.connect().await.unwrap();
    for number in [1, 2, 1] {
        assert_eq!(send(&mut connection, number).await.verdict, Verdict::Sent);
    }
    let files = programs::files(&folder.path().join("out"));
    assert_eq!(files, [TEXT, TEXT]);
    connection.quit().await;
}
