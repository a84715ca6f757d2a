//! DKIM (RFC 6376) as values: who signs, which header fields, and what the DNS must say.

use serde::Serialize;
use std::fmt;

use super::dkim_key::DkimKey;
use super::problem::{Problem, Result};

/// Where in the DNS keys are published.
const BELOW: &str = "._domainkey.";
/// One string of a TXT record holds at most this many octets (RFC 1035).
const TXT_STRING: usize = 255;

/// What readers must be able to trust; names as messages write them.
const STANDARD: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
];
/// Fields that some services (Amazon SES) write anew.
const REWRITTEN: &[&str] = &["Date", "Message-ID"];
/// Fields that a relay or a mail server on the way adds to or changes as part of its work.
const UNSIGNABLE: &[&str] = &[
    "DKIM-Signature",
    "Received",
    "Return-Path",
    "Authentication-Results",
    "Bcc",
];
/// Signed once more than they stand in a message, so that nobody can add one.
const OVERSIGNED: &[&str] = &["From", "List-Unsubscribe-Post"];

/// Which header fields a signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<String>);

impl Default for SignedHeaders {
    /// Everything that readers rely on.
    fn default() -> Self {
        Self(STANDARD.iter().map(|&name| name.to_owned()).collect())
    }
}

impl SignedHeaders {
    /// The list of that name: `standard`, or `rewritten` without the fields that some services rewrite.
    ///
    /// # Errors
    /// When there is none.
    pub fn preset(name: &str) -> Result<Self> {
        let standard = Self::default();
        match name.trim() {
            "standard" => Ok(standard),
            "rewritten" => Ok(Self(
                standard
                    .0
                    .into_iter()
                    .filter(|name| !REWRITTEN.contains(&name.as_str()))
                    .collect(),
            )),
            other => Err(
                Problem::configuration(format!("there is no list of header fields {other:?}"))
                    .hint("write \"standard\", \"rewritten\", or a list such as [\"From\", \"Subject\"]"),
            ),
        }
    }

    /// A list of one's own.
    ///
    /// # Errors
    /// When a name is none or stands twice, when a field is one that changes on the way, or when `From`
    /// is not among them, which RFC 6376 5.4 asks for.
    pub fn of(names: Vec<String>) -> Result<Self> {
        for (index, name) in names.iter().enumerate() {
            let is = |other: &str| other.eq_ignore_ascii_case(name);
            let printable = name.bytes().all(|b| b.is_ascii_graphic() && !b":;".contains(&b));
            if name.is_empty() || name.len() > 60 || !printable {
                return Err(
                    Problem::configuration(format!("no name of a header field: {name:?}"))
                        .hint("write names such as \"Subject\", without a colon"),
                );
            }
            if UNSIGNABLE.iter().any(|other| is(other)) {
                return Err(
                    Problem::configuration(format!("{name} changes on the way and can't be signed"))
                        .hint("take it out of the list"),
                );
            }
            if names.iter().take(index).any(|other| is(other)) {
                return Err(Problem::configuration(format!("named twice: {name:?}")).hint(
                    "name it once; From and List-Unsubscribe-Post are signed so that no second one can be added",
                ));
            }
        }
        if !names.iter().any(|name| name.eq_ignore_ascii_case("From")) {
            return Err(
                Problem::configuration("From is not among the signed header fields")
                    .hint("add \"From\": without it a signature counts for nothing (RFC 6376 5.4)"),
            );
        }
        Ok(Self(names))
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The signed fields that nobody may add one of.
    pub fn oversigned(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .map(String::as_str)
            .filter(|name| OVERSIGNED.iter().any(|other| other.eq_ignore_ascii_case(name)))
    }
}

/// A key and the names under which it signs.
#[derive(Debug, Clone)]
pub struct DkimIdentity {
    /// `d=`: lower case, ASCII.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// Signs.
    pub key: DkimKey,
}

impl DkimIdentity {
    /// What the DNS must say so that signatures can be verified.
    ///
    /// # Errors
    /// When the key can't be encoded.
    pub fn record(&self) -> Result<DnsRecord> {
        Ok(DnsRecord {
            name: format!("{}{BELOW}{}", self.selector, self.domain),
            kind: "TXT",
            value: format!("v=DKIM1; k=rsa; p={}", self.key.public_base64()?),
        })
    }
}

/// A record of the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DnsRecord {
    /// The full name, without a final dot.
    pub name: String,
    /// `TXT`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text, in one piece.
    pub value: String,
}

impl DnsRecord {
    /// The record for a zone file, its text in strings of at most 255 octets.
    pub fn zone_file(&self) -> String {
        let strings: Vec<String> = self
            .value
            .as_bytes()
            .chunks(TXT_STRING)
            .map(|chunk| format!("    \"{}\"", String::from_utf8_lossy(chunk)))
            .collect();
        format!("{}. IN {} (\n{} )", self.name, self.kind, strings.join("\n"))
    }
}

/// A domain for `d=`, in lower case and ASCII.
///
/// # Errors
/// When it is no host name.
pub fn parse_domain(text: &str) -> Result<String> {
    let trimmed = text.trim();
    match url::Host::parse(trimmed) {
        Ok(url::Host::Domain(name)) if name.len() <= 253 && name.split('.').all(is_label) => Ok(name),
        _ => Err(Problem::configuration(format!("expected a domain, got {text:?}"))
            .hint("write the domain of your sender address, such as example.org")),
    }
}

/// A selector (RFC 6376 3.1): labels with dots between.
///
/// # Errors
/// When it could not stand in the DNS.
pub fn parse_selector(text: &str) -> Result<String> {
    let selector = text.trim().to_ascii_lowercase();
    if selector.len() > 100 || !selector.split('.').all(is_label) {
        return Err(
            Problem::configuration(format!("expected a selector, got {text:?}"))
                .hint("use letters, digits and hyphens, such as postrider-202601"),
        );
    }
    Ok(selector)
}

/// Refuses a signing domain that is neither `from`, the domain of the sender address, nor above it: mail
/// services compare the two (DMARC, RFC 7489 3.1.1).
///
/// # Errors
/// Names both.
pub fn require_aligned(domain: &str, from: &str) -> Result<()> {
    let above = domain.contains('.')
        && from
            .strip_suffix(domain)
            .is_some_and(|before| before.ends_with('.'));
    if domain == from || above {
        return Ok(());
    }
    Err(Problem::configuration(format!(
        "{domain} is neither the domain of [mail] from, {from}, nor above it"
    ))
    .hint(format!(
        "write {from}: a signature of another domain does not count for your sender address"
    )))
}

fn is_label(part: &str) -> bool {
    (1..=63).contains(&part.len())
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for DkimIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BELOW}{}", self.selector, self.domain)
    }
}
