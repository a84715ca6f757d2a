//! What a scripted relay does wrong, at which command, and how long.

#![allow(dead_code)]

use std::time::Duration;

/// What to do instead of the right thing.
#[derive(Debug, Clone)]
pub enum Act {
    /// Send these bytes as they are and go on; a negative reply refuses the command.
    Say(Vec<u8>),
    /// Send these bytes and close the connection.
    SayAndDrop(Vec<u8>),
    /// Send these bytes one by one, with this pause before each, and go on.
    Drip(Vec<u8>, Duration),
    /// Close the connection.
    Drop,
    /// Say nothing until the other side gives up.
    Hang,
    /// Behave.
    Good,
}

/// A reply, with its CR LF.
pub fn say(line: &str) -> Act {
    Act::Say(format!("{line}\r\n").into_bytes())
}

/// The same, and the end of the connection.
pub fn say_and_drop(lines: &str) -> Act {
    Act::SayAndDrop(format!("{lines}\r\n").into_bytes())
}

/// When an act is due.
#[derive(Debug, Clone)]
enum When {
    /// The next time, once.
    Next,
    /// Every time.
    Always,
    /// In the transaction that is this one over all connections, counted from 1.
    Message(usize),
    /// Where the recipient contains this.
    Reader(&'static str),
    /// On connections that have carried so many messages.
    After(usize),
}

/// Where a session stands.
#[derive(Debug, Default, Clone)]
pub(super) struct Moment {
    /// Which transaction this is over all connections, counted from 1.
    pub message: usize,
    /// The recipients, or the RCPT command that is to be answered.
    pub reader: String,
    /// How many messages this connection has carried.
    pub carried: usize,
}

/// What a relay does, and at which command.
///
/// The places are `CONNECT`, the verbs in capitals, `BODY` (the first line of a message has come),
/// `DOT` (the final dot has come) and `EMPTY` (that of a message for nobody).
#[derive(Debug, Clone)]
pub struct Script {
    rules: Vec<(&'static str, When, Act)>,
    /// The lines after the name in the reply to EHLO.
    pub offers: Vec<String>,
    /// The one user who may log in.
    pub login: (String, String),
    /// Lines end with a bare LF.
    pub(super) bare_lf: bool,
    /// Replies to the final dot, MAIL, RCPT and RSET are held back until DATA has come, or nothing
    /// has come for so long.
    pub(super) hold: Option<Duration>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            offers: vec!["PIPELINING".into(), "8BITMIME".into()],
            login: ("user".into(), "pa ss:w\u{f6}rd".into()),
            bare_lf: false,
            hold: None,
        }
    }
}

impl Script {
    /// Adds an act for the next time that `place` is reached.
    pub fn on(self, place: &'static str, act: Act) -> Self {
        self.rule(place, When::Next, act)
    }

    /// Adds an act for every time.
    pub fn always(self, place: &'static str, act: Act) -> Self {
        self.rule(place, When::Always, act)
    }

    /// Adds an act for the transaction that is number `message` over all connections.
    pub fn at(self, message: usize, place: &'static str, act: Act) -> Self {
        self.rule(place, When::Message(message), act)
    }

    /// Adds an act for messages to recipients that contain `reader`.
    pub fn to(self, reader: &'static str, place: &'static str, act: Act) -> Self {
        self.rule(place, When::Reader(reader), act)
    }

    /// Adds an act for connections that have carried `count` messages or more.
    pub fn after(self, count: usize, place: &'static str, act: Act) -> Self {
        self.rule(place, When::After(count), act)
    }

    /// Replaces what EHLO offers.
    pub fn offering(mut self, offers: &[&str]) -> Self {
        self.offers = offers.iter().map(|&offer| offer.to_owned()).collect();
        self
    }

    /// Ends every line with a bare LF.
    pub fn with_bare_lf(mut self) -> Self {
        self.bare_lf = true;
        self
    }

    /// Holds back what may be answered together, for at most `patience`.
    pub fn holding(mut self, patience: Duration) -> Self {
        self.hold = Some(patience);
        self
    }

    fn rule(mut self, place: &'static str, when: When, act: Act) -> Self {
        self.rules.push((place, when, act));
        self
    }

    /// From now on everything is done right.
    pub(super) fn heal(&mut self) {
        self.rules.clear();
    }

    /// What to do at `place` now.
    pub(super) fn next(&mut self, place: &str, moment: &Moment) -> Act {
        let due = self.rules.iter().position(|(at, when, _)| {
            *at == place
                && match when {
                    When::Next | When::Always => true,
                    When::Message(number) => moment.message == *number,
                    When::Reader(reader) => moment.reader.contains(reader),
                    When::After(count) => moment.carried >= *count,
                }
        });
        match due {
            Some(index) if matches!(self.rules[index].1, When::Next) => self.rules.remove(index).2,
            Some(index) => self.rules[index].2.clone(),
            None => Act::Good,
        }
    }
}
