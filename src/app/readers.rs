//! Readers: lists, single subscribers, signed links, and who may use the API.

use super::App;
use crate::domain::subscriber::Suppression;
use crate::domain::{EmailAddress, Problem, Result, Slug};
use crate::render::Frame;
pub use crate::store::bounces::Cause;
pub use crate::store::subscribers::Subscriber;
use crate::subscriptions::admin;
use crate::subscriptions::import::ImportSettings;
use crate::subscriptions::list_folder;
use crate::subscriptions::{api_token, export, import, sign_up};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

pub use crate::subscriptions::admin::NewReader;
pub use crate::subscriptions::import::{ImportReport, ListFile};
pub use crate::subscriptions::moving::{Export, Field, Program};

/// What a list that had changed gave.
#[derive(Debug, Serialize)]
pub struct ListReport {
    /// The file's name within the folder of lists.
    pub file: String,
    /// What it did.
    #[serde(flatten)]
    pub report: Option<ImportReport>,
    /// Why nothing of it was taken.
    pub failed: Option<String>,
}

impl App {
    fn import_settings(&self, skip_invalid: bool) -> ImportSettings {
        ImportSettings {
            digests: self.digests.iter().map(|digest| digest.name.clone()).collect(),
            categories: self
                .categories
                .iter()
                .map(|category| category.slug.clone())
                .collect(),
            local_part: self.config.subscribers.local_part,
            skip_invalid,
            salt: self.salt.clone(),
        }
    }

    /// Reads the list files that changed since they were read last.
    ///
    /// # Errors
    /// When the database does not answer; a file that can't be used says so in its report.
    pub async fn import_changed_lists(&self) -> Result<Vec<ListReport>> {
        let folder = &self.config.subscribers.folder;
        if !folder.exists() {
            // The configuration has warned of it.
            return Ok(Vec::new());
        }
        let settings = self.import_settings(false);
        let outcomes =
            list_folder::import_changed_lists(&self.store, folder, &settings, self.clock.now()).await?;
        for list in &outcomes {
            match &list.outcome {
                Ok(report) => tracing::info!(
                    list = list.file,
                    added = report.added,
                    updated = report.updated,
                    "list read"
                ),
                Err(problem) => tracing::error!(list = list.file, %problem, "list not taken"),
            }
        }
        Ok(outcomes
            .into_iter()
            .map(|list| match list.outcome {
                Ok(report) => ListReport {
                    file: list.file,
                    report: Some(report),
                    failed: None,
                },
                Err(problem) => ListReport {
                    file: list.file,
                    report: None,
                    failed: Some(problem.to_string()),
                },
            })
            .collect())
    }

    /// Why `address` gets no mail at all, if so.
    pub(super) async fn suppression_of(&self, address: &EmailAddress) -> Result<Option<Suppression>> {
        let key = address.key(self.config.subscribers.local_part);
        let found = self
            .store
            .suppression(&import::address_hash(&key, &self.salt))
            .await?;
        Ok(found.filter(|reason| reason.blocks_everything()))
    }

    /// Imports lists, or with `export` what another program exported, in one go; a report for each file.
    /// With `dry_run` nothing is kept.
    ///
    /// # Errors
    /// When a line is wrong and `skip_invalid` is false, or a file can't be used; nothing is kept then.
    pub async fn import(
        &self,
        files: Vec<ListFile>,
        export: Option<&Export>,
        skip_invalid: bool,
        dry_run: bool,
    ) -> Result<Vec<ImportReport>> {
        let settings = self.import_settings(skip_invalid);
        import::import_files(&self.store, files, export, dry_run, &settings, self.clock.now()).await
    }

    /// Writes every subscriber as a list.
    ///
    /// # Errors
    /// When the list can't be written.
    pub async fn export(&self, out: &mut (impl Write + Send)) -> Result<u64> {
        export::export(&self.store, out).await
    }

    /// Writes every subscriber into the file `path`: whole or not at all, for its owner alone.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn export_to(&self, path: &Path) -> Result<u64> {
        export::export_to(&self.store, path).await
    }

    /// The subscriber with `address`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn subscriber(&self, address: &EmailAddress) -> Result<Subscriber> {
        admin::show(&self.store, address, &self.import_settings(false)).await
    }

    /// Why and since when `subscriber` is in their state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cause_of_state(&self, subscriber: &Subscriber) -> Result<Option<Cause>> {
        self.store.cause_of_state(subscriber.id).await
    }

    /// Adds a reader by hand. A pending one is asked by mail, unless enough mails went there lately.
    ///
    /// # Errors
    /// When the address is suppressed or has left, or a digest or category is unknown.
    pub async fn add_subscriber(&self, reader: &NewReader) -> Result<Subscriber> {
        let (settings, now) = (self.import_settings(false), self.clock.now());
        let added = admin::add(&self.store, reader, &settings, now).await?;
        // Now, so that a `publish` sends it as well: only `serve` and `worker` look at the queue.
        sign_up::process(&self.store, &self.addressing(), now).await?;
        Ok(added)
    }

    /// Unsubscribes a reader from everything.
    ///
    /// # Errors
    /// When there is no such reader.
    pub async fn remove_subscriber(&self, address: &EmailAddress) -> Result<Subscriber> {
        admin::remove(
            &self.store,
            address,
            &self.import_settings(false),
            self.clock.now(),
        )
        .await?;
        self.subscriber(address).await
    }

    /// Lets an address be written to again whose owner had said never to; false when nobody had.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn allow_address(&self, address: &EmailAddress) -> Result<bool> {
        let settings = self.import_settings(false);
        admin::allow(&self.store, address, &settings, self.clock.now()).await
    }

    /// The category with `slug`.
    ///
    /// # Errors
    /// When the configuration has none.
    pub(super) fn category(&self, slug: &Slug) -> Result<()> {
        if self.categories.iter().any(|category| category.slug == *slug) {
            return Ok(());
        }
        let known: Vec<&str> = self
            .categories
            .iter()
            .map(|category| category.slug.as_str())
            .collect();
        Err(
            Problem::not_found(format!("there is no category {:?}", slug.as_str()))
                .hint(format!("the configuration has {}", known.join(", "))),
        )
    }

    /// What the layout of a page needs; `root` leads from there to the start page.
    pub(super) fn frame(&self, root: &str) -> Frame {
        Frame::new(self.config.site.clone(), root, self.config.subscribe.enabled)
    }

    /// The stylesheet of the pages.
    pub fn stylesheet(&self) -> &str {
        self.templates.stylesheet()
    }

    /// Makes a bearer token for the API; it is shown once and stored hashed.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn create_api_token(&self, name: &str) -> Result<String> {
        let (token, hash) = api_token::new_api_token(&*self.random)?;
        self.store.add_api_token(name, &hash, self.clock.now()).await?;
        Ok(token)
    }

    /// The names of the API's tokens.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_token_names(&self) -> Result<Vec<String>> {
        let hashes = self.store.api_token_hashes().await?;
        Ok(hashes.into_iter().map(|(name, _)| name).collect())
    }

    /// Ends the API token called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn revoke_api_token(&self, name: &str) -> Result<()> {
        self.store.remove_api_token(name).await
    }

    /// The name of the API token that `presented` is; `None` when it is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_token_name(&self, presented: &str) -> Result<Option<String>> {
        let mut found = None;
        for (name, hash) in self.store.api_token_hashes().await? {
            // Every hash is compared, so that the time says nothing about which one was close.
            if api_token::matches(&hash, presented) {
                found = Some(name);
            }
        }
        Ok(found)
    }
}
