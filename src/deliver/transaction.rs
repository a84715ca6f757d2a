//! MAIL, RCPT and DATA: how a transaction is opened, and what a refusal leaves behind (RFC 5321, RFC 2920).

use super::message::Envelope;
use super::reply::Lines;
use super::retry::{Happened, Silence, Stage};
use super::session::{Session, refusal};
use std::time::Duration;

/// What the next octets of a session are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A new transaction.
    Ready,
    /// A new transaction, after RSET has ended the one that was refused.
    Reset,
    /// The relay waits for a message that has no recipient: a lone dot ends it (RFC 2920, 3.1).
    LoneDot,
    /// MAIL, RCPT and DATA have left behind the message before; their replies are to be read.
    Announced,
    /// A message: DATA was answered with 354.
    Message,
    /// Nothing: 421 came, or the two sides are out of step.
    Closed,
}

/// The phase that follows, with the refusal if there was one; an error leaves the two sides out of step.
pub(super) type Opened = Result<(Phase, Option<Happened>), Happened>;

impl Phase {
    /// What ends the transaction before.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Reset => "RSET\r\n",
            Self::LoneDot => ".\r\n",
            Self::Ready | Self::Announced | Self::Message | Self::Closed => "",
        }
    }
}

/// Looks at the reply to what ended the transaction before. A message without recipients may be refused.
fn ended(phase: Phase, lines: &Lines) -> Result<(), Happened> {
    match refusal(Stage::Mail, lines, 2)? {
        Some(_) if lines.code == 421 || phase != Phase::LoneDot => {
            let what = format!("the transaction before could not be ended: {}", lines.code);
            Err(Happened::NoReply(Stage::Mail, Silence::Dropped(what)))
        }
        _ => Ok(()),
    }
}

impl Session {
    /// All commands in one write; every reply is read, also those behind a refusal (RFC 2920, 3.1).
    pub(super) async fn open_at_once(&mut self, phase: Phase, commands: &Commands) -> Opened {
        let before = phase.words();
        if phase == Phase::Announced {
            if self.announced != commands.all() {
                let what = "another message was announced".to_owned();
                return Err(Happened::NoReply(Stage::Mail, Silence::Dropped(what)));
            }
        } else {
            self.left = self.left.saturating_sub(1);
            self.wire.wait_for(self.timeouts.block, self.timeouts.command);
            self.write(format!("{before}{}", commands.all())).await;
        }
        let mut first = phase != Phase::Announced;
        if !before.is_empty() {
            if phase == Phase::LoneDot {
                self.wire.wait_for(self.timeouts.block, self.timeouts.final_dot);
            }
            let lines = self.reply(Stage::Mail, std::mem::take(&mut first)).await?;
            ended(phase, &lines)?;
        }
        self.answers(first).await
    }

    /// Reads what the relay says to MAIL, RCPT and DATA that have left together; the `first` reply may have
    /// been read with the write.
    pub(super) async fn answers(&mut self, mut first: bool) -> Opened {
        let mut trouble: Option<Happened> = None;
        let mut recipient = false;
        for (stage, wanted) in [(Stage::Mail, 2), (Stage::Rcpt, 2), (Stage::Data, 3)] {
            self.wire.wait_for(self.timeouts.block, self.limit(stage));
            let lines = match self.reply(stage, std::mem::take(&mut first)).await {
                Ok(lines) => lines,
                // What was said before says more.
                Err(silence) => return Err(trouble.unwrap_or(silence)),
            };
            let refused = match refusal(stage, &lines, wanted) {
                Ok(refused) => refused,
                Err(garbage) => return Err(trouble.unwrap_or(garbage)),
            };
            match refused {
                None if stage == Stage::Rcpt => recipient = true,
                None => {}
                Some(refused) if lines.code == 421 => return Err(trouble.unwrap_or(refused)),
                Some(refused) => {
                    let data_too = stage == Stage::Data;
                    let refused = trouble.get_or_insert(refused);
                    if data_too {
                        return Ok((Phase::Reset, Some(refused.clone())));
                    }
                }
            }
        }
        match trouble {
            None => Ok((Phase::Message, None)),
            // A lone dot would be a message, if a recipient was taken.
            Some(refused) if recipient => Err(refused),
            Some(refused) => Ok((Phase::LoneDot, Some(refused))),
        }
    }

    /// One command a write, each after the reply to the one before.
    pub(super) async fn open_by_steps(&mut self, phase: Phase, commands: &Commands) -> Opened {
        self.left = self.left.saturating_sub(1);
        self.wire.wait_for(self.timeouts.block, self.timeouts.command);
        if phase == Phase::Reset {
            let lines = self.step(Stage::Mail, phase.words()).await?;
            ended(phase, &lines)?;
        }
        for (stage, wanted, command) in [
            (Stage::Mail, 2, commands.mail()),
            (Stage::Rcpt, 2, commands.rcpt()),
            (Stage::Data, 3, DATA),
        ] {
            self.wire.wait_for(self.timeouts.block, self.limit(stage));
            let lines = self.step(stage, command).await?;
            match refusal(stage, &lines, wanted)? {
                None => {}
                Some(refused) if lines.code == 421 => return Err(refused),
                // A refused MAIL has begun nothing that needs a reset.
                Some(refused) if stage == Stage::Mail => return Ok((Phase::Ready, Some(refused))),
                Some(refused) => return Ok((Phase::Reset, Some(refused))),
            }
        }
        Ok((Phase::Message, None))
    }

    pub(super) fn limit(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Data => self.timeouts.data,
            Stage::Body => self.timeouts.final_dot,
            _ => self.timeouts.command,
        }
    }
}

const DATA: &str = "DATA\r\n";

/// MAIL, RCPT and DATA of one message.
pub(super) struct Commands {
    text: String,
    mail: usize,
}

impl Commands {
    pub(super) fn all(&self) -> &str {
        &self.text
    }

    fn mail(&self) -> &str {
        self.text.get(..self.mail).unwrap_or_default()
    }

    fn rcpt(&self) -> &str {
        let end = self.text.len() - DATA.len();
        self.text.get(self.mail..end).unwrap_or_default()
    }
}

pub(super) fn commands(envelope: &Envelope<'_>) -> Result<Commands, String> {
    let path = envelope.from;
    if path.len() > 254
        || !path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
    {
        return Err("the return path has a character that cannot stand in MAIL FROM".to_owned());
    }
    let recipient = envelope.to.full();
    let pieces = [
        "MAIL FROM:<",
        path,
        ">\r\n",
        "RCPT TO:<",
        &recipient,
        ">\r\n",
        DATA,
    ];
    let mail = pieces.iter().take(3).map(|piece| piece.len()).sum();
    let text = pieces.concat();
    Ok(Commands { text, mail })
}
