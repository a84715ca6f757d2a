//! `[mail]`: what stands in the headers and envelope of every message.

use url::Url;

use super::section::Section;
use super::site::web_address;
use crate::domain::text::one_line;
use crate::domain::{EmailAddress, Problem, Result};

pub(super) const KEYS: &[&str] = &[
    "from",
    "reply_to",
    "return_path",
    "unsubscribe_mailto",
    "help_url",
    "archive_url",
];

/// Where the token of a delivery goes in an address.
const TOKEN: &str = "{token}";

/// A name and an address, as in `From`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// One line of text, when there is one.
    pub name: Option<String>,
    /// Where mail goes.
    pub address: EmailAddress,
}

/// Who the mails are from and where answers go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The sender that readers see.
    pub from: Mailbox,
    /// Where answers go, when not to the sender.
    pub reply_to: Option<Mailbox>,
    /// The envelope sender with `{token}` once in the part before the `@`.
    pub return_path: String,
    /// An address that takes requests to leave, perhaps with `?subject=…`; without `mailto:`.
    pub unsubscribe_mailto: Option<String>,
    /// A page that explains the newsletter (`List-Help`).
    pub help_url: Option<Url>,
    /// A page with earlier editions (`List-Archive`).
    pub archive_url: Option<Url>,
}

pub(super) fn read(mut section: Section<'_>) -> Result<Mail> {
    let from = section.required("from", "\"Example Research <news@example.org>\"", mailbox)?;
    let return_path = section
        .parsed("return_path", pattern)?
        .unwrap_or_else(|| format!("bounces+{TOKEN}@{}", from.address.domain()));
    Ok(Mail {
        reply_to: section.parsed("reply_to", mailbox)?,
        unsubscribe_mailto: section.parsed("unsubscribe_mailto", mailto)?,
        help_url: section.parsed("help_url", web_address)?,
        archive_url: section.parsed("archive_url", web_address)?,
        from,
        return_path,
    })
}

/// Reads `name@example.org` or `Name <name@example.org>`.
fn mailbox(text: &str) -> Result<Mailbox> {
    let line = one_line(text);
    let (name, address) = match line.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", line.as_str()),
    };
    let name = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
        .unwrap_or(name);
    Ok(Mailbox {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: EmailAddress::parse(address)
            .map_err(|problem| problem.hint("write name@example.org or Name <name@example.org>"))?,
    })
}

/// Reads an address that holds `{token}` once before the `@`.
fn pattern(text: &str) -> Result<String> {
    let text = text.trim();
    let wrong = |what: &str| {
        Problem::configuration(format!("expected {what}, got {text:?}"))
            .hint("write an address such as bounces+{token}@example.org")
    };
    let before_at = text.rsplit_once('@').map_or("", |(local, _)| local);
    if text.matches(TOKEN).count() != 1 || !before_at.contains(TOKEN) {
        return Err(wrong("{token} once, before the @"));
    }
    EmailAddress::parse(&text.replace(TOKEN, &"x".repeat(30)))
        .map_err(|_| wrong("an address with room for 30 characters at {token}"))?;
    Ok(text.to_owned())
}

/// Reads an address that `?subject=…` may follow, as in a mailto (RFC 6068).
fn mailto(text: &str) -> Result<String> {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (address, subject) = text.split_once('?').unwrap_or((text, "subject=x"));
    EmailAddress::parse(address)?;
    let printable = subject
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
    if !subject.starts_with("subject=") || !printable {
        return Err(Problem::configuration(format!(
            "expected ?subject= and a word after the address, got {subject:?}"
        ))
        .hint("write leave@example.org or leave@example.org?subject=leave"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_names_and_addresses() {
        let read = |text| mailbox(text).map(|m| (m.name, m.address.full())).ok();
        let both = |name: &str| {
            let name = (!name.is_empty()).then(|| name.to_owned());
            Some((name, "news@example.org".to_owned()))
        };
        assert_eq!(read("news@example.org"), both(""));
        assert_eq!(read("Réseau, <b> <news@example.org>"), both("Réseau, <b>"));
        assert_eq!(read("\"A, B\" <news@example.org>"), both("A, B"));
        assert_eq!(read("A\r\nBcc: x <news@example.org>"), both("A Bcc: x"));
        for wrong in [
            "News",
            "<>",
            "a <b> c@example.org",
            "News <news@example.org",
            "a@example.org, b@example.org",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_return_path_has_room_for_its_token() {
        assert!(pattern("bounces+{token}@example.org").is_ok());
        for wrong in [
            "bounces@example.org",
            "{token}{token}@example.org",
            "bounces@{token}.example.org",
            "{token}",
            &format!("{}{{token}}@example.org", "b".repeat(40)),
        ] {
            assert!(pattern(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mailto_is_an_address_and_perhaps_a_subject() {
        assert_eq!(mailto("mailto:leave@example.org").unwrap(), "leave@example.org");
        assert!(mailto("leave@example.org?subject=leave").is_ok());
        for wrong in [
            "leave",
            "leave@example.org?bcc=x@example.com",
            "leave@example.org?subject=a b",
            "leave@example.org?subject=>\r\nBcc:x@example.com",
        ] {
            assert!(mailto(wrong).is_err(), "{wrong}");
        }
    }
}
