//! From nothing to a session that can take messages: TCP, TLS, EHLO, AUTH.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use std::error::Error;
use std::fmt;
use tokio_rustls::TlsConnector;

use super::reply::{Lines, hide_addresses};
use super::retry::{Happened, Silence, Stage};
use super::session::{Session, SessionSettings, refusal};
use super::stream::Wire;
use super::tls;
use crate::domain::Problem;
use crate::domain::relay::{Credentials, SmtpAddress, Tls};

/// Why a relay takes no messages now. No delivery is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTrouble {
    /// The relay's address, without credentials.
    pub relay: String,
    /// What happened.
    pub happened: Happened,
}

impl RelayTrouble {
    /// The relay's reply code.
    pub fn code(&self) -> Option<u16> {
        self.happened.code()
    }

    /// One line: where it ended and what was said. Addresses are masked.
    pub fn text(&self) -> String {
        let text = hide_addresses(&self.happened.text());
        match &self.happened {
            Happened::Reply(stage, reply) => format!("refused at {stage}: {} {text}", reply.code)
                .trim_end()
                .to_owned(),
            _ => text,
        }
    }

    fn hint(&self) -> &'static str {
        match &self.happened {
            Happened::Reply(Stage::Auth, reply) if reply.class() == 5 => {
                "check user and password of the relay"
            }
            Happened::Unsafe(Stage::Auth, _) => "check whether this port takes AUTH, and tls= of the relay",
            Happened::Unsafe(_, what) if what.contains("UnknownIssuer") || what.contains("BadSignature") => {
                "name the authority's certificate with ca=FILE"
            }
            Happened::Unsafe(..) => "check host, port and tls= of the relay; nothing was sent",
            Happened::NotWritten(_) => "make room, or check who may write to the folder",
            Happened::Reply(..) => "ask whoever runs the relay",
            _ => "check host and port of the relay, and whether it runs",
        }
    }
}

impl fmt::Display for RelayTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relay {}: {}", self.relay, self.text())
    }
}

impl Error for RelayTrouble {}

impl From<RelayTrouble> for Problem {
    fn from(trouble: RelayTrouble) -> Self {
        Self::failed(trouble.to_string()).hint(trouble.hint())
    }
}

/// What EHLO offered.
struct Offer(Vec<Vec<String>>);

impl Offer {
    fn of(lines: &Lines) -> Self {
        let words = |line: &String| {
            // `AUTH=PLAIN` is an old spelling of `AUTH PLAIN`.
            let line = line.to_ascii_uppercase().replace('=', " ");
            line.split_whitespace().map(str::to_owned).collect()
        };
        Self(lines.lines.iter().skip(1).map(words).collect())
    }

    fn has(&self, keyword: &str, parameter: Option<&str>) -> bool {
        self.0.iter().any(|words| {
            words.first().is_some_and(|first| first == keyword)
                && parameter.is_none_or(|wanted| words.iter().skip(1).any(|word| word == wanted))
        })
    }
}

impl Session {
    /// Opens a session: TLS as the address wants it, then AUTH when it names credentials.
    ///
    /// # Errors
    /// Whatever stops it is the relay's trouble. Credentials are sent only through TLS, or to loopback.
    pub async fn open(
        address: &SmtpAddress,
        connector: Option<&TlsConnector>,
        settings: &SessionSettings,
    ) -> Result<Self, RelayTrouble> {
        establish(address, connector, settings)
            .await
            .map_err(|happened| RelayTrouble {
                relay: crate::domain::relay::RelayAddress::Smtp(address.clone()).to_string(),
                happened,
            })
    }
}

async fn establish(
    address: &SmtpAddress,
    connector: Option<&TlsConnector>,
    settings: &SessionSettings,
) -> Result<Session, Happened> {
    let not_safe = |stage, what: String| Happened::Unsafe(stage, what);
    let wire = Wire::connect(&address.host, address.port, settings.timeouts.command).await?;
    let tls = match (address.tls, connector) {
        (Tls::None, _) => None,
        (_, Some(connector)) => {
            let name = tls::server_name(&address.host)
                .map_err(|problem| not_safe(Stage::StartTls, problem.message().to_owned()))?;
            Some((connector, name))
        }
        (_, None) => return Err(not_safe(Stage::StartTls, "TLS is not set up".to_owned())),
    };
    if let (Tls::Implicit, Some((connector, name))) = (address.tls, &tls) {
        wire.start_tls(connector, name.clone()).await?;
    }
    let (connection, mut offer) = greet(&wire, settings).await?;
    let mut session = Session::new(connection, wire, settings);
    if let (Tls::Required | Tls::Opportunistic, Some((connector, name))) = (address.tls, tls) {
        if offer.has("STARTTLS", None) {
            let lines = session.step(Stage::StartTls, "STARTTLS\r\n").await?;
            accepted(Stage::StartTls, &lines, 2)?;
            session.wire.start_tls(connector, name).await?;
            let lines = session
                .step(Stage::Ehlo, format!("EHLO {}\r\n", settings.hello))
                .await?;
            accepted(Stage::Ehlo, &lines, 2)?;
            offer = Offer::of(&lines);
        } else if address.tls == Tls::Required {
            session.quit().await;
            let what = "the relay offers no STARTTLS, which tls=required asks for";
            return Err(not_safe(Stage::StartTls, what.to_owned()));
        }
    }
    session.terms.tls = session.wire.tls_version();
    session.terms.pipelining = offer.has("PIPELINING", None);
    if let Some(credentials) = &address.credentials {
        if session.terms.tls.is_none() && !session.wire.peer().ip().is_loopback() {
            session.quit().await;
            let what = "the connection is not protected, and a password never goes over plain text";
            return Err(not_safe(Stage::Auth, what.to_owned()));
        }
        session.terms.auth = Some(session.log_in(credentials, &offer).await?);
    }
    Ok(session)
}

/// Reads the greeting and says EHLO.
async fn greet(wire: &Wire, settings: &SessionSettings) -> Result<(AsyncSmtpConnection, Offer), Happened> {
    let name = ClientId::Domain(settings.hello.clone());
    let connected = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), &name).await;
    let reply = |stage| {
        let lines = wire
            .take_reply()
            .map_err(|silence| Happened::NoReply(stage, silence))?;
        accepted(stage, &lines, 2).map(|()| lines)
    };
    reply(Stage::Greeting)?;
    let offer = Offer::of(&reply(Stage::Ehlo)?);
    let connection =
        connected.map_err(|error| Happened::NoReply(Stage::Ehlo, Silence::Garbage(error.to_string())))?;
    Ok((connection, offer))
}

fn accepted(stage: Stage, lines: &Lines, wanted: u16) -> Result<(), Happened> {
    match refusal(stage, lines, wanted)? {
        None => Ok(()),
        Some(refused) => Err(refused),
    }
}

impl Session {
    /// AUTH PLAIN (RFC 4616) where it is offered, else LOGIN.
    async fn log_in(&mut self, credentials: &Credentials, offer: &Offer) -> Result<&'static str, Happened> {
        let Credentials { user, password } = credentials;
        let plain = STANDARD.encode(format!("\0{user}\0{password}"));
        let (user_64, password_64) = (STANDARD.encode(user), STANDARD.encode(password));
        let (mechanism, commands) = if offer.has("AUTH", Some("PLAIN")) {
            ("PLAIN", vec![(format!("AUTH PLAIN {plain}\r\n"), 2)])
        } else if offer.has("AUTH", Some("LOGIN")) {
            // The user is asked for first, the password second, whatever words the relay uses.
            let commands = vec![
                ("AUTH LOGIN\r\n".to_owned(), 3),
                (format!("{user_64}\r\n"), 3),
                (format!("{password_64}\r\n"), 2),
            ];
            ("LOGIN", commands)
        } else {
            let what = "the relay offers neither AUTH PLAIN nor AUTH LOGIN".to_owned();
            return Err(Happened::Unsafe(Stage::Auth, what));
        };
        for (command, class) in commands {
            let mut lines = self.step(Stage::Auth, command).await?;
            // Some relays repeat what they were given, and this text is shown.
            let secrets = [password, &plain, &user_64, &password_64];
            lines
                .lines
                .retain(|line| !secrets.iter().any(|secret| line.contains(*secret)));
            accepted(Stage::Auth, &lines, class)?;
        }
        Ok(mechanism)
    }
}
