//! Keys that sign mail: making one, showing what the DNS must say, and who signs for which relay.

use super::check::Verdict;
use super::{Options, load_config};
use crate::config::{self, Config, Dkim};
use crate::domain::dkim::{DkimIdentity, DnsRecord, parse_domain, parse_selector, require_aligned};
use crate::domain::dkim_key::{DkimBits, DkimKey};
use crate::domain::relay::RelayAddress;
use crate::domain::{Clock, Problem, Result};
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What is asked of a new key.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// `d=`; `None` is the domain of the sender address.
    pub domain: Option<String>,
    /// `s=`; `None` is `postrider-` with year and month.
    pub selector: Option<String>,
    /// How large it is.
    pub bits: DkimBits,
    /// The file to make; `None` is `data/dkim-SELECTOR.pem` beside the configuration.
    pub out: Option<PathBuf>,
}

/// A key as its operator needs to know it; nothing of it is secret.
#[derive(Debug, Serialize)]
pub struct KeyReport {
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// The length of the key in bits.
    pub bits: usize,
    /// Where the private key is kept.
    pub key_file: PathBuf,
    /// What the DNS must say.
    pub record: DnsRecord,
    /// The same for a zone file.
    pub zone_file: String,
    /// What the configuration must say.
    pub config: String,
}

/// A key of the configuration.
#[derive(Debug, Serialize)]
pub struct ShownKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyReport,
    /// Whether it signs.
    pub active: bool,
    /// The relays that it signs for.
    pub relays: Vec<String>,
}

/// Makes a key and writes it to a file that only its owner can read.
///
/// The configuration is read for the domain; when a domain is given, it may be unreadable still, since it
/// may name the very key that is to be made.
///
/// # Errors
/// When a name can't stand in the DNS, the domain does not fit the sender address, the selector is used
/// already, or the file exists or can't be made.
pub fn generate(options: &Options, asked: NewKey, clock: &dyn Clock) -> Result<KeyReport> {
    let given = asked.domain.as_deref().map(parse_domain).transpose()?;
    let selector = match &asked.selector {
        Some(selector) => parse_selector(selector)?,
        None => format!("postrider-{}", clock.now().utc().format("%Y%m")),
    };
    let domain = match (given, load_config(options)) {
        (None, Err(problem)) => return Err(problem),
        (Some(domain), Err(_)) => domain,
        (given, Ok(config)) => {
            let from = config.mail.from.address.domain();
            let domain = given.unwrap_or_else(|| from.to_owned());
            require_aligned(&domain, from)?;
            let used = |key: &Dkim| (&key.identity.domain, &key.identity.selector) == (&domain, &selector);
            if config.dkim.iter().any(used) {
                return Err(Problem::configuration(format!(
                    "the configuration has a key with the selector {selector:?} already"
                ))
                .hint("name another one with --selector; `postrider dkim show` shows those there are"));
            }
            domain
        }
    };
    let file = options
        .config
        .clone()
        .unwrap_or_else(|| config::DEFAULT_FILE.into());
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let out = asked
        .out
        .unwrap_or_else(|| folder.join("data").join(format!("dkim-{selector}.pem")));
    if out.exists() {
        return Err(exists(&out));
    }
    let key = DkimKey::generate(asked.bits)?;
    write_new(&out, &key.to_pem()?)?;
    report(
        &DkimIdentity {
            domain,
            selector,
            key,
        },
        out,
        &folder,
    )
}

/// The keys of the configuration, or the one with this selector.
///
/// # Errors
/// When the configuration can't be read, or has no such key.
pub fn show(options: &Options, selector: Option<&str>) -> Result<Vec<ShownKey>> {
    let config = load_config(options)?;
    let folder = config.file.parent().unwrap_or(Path::new(""));
    let mut shown = Vec::new();
    for key in &config.dkim {
        if selector.is_some_and(|selector| selector != key.identity.selector) {
            continue;
        }
        let relays = config
            .relays
            .iter()
            .filter(|relay| key.active && relay.signed.is_some());
        shown.push(ShownKey {
            key: report(&key.identity, key.key_file.clone(), folder)?,
            active: key.active,
            relays: relays.map(|relay| relay.name.to_string()).collect(),
        });
    }
    match selector {
        Some(selector) if shown.is_empty() => Err(Problem::not_found(format!(
            "the configuration has no key with the selector {selector:?}"
        ))
        .hint("`postrider dkim show` lists those it has")),
        _ => Ok(shown),
    }
}

/// Which key signs for which relay, and where nobody does.
pub(super) fn verdicts(config: &Config) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = config
        .dkim
        .iter()
        .map(|key| Verdict::of(format!("dkim {}", key.identity.selector), Ok(use_of(key, config))))
        .collect();
    if config.dkim.iter().any(|key| key.active) {
        return verdicts;
    }
    for relay in config.relays.iter().filter(|relay| relay.signed.is_some()) {
        let what = format!("dkim for relay {}", relay.name);
        match &relay.address {
            RelayAddress::Outbox(_) => {}
            address if address.is_local() => verdicts.push(Verdict::of(
                what,
                Ok("nothing is signed here; let the relay on this machine do it".to_owned()),
            )),
            _ => verdicts.push(Verdict::warning(
                what,
                "nobody signs, so large mail services may refuse the mails: make a key with `postrider \
                 dkim generate`, or say dkim = \"self\" if this relay signs by itself",
            )),
        }
    }
    verdicts
}

fn use_of(key: &Dkim, config: &Config) -> String {
    let bits = key.identity.key.bits();
    if !key.active {
        return format!(
            "RSA {bits}, not active: signs nothing (its record is {})",
            key.identity
        );
    }
    let relays: Vec<&str> = config
        .relays
        .iter()
        .filter(|relay| relay.signed.is_some())
        .map(|relay| relay.name.as_str())
        .collect();
    let relays = if relays.is_empty() {
        "signs for no relay, since each signs by itself".to_owned()
    } else {
        format!("signs for {}", relays.join(", "))
    };
    format!(
        "RSA {bits}, {relays}; the DNS must have the record {} (see `postrider dkim show`)",
        key.identity
    )
}

fn report(identity: &DkimIdentity, key_file: PathBuf, folder: &Path) -> Result<KeyReport> {
    let record = identity.record()?;
    Ok(KeyReport {
        domain: identity.domain.clone(),
        selector: identity.selector.clone(),
        bits: identity.key.bits(),
        zone_file: record.zone_file(),
        record,
        config: format!(
            "[[dkim]]\ndomain = {:?}\nselector = {:?}\nkey_file = {:?}\n",
            identity.domain,
            identity.selector,
            seen_from(folder, &key_file).display().to_string()
        ),
        key_file,
    })
}

/// `file` as the configuration in `folder` would name it.
fn seen_from(folder: &Path, file: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    });
    let file = absolute(file);
    file.strip_prefix(folder).map(Path::to_owned).unwrap_or(file)
}

fn exists(file: &Path) -> Problem {
    Problem::failed(format!("{} exists; a key is never overwritten", file.display()))
        .hint("name another file with --out, or another selector with --selector")
}

fn write_new(file: &Path, text: &str) -> Result<()> {
    let trouble = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => Problem::failed(format!("the key file {} can't be made", file.display()))
            .because(error)
            .hint("name a file in a folder that can be written, with --out"),
    };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(trouble)?;
    }
    let mut made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(trouble)?;
    made.write_all(text.as_bytes())
        .and_then(|()| made.sync_all())
        .map_err(|error| {
            // Half a key would stand in the way of the next try.
            let _ = std::fs::remove_file(file);
            trouble(error)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// The verdicts with these relays, and a key with these lines where there is one.
    fn said(relays: &[&str], key: Option<&str>) -> Vec<(String, bool, String)> {
        let folder = tempfile::tempdir().unwrap();
        let mut text = "[site]\nname = \"x\"\nurl = \"https://example.org\"\n[mail]\nfrom = \"news@example.org\"\n\
                        [[category]]\nslug = \"a\"\nname = \"A\"\n[[digest]]\nname = \"weekly\"\ntitle = \"W\"\n"
            .to_owned();
        for (number, relay) in relays.iter().enumerate() {
            text += &format!("[[relay]]\nname = \"r{number}\"\nurl = {relay}\n");
        }
        if let Some(lines) = key {
            let pem = DkimKey::generate(DkimBits::Rsa2048).unwrap().to_pem().unwrap();
            write_new(&folder.path().join("key"), &pem).unwrap();
            text += &format!("[[dkim]]\nselector = \"jan\"\nkey_file = \"key\"\n{lines}");
        }
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let loaded = config::load(&config::Request {
            file: Some(file),
            database: None,
            relay: None,
            environment: Vec::new(),
            check_schedule: |_| Ok(()),
        });
        let verdicts = verdicts(&loaded.unwrap().config).into_iter();
        verdicts
            .map(|verdict| (verdict.what, verdict.warning, verdict.said))
            .collect()
    }

    #[test]
    fn a_relay_for_which_nobody_signs_is_a_warning() {
        const FAR: &str = "\"smtp://relay.example.org:25\"";
        const NEAR: &str = "\"smtp://127.0.0.1:25\"";
        const FILES: &str = "\"outbox:out\"";
        let itself = format!("{FAR}\ndkim = \"self\"");
        assert_eq!(said(&[FILES, &itself], None), []);
        for key in [None, Some("active = false")] {
            let found: Vec<_> = said(&[FAR, NEAR, FILES, &itself], key)
                .into_iter()
                .filter(|(what, ..)| what.starts_with("dkim for"))
                .map(|(what, warning, _)| (what, warning))
                .collect();
            let wanted = [("dkim for relay r0", true), ("dkim for relay r1", false)];
            assert_eq!(found, wanted.map(|(what, warning)| (what.to_owned(), warning)));
        }
        let keys = |relays: &[&str], lines| {
            let found = said(relays, Some(lines));
            let (what, warning, text) = found.first().unwrap().clone();
            assert_eq!((what.as_str(), warning), ("dkim jan", false));
            text
        };
        assert_eq!(
            keys(&[FAR, &itself, FILES], ""),
            "RSA 2048, signs for r0, r2; the DNS must have the record jan._domainkey.example.org (see `postrider dkim show`)"
        );
        assert!(keys(&[&itself], "").contains("signs for no relay, since each signs by itself"));
        assert!(keys(&[FAR], "active = false").contains("not active: signs nothing"));
    }
}
