//! A relay as the worker sees it: something that takes messages, whether server or folder.

use std::future::{Future, ready};
use std::time::Duration;
use tokio_rustls::TlsConnector;

use super::dkim::Signer;
use super::message::Envelope;
use super::open::RelayTrouble;
use super::outbox::Outbox;
use super::retry::{Attempt, Happened, Silence};
use super::session::{Session, SessionSettings};
use super::splice::is_token;
use super::tls;
use crate::domain::relay::RelayAddress;
use crate::domain::{Problem, Result, Timestamp};

/// A relay that connections can be made to.
#[derive(Clone)]
pub struct Relay {
    name: String,
    address: RelayAddress,
    settings: SessionSettings,
    /// Made once: reading the system's authorities takes milliseconds.
    connector: Option<TlsConnector>,
    signer: Option<Signer>,
}

/// A connection that takes one message at a time.
#[derive(Debug)]
pub enum Connection {
    /// Writes files.
    Outbox(Outbox),
    /// Speaks SMTP.
    Smtp(Box<Session>),
}

impl Relay {
    /// Prepares a relay; nothing is connected yet.
    ///
    /// # Errors
    /// When the EHLO name, the host or the `ca` file cannot be used.
    pub fn new(name: impl Into<String>, address: RelayAddress, settings: SessionSettings) -> Result<Self> {
        let name = name.into();
        let place = format!("relay {name:?}");
        if !is_token(&settings.hello) || settings.hello.len() > 253 {
            return Err(Problem::configuration(format!(
                "{place}: the EHLO name {:?} is no host name",
                settings.hello
            )));
        }
        let connector = match &address {
            RelayAddress::Outbox(_) => None,
            RelayAddress::Smtp(smtp) => tls::connector(smtp).map_err(|problem| problem.at(&place))?,
        };
        Ok(Self {
            name,
            address,
            settings,
            connector,
            signer: None,
        })
    }

    /// The same relay, for which messages are signed.
    #[must_use]
    pub fn signed_by(mut self, signer: Option<Signer>) -> Self {
        self.signer = signer;
        self
    }

    /// Puts a DKIM signature in front of a message that is to go through this relay, if it takes signed ones.
    ///
    /// # Errors
    /// When the message can't be signed: then it must not go.
    pub async fn sign(&self, message: &mut Vec<u8>, now: Timestamp) -> Result<()> {
        match &self.signer {
            Some(signer) => signer.sign_aside(message, now).await,
            None => Ok(()),
        }
    }

    /// The name from the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long a connection without work is kept.
    pub(super) fn idle(&self) -> Duration {
        self.settings.idle
    }

    /// Where it is.
    pub fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Whatever stops it is the relay's trouble; no delivery is to blame.
    pub async fn connect(&self) -> std::result::Result<Connection, RelayTrouble> {
        match &self.address {
            RelayAddress::Outbox(folder) => {
                Outbox::open(folder)
                    .map(Connection::Outbox)
                    .map_err(|happened| RelayTrouble {
                        relay: self.address.to_string(),
                        happened,
                    })
            }
            RelayAddress::Smtp(smtp) => Session::open(smtp, self.connector.as_ref(), &self.settings)
                .await
                .map(|session| Connection::Smtp(Box::new(session))),
        }
    }

    /// Connects, logs in and leaves: the verdict of `postrider check`.
    ///
    /// # Errors
    /// As [`Relay::connect`].
    pub async fn probe(&self) -> std::result::Result<String, RelayTrouble> {
        match self.connect().await? {
            Connection::Outbox(_) => Ok(format!("{} can be written", self.address)),
            Connection::Smtp(session) => {
                let verdict = format!("{} is ready: {}", self.address, session.terms());
                session.quit().await;
                Ok(verdict)
            }
        }
    }
}

impl Connection {
    /// Hands over one message (CRLF line ends, no final dot).
    ///
    /// It becomes final only after `before_final_dot` has said yes, so that a caller can first commit
    /// the outcome of the message before: a crash then repeats at most one message a connection.
    pub async fn send<F>(&mut self, envelope: &Envelope<'_>, message: &[u8], before_final_dot: F) -> Attempt
    where
        F: Future<Output = Result<()>>,
    {
        match self {
            Self::Outbox(outbox) => outbox.send(envelope, message, before_final_dot).await,
            Self::Smtp(session) => session.send(envelope, message, before_final_dot).await,
        }
    }

    /// Opens the transaction of one message.
    ///
    /// # Errors
    /// The outcome of this attempt, when the relay did not ask for the message.
    pub async fn begin(&mut self, envelope: &Envelope<'_>) -> std::result::Result<(), Attempt> {
        match self {
            Self::Outbox(_) => Ok(()),
            Self::Smtp(session) => session.begin(envelope).await,
        }
    }

    /// Hands over the message of the transaction that was opened, and announces the `next` one.
    ///
    /// Whoever calls it has the outcome of the message before recorded: a crash then repeats at most one
    /// message a connection.
    pub async fn finish(
        &mut self,
        envelope: &Envelope<'_>,
        message: &[u8],
        next: Option<&Envelope<'_>>,
    ) -> Attempt {
        match self {
            Self::Outbox(outbox) => outbox.send(envelope, message, ready(Ok(()))).await,
            Self::Smtp(session) => session.finish(message, next).await,
        }
    }

    /// What became of the message whose hand-over nobody waited out.
    pub(super) fn left_unanswered(&self) -> Attempt {
        match self {
            // The file may have been written behind our back.
            Self::Outbox(_) => Attempt::of(&Happened::NoReplyAfterDot(Silence::TimedOut), false),
            Self::Smtp(session) => session.left_unanswered(),
        }
    }

    /// Whether the next message can be handed over here.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Outbox(_) => true,
            Self::Smtp(session) => session.is_usable(),
        }
    }

    /// Ends the connection.
    pub async fn quit(self) {
        if let Self::Smtp(session) = self {
            session.quit().await;
        }
    }
}
