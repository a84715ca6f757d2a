//! Looking at everything before it is needed: configuration, database, templates, relays.

use super::{App, Options, load_config};
use crate::domain::Result;
use crate::render::Templates;
use serde::Serialize;

/// What was looked at, and what came of it.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// What was looked at.
    pub what: String,
    /// Whether it can be used.
    pub ok: bool,
    /// What was found, or what is wrong and what to do.
    pub said: String,
}

impl Verdict {
    fn of(what: impl Into<String>, outcome: Result<String>) -> Self {
        let (ok, said) = match outcome {
            Ok(said) => (true, said),
            Err(problem) => (false, problem.to_string()),
        };
        Self {
            what: what.into(),
            ok,
            said,
        }
    }
}

/// Looks at configuration, templates, database and relays, each by itself as far as it can be.
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
    let mut verdicts = vec![Verdict::of("configuration", Ok(said))];
    match App::open(options).await {
        Ok(app) => {
            let count = app.templates.check().len();
            verdicts.push(Verdict::of("templates", Ok(format!("{count} templates"))));
            let summaries = app
                .store
                .content_version()
                .await
                .map(|(count, _)| format!("{count} summaries"));
            verdicts.push(Verdict::of("database", summaries));
            verdicts.extend(app.check_relays().await);
            app.close().await;
        }
        Err(problem) => verdicts.push(Verdict::of("database and templates", Err(problem))),
    }
    verdicts
}

/// Renders every template with sample data.
///
/// # Errors
/// When the configuration or the folder of templates can't be read.
pub fn check_templates(options: &Options) -> Result<Vec<Verdict>> {
    let config = load_config(options)?;
    let mails: Vec<String> = config
        .digests
        .iter()
        .map(|digest| digest.templates.clone())
        .collect();
    let verdicts = Templates::examine(config.templates_folder.as_deref(), &mails)?;
    Ok(verdicts
        .into_iter()
        .map(|(name, outcome)| Verdict::of(name, outcome.map(|()| "renders".to_owned())))
        .collect())
}

impl App {
    async fn check_relays(&self) -> Vec<Verdict> {
        let relays = match self.relays() {
            Ok(relays) => relays,
            Err(problem) => return vec![Verdict::of("relays", Err(problem))],
        };
        let mut verdicts = Vec::new();
        for (relay, _) in relays {
            let outcome = relay
                .probe()
                .await
                .map_err(|trouble| crate::domain::Problem::failed(trouble.to_string()));
            verdicts.push(Verdict::of(format!("relay {}", relay.name()), outcome));
        }
        verdicts
    }
}
