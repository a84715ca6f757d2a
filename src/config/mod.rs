//! The configuration: one file per section, each reads its keys and names the one that is wrong.

mod admin;
mod category;
mod database;
mod delivery;
mod digest;
mod dkim;
mod document;
mod duration;
mod environment;
mod mail;
mod nearest;
mod private;
mod relay;
mod retention;
mod secret;
mod section;
mod serve;
mod site;
mod source;
mod subscribe;
mod subscribers;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::{Category, Digest, Problem, Result, Site};

pub use admin::Admin;
pub use database::Database;
pub use delivery::Delivery;
pub use dkim::Dkim;
pub use mail::{Mail, Mailbox};
pub use relay::Relay;
pub use retention::Retention;
pub use secret::{SecretKey, Secrets, load_or_create};
pub use serve::{Serve, parse_listen};
pub use source::{Origin, Source};
pub use subscribe::Subscribe;
pub use subscribers::Subscribers;

use document::Document;
use environment::Environment;

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "config.toml";

/// The sections of the file with their keys; a list of tables ends in `[]`.
const SECTIONS: &[(&str, &[&str])] = &[
    ("site", site::KEYS),
    ("admin", admin::KEYS),
    ("database", database::KEYS),
    ("serve", serve::KEYS),
    ("subscribe", subscribe::KEYS),
    ("secret", secret::KEYS),
    ("mail", mail::KEYS),
    ("dkim[]", dkim::KEYS),
    ("delivery", delivery::KEYS),
    ("subscribers", subscribers::KEYS),
    ("retention", retention::KEYS),
    ("templates", templates::KEYS),
    ("relay[]", relay::KEYS),
    ("source[]", source::KEYS),
    ("category[]", category::KEYS),
    ("digest[]", digest::KEYS),
];

/// Where the configuration comes from.
pub struct Request {
    /// The file; `None` is `config.toml` in the working directory.
    pub file: Option<PathBuf>,
    /// `--database` or `POSTRIDER_DATABASE`; its path starts at the working directory.
    pub database: Option<String>,
    /// `--relay` or `POSTRIDER_RELAY`; replaces every relay, its paths start at the working directory.
    pub relay: Option<String>,
    /// The environment; only names that begin with `POSTRIDER_` are looked at.
    pub environment: Vec<(String, String)>,
    /// Says whether a cron expression can be read; its error is shown at the digest that holds it.
    pub check_schedule: fn(&str) -> Result<()>,
}

/// The environment of this process, without what is not UTF-8.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// A configuration that was read, and what its operator should know.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// One sentence each, without passwords.
    pub warnings: Vec<String>,
}

/// Every value of the configuration; paths are complete.
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// `[site]`.
    pub site: Site,
    /// `[site] texts`: overrides of the compiled-in texts.
    pub texts_folder: Option<PathBuf>,
    /// `[admin]`.
    pub admin: Admin,
    /// `[database]`.
    pub database: Database,
    /// `[serve]`.
    pub serve: Serve,
    /// `[subscribe]`.
    pub subscribe: Subscribe,
    /// `[secret] file`.
    pub secret_file: PathBuf,
    /// `[mail]`.
    pub mail: Mail,
    /// `[[dkim]]`: the keys that sign, and those that do not yet or no longer.
    pub dkim: Vec<Dkim>,
    /// `[delivery]`.
    pub delivery: Delivery,
    /// `[subscribers]`.
    pub subscribers: Subscribers,
    /// `[retention]`.
    pub retention: Retention,
    /// `[templates] folder`: overrides of the compiled-in templates.
    pub templates_folder: Option<PathBuf>,
    /// `[[relay]]`, at least one.
    pub relays: Vec<Relay>,
    /// `[[source]]`.
    pub sources: Vec<Source>,
    /// `[[category]]`, at least one.
    pub categories: Vec<Category>,
    /// `[[digest]]`, at least one.
    pub digests: Vec<Digest>,
}

impl fmt::Debug for Config {
    /// The file alone: the rest may hold secrets and addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({})", self.file.display())
    }
}

/// Reads and checks the configuration.
///
/// # Errors
/// Names the file and line (or environment variable), the key, the value and what to write instead.
pub fn load(request: &Request) -> Result<Loaded> {
    let file = request
        .file
        .clone()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Problem::configuration(format!("cannot read the configuration {}", file.display()))
            .because(error)
            .hint("name the file with --config FILE or POSTRIDER_CONFIG, or copy the sample config.toml here")
    })?;
    let environment = Environment::new(&request.environment);
    let mut document = Document::parse(&file, &text, &environment)?;
    document.refuse_unknown_sections(&SECTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
    let mut warnings = Vec::new();

    let (site, texts_folder) = site::read(document.section("site", site::KEYS)?, &mut warnings)?;
    let admin = admin::read(document.section("admin", admin::KEYS)?)?;
    let database = database::read(
        document.section("database", database::KEYS)?,
        request.database.as_deref(),
    )?;
    let serve = serve::read(document.section("serve", serve::KEYS)?)?;
    let subscribe = subscribe::read(document.section("subscribe", subscribe::KEYS)?)?;
    let secret_file = secret::read(document.section("secret", secret::KEYS)?)?;
    let mail = mail::read(document.section("mail", mail::KEYS)?)?;
    let dkim = dkim::read(document.sections("dkim", dkim::KEYS)?, mail.from.address.domain())?;
    let delivery = delivery::read(document.section("delivery", delivery::KEYS)?, &site)?;
    let subscribers = subscribers::read(document.section("subscribers", subscribers::KEYS)?)?;
    let retention = retention::read(document.section("retention", retention::KEYS)?)?;
    let templates_folder = templates::read(document.section("templates", templates::KEYS)?)?;
    let relays = relay::read(
        document.sections("relay", relay::KEYS)?,
        request.relay.as_deref(),
        delivery.connections,
    )?;
    let categories = category::read(document.sections("category", category::KEYS)?)?;
    let known: BTreeSet<_> = categories.iter().map(|category| category.slug.clone()).collect();
    let sources = source::read(document.sections("source", source::KEYS)?, &known)?;
    let digests = digest::read(document.sections("digest", digest::KEYS)?, request.check_schedule)?;
    for (list, name, example) in [
        (
            relays.is_empty(),
            "relay",
            "name = \"outbox\"\n    url = \"outbox:outbox\"",
        ),
        (
            categories.is_empty(),
            "category",
            "slug = \"oncology\"\n    name = \"Oncology\"",
        ),
        (
            digests.is_empty(),
            "digest",
            "name = \"weekly\"\n    title = \"Research digest\"",
        ),
    ] {
        if list {
            return Err(
                Problem::configuration(format!("{} has no [[{name}]]", file.display()))
                    .hint(format!("add\n    [[{name}]]\n    {example}")),
            );
        }
    }
    if !subscribers.folder.is_dir() {
        warnings.push(format!(
            "there is no folder {}, so no list is read: make it, or change subscribers.folder",
            subscribers.folder.display()
        ));
    }
    if document.holds_password() && private::is_open_to_others(&file)? {
        warnings.push(format!(
            "{} holds a password and others can read it: chmod 600 {0}, or move the password to a password_file",
            file.display()
        ));
    }
    warnings.extend(environment.unknown());
    Ok(Loaded {
        config: Config {
            file,
            site,
            texts_folder,
            admin,
            database,
            serve,
            subscribe,
            secret_file,
            mail,
            dkim,
            delivery,
            subscribers,
            retention,
            templates_folder,
            relays,
            sources,
            categories,
            digests,
        },
        warnings,
    })
}

/// `path` as seen from `folder`; an absolute path stays as it is.
fn below(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}
