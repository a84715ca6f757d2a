//! A draft: what it holds, the note on top, how it will look, and a test of it.

use super::super::App;
use super::{AdminPage, Next, Visit, counted};
use crate::domain::edition::{ItemKind, State};
use crate::domain::summary::StoredSummary;
use crate::domain::{Digest, Problem, Result, Slug};
use crate::render::admin::{Choice, DraftPage, EntryContext, Preview};
use crate::store::editions::Edition;

/// The longest note, in characters.
const NOTE: usize = 2_000;

/// What is shown of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftView {
    /// A category's slug, of which a reader would choose no other; empty for everything.
    pub category: String,
    /// The text part.
    pub is_text: bool,
}

/// A draft with what it holds.
pub(super) struct Draft<'a> {
    pub(super) edition: Edition,
    pub(super) digest: &'a Digest,
    pub(super) items: Vec<(ItemKind, StoredSummary)>,
}

impl App {
    /// The page of the draft `id`; `typed` is a note that could not be saved.
    pub(super) async fn admin_draft(
        &self,
        visit: &Visit,
        id: i64,
        view: &DraftView,
        typed: Option<&str>,
    ) -> Result<AdminPage> {
        let draft = self.draft_with_items(id).await?;
        let (readers, _) = self.readers_of_draft(&draft).await?;
        let report = self.store.edition_report(id).await?;
        let row = self.edition_row(&report);
        let note_error = typed.map(|text| {
            let length = text.chars().count();
            format!("The note has {length} characters; {NOTE} are the most. Shorten it.")
        });
        let page = DraftPage {
            frame: self.admin_frame(visit, "", format!("Draft: edition {id} of {}", row.digest)),
            entries: draft
                .items
                .iter()
                .map(|(kind, stored)| self.entry(*kind, stored))
                .collect(),
            note: typed.or(report.note.as_deref()).unwrap_or_default().to_owned(),
            note_error,
            note_longest: NOTE,
            readers: counted(readers, "reader"),
            is_for_nobody: readers == 0,
            preview: self.preview_of(&draft, view),
            edition: row,
        };
        match typed {
            Some(_) => self.faulty_admin_page(&page),
            None => self.admin_page(&page),
        }
    }

    /// Leaves a summary out of the draft `id`.
    ///
    /// # Errors
    /// When the edition is no draft or does not hold it.
    pub async fn admin_drop(&self, visit: &Visit, id: i64, slug: &str) -> Result<Next> {
        let known = Slug::parse(slug)
            .map_err(|_| Problem::not_found(format!("this draft holds no summary called {slug:?}")))?;
        self.drop_from_edition(id, &known).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, summary = slug, "left out of a draft");
        Ok(Next::edition(id, "left-out"))
    }

    /// Puts a note on the draft `id`; an empty one takes it away. One that is too long is shown again.
    ///
    /// # Errors
    /// When the edition is no draft.
    pub async fn admin_note(&self, visit: &Visit, id: i64, note: &str) -> Result<Next> {
        let note = note.replace("\r\n", "\n");
        if note.chars().count() > NOTE {
            let view = DraftView::default();
            return Ok(Next::Page(self.admin_draft(visit, id, &view, Some(&note)).await?));
        }
        let report = self.note_on_edition(id, &note).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, "note on a draft");
        let word = if report.note.is_some() {
            "noted"
        } else {
            "note-gone"
        };
        Ok(Next::edition(id, word))
    }

    /// Sends the draft `id` as a test to the admin alone.
    ///
    /// # Errors
    /// When there is none, or no relay takes the mail.
    pub async fn admin_test(&self, visit: &Visit, id: i64) -> Result<Next> {
        let address = &visit.admin.address;
        self.send_test_of(id, address).await?;
        tracing::info!(admin = %address, edition = id, "test sent");
        Ok(Next::edition(id, "tested"))
    }

    /// The mail of edition `id` as `view` shows it: a whole HTML document, or the text part.
    ///
    /// # Errors
    /// When there is no such edition.
    pub async fn admin_preview(&self, id: i64, view: &DraftView) -> Result<String> {
        let mut draft = self.draft_with_items(id).await?;
        if !view.category.is_empty() {
            let slug =
                Slug::parse(&view.category).map_err(|_| Problem::not_found("there is no such category"))?;
            draft
                .items
                .retain(|(_, stored)| stored.summary.categories.contains(&slug));
        }
        if draft.items.is_empty() {
            return Err(Problem::not_found("this edition holds nothing of that category"));
        }
        let mail = self.sample_mail(draft.digest, &draft.items, draft.edition.note.as_deref())?;
        Ok(if view.is_text { mail.text } else { mail.html })
    }

    pub(super) async fn draft_with_items(&self, id: i64) -> Result<Draft<'_>> {
        let edition = self.store.edition(id).await?;
        let items = match edition.state {
            State::Draft => self.draft_summaries(id).await?,
            _ => self.store.edition_summaries(id).await?,
        };
        Ok(Draft {
            digest: self.digest(&edition.digest)?,
            items,
            edition,
        })
    }

    /// How many would receive something if `draft` were approved now, and how many would not, by reason.
    pub(super) async fn readers_of_draft(
        &self,
        draft: &Draft<'_>,
    ) -> Result<(i64, Vec<(&'static str, i64)>)> {
        if draft.edition.state != State::Draft || draft.items.is_empty() {
            return Ok((0, Vec::new()));
        }
        let forecast = self
            .planner()
            .dry_run_draft(draft.digest, draft.edition.id)
            .await?;
        let mut receive = 0;
        let mut left_out = Vec::new();
        for part in forecast {
            match part.excluded {
                Some(reason) => left_out.push((reason, part.readers)),
                None => receive += part.readers,
            }
        }
        Ok((receive, left_out))
    }

    fn entry(&self, kind: ItemKind, stored: &StoredSummary) -> EntryContext {
        let names: Vec<String> = stored
            .summary
            .categories
            .iter()
            .map(|slug| self.category_name(slug))
            .collect();
        EntryContext {
            slug: stored.summary.slug.to_string(),
            heading: stored.summary.title.clone(),
            kind: match kind {
                ItemKind::New => None,
                ItemKind::Correction => Some("Correction"),
                ItemKind::Retraction => Some("Retraction"),
            },
            categories: names.join(", "),
        }
    }

    /// What can be shown of `draft`: everything, or what there is for one of the categories in it.
    fn preview_of(&self, draft: &Draft<'_>, view: &DraftView) -> Preview {
        let holds = |slug: &Slug| {
            let mut items = draft.items.iter();
            items.any(|(_, stored)| stored.summary.categories.contains(slug))
        };
        let mut categories = vec![Choice {
            value: String::new(),
            name: "Everything in it".to_owned(),
            is_chosen: true,
        }];
        for category in self.categories.iter().filter(|category| holds(&category.slug)) {
            categories.push(Choice {
                value: category.slug.to_string(),
                name: category.name.clone(),
                is_chosen: false,
            });
        }
        let known = categories.iter().position(|choice| choice.value == view.category);
        for (n, choice) in categories.iter_mut().enumerate() {
            choice.is_chosen = n == known.unwrap_or(0);
        }
        let shown = categories.iter().find(|choice| choice.is_chosen);
        let (value, shown) = shown.map_or(("", ""), |choice| (&choice.value, &choice.name));
        let format = if view.is_text { "text" } else { "html" };
        Preview {
            source: format!(
                "admin/editions/{}/preview?categories={value}&format={format}",
                draft.edition.id
            ),
            is_text: view.is_text,
            shown: shown.to_owned(),
            categories,
        }
    }
}
