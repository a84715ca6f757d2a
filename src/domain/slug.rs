//! Short names that stand in addresses and file names.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::problem::{Problem, Result};

/// Lower-case letters, digits and single hyphens; 1 to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The longest slug, in characters.
    pub const MAX: usize = 120;

    /// Takes `text` as a slug when it is one.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self> {
        let well_formed = !text.is_empty()
            && text.len() <= Self::MAX
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--")
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::configuration(format!("{text:?} is not a slug"))
                .hint("use lower-case letters, digits and single hyphens, at most 120 characters"))
        }
    }

    /// Makes a slug from a title; `None` when nothing usable is left.
    pub fn from_title(title: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in title.chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') && !matches!(c, '\'' | '’') {
                slug.push('-');
            }
            if slug.len() >= 80 {
                break;
            }
        }
        let slug = slug.trim_end_matches('-');
        (!slug.is_empty()).then(|| Self(slug.to_owned()))
    }

    /// The slug with `number` behind it, shortened where it would grow too long.
    pub fn numbered(&self, number: usize) -> Self {
        let number = format!("-{number}");
        let kept = self.0.get(..Self::MAX - number.len()).unwrap_or(&self.0);
        Self(format!("{}{number}", kept.trim_end_matches('-')))
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_slugs_only() {
        assert!(Slug::parse("spinal-cord-injury").is_ok());
        for wrong in ["", "-a", "a-", "a--b", "A", "a b", "ä", "a/b", &"a".repeat(121)] {
            assert!(Slug::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn makes_slugs_from_titles() {
        let slug = |title| Slug::from_title(title).map(String::from);
        assert_eq!(
            slug("Research Methodology & Design").as_deref(),
            Some("research-methodology-design")
        );
        assert_eq!(slug("Reader’s guide").as_deref(), Some("readers-guide"));
        assert_eq!(slug("—"), None);
    }

    #[test]
    fn a_number_never_makes_a_slug_too_long() -> Result<()> {
        let full = format!("{}-{}", "a".repeat(117), "b".repeat(2));
        for (text, number, expected) in [
            ("tea", 2, "tea-2".to_owned()),
            (&full, 2, format!("{}-2", "a".repeat(117))),
            (&full, 12, format!("{}-12", "a".repeat(117))),
            (&full, 12345, format!("{}-12345", "a".repeat(114))),
        ] {
            let numbered = Slug::parse(text)?.numbered(number);
            assert_eq!(numbered.as_str(), expected);
            assert!(Slug::parse(numbered.as_str()).is_ok(), "{numbered}");
        }
        Ok(())
    }
}
