//! Digital object identifiers (ISO 26324), by which one paper is recognised.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::problem::{Problem, Result};

/// A DOI without resolver or prefix, in lower case (DOIs compare case-insensitively).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Doi(String);

impl Doi {
    /// Reads a bare DOI, `doi:…`, or an address at doi.org.
    ///
    /// # Errors
    /// When the text is not of the form `10.NNNN/suffix`.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        let bare = ["https://", "http://"]
            .iter()
            .find_map(|scheme| lower.strip_prefix(scheme))
            .map_or(lower.as_str(), |rest| rest.strip_prefix("dx.").unwrap_or(rest));
        let bare = bare.strip_prefix("doi.org/").unwrap_or(bare);
        let bare = bare.strip_prefix("doi:").unwrap_or(bare).trim();
        let well_formed = bare.strip_prefix("10.").is_some_and(|rest| {
            rest.split_once('/').is_some_and(|(registrant, suffix)| {
                registrant.len() >= 4
                    && registrant.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                    && !suffix.is_empty()
                    && !suffix
                        .chars()
                        .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>'))
            })
        });
        if well_formed && bare.len() <= 200 {
            Ok(Self(bare.to_owned()))
        } else {
            Err(Problem::configuration(format!("{trimmed:?} is not a DOI"))
                .hint("a DOI looks like 10.1234/abc.5"))
        }
    }

    /// The bare DOI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address that leads to the paper: RFC 3986 path characters as they are, all others as `%XX`.
    pub fn url(&self) -> String {
        let mut text = "https://doi.org/".to_owned();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:@!$&'()*+,;=".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        text
    }
}

impl TryFrom<String> for Doi {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Doi> for String {
    fn from(doi: Doi) -> Self {
        doi.0
    }
}

impl fmt::Display for Doi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_every_character() -> Result<()> {
        let doi = Doi::parse("10.1000/(A)#b?c%d")?;
        assert_eq!(doi.url(), "https://doi.org/10.1000/(a)%23b%3Fc%25d");
        assert_eq!(Doi::parse("10.1000/é")?.url(), "https://doi.org/10.1000/%C3%A9");
        Ok(())
    }

    #[test]
    fn reads_every_spelling() {
        for text in [
            "10.3390/medicina58030358",
            " doi:10.3390/MEDICINA58030358",
            "https://doi.org/10.3390/medicina58030358",
            "http://dx.doi.org/10.3390/medicina58030358",
        ] {
            assert_eq!(
                Doi::parse(text).map(String::from).ok().as_deref(),
                Some("10.3390/medicina58030358"),
                "{text}"
            );
        }
        for wrong in [
            "",
            "10.1/x",
            "11.1234/x",
            "10.1234/",
            "10.1234/a b",
            "10.1234/<x>",
        ] {
            assert!(Doi::parse(wrong).is_err(), "{wrong}");
        }
    }
}
