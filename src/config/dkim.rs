//! `[[dkim]]`: the keys that sign mail.

use std::path::PathBuf;

use super::private;
use super::section::Section;
use crate::domain::dkim::{DkimIdentity, parse_domain, parse_selector, require_aligned};
use crate::domain::dkim_key::DkimKey;
use crate::domain::{Problem, Result};

pub(super) const KEYS: &[&str] = &["domain", "selector", "key_file", "active"];

/// A key and whether it signs.
#[derive(Debug, Clone)]
pub struct Dkim {
    /// The key with its names.
    pub identity: DkimIdentity,
    /// Where the key is kept.
    pub key_file: PathBuf,
    /// Whether it signs; another key's record stands in the DNS before it begins and after it ends.
    pub active: bool,
}

/// The keys; `from` is the domain of the sender address.
pub(super) fn read(sections: Vec<Section<'_>>, from: &str) -> Result<Vec<Dkim>> {
    let mut all: Vec<Dkim> = Vec::new();
    for mut section in sections {
        let domain = section
            .parsed("domain", parse_domain)?
            .unwrap_or_else(|| from.to_owned());
        require_aligned(&domain, from).map_err(|problem| problem.at(section.place_of("domain")))?;
        let selector = section.required("selector", "\"postrider-202601\"", parse_selector)?;
        let file = section.path("key_file")?;
        let active = section.flag("active")?.unwrap_or(true);
        let at = section.place_of("key_file");
        let key_file = file.ok_or_else(|| section.missing("key_file", "\"data/dkim.pem\""))?;
        if !key_file.exists() {
            return Err(Problem::configuration(format!(
                "{at}: there is no file {}",
                key_file.display()
            ))
            .hint(format!(
                "`postrider dkim generate --domain {domain} --selector {selector} --out FILE` makes one"
            )));
        }
        let key = private::read_key(&key_file)
            .and_then(|text| DkimKey::from_pem(&text).map_err(|problem| problem.at(key_file.display())))
            .map_err(|problem| problem.at(&at))?;
        let identity = DkimIdentity {
            domain,
            selector,
            key,
        };
        if all
            .iter()
            .any(|other| other.identity.to_string() == identity.to_string())
        {
            return Err(Problem::configuration(format!(
                "{}: used twice: {:?}",
                section.place_of("selector"),
                identity.selector
            ))
            .hint("give each key of a domain its own selector"));
        }
        all.push(Dkim {
            identity,
            key_file,
            active,
        });
    }
    Ok(all)
}
