//! For each row of the table, the relay that does it.

use crate::relay::{Act, Script, say, say_and_drop};
use std::time::Duration;

/// How a relay misbehaves, and how it is addressed.
pub struct Fault {
    pub script: Script,
    /// Nobody listens.
    pub absent: bool,
    /// What EHLO offers besides PIPELINING.
    pub offers: &'static [&'static str],
    /// In front of the relay's host.
    pub login: &'static str,
    /// Behind its port.
    pub query: &'static str,
    /// A part of what the edition's trouble says, when the relay counts as down.
    pub trouble: &'static str,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            script: Script::default(),
            absent: false,
            offers: &["8BITMIME"],
            login: "",
            query: "",
            trouble: "",
        }
    }
}

/// One byte a second, which is longer than the time-out for the whole but not for each.
fn slowly(reply: &str) -> Act {
    Act::Drip(format!("{reply}\r\n").into_bytes(), Duration::from_secs(1))
}

/// The fault that a row of the table names.
pub fn fault(what: &str) -> Fault {
    opening(what)
        .or_else(|| script(what).map(with))
        .unwrap_or_else(|| panic!("no relay that {what:?}"))
}

fn with(script: Script) -> Fault {
    Fault {
        script,
        ..Fault::default()
    }
}

/// Relays that take no message at all.
fn opening(what: &str) -> Option<Fault> {
    let always = |place, act, trouble| Fault {
        trouble,
        ..with(Script::default().always(place, act))
    };
    Some(match what {
        "is not there" => Fault {
            absent: true,
            trouble: "refused",
            ..Fault::default()
        },
        "greets with 554" => always("CONNECT", say("554 5.7.1 go away"), "554 5.7.1 go away"),
        "greets with 421" => always("CONNECT", say_and_drop("421 4.3.2 closing"), "421 4.3.2 closing"),
        "greets with garbage" => always("CONNECT", say("\u{16}\u{3}hello"), "no SMTP reply"),
        "greets with 1 byte a second" => always("CONNECT", slowly("220 relay.test"), "no reply in time"),
        "answers EHLO with 550" => always("EHLO", say("550 5.7.1 not you"), "550 5.7.1 not you"),
        "answers AUTH with 535" => Fault {
            offers: &["AUTH PLAIN"],
            login: "user:wrong@",
            trouble: "535 5.7.8 who?",
            ..Fault::default()
        },
        "fails at the TLS handshake" => Fault {
            offers: &["STARTTLS", "AUTH PLAIN"],
            login: "user:wrong@",
            query: "?tls=required",
            trouble: "TLS failed",
            ..Fault::default()
        },
        "sends text behind its answer to STARTTLS" => Fault {
            offers: &["STARTTLS"],
            login: "user:wrong@",
            query: "?tls=required",
            ..always(
                "STARTTLS",
                say("220 go on\r\n250-relay.test\r\n250 AUTH PLAIN\r\n235 come in"),
                "tampered",
            )
        },
        "answers MAIL with 550" => Fault {
            trouble: "550 5.7.1 not from there",
            ..with(Script::default().after(1, "MAIL", say("550 5.7.1 not from there")))
        },
        "answers every MAIL with 421" => {
            always("MAIL", say_and_drop("421 4.3.2 closing"), "421 4.3.2 closing")
        }
        "answers every MAIL with 450" => always("MAIL", say("450 4.3.0 wait"), "450 4.3.0 wait"),
        "drops every connection at MAIL" => always("MAIL", Act::Drop, "connection lost"),
        _ => return None,
    })
}

/// Relays with which a message goes wrong.
fn script(what: &str) -> Option<Script> {
    let script = Script::default();
    // Reader 2 has the second transaction, and no other reader has this name.
    let bea = |place, act| Script::default().to("bea@", place, act);
    Some(match what {
        "answers MAIL with 450" => script.at(2, "MAIL", say("450 4.3.0 wait")),
        "answers MAIL with 450 but DATA with 354" => {
            let script = script.at(2, "MAIL", say("450 4.3.0 wait"));
            script.at(2, "DATA", say("354 go on"))
        }
        "answers MAIL with 421" => script.at(2, "MAIL", say_and_drop("421 4.3.2 closing")),
        "drops the connection at MAIL" => script.at(2, "MAIL", Act::Drop),
        "answers RCPT with 450, later with 250" => bea("RCPT", say("450 4.2.0 greylisted")),
        "answers RCPT with 451 for one domain" => {
            script.to("@example.com", "RCPT", say("451 4.4.1 that domain is down"))
        }
        "answers RCPT with 452 after two messages" => {
            script.after(2, "RCPT", say("452 4.5.3 too many recipients"))
        }
        "answers RCPT with 421" => bea("RCPT", say_and_drop("421 4.3.2 closing")),
        "answers RCPT with 550 5.1.1" => bea("RCPT", say("550 5.1.1 <bea@example.com>: no such user")),
        "answers RCPT with 550 5.1.7" => bea("RCPT", say("550 5.1.7 bad sender address")),
        "answers RCPT with 550 5.7.1" => bea("RCPT", say("550 5.7.1 reputation")),
        "answers RCPT with 552 5.2.2" => bea("RCPT", say("552 5.2.2 mailbox full")),
        "answers RCPT with a bare 550" => bea("RCPT", say("550")),
        "answers RCPT with 550 in Latin-1" => {
            bea("RCPT", Act::Say(b"550 5.2.1 bo\xeete ferm\xe9e\r\n".to_vec()))
        }
        "answers RCPT with 550 and a bare LF" => bea("RCPT", Act::Say(b"550 5.2.1 closed\n".to_vec())),
        "answers RCPT with 550 but DATA with 354" => {
            bea("RCPT", say("550 5.2.1 closed")).to("bea@", "DATA", say("354 go on"))
        }
        "answers RCPT with 450 but DATA with 354, and the lone dot with 250" => {
            let script = bea("RCPT", say("450 4.2.0 greylisted")).to("bea@", "DATA", say("354 go on"));
            script.to("bea@", "EMPTY", say("250 2.0.0 taken"))
        }
        "answers RCPT with garbage" => bea("RCPT", say("hello")),
        "answers RCPT with 1 byte a second" => bea("RCPT", slowly("250 2.1.5 ok")),
        "answers RCPT twice" => bea("RCPT", say("250 2.1.5 ok\r\n250 2.1.5 ok")),
        "does not answer RCPT" => bea("RCPT", Act::Hang),
        "drops the connection at RCPT" => bea("RCPT", Act::Drop),
        "answers DATA with 451" => bea("DATA", say("451 4.3.0 later")),
        "answers DATA with 552" => bea("DATA", say("552 5.3.4 too big")),
        "answers DATA with 554" => bea("DATA", say("554 5.5.1 no")),
        "answers DATA with 354 and, unasked, 250" => bea("DATA", say("354 go on\r\n250 2.0.0 taken")),
        "drops the connection at DATA" => bea("DATA", Act::Drop),
        "drops the connection in the message" => bea("BODY", Act::Drop),
        "answers the final dot with 451" => bea("DOT", say("451 4.3.0 later")),
        "answers the final dot with 421" => bea("DOT", say_and_drop("421 4.3.2 closing")),
        "answers the final dot with 552" => bea("DOT", say("552 5.3.4 too big")),
        "answers the final dot with 554" => bea("DOT", say("554 5.7.1 spam")),
        "answers the final dot with 554 5.1.1" => bea("DOT", say("554 5.1.1 no such user")),
        "answers the final dot with garbage" => bea("DOT", say("what?")),
        "answers the final dot with 1 byte a second" => bea("DOT", slowly("250 2.0.0 taken")),
        "does not answer the final dot" => bea("DOT", Act::Hang),
        "drops the connection at the final dot" => bea("DOT", Act::Drop),
        "closes after two messages" => script.after(1, "DOT", say_and_drop("250 2.0.0 taken")),
        "says 421 unasked after two messages" => {
            let both = "250 2.0.0 taken\r\n421 4.3.2 enough";
            script.after(1, "DOT", say_and_drop(both))
        }
        "ends every reply with a bare LF" => script.with_bare_lf(),
        "takes its time, but answers" => {
            let slow = |reply: &str| Act::Drip(format!("{reply}\r\n").into(), Duration::from_millis(60));
            bea("RCPT", slow("250 2.1.5 ok")).to("bea@", "DOT", slow("250 2.0.0 taken"))
        }
        _ => return None,
    })
}
