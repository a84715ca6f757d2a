//! One SMTP session: messages one after the other over one connection (RFC 5321).

use lettre::transport::smtp::client::AsyncSmtpConnection;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

use super::message::Envelope;
use super::reply::{Lines, Reply};
use super::retry::{Attempt, Happened, Silence, Stage};
use super::stream::Wire;
use crate::domain::Result as PostriderResult;

/// A relay that does not answer QUIT is not waited for.
const GOODBYE: Duration = Duration::from_secs(2);

/// How sessions behave.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The name given in EHLO.
    pub hello: String,
    /// How long any one step may take: connecting, the handshake, each reply.
    pub timeout: Duration,
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
pub struct Session {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) wire: Wire,
    pub(super) terms: Terms,
    /// A 421 came, or a transaction was left half done.
    pub(super) closed: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("terms", &self.terms)
            .field("usable", &self.is_usable())
            .finish_non_exhaustive()
    }
}

/// A message and its final dot in one write: split, the dot would wait for an acknowledgement.
struct WithFinalDot<'a>(&'a str);

impl fmt::Display for WithFinalDot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        f.write_str(".\r\n")
    }
}

impl Session {
    /// Whether the next message can be sent over this session.
    pub fn is_usable(&self) -> bool {
        !self.closed && self.wire.is_alive()
    }

    /// What was agreed with the relay.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Sends one message: CRLF line ends, no final dot.
    ///
    /// The message and its final dot leave only after `before_final_dot` has said yes; when it says
    /// no, the connection is dropped and nothing has been sent.
    pub async fn send<F>(&mut self, envelope: &Envelope<'_>, message: &[u8], before_final_dot: F) -> Attempt
    where
        F: Future<Output = PostriderResult<()>>,
    {
        if !self.is_usable() {
            let closed = Silence::Dropped("the session was over".to_owned());
            return Attempt::of(&Happened::NoReply(Stage::Mail, closed), false);
        }
        // Stays set when this future is dropped half way: nobody may use the session then.
        self.closed = true;
        let (happened, in_step) = match self.transact(envelope, message, before_final_dot).await {
            Ok(happened) => (happened, true),
            Err(happened) => (happened, false),
        };
        self.closed = !in_step || happened.code() == Some(421);
        Attempt::of(&happened, self.is_usable())
    }

    /// `Ok` leaves the session ready for the next message, `Err` does not.
    async fn transact<F>(
        &mut self,
        envelope: &Envelope<'_>,
        message: &[u8],
        before_final_dot: F,
    ) -> Result<Happened, Happened>
    where
        F: Future<Output = PostriderResult<()>>,
    {
        let body = match prepare(envelope, message) {
            Ok(body) => body,
            Err(what) => return Ok(Happened::Local(what)),
        };
        let commands = [
            (Stage::Mail, 2, format!("MAIL FROM:<{}>\r\n", envelope.from)),
            (Stage::Rcpt, 2, format!("RCPT TO:<{}>\r\n", envelope.to.full())),
            (Stage::Data, 3, "DATA\r\n".to_owned()),
        ];
        for (stage, class, command) in commands {
            let lines = self.step(stage, command).await?;
            if let Some(refused) = refusal(stage, &lines, class)? {
                // After 421 the relay closes; a refused MAIL has begun nothing that needs a reset.
                if lines.code != 421 && stage != Stage::Mail && !self.reset().await {
                    return Err(refused);
                }
                return Ok(refused);
            }
        }
        if let Err(problem) = before_final_dot.await {
            return Err(Happened::Local(format!("not sent: {}", problem.message())));
        }
        let begun = self.wire.written();
        let length = u64::try_from(body.len() + 3).unwrap_or(u64::MAX);
        match self.step(Stage::Body, WithFinalDot(&body)).await {
            Ok(lines) => match refusal(Stage::Body, &lines, 2) {
                Ok(None) => Ok(Happened::Reply(Stage::Body, Reply::new(lines.code, &lines.lines))),
                Ok(Some(refused)) => Ok(refused),
                Err(Happened::NoReply(_, silence)) => Err(Happened::NoReplyAfterDot(silence)),
                Err(other) => Err(other),
            },
            Err(Happened::NoReply(_, silence)) if self.wire.written() - begun >= length => {
                Err(Happened::NoReplyAfterDot(silence))
            }
            // A relay that refuses a message half way may say so before it closes.
            Err(unsent @ Happened::NoReply(_, Silence::Dropped(_))) => match self.wire.last_words().await {
                Some(lines) if lines.code >= 400 => {
                    Err(Happened::Reply(Stage::Body, Reply::new(lines.code, &lines.lines)))
                }
                _ => Err(unsent),
            },
            Err(other) => Err(other),
        }
    }

    /// Writes a command and reads its reply.
    pub(super) async fn step(&mut self, stage: Stage, command: impl fmt::Display) -> Result<Lines, Happened> {
        // What lettre makes of the reply is not needed: the wire has the relay's own words.
        let _ = self.connection.command(command).await;
        self.wire
            .take_reply()
            .map_err(|silence| Happened::NoReply(stage, silence))
    }

    /// Forgets the transaction under way; false when the relay does not agree.
    async fn reset(&mut self) -> bool {
        matches!(self.step(Stage::Mail, "RSET\r\n").await, Ok(lines) if lines.code / 100 == 2)
    }

    /// Says goodbye, without waiting long for an answer.
    pub async fn quit(mut self) {
        if self.is_usable() {
            let _ = timeout(GOODBYE, self.connection.command("QUIT\r\n")).await;
        }
    }
}

/// None when the reply is of the wanted class; what was refused when it is 4xx or 5xx.
///
/// # Errors
/// Any other reply says that the two sides are out of step.
pub(super) fn refusal(stage: Stage, lines: &Lines, wanted: u16) -> Result<Option<Happened>, Happened> {
    let reply = Reply::new(lines.code, &lines.lines);
    match reply.class() {
        class if class == wanted => Ok(None),
        4 | 5 => Ok(Some(Happened::Reply(stage, reply))),
        _ => {
            let what = format!("{} {} cannot answer {stage}", reply.code, reply.text);
            Err(Happened::NoReply(stage, Silence::Garbage(what)))
        }
    }
}

/// The message as DATA wants it: ASCII, a line end at its end, dots doubled at line starts.
fn prepare<'a>(envelope: &Envelope<'_>, message: &'a [u8]) -> Result<Cow<'a, str>, String> {
    let path = envelope.from;
    if path.len() > 254
        || !path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
    {
        return Err("the return path has a character that cannot stand in MAIL FROM".to_owned());
    }
    let text = std::str::from_utf8(message)
        .ok()
        .filter(|text| text.is_ascii() && text.ends_with("\r\n"))
        .ok_or("the message is not 7-bit, or its last line does not end")?;
    // Ours never begins a line with a dot; looking is cheap, and a lone dot would end the message.
    if text.starts_with('.') || text.contains("\n.") {
        let stuffed = text.replace("\n.", "\n..");
        let lead = if text.starts_with('.') { "." } else { "" };
        return Ok(Cow::Owned(format!("{lead}{stuffed}")));
    }
    Ok(Cow::Borrowed(text))
}
