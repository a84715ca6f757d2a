//! Editions that were sent, as everybody may see them.

use super::research::list_frame;
use super::{App, PublicDocument, crumb};
use crate::domain::Result;
use crate::render::{
    ArchivePage, ArchivedContext, ArchivedDigest, EditionPage, ItemContext, Pager, PublicationContext,
    SummaryContext,
};

/// Editions on a page.
const LISTED: i64 = 50;

impl App {
    /// Page `number` of the editions that were sent, from 1; by digest, newest first.
    ///
    /// # Errors
    /// When there is no such page.
    pub async fn archive_page(&self, number: i64) -> Result<PublicDocument> {
        let total = self.store.count_archived().await?;
        let count = (total + LISTED - 1).div_euclid(LISTED).max(1);
        if !(1..=count).contains(&number) {
            return Err(self.nothing_here());
        }
        let pager = Pager::new("archive", number, count);
        let skipped = (number - 1) * LISTED;
        let mut digests: Vec<ArchivedDigest> = Vec::new();
        for edition in self.store.archived_editions(skipped, LISTED).await? {
            let zone = self.zone(&edition.digest);
            let shown = ArchivedContext::new(edition.id, edition.time, zone, edition.summaries);
            match digests
                .iter_mut()
                .find(|known| known.digest.name == edition.digest)
            {
                Some(digest) => digest.editions.push(shown),
                None => digests.push(ArchivedDigest {
                    digest: self.publication(Some(&edition.digest)),
                    editions: vec![shown],
                }),
            }
        }
        let description = format!("The editions that {} has sent by mail.", self.config.site.name);
        self.public_page(&ArchivePage {
            frame: list_frame(self.frame("./"), "/archive", &pager, &description)
                .with_feeds("all", &self.config.site.name),
            crumbs: vec![crumb("Earlier editions", None)],
            digests,
            pager,
        })
    }

    /// Edition `number` with all that it holds and nothing that is a reader's.
    ///
    /// # Errors
    /// When there is no such edition, or nobody has received it.
    pub async fn edition_page(&self, number: i64) -> Result<PublicDocument> {
        let edition = self.store.edition(number).await?;
        if !self.store.is_archived(number).await? {
            return Err(self.nothing_here());
        }
        let mut items = self.store.edition_summaries(number).await?;
        items.retain(|(_, stored)| stored.removed.is_none());
        let summaries: Vec<SummaryContext> = items
            .iter()
            .map(|(kind, stored)| {
                let item = ItemContext::in_edition(&self.config.site, stored, *kind, Vec::new());
                SummaryContext::new(item, stored, self.category_links(stored))
            })
            .collect();
        let digest: PublicationContext = self.publication(Some(&edition.digest));
        let time = edition.planned.unwrap_or(edition.created);
        let count = i64::try_from(summaries.len()).unwrap_or_default();
        let shown = ArchivedContext::new(number, time, self.zone(&edition.digest), count);
        let description = format!("{} of {}, edition {number}.", digest.title, shown.date);
        let frame = self
            .frame("../")
            .public(&format!("/archive/{number}"), &description)
            .with_feeds("all", &self.config.site.name);
        self.public_page(&EditionPage::new(
            frame,
            digest,
            shown,
            edition.note.as_deref(),
            summaries,
        ))
    }

    fn zone(&self, digest: &str) -> chrono_tz::Tz {
        let known = self.digests.iter().find(|known| known.name.as_str() == digest);
        known.map_or(chrono_tz::UTC, |digest| digest.timezone)
    }
}
