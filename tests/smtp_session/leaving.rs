//! How a session is left whose next message was announced, and will not come.

use crate::programs::wait_until;
use crate::relay::{Act, Script, ScriptedRelay, say, say_and_drop};
use crate::sending::{TEXT, relay_to};
use postrider::deliver::{Envelope, Verdict};
use postrider::domain::EmailAddress;

/// Somebody to send to.
struct Reader(EmailAddress);

impl Reader {
    fn new(number: u32) -> Self {
        Self(EmailAddress::parse(&format!("reader{number}@example.com")).unwrap())
    }

    fn envelope(&self) -> Envelope<'_> {
        Envelope {
            from: "a@example.org",
            to: &self.0,
            message_id: "1@example.org",
        }
    }
}

/// QUIT goes where the relay reads commands, and nowhere else.
#[tokio::test]
async fn who_leaves_what_was_announced_says_so_where_the_relay_listens() {
    let refused = || say("550 5.1.1 nobody");
    for (what, script, quits, lone_dots) in [
        ("it waits for the message", Script::default(), 0, 0),
        (
            "no reader, no DATA",
            Script::default().at(2, "RCPT", refused()),
            1,
            0,
        ),
        ("no sender", Script::default().at(2, "MAIL", refused()), 1, 0),
        (
            "a reader and no DATA",
            Script::default().at(2, "DATA", say("451 4.3.0 later")),
            1,
            0,
        ),
        (
            "DATA for nobody",
            Script::default()
                .at(2, "RCPT", refused())
                .at(2, "DATA", say("354 go on")),
            1,
            1,
        ),
        (
            "421",
            Script::default().at(2, "MAIL", say_and_drop("421 4.3.2 closing")),
            0,
            0,
        ),
        ("silence", Script::default().at(2, "MAIL", Act::Hang), 0, 0),
    ] {
        let server = ScriptedRelay::start(script);
        let mut connection = relay_to(&server, false).connect().await.unwrap();
        let (first, second) = (Reader::new(1), Reader::new(2));
        connection.begin(&first.envelope()).await.unwrap();
        let attempt = connection
            .finish(&first.envelope(), TEXT.as_bytes(), Some(&second.envelope()))
            .await;
        assert_eq!(attempt.verdict, Verdict::Sent, "{what}");
        connection.quit().await;
        wait_until("the connection is over", || {
            server.record(|record| record.ended == 1)
        });
        assert_eq!(server.commands("QUIT").len(), quits, "{what}");
        assert_eq!(server.record(|record| record.lone_dots), lone_dots, "{what}");
        // What QUIT says must not be taken for a message.
        assert_eq!(server.record(|record| record.messages.len()), 1, "{what}");
        assert!(!server.has_seen(b"DATA\r\nQUIT") || quits == 1, "{what}");
    }
}
