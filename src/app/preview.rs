//! Looking at an edition before it goes out.

use super::App;
use super::showcase::{Showcase, Shows};
use crate::deliver::compose::Issue;
use crate::deliver::worker::Identity;
use crate::domain::edition::ItemKind;
use crate::domain::subscriber::Choice;
use crate::domain::summary::StoredSummary;
use crate::domain::{Digest, Problem, Result, Slug};
use crate::edition::Request;
use crate::render::{Piece, Reader, Slot};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One segment's mail as files.
#[derive(Debug, Serialize)]
pub struct PreviewedSegment {
    /// The beginning of its files' names.
    pub name: String,
    /// Where its summaries are from.
    pub shows: Shows,
    /// What readers see in their inbox.
    pub subject: String,
    /// Readers who would receive it; `None` when it was asked for by categories.
    pub readers: Option<i64>,
    /// Slugs of its summaries.
    pub summaries: Vec<Slug>,
    /// The files that were written.
    pub files: Vec<PathBuf>,
}

/// What a segment holds, before it is rendered.
struct Chosen {
    name: String,
    readers: Option<i64>,
    items: Vec<(ItemKind, StoredSummary)>,
}

/// A mail in words, before it is encoded.
pub(super) struct SampleMail {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A reader in previews.
const SAMPLE_NAME: &str = "Sample Reader";

impl App {
    /// Writes subject, text and HTML of each segment of the next edition into `folder`, or of the one
    /// mail that a reader of `categories` would receive.
    ///
    /// # Errors
    /// When there is nothing to show, a category is unknown, or a file can't be written.
    pub async fn preview(
        &self,
        digest: &Digest,
        categories: Option<&[Slug]>,
        folder: &Path,
    ) -> Result<Vec<PreviewedSegment>> {
        let Showcase {
            items,
            note,
            draft,
            shows,
        } = self.showcase(digest, &Request::Next).await?;
        let mut segments = Vec::new();
        if let Some(categories) = categories {
            for slug in categories {
                self.category(slug)?;
            }
            let choice: Choice = categories.iter().cloned().collect();
            let items = self.chosen(digest, &choice, items);
            if items.is_empty() {
                return Err(
                    Problem::failed(format!("nothing in the next edition is for \"{choice}\""))
                        .hint("leave --categories out to see every segment"),
                );
            }
            segments.push(Chosen {
                name: choice.to_string().replace(';', "+"),
                readers: None,
                items,
            });
        } else {
            let forecast = match draft {
                Some(id) => self.planner().dry_run_draft(digest, id).await?,
                None => self.planner().dry_run(digest, &Request::Next).await?,
            };
            for (n, segment) in forecast
                .iter()
                .filter(|segment| segment.excluded.is_none())
                .enumerate()
            {
                let chosen = items
                    .iter()
                    .filter(|(_, stored)| segment.summaries.contains(&stored.id));
                segments.push(Chosen {
                    name: format!("segment-{}", n + 1),
                    readers: Some(segment.readers),
                    items: chosen.cloned().collect(),
                });
            }
            segments.retain(|segment| !segment.items.is_empty());
            if segments.is_empty() {
                segments.push(Chosen {
                    name: "everything".to_owned(),
                    readers: None,
                    items,
                });
            }
        }
        std::fs::create_dir_all(folder).map_err(|error| trouble(folder, error))?;
        segments
            .into_iter()
            .map(|segment| self.write_segment(digest, segment, (shows, note.as_deref()), folder))
            .collect()
    }

    fn chosen(
        &self,
        digest: &Digest,
        choice: &Choice,
        items: Vec<(ItemKind, StoredSummary)>,
    ) -> Vec<(ItemKind, StoredSummary)> {
        let everything = choice.is_empty() && digest.unchosen == crate::domain::digest::Unchosen::All;
        items
            .into_iter()
            .filter(|(_, stored)| {
                everything || stored.summary.categories.iter().any(|slug| choice.contains(slug))
            })
            .collect()
    }

    fn write_segment(
        &self,
        digest: &Digest,
        segment: Chosen,
        (shows, note): (Shows, Option<&str>),
        folder: &Path,
    ) -> Result<PreviewedSegment> {
        let Chosen { name, readers, items } = segment;
        let mail = self.sample_mail(digest, &items, note)?;
        let mut files = Vec::new();
        for (ending, content) in [
            ("subject.txt", format!("{}\n", mail.subject)),
            ("body.txt", mail.text),
            ("body.html", mail.html),
        ] {
            let file = folder.join(format!("{name}.{ending}"));
            std::fs::write(&file, content).map_err(|error| trouble(&file, error))?;
            files.push(file);
        }
        Ok(PreviewedSegment {
            name,
            shows,
            subject: mail.subject,
            readers,
            summaries: items
                .iter()
                .map(|(_, stored)| stored.summary.slug.clone())
                .collect(),
            files,
        })
    }

    /// What a reader would receive who gets `items`, with the links of nobody.
    pub(super) fn sample_mail(
        &self,
        digest: &Digest,
        items: &[(ItemKind, StoredSummary)],
        note: Option<&str>,
    ) -> Result<SampleMail> {
        let issue = Issue {
            digest,
            number: 0,
            time: self.clock.now(),
            note,
            items,
            segment: 0,
        };
        let (unsubscribe_url, preferences_url) = (
            self.names.unsubscribe_url(digest.name.as_str(), 0),
            self.names.preferences_url(digest.name.as_str(), 0, 0),
        );
        let reader = Reader {
            name: Some(SAMPLE_NAME),
            unsubscribe_url: &unsubscribe_url,
            preferences_url: &preferences_url,
        };
        let mail = self.composer.render(&issue, &reader)?;
        Ok(SampleMail {
            subject: filled(&reader, &mail.subject),
            text: filled(&reader, &mail.text),
            html: filled(&reader, &mail.html),
        })
    }
}

/// The pieces with a sample reader's values, none of which needs escaping.
fn filled(reader: &Reader<'_>, pieces: &[Piece]) -> String {
    let text = pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => text.as_str(),
        Piece::Slot(Slot::Name) => reader.name.unwrap_or_default(),
        Piece::Slot(Slot::UnsubscribeUrl) => reader.unsubscribe_url,
        Piece::Slot(Slot::PreferencesUrl) => reader.preferences_url,
    });
    text.collect()
}

fn trouble(path: &Path, error: std::io::Error) -> Problem {
    Problem::failed(format!("{} can't be written", path.display())).because(error)
}
