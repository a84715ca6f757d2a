//! One SMTP session: messages one after the other over one connection (RFC 5321).

use lettre::transport::smtp::client::AsyncSmtpConnection;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use super::message::Envelope;
use super::reply::{Lines, Reply};
use super::retry::{Attempt, Happened, Silence, Stage};
use super::stream::Wire;
use super::transaction::{Phase, commands};
use crate::domain::Result as PostriderResult;

/// How long a relay may take (RFC 5321, 4.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting, the handshake, the greeting, and the answer to every command but DATA.
    pub command: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// Until it takes more of what is written.
    pub block: Duration,
    /// The answer to the final dot. Ending it early makes doubles (RFC 1047).
    pub final_dot: Duration,
}

impl Timeouts {
    /// The same for everything.
    pub const fn all(limit: Duration) -> Self {
        Self {
            command: limit,
            data: limit,
            block: limit,
            final_dot: limit,
        }
    }
}

impl Default for Timeouts {
    /// What RFC 5321 asks for.
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            command: 5 * MINUTE,
            data: 2 * MINUTE,
            block: 3 * MINUTE,
            final_dot: 10 * MINUTE,
        }
    }
}

/// How sessions behave.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The name given in EHLO.
    pub hello: String,
    /// How long the relay may take.
    pub timeouts: Timeouts,
    /// The most messages over one connection.
    pub messages: u32,
    /// How long a connection without work is kept.
    pub idle: Duration,
}

/// What the relay offers, and what was agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The TLS version, when the connection is protected.
    pub tls: Option<String>,
    /// The AUTH mechanism that was used.
    pub auth: Option<&'static str>,
    /// PIPELINING (RFC 2920) is offered.
    pub pipelining: bool,
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tls.as_deref().unwrap_or("plain text"))?;
        if let Some(mechanism) = self.auth {
            write!(f, ", AUTH {mechanism}")?;
        }
        if self.pipelining {
            f.write_str(", PIPELINING offered")?;
        }
        Ok(())
    }
}

/// An open session; [`Session::open`] makes it.
///
/// Messages go one after the other: [`Session::begin`] opens a transaction, [`Session::finish`] hands
/// its message over. Where the relay offers PIPELINING (RFC 2920), `finish` opens the next transaction in
/// the same write, so that a message costs one round trip.
pub struct Session {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) wire: Wire,
    pub(super) terms: Terms,
    pub(super) timeouts: Timeouts,
    /// How many more messages may begin.
    pub(super) left: u32,
    pub(super) phase: Phase,
    /// The commands of the transaction that was announced.
    pub(super) announced: String,
    /// Whether a transaction has come to its end.
    proven: bool,
    /// So many octets are written when the final dot of the last message has left.
    dot_at: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("terms", &self.terms)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(connection: AsyncSmtpConnection, wire: Wire, settings: &SessionSettings) -> Self {
        Self {
            connection,
            wire,
            terms: Terms::default(),
            timeouts: settings.timeouts,
            left: settings.messages.max(1),
            phase: Phase::Ready,
            announced: String::new(),
            proven: false,
            dot_at: u64::MAX,
        }
    }

    /// Whether the next message can be sent over this session.
    pub fn is_usable(&self) -> bool {
        self.phase != Phase::Closed && self.wire.is_alive() && (self.left > 0 || self.is_under_way())
    }

    /// Whether a transaction was opened or announced.
    fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Announced | Phase::Message)
    }

    /// What was agreed with the relay.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Opens the transaction of one message: MAIL, RCPT and DATA, in one write where the relay takes that.
    ///
    /// # Errors
    /// The outcome of this attempt, when the relay did not ask for the message.
    pub async fn begin(&mut self, envelope: &Envelope<'_>) -> Result<(), Attempt> {
        if !self.is_usable() || self.phase == Phase::Message {
            return Err(Attempt::untouched("the session was over"));
        }
        let commands = match commands(envelope) {
            Ok(commands) => commands,
            Err(what) => return Err(Attempt::of(&Happened::Local(what), self.is_usable())),
        };
        // Stays set when this future is dropped half way: nobody may use the session then.
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        let opened = if self.terms.pipelining {
            self.open_at_once(phase, &commands).await
        } else {
            self.open_by_steps(phase, &commands).await
        };
        match opened {
            Ok((next, None)) => {
                self.phase = next;
                Ok(())
            }
            Ok((next, Some(refused))) => {
                self.phase = next;
                if refused.ends_session() {
                    self.left = 0;
                }
                let attempt = self.ended(&refused);
                self.proven = true;
                Err(attempt)
            }
            Err(happened) => Err(self.ended(&happened)),
        }
    }

    /// What was said, or not, means for the message that was to begin.
    fn ended(&self, happened: &Happened) -> Attempt {
        if self.proven && happened.ends_session() {
            // Some relays end a session after so many messages or so much time: the next one takes this message.
            return Attempt {
                code: happened.code(),
                ..Attempt::untouched(&happened.text())
            };
        }
        Attempt::of(happened, self.is_usable())
    }

    /// Hands the message of the open transaction over: CRLF line ends, no final dot.
    ///
    /// `next` is announced in the same write where the relay takes that; [`Session::begin`] of the same
    /// envelope must follow then, or the session is left.
    pub async fn finish(&mut self, message: &[u8], next: Option<&Envelope<'_>>) -> Attempt {
        if self.phase != Phase::Message || !self.is_usable() {
            return Attempt::untouched("the session was over");
        }
        let body = match prepare(message) {
            Ok(body) => body,
            Err(what) => {
                // The relay waits for a message: only closing takes the transaction back.
                self.phase = Phase::Closed;
                return Attempt::of(&Happened::Local(what), false);
            }
        };
        self.announced.clear();
        if self.terms.pipelining
            && self.left > 0
            && let Some(Ok(commands)) = next.map(commands)
        {
            self.announced.push_str(commands.all());
        }
        self.phase = Phase::Closed;
        let happened = match self.hand_over(&body).await {
            Ok(happened) => {
                self.proven = true;
                if happened.code() != Some(421) {
                    self.phase = self.after_message();
                }
                happened
            }
            Err(happened) => happened,
        };
        Attempt::of(&happened, self.is_usable())
    }

    /// What became of a message when [`Session::finish`] was dropped before it ended.
    pub(super) fn left_unanswered(&self) -> Attempt {
        if self.wire.written() < self.dot_at {
            return Attempt::untouched("the program was stopped");
        }
        let silence = Silence::Dropped("the program was stopped".to_owned());
        Attempt::of(&Happened::NoReplyAfterDot(silence), false)
    }

    fn after_message(&mut self) -> Phase {
        if self.announced.is_empty() {
            Phase::Ready
        } else {
            self.left = self.left.saturating_sub(1);
            Phase::Announced
        }
    }

    /// `Ok` leaves the session in step, `Err` does not.
    async fn hand_over(&mut self, body: &[u8]) -> Result<Happened, Happened> {
        let begun = self.wire.written();
        let length = u64::try_from(body.len() + 3).unwrap_or(u64::MAX);
        self.dot_at = begun.saturating_add(length);
        self.wire.wait_for(self.timeouts.block, self.limit(Stage::Body));
        let announced = std::mem::take(&mut self.announced);
        let written = self
            .wire
            .write_parts([body, b".\r\n", announced.as_bytes()])
            .await;
        self.announced = announced;
        let replied = match written {
            Ok(()) => self.wire.next_reply().await,
            Err(_) => self.wire.take_reply(),
        };
        match replied {
            Ok(lines) => match refusal(Stage::Body, &lines, 2) {
                Ok(None) => Ok(Happened::Reply(Stage::Body, Reply::new(lines.code, &lines.lines))),
                Ok(Some(refused)) => Ok(refused),
                Err(Happened::NoReply(_, silence)) => Err(Happened::NoReplyAfterDot(silence)),
                Err(other) => Err(other),
            },
            Err(silence) => {
                let ended = self.wire.written() - begun >= length;
                // A relay may answer, or refuse half way, and close while we still write.
                if matches!(silence, Silence::Dropped(_))
                    && let Some(lines) = self.wire.last_words().await
                    && (lines.code >= 400 || (ended && lines.code / 100 == 2))
                {
                    return Err(Happened::Reply(Stage::Body, Reply::new(lines.code, &lines.lines)));
                }
                Err(if ended {
                    Happened::NoReplyAfterDot(silence)
                } else {
                    Happened::NoReply(Stage::Body, silence)
                })
            }
        }
    }

    /// Sends one message by itself. It leaves only after `before_final_dot` has said yes; when it says
    /// no, the connection is dropped and nothing has been sent.
    pub async fn send<F>(&mut self, envelope: &Envelope<'_>, message: &[u8], before_final_dot: F) -> Attempt
    where
        F: Future<Output = PostriderResult<()>>,
    {
        if let Err(what) = prepare(message) {
            return Attempt::of(&Happened::Local(what), self.is_usable());
        }
        if let Err(attempt) = self.begin(envelope).await {
            return attempt;
        }
        self.phase = Phase::Closed;
        if let Err(problem) = before_final_dot.await {
            let what = format!("not sent: {}", problem.message());
            return Attempt::of(&Happened::Local(what), false);
        }
        self.phase = Phase::Message;
        self.finish(message, None).await
    }

    /// Writes, and reads one reply, which [`Wire::take_reply`] gives.
    pub(super) async fn write(&mut self, words: impl fmt::Display) {
        // What lettre makes of the reply is not needed: the wire has the relay's own words.
        let _ = self.connection.command(words).await;
    }

    /// The next reply; `first` was read with the write.
    pub(super) async fn reply(&mut self, stage: Stage, first: bool) -> Result<Lines, Happened> {
        let replied = if first {
            self.wire.take_reply()
        } else {
            self.wire.next_reply().await
        };
        replied.map_err(|silence| Happened::NoReply(stage, silence))
    }

    /// Writes a command and reads its reply.
    pub(super) async fn step(&mut self, stage: Stage, command: impl fmt::Display) -> Result<Lines, Happened> {
        self.write(command).await;
        self.reply(stage, true).await
    }
}

/// None when the reply is of the wanted class; what was refused when it is 4xx or 5xx.
///
/// # Errors
/// Any other reply says that the two sides are out of step.
pub(super) fn refusal(stage: Stage, lines: &Lines, wanted: u16) -> Result<Option<Happened>, Happened> {
    if lines.code / 100 == wanted {
        return Ok(None);
    }
    let reply = Reply::new(lines.code, &lines.lines);
    match reply.class() {
        4 | 5 => Ok(Some(Happened::Reply(stage, reply))),
        _ => {
            let what = format!("{} {} cannot answer {stage}", reply.code, reply.text);
            Err(Happened::NoReply(stage, Silence::Garbage(what)))
        }
    }
}

static DOT_AT_START: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n."));

/// The message as DATA wants it: ASCII, a line end at its end, dots doubled at line starts.
fn prepare(message: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if !message.is_ascii() || !message.ends_with(b"\r\n") {
        return Err("the message is not 7-bit, or its last line does not end".to_owned());
    }
    // Ours never begins a line with a dot; looking is cheap, and a lone dot would end the message.
    if !message.starts_with(b".") && DOT_AT_START.find(message).is_none() {
        return Ok(Cow::Borrowed(message));
    }
    let mut stuffed = Vec::with_capacity(message.len() + 16);
    let mut before = b'\n';
    for &byte in message {
        if byte == b'.' && before == b'\n' {
            stuffed.push(b'.');
        }
        stuffed.push(byte);
        before = byte;
    }
    Ok(Cow::Owned(stuffed))
}
