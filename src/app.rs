//! The composition root: the one place that knows every concrete type.
//!
//! `web` and `cli` are two faces of the calls below it.

pub mod admin;
mod background;
pub mod check;
pub mod dkim;
pub mod erasure;
pub mod feeds;
pub mod interventions;
mod kept;
pub mod metrics;
mod names;
mod notices;
pub mod preview;
pub mod publish;
pub mod reader_pages;
pub mod readers;
pub mod showcase;
pub mod site;
mod sources;
pub mod status;
mod upkeep;

use crate::config::{self, Config, Database};

use crate::deliver::compose::Composer;
use crate::deliver::dkim::Signer as DkimSigner;
use crate::deliver::relay::Relay;
use crate::deliver::segment_mail::Sender;
use crate::deliver::worker::{Backoff, Courier, Parts, Rules};
use crate::deliver::{Limit, SessionSettings, Timeouts};
use crate::domain::dkim::DkimIdentity;
use crate::domain::relay::Limits;
use crate::domain::text::hex;
use crate::domain::{
    Category, Clock, Digest, EmailAddress, Network, Problem, Random, Result, Site, Slug, SystemClock,
    SystemRandom,
};
use crate::edition::Planner;
use crate::gather::Source;
use crate::render::{Templates, Texts};
use crate::schedule::cron::Schedule;
use crate::store::Store;
use crate::subscriptions::token::{Key, Signer};
use names::Names;
use std::path::PathBuf;
use std::sync::Arc;

pub use crate::config::parse_listen;
pub use crate::edition::Request;
pub use crate::gather::run::SourceReport;

/// Connections that the store may hold: more writers than this only wait for each other.
const STORE_CONNECTIONS: u32 = 4;

/// Where the configuration comes from; the command line's global options.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--database`.
    pub database: Option<String>,
    /// `--relay`.
    pub relay: Option<String>,
}

/// Everything that a command or a request works with.
pub struct App {
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    signer: Arc<Signer>,
    /// Makes the hashes by which suppressions know addresses.
    salt: String,
    templates: Arc<Templates>,
    texts: Texts,
    composer: Arc<Composer>,
    names: Arc<Names>,
    categories: Arc<[Category]>,
    digests: Arc<[Digest]>,
    sources: Vec<Box<dyn Source>>,
    feeds: feeds::Shelf,
    watch: metrics::Watch,
    /// Rung when something was put on the queue of sign-ups.
    bell: tokio::sync::Notify,
}

/// Reads the configuration; its warnings go to the log.
///
/// # Errors
/// Names file, key and value that are wrong.
pub fn load_config(options: &Options) -> Result<Config> {
    let loaded = config::load(&config::Request {
        file: options.config.clone(),
        database: options.database.clone(),
        relay: options.relay.clone(),
        environment: config::process_environment(),
        check_schedule: |text| Schedule::parse(text).map(drop),
    })?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded.config)
}

impl App {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    /// When the configuration is wrong, a template can't be used, or the database can't be opened.
    pub async fn open(options: &Options) -> Result<Self> {
        Self::with(
            load_config(options)?,
            Arc::new(SystemClock),
            Arc::<SystemRandom>::default(),
        )
        .await
    }

    /// Opens everything that `config` names, with the given clock and randomness.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn with(config: Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self> {
        let mails: Vec<String> = config
            .digests
            .iter()
            .map(|digest| digest.templates.clone())
            .collect();
        let templates = Arc::new(Templates::load(config.templates_folder.as_deref(), &mails)?);
        warn_of_logic(&templates, &mails);
        let texts = Texts::load(config.texts_folder.as_deref())?;
        let categories: Arc<[Category]> = config.categories.clone().into();
        let digests: Arc<[Digest]> = config.digests.clone().into();
        let sources = sources::all(&config.sources, &categories)?;
        let secrets = config::load_or_create(&config.secret_file, &*random)?;
        let keys: Vec<Key> = secrets
            .keys
            .iter()
            .map(|key| Key {
                id: key.id,
                bytes: key.bytes,
                revoked: key.revoked,
            })
            .collect();
        let signer = Arc::new(Signer::new(&keys)?);
        let store = Store::open(&database_url(&config.database), STORE_CONNECTIONS).await?;
        let salt = store.setting("address_salt", &fresh_salt(&*random)?).await?;
        let names = Arc::new(Names::new(&config, &store, Arc::clone(&signer)).await?);
        let composer = Arc::new(Composer::new(
            store.clone(),
            Arc::clone(&templates),
            config.site.clone(),
            Arc::clone(&categories),
            Arc::clone(&digests),
            sender(&config),
        ));
        Ok(Self {
            config,
            store,
            clock,
            random,
            signer,
            salt,
            templates,
            texts,
            composer,
            names,
            categories,
            digests,
            sources,
            feeds: feeds::Shelf::default(),
            watch: metrics::Watch::default(),
            bell: tokio::sync::Notify::new(),
        })
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The site that publishes.
    pub fn site(&self) -> &Site {
        &self.config.site
    }

    /// The configured digests.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// The configured categories.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The address that the web server listens on when the command line names none.
    pub fn listen(&self) -> std::net::SocketAddr {
        self.config.serve.listen
    }

    /// Who may say from where a request comes.
    pub fn trusted_proxies(&self) -> &[Network] {
        &self.config.serve.trusted_proxies
    }

    /// The digest named `name`.
    ///
    /// # Errors
    /// When the configuration has none; the message lists those it has.
    pub fn digest(&self, name: &str) -> Result<&Digest> {
        self.digests
            .iter()
            .find(|digest| digest.name.as_str() == name)
            .ok_or_else(|| {
                let known: Vec<&str> = self.digests.iter().map(|digest| digest.name.as_str()).collect();
                Problem::not_found(format!("there is no digest {name:?}"))
                    .hint(format!("the configuration has {}", known.join(", ")))
            })
    }

    fn planner(&self) -> Planner {
        Planner {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            max_age: self.config.delivery.max_age,
            bar_reserved: self.config.relays.iter().any(|relay| !relay.address.is_local()),
        }
    }

    fn relays(&self) -> Result<Vec<(Relay, Limits)>> {
        relays(&self.config)
    }

    /// A courier over the configured relays.
    ///
    /// # Errors
    /// When a relay's settings can't be used.
    pub fn courier(&self) -> Result<Arc<Courier>> {
        let courier = Arc::new(Courier::new(Parts {
            store: self.store.clone(),
            composer: Arc::clone(&self.composer),
            identity: Arc::<Names>::clone(&self.names),
            correspondence: Arc::new(self.correspondent()),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            backoff: Backoff {
                first: self.config.delivery.retry_first,
                max: self.config.delivery.retry_max,
            },
            rules: Rules {
                pause: Some(Limit {
                    percent: self.config.delivery.pause_failed_percent,
                    least: self.config.delivery.pause_failed_least,
                })
                .filter(|limit| limit.percent > 0),
                holds_uncertain: self.config.delivery.hold_uncertain,
                notices_kept: self.config.retention.notices,
            },
            lease: self.config.delivery.lease,
            meter: self.watch.meter.clone(),
            relays: self.relays()?,
        }));
        self.watch.add(&courier);
        Ok(courier)
    }

    fn category_name(&self, slug: &Slug) -> String {
        name_of(&self.categories, slug)
    }
}

/// What readers call the category `slug`; the slug when the configuration no longer has it.
fn name_of(categories: &[Category], slug: &Slug) -> String {
    let known = categories.iter().find(|category| category.slug == *slug);
    known.map_or_else(|| slug.to_string(), |category| category.name.clone())
}

/// The configured relays, and what each may be burdened with.
fn relays(config: &Config) -> Result<Vec<(Relay, Limits)>> {
    let settings = SessionSettings {
        hello: config.delivery.hello.clone(),
        timeouts: Timeouts {
            command: config.delivery.timeout,
            data: config.delivery.timeout_data,
            block: config.delivery.timeout_block,
            final_dot: config.delivery.timeout_final,
        },
        messages: Limits::of(1).messages,
        idle: config.delivery.idle,
    };
    let active = config.dkim.iter().filter(|key| key.active);
    let keys: Vec<DkimIdentity> = active.map(|key| key.identity.clone()).collect();
    config
        .relays
        .iter()
        .map(|relay| {
            let settings = SessionSettings {
                messages: relay.limits.messages,
                ..settings.clone()
            };
            let made = Relay::new(relay.name.as_str(), relay.address.clone(), settings)
                .map_err(|problem| problem.at(config.file.display()))?;
            let signed = relay.signed.clone();
            let signer = signed.and_then(|headers| DkimSigner::new(keys.clone(), headers));
            Ok((made.signed_by(signer), relay.limits))
        })
        .collect()
}

/// Says once, in the log, where a mail costs more than it needs to.
fn warn_of_logic(templates: &Templates, mails: &[String]) {
    let mails: std::collections::BTreeSet<&String> = mails.iter().collect();
    for found in mails.into_iter().flat_map(|mail| templates.logic(mail)) {
        tracing::warn!("{found}");
    }
}

fn sender(config: &Config) -> Sender {
    let mailbox = |mailbox: &config::Mailbox| -> (String, EmailAddress) {
        (mailbox.name.clone().unwrap_or_default(), mailbox.address.clone())
    };
    let page = |url: &Option<url::Url>, path: &str| {
        url.as_ref()
            .map_or_else(|| config.site.link(path), ToString::to_string)
    };
    Sender {
        from: mailbox(&config.mail.from),
        reply_to: config.mail.reply_to.as_ref().map(mailbox),
        unsubscribe_mailto: config.mail.unsubscribe_mailto.clone(),
        archive_url: page(&config.mail.archive_url, "/archive"),
        help_url: page(&config.mail.help_url, "/about"),
    }
}

fn database_url(database: &Database) -> String {
    match database {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => url.clone(),
    }
}

fn fresh_salt(random: &dyn Random) -> Result<String> {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes)?;
    Ok(hex(&bytes))
}
