//! Looking at everything before it is needed: configuration, database, templates, relays.

use super::{Options, STORE_CONNECTIONS, database_url, load_config, relays};
use crate::config::Config;
use crate::deliver::relay::Relay;
use crate::domain::problem::Kind;
use crate::domain::{Problem, Result};
use crate::render::Templates;
use crate::store::Store;
use serde::Serialize;
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
    /// Whether the configuration is to blame.
    #[serde(skip)]
    pub misconfigured: bool,
}

impl Verdict {
    fn of(what: impl Into<String>, outcome: Result<String>) -> Self {
        let what = what.into();
        match outcome {
            Ok(said) => Self {
                what,
                ok: true,
                said,
                misconfigured: false,
            },
            Err(problem) => Self {
                what,
                ok: false,
                said: problem.to_string(),
                misconfigured: problem.kind() == Kind::Configuration,
            },
        }
    }
}

/// Looks at configuration, database, templates and relays, each by itself.
pub async fn check(options: &Options) -> Vec<Verdict> {
    let config = match load_config(options) {
        Ok(config) => config,
        Err(problem) => return vec![Verdict::of("configuration", Err(problem))],
    };
    let said = format!(
        "{}: {} sources, {} categories, {} digests",
        config.file.display(),
        config.sources.len(),
        config.categories.len(),
        config.digests.len()
    );
    let mut verdicts = vec![
        Verdict::of("configuration", Ok(said)),
        Verdict::of("database", database(&config).await),
        Verdict::of("templates", templates(&config)),
    ];
    match relays(&config) {
        Ok(relays) => {
            for (relay, _) in relays {
                verdicts.push(Verdict::of(
                    format!("relay {}", relay.name()),
                    probe(&relay).await,
                ));
            }
        }
        Err(problem) => verdicts.push(Verdict::of("relays", Err(problem))),
    }
    verdicts
}

async fn database(config: &Config) -> Result<String> {
    let store = Store::open(&database_url(&config.database), STORE_CONNECTIONS).await?;
    let counted = store.content_version().await;
    store.close().await;
    counted.map(|(summaries, _)| format!("{} holds {summaries} summaries", config.database))
}

fn templates(config: &Config) -> Result<String> {
    let verdicts = examine(config)?;
    let count = verdicts.len();
    match verdicts.into_iter().find_map(|(_, outcome)| outcome.err()) {
        Some(problem) => Err(problem),
        None => Ok(format!("{count} templates render")),
    }
}

/// Connects to a relay, logs in and leaves.
///
/// # Errors
/// Says what stopped it.
pub(super) async fn probe(relay: &Relay) -> Result<String> {
    match tokio::time::timeout(PATIENCE, relay.probe()).await {
        Ok(outcome) => outcome.map_err(|trouble| Problem::failed(trouble.to_string())),
        Err(_) => Err(
            Problem::failed(format!("{} said nothing for {PATIENCE:?}", relay.address()))
                .hint("check that the relay is up and can be reached from here"),
        ),
    }
}

/// Renders every template with sample data.
///
/// # Errors
/// When the configuration or the folder of templates can't be read.
pub fn check_templates(options: &Options) -> Result<Vec<Verdict>> {
    let verdicts = examine(&load_config(options)?)?;
    Ok(verdicts
        .into_iter()
        .map(|(name, outcome)| Verdict::of(name, outcome.map(|()| "renders".to_owned())))
        .collect())
}

fn examine(config: &Config) -> Result<Vec<(String, Result<()>)>> {
    let mails: Vec<String> = config
        .digests
        .iter()
        .map(|digest| digest.templates.clone())
        .collect();
    Templates::examine(config.templates_folder.as_deref(), &mails)
}
