//! Mail addresses: parsed once, masked wherever they are shown.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::problem::{Problem, Result};

/// How the part before the `@` is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalPartRule {
    /// `Ann@example.org` and `ann@example.org` are one reader.
    #[default]
    Insensitive,
    /// The letters' case tells readers apart, as RFC 5321 2.4 allows.
    Exact,
}

/// An addr-spec of RFC 5321 in dot-atom form: no display name, no comment, no quoting, no CR or LF.
///
/// The domain is stored in lower case and in its ASCII form (RFC 5891).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    local: String,
    domain: String,
}

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// Says which part is wrong; the message holds the masked address only.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let wrong = |what: &str| {
            Problem::configuration(format!("address {}: {what}", mask(trimmed)))
                .hint("an address looks like name@example.org")
        };
        let (local, domain) = trimmed.rsplit_once('@').ok_or_else(|| wrong("has no @"))?;
        if local.is_empty() || local.len() > 64 {
            return Err(wrong("the part before the @ must have 1 to 64 characters"));
        }
        if !local.is_ascii() {
            return Err(wrong(
                "the part before the @ has letters outside ASCII, which few mail servers take (SMTPUTF8)",
            )
            .hint("ask the reader for an address in ASCII; the domain may have any letters"));
        }
        let atom = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        if !local.split('.').all(atom) {
            return Err(wrong(
                "the part before the @ has a character or a dot in a wrong place",
            ));
        }
        let domain = match url::Host::parse(domain) {
            Ok(url::Host::Domain(name)) => name,
            _ => return Err(wrong("the domain is not a host name")),
        };
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if domain.len() > 253
            || !domain.contains('.') && domain != "localhost"
            || !domain.split('.').all(label)
        {
            return Err(wrong("the domain is not a host name"));
        }
        if local.len() + domain.len() > 253 {
            return Err(wrong("longer than 254 characters"));
        }
        Ok(Self {
            local: local.to_owned(),
            domain,
        })
    }

    /// The full address; say so in the name of whatever keeps it.
    pub fn full(&self) -> String {
        [&self.local, "@", &self.domain].concat()
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`, lower case, ASCII.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What two spellings of one reader's address have in common.
    pub fn key(&self, rule: LocalPartRule) -> String {
        match rule {
            LocalPartRule::Insensitive => {
                format!("{}@{}", self.local.to_ascii_lowercase(), self.domain)
            }
            LocalPartRule::Exact => self.full(),
        }
    }

    /// What the addresses that reach one mailbox have in common: the key without a `+` and what follows it,
    /// which mail servers leave to the owner of the mailbox. Dots are left alone: with most they matter.
    /// Letter case never matters: what goes by this is limits and refusals, and hardly a server tells it apart.
    pub fn mailbox_key(&self) -> String {
        let rule = LocalPartRule::Insensitive;
        match self.local.split_once('+') {
            Some((local, _)) if !local.is_empty() => Self {
                local: local.to_owned(),
                domain: self.domain.clone(),
            }
            .key(rule),
            _ => self.key(rule),
        }
    }

    /// Whether the domain can't belong to anybody (RFC 2606, RFC 6761, RFC 7686).
    pub fn is_reserved(&self) -> bool {
        is_reserved_domain(&self.domain)
    }
}

/// Domains that no real reader has: `example.*`, `.test`, `.invalid`, `.localhost`, `.local`, `.onion`.
pub fn is_reserved_domain(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    let mut labels = domain.rsplitn(3, '.');
    let (top, second) = (labels.next().unwrap_or_default(), labels.next());
    matches!(
        last,
        "example" | "test" | "invalid" | "localhost" | "local" | "onion"
    ) || (second == Some("example") && matches!(top, "org" | "com" | "net"))
}

/// `a***@e***.org`: enough to recognise one's own, not enough to learn another's.
pub fn mask(text: &str) -> String {
    fn head(part: &str) -> String {
        let first = part.chars().next().filter(|c| !c.is_control());
        first.map_or_else(|| "***".to_owned(), |c| format!("{c}***"))
    }
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
            let top: String = top
                .chars()
                .filter(|c| c.is_alphanumeric() || *c == '-')
                .take(24)
                .collect();
            format!("{}@{}.{top}", head(local), head(domain))
        }
        None => head(text),
    }
}

/// A full address, or the key of one, as lists, reports and the store hold it: written out whole, by
/// serde or by name, and masked wherever it is only shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullAddress(String);

impl FullAddress {
    /// The address itself; say so in the name of whatever keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for FullAddress {
    fn from(address: String) -> Self {
        Self(address)
    }
}

impl From<&str> for FullAddress {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl fmt::Debug for FullAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullAddress({})", mask(&self.0))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.full()))
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_and_nothing_else() {
        for right in [
            "ann@example.org",
            "a.b+c@sub.example.org",
            "Ann@BÜCHER.example",
            "o'neil@example.com",
        ] {
            assert!(EmailAddress::parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "a b@example.org",
            "ann@exa mple.org",
            "ann@example.org\r\nBcc: x@example.org",
            "Ann <ann@example.org>",
            ".a@example.org",
            "a..b@example.org",
            "ann@127.0.0.1",
            "ann@[::1]",
            "ann@-x.org",
            "änn@example.org",
            "ann@example",
            "\"a b\"@example.org",
            &format!("{}@example.org", "a".repeat(65)),
        ] {
            assert!(EmailAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn non_ascii_local_part_says_why() {
        let error = EmailAddress::parse("änn@example.org")
            .map(|_| ())
            .map_err(|e| e.to_string());
        assert_eq!(error, Err("address ä***@e***.org: the part before the @ has letters outside ASCII, which few mail servers take (SMTPUTF8)\n  hint: ask the reader for an address in ASCII; the domain may have any letters".to_owned()));
    }

    #[test]
    fn a_mailbox_is_what_stands_before_the_plus() -> Result<()> {
        for (address, mailbox) in [
            ("ann@example.org", "ann@example.org"),
            ("Ann+News@Example.org", "ann@example.org"),
            ("ann+1+2@example.org", "ann@example.org"),
            ("ann+@example.org", "ann@example.org"),
            ("a.n.n+1@example.org", "a.n.n@example.org"),
            ("ann-1@example.org", "ann-1@example.org"),
            ("+1@example.org", "+1@example.org"),
            ("ann+1@sub.example.org", "ann@sub.example.org"),
        ] {
            assert_eq!(EmailAddress::parse(address)?.mailbox_key(), mailbox, "{address}");
        }
        Ok(())
    }

    #[test]
    fn shows_itself_masked_and_compares_by_rule() -> Result<()> {
        let address = EmailAddress::parse("Ann@Example.ORG")?;
        assert_eq!(address.to_string(), "A***@e***.org");
        assert_eq!(format!("{address:?}"), "EmailAddress(A***@e***.org)");
        assert_eq!(address.key(LocalPartRule::Insensitive), "ann@example.org");
        assert_eq!(address.key(LocalPartRule::Exact), "Ann@example.org");
        assert!(address.is_reserved());
        assert!(!EmailAddress::parse("a@myexample.org")?.is_reserved());
        Ok(())
    }
}
