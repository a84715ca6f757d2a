//! Where messages are handed over: an SMTP server, or a folder.

use std::fmt;
use std::path::PathBuf;
use url::Url;

use super::problem::{Problem, Result};

/// How a connection to a relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte (`smtps://`, RFC 8314).
    Implicit,
    /// STARTTLS (RFC 3207) or nothing is sent.
    Required,
    /// STARTTLS when offered; the certificate is not verified.
    Opportunistic,
    /// Plain text.
    None,
}

/// User name and password; `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// The address of a relay, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayAddress {
    /// A folder that takes one `.eml` a message.
    Outbox(PathBuf),
    /// An SMTP server.
    Smtp(SmtpAddress),
}

/// The address of an SMTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpAddress {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who we are to the relay.
    pub credentials: Option<Credentials>,
    /// A PEM file of further trusted authorities.
    pub ca: Option<PathBuf>,
}

/// How many messages a relay takes; the nodes of one database share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// In any second; `None` is without limit.
    pub per_second: Option<u32>,
    /// In any sixty minutes; `None` is without limit.
    pub per_hour: Option<u32>,
}

impl Rates {
    /// Whether there is a limit at all.
    pub fn are_limited(&self) -> bool {
        self.per_second.is_some() || self.per_hour.is_some()
    }
}

/// What a relay may be burdened with, and when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections of one process.
    pub connections: u32,
    /// The most messages over one connection.
    pub messages: u32,
    /// The most messages of all processes together.
    pub rates: Rates,
    /// Used only while every relay that is no backup can't be used.
    pub backup: bool,
}

impl Limits {
    /// So many connections, and otherwise what holds when nothing is configured.
    pub fn of(connections: u32) -> Self {
        Self {
            connections,
            messages: 1000,
            rates: Rates::default(),
            backup: false,
        }
    }
}

impl RelayAddress {
    /// Reads `outbox:DIR`, `smtp://[user:password@]host:port?tls=…[&ca=FILE]` or `smtps://…`.
    ///
    /// The default of `tls` is `none` on loopback and `required` elsewhere.
    ///
    /// # Errors
    /// Says what is wrong without showing the password.
    pub fn parse(text: &str) -> Result<Self> {
        let forms = "write outbox:DIR, smtp://host:port?tls=required|opportunistic|none or smtps://host:port";
        if let Some(folder) = text.strip_prefix("outbox:") {
            if folder.is_empty() {
                return Err(Problem::configuration("relay \"outbox:\" names no folder").hint(forms));
            }
            return Ok(Self::Outbox(PathBuf::from(folder)));
        }
        let shown = hide_password(text);
        let wrong = |what: String| Problem::configuration(format!("relay {shown:?}: {what}")).hint(forms);
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            other => return Err(wrong(format!("unknown scheme {other:?}"))),
        };
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("has no host".to_owned()))?
            .trim_matches(['[', ']'])
            .to_owned();
        let (mut tls, mut ca) = (None, None);
        for (key, value) in url.query_pairs() {
            match (key.as_ref(), value.as_ref()) {
                ("tls", "required") => tls = Some(Tls::Required),
                ("tls", "opportunistic") if !implicit => tls = Some(Tls::Opportunistic),
                ("tls", "none") if !implicit => tls = Some(Tls::None),
                ("tls", other) => return Err(wrong(format!("tls={other:?} is not possible here"))),
                ("ca", file) if !file.is_empty() => ca = Some(PathBuf::from(file)),
                (other, _) => return Err(wrong(format!("unknown option {other:?}"))),
            }
        }
        let tls = match tls {
            _ if implicit => Tls::Implicit,
            Some(tls) => tls,
            None if is_loopback(&host) => Tls::None,
            None => Tls::Required,
        };
        let credentials = match (decode(url.username()), url.password().map(decode)) {
            (user, None) if user.is_empty() => None,
            (user, Some(password)) if !user.is_empty() => Some(Credentials { user, password }),
            _ => return Err(wrong("needs both a user and a password, or neither".to_owned())),
        };
        if credentials.is_some() && tls == Tls::None && !is_loopback(&host) {
            return Err(wrong("would send the password over plain text".to_owned())
                .hint("use tls=required, or smtps://"));
        }
        if ca.is_some() && matches!(tls, Tls::None | Tls::Opportunistic) {
            return Err(wrong("ca= has no use without verification".to_owned()).hint("use tls=required"));
        }
        Ok(Self::Smtp(SmtpAddress {
            host,
            port: url.port().unwrap_or(if implicit { 465 } else { 25 }),
            tls,
            credentials,
            ca,
        }))
    }

    /// Whether samples may be sent there: nothing leaves this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Outbox(_) => true,
            Self::Smtp(address) => is_loopback(&address.host),
        }
    }
}

impl fmt::Display for RelayAddress {
    /// The address without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox(folder) => write!(f, "outbox:{}", folder.display()),
            Self::Smtp(address) => {
                let scheme = if address.tls == Tls::Implicit {
                    "smtps"
                } else {
                    "smtp"
                };
                write!(f, "{scheme}://{}:{}", address.host, address.port)
            }
        }
    }
}

/// Whether `host` is this machine: `localhost`, 127.0.0.0/8 or ::1.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `text` with everything between `//` and the last `@` hidden.
pub fn hide_password(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(end)) if end > start => {
            format!("{}***{}", &text[..start + 2], &text[end..])
        }
        _ => text.to_owned(),
    }
}

/// Undoes percent-encoding; what does not decode stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        // Digits alone: the number's own parser takes a sign as well.
        let pair = tail
            .get(..2)
            .filter(|two| two.iter().all(u8::is_ascii_hexdigit))
            .and_then(|two| std::str::from_utf8(two).ok());
        match (byte, pair.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(text: &str) -> Result<SmtpAddress> {
        match RelayAddress::parse(text)? {
            RelayAddress::Smtp(address) => Ok(address),
            RelayAddress::Outbox(_) => Err(Problem::failed("an outbox")),
        }
    }

    #[test]
    fn reads_addresses() -> Result<()> {
        assert_eq!(
            RelayAddress::parse("outbox:a/b")?,
            RelayAddress::Outbox("a/b".into())
        );
        assert_eq!(smtp("smtp://127.0.0.1:2525")?.tls, Tls::None);
        assert_eq!(smtp("smtp://relay.example.org:587")?.tls, Tls::Required);
        assert_eq!(smtp("smtp://[::1]:25")?.host, "::1");
        let full = smtp("smtps://us%40er:p%3Aw@relay.example.org")?;
        assert_eq!((full.port, full.tls), (465, Tls::Implicit));
        assert_eq!(
            full.credentials,
            Some(Credentials {
                user: "us@er".into(),
                password: "p:w".into()
            })
        );
        Ok(())
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_stays() -> Result<()> {
        for (written, meant) in [("%+f", "%+f"), ("a%2", "a%2"), ("%4f%zz%", "O%zz%")] {
            let address = smtp(&format!("smtp://u:{written}@127.0.0.1"))?;
            let password = address.credentials.map(|credentials| credentials.password);
            assert_eq!(password.as_deref(), Some(meant), "{written}");
        }
        Ok(())
    }

    #[test]
    fn never_shows_a_password() {
        for wrong in [
            "smtp://u:secret@relay.example.org:25?tls=none",
            "smtp://u:secret@relay.example.org:25?tls=maybe",
            "smtp://u:secret@relay.example.org:x",
            "ftp://u:secret@relay.example.org",
            "smtp://u@relay.example.org",
            "smtp://",
            "outbox:",
        ] {
            match RelayAddress::parse(wrong) {
                Ok(_) => unreachable!("{wrong} was taken"),
                Err(problem) => {
                    assert!(!problem.to_string().contains("secret"), "{problem}");
                    assert!(problem.hint_text().is_some(), "{problem}");
                }
            }
        }
    }
}
