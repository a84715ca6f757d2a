//! Looking at everything before it is needed: configuration, database, templates, relays.

use super::{Options, database_url, dkim, load_config, relays, sources};
use crate::config::{self, Config};
use crate::deliver::RelayTrouble;
use crate::deliver::relay::Relay;
use crate::domain::problem::Kind;
use crate::domain::{Category, Problem, Result, SystemRandom};
use crate::render::{LogicUse, Templates, Verdicts};
use crate::store::Store;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a relay may take to show that it can be used, whatever the configured time-out.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was looked at, and what came of it.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// What was looked at.
    pub what: String,
    /// Whether it can be used.
    pub ok: bool,
    /// What was found, or what is wrong and what to do.
    pub said: String,
    /// Whether it works and yet should not stay as it is.
    pub warning: bool,
    /// Whether it is the configuration (or a template) that is wrong; decides the exit code.
    #[serde(skip)]
    pub misconfigured: bool,
}

impl Verdict {
    pub(super) fn of(what: impl Into<String>, outcome: Result<String>) -> Self {
        let (ok, said, misconfigured) = match outcome {
            Ok(said) => (true, said, false),
            Err(problem) => (false, problem.to_string(), problem.kind() == Kind::Configuration),
        };
        Self {
            what: what.into(),
            ok,
            said,
            warning: false,
            misconfigured,
        }
    }

    /// Something that works and yet should not stay as it is.
    pub(super) fn warning(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::of(what, Ok(said.into()))
        }
    }
}

/// Looks at configuration, templates, secret, database and relays, each by itself.
pub async fn check(options: &Options) -> Vec<Verdict> {
    let config = match load_config(options) {
        Ok(config) => config,
        Err(problem) => return vec![Verdict::of("configuration", Err(problem))],
    };
    let categories: Arc<[Category]> = config.categories.clone().into();
    let said = sources::all(&config.sources, &categories).map(|sources| {
        format!(
            "{}: {} sources, {} categories, {} digests",
            config.file.display(),
            sources.len(),
            categories.len(),
            config.digests.len()
        )
    });
    let secret = config::load_or_create(&config.secret_file, &SystemRandom::default());
    let mut verdicts = vec![
        Verdict::of("configuration", said),
        templates(&config),
        Verdict::of("secret", secret.map(|_| config.secret_file.display().to_string())),
        Verdict::of("database", database(&config).await),
    ];
    verdicts.extend(look_at_relays(&config).await);
    verdicts.extend(dkim::verdicts(&config));
    verdicts
}

/// How many templates there are; the first that is wrong; where they use a reader's value in logic.
fn templates(config: &Config) -> Verdict {
    let looked = || {
        let verdicts = examine(config)?;
        let count = verdicts.len();
        let mut uses = Vec::new();
        for (_, verdict) in verdicts {
            uses.extend(verdict?);
        }
        Ok((count, uses))
    };
    match looked() {
        Ok((count, uses)) if uses.is_empty() => Verdict::of("templates", Ok(format!("{count} templates"))),
        Ok((_, uses)) => Verdict::warning("templates", said_of(&uses)),
        Err(problem) => Verdict::of("templates", Err(problem)),
    }
}

/// Each place once, a line each.
fn said_of(uses: &[LogicUse]) -> String {
    let mut lines: Vec<String> = uses.iter().map(ToString::to_string).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.join("\n  ")
}

/// What the database holds.
async fn database(config: &Config) -> Result<String> {
    let store = Store::open(&database_url(&config.database), 1).await?;
    let counted = store.count_summaries().await;
    store.close().await;
    counted.map(|count| format!("{} holds {count} summaries", config.database))
}

/// Opens a session with each relay, and sends nothing.
async fn look_at_relays(config: &Config) -> Vec<Verdict> {
    let relays = match relays(config) {
        Ok(relays) => relays,
        Err(problem) => return vec![Verdict::of("relays", Err(problem))],
    };
    let mut verdicts = Vec::new();
    for (relay, _) in relays {
        let outcome = probe(&relay).await;
        verdicts.push(Verdict::of(
            format!("relay {}", relay.name()),
            outcome.and_then(|outcome| outcome.map_err(Problem::from)),
        ));
    }
    verdicts
}

/// Connects to a relay, logs in and leaves; what it said, or what stopped it.
///
/// # Errors
/// When neither came in time.
pub(super) async fn probe(relay: &Relay) -> Result<std::result::Result<String, RelayTrouble>> {
    tokio::time::timeout(PATIENCE, relay.probe()).await.map_err(|_| {
        Problem::failed(format!("{} said nothing for {PATIENCE:?}", relay.address()))
            .hint("check that the relay is up and can be reached from here")
    })
}

/// Renders every template with sample data.
///
/// # Errors
/// When the configuration or the folder of templates can't be read.
pub fn check_templates(options: &Options) -> Result<Vec<Verdict>> {
    let verdicts = examine(&load_config(options)?)?;
    Ok(verdicts
        .into_iter()
        .map(|(name, outcome)| match outcome {
            Ok(uses) if uses.is_empty() => Verdict::of(name, Ok("renders".to_owned())),
            Ok(uses) => Verdict::warning(name, said_of(&uses)),
            Err(problem) => Verdict::of(name, Err(problem)),
        })
        .collect())
}

fn examine(config: &Config) -> Result<Verdicts> {
    let mails: Vec<String> = config
        .digests
        .iter()
        .map(|digest| digest.templates.clone())
        .collect();
    Templates::examine(config.templates_folder.as_deref(), &mails)
}
