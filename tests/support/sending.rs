//! Messages for a test to send, and the check that they arrived.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use super::relay::ScriptedRelay;
use postrider::deliver::{Attempt, Connection, Envelope, Relay, SessionSettings, Timeouts};
use postrider::domain::EmailAddress;
use postrider::domain::relay::RelayAddress;
use std::future::ready;
use std::time::Duration;

/// A message with dots where they matter.
pub const TEXT: &str = "Subject: x\r\n\r\n.dot\r\n..dots\r\nend\r\n";

/// The relay of this address.
pub fn relay_at(url: &str, timeout: Duration) -> Relay {
    let settings = SessionSettings {
        hello: "news.example.org".to_owned(),
        timeouts: Timeouts::all(timeout),
        messages: 1000,
        idle: Duration::ZERO,
    };
    Relay::new("test", RelayAddress::parse(url).unwrap(), settings).unwrap()
}

/// Tests that must not time out wait long; those that must, wait no longer than needed.
pub fn relay_to(server: &ScriptedRelay, hangs: bool) -> Relay {
    let timeout = if hangs {
        Duration::from_secs(2)
    } else {
        Duration::from_secs(30)
    };
    relay_at(&format!("smtp://127.0.0.1:{}", server.port), timeout)
}

/// Sends [`TEXT`] to reader `number`.
pub async fn send(connection: &mut Connection, number: u32) -> Attempt {
    send_text(connection, number, TEXT).await
}

/// Sends any text to reader `number`.
pub async fn send_text(connection: &mut Connection, number: u32, text: &str) -> Attempt {
    let to = EmailAddress::parse(&format!("reader{number}@example.com")).unwrap();
    let from = format!("bounces+{number}@example.org");
    let message_id = format!("{number}@example.org");
    let envelope = Envelope {
        from: &from,
        to: &to,
        message_id: &message_id,
    };
    connection.send(&envelope, text.as_bytes(), ready(Ok(()))).await
}

/// Whoever took exactly these messages, whole.
pub fn assert_taken(server: &ScriptedRelay, numbers: &[u32]) {
    let taken = server.taken();
    let to: Vec<_> = taken.iter().map(|message| message.to.join(",")).collect();
    let wanted: Vec<_> = numbers.iter().map(|n| format!("reader{n}@example.com")).collect();
    assert_eq!(to, wanted);
    for (message, number) in taken.iter().zip(numbers) {
        assert_eq!(message.data, TEXT);
        assert_eq!(message.from, format!("bounces+{number}@example.org"));
    }
}
