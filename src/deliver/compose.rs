//! From a segment's summaries to its encoded message, once for all its readers.

use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Mutex;

use super::segment_mail::{Heading, Made, SegmentMail, Sender};
use crate::domain::edition::ItemKind;
use crate::domain::summary::StoredSummary;
use crate::domain::{Category, Digest, Problem, Result, Site, Timestamp};
use crate::render::{
    DigestContext, ItemContext, NoticeContext, Reader, ReaderShape, RenderedMail, RenderedNotice, Templates,
};
use crate::store::Store;
use crate::store::ledger::Batch;

/// Messages that are kept encoded; a segment is met again batch after batch.
const KEPT: usize = 64;

/// What a mail is made from.
#[derive(Debug)]
pub struct Issue<'a> {
    /// The digest.
    pub digest: &'a Digest,
    /// The edition's number; 0 for one that does not exist yet.
    pub number: i64,
    /// The instant that stands for the edition.
    pub time: Timestamp,
    /// The editor's note.
    pub note: Option<&'a str>,
    /// What the segment receives.
    pub items: &'a [(ItemKind, StoredSummary)],
    /// Tells segments of one edition apart.
    pub segment: i64,
}

/// Makes the messages of segments and keeps the last ones.
pub struct Composer {
    store: Store,
    templates: Arc<Templates>,
    site: Site,
    categories: Arc<[Category]>,
    digests: Arc<[Digest]>,
    sender: Arc<Sender>,
    kept: Mutex<VecDeque<(i64, Arc<SegmentMail>)>>,
}

impl Composer {
    /// A composer with nothing kept.
    pub fn new(
        store: Store,
        templates: Arc<Templates>,
        site: Site,
        categories: Arc<[Category]>,
        digests: Arc<[Digest]>,
        sender: Sender,
    ) -> Self {
        Self {
            store,
            templates,
            site,
            categories,
            digests,
            sender: Arc::new(sender),
            kept: Mutex::new(VecDeque::new()),
        }
    }

    /// The message of the segment that `batch` belongs to.
    ///
    /// # Errors
    /// When a template fails, the digest is gone from the configuration, or the database does not answer.
    pub async fn segment(&self, batch: &Batch) -> Result<Arc<SegmentMail>> {
        let mut kept = self.kept.lock().await;
        if let Some((_, mail)) = kept.iter().find(|(segment, _)| *segment == batch.segment) {
            return Ok(Arc::clone(mail));
        }
        let edition = self.store.edition(batch.edition).await?;
        let digest = self
            .digests
            .iter()
            .find(|digest| digest.name.as_str() == edition.digest)
            .ok_or_else(|| {
                Problem::configuration(format!(
                    "edition {} belongs to the digest {:?}, which the configuration no longer has",
                    edition.id, edition.digest
                ))
                .hint("put the [[digest]] back until its editions are finished")
            })?;
        let items = self.store.segment_summaries(batch.segment).await?;
        let mail = Arc::new(self.compose(&Issue {
            digest,
            number: edition.id,
            time: edition.planned.unwrap_or(edition.created),
            note: edition.note.as_deref(),
            items: &items,
            segment: batch.segment,
        })?);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((batch.segment, Arc::clone(&mail)));
        Ok(mail)
    }

    /// Renders `issue` and encodes it.
    ///
    /// # Errors
    /// When a template fails.
    pub fn compose(&self, issue: &Issue<'_>) -> Result<SegmentMail> {
        let digest = issue.digest;
        let name = digest.name.to_string();
        let heading = Heading {
            sender: Arc::clone(&self.sender),
            list_id: format!("{name}.{}", self.sender.from.1.domain()),
            list_name: digest.title.clone(),
            feedback_id: format!("{}:{name}:digest:postrider", issue.number),
            seed: format!("{}-{}", issue.number, issue.segment),
        };
        let (mail, context) = (&digest.templates, self.context(issue));
        let uses_values = !self.templates.logic(mail).is_empty();
        let (made, shortened) = if uses_values {
            let mail = self.templates.prepare(mail, &context)?;
            let shortened = mail.shortened;
            let templates = Arc::clone(&self.templates);
            let made = Made::for_each(templates, mail, heading);
            (made, shortened)
        } else {
            let mail = |shape| self.templates.digest(mail, &context, shape);
            let (named, unnamed) = (mail(ReaderShape::Named)?, mail(ReaderShape::Unnamed)?);
            let made = Made::once(&named, &unnamed, &heading)?;
            (made, named.shortened || unnamed.shortened)
        };
        warn_of_shortening(issue, shortened);
        Ok(SegmentMail { digest: name, made })
    }

    /// Renders `issue` for one reader without encoding it.
    ///
    /// # Errors
    /// When a template fails.
    pub fn render(&self, issue: &Issue<'_>, reader: &Reader<'_>) -> Result<RenderedMail> {
        let prepared = self
            .templates
            .prepare(&issue.digest.templates, &self.context(issue))?;
        let mail = self.templates.personal(&prepared, reader)?;
        warn_of_shortening(issue, mail.shortened);
        Ok(mail)
    }

    /// Who mails are from.
    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Renders a notice.
    ///
    /// # Errors
    /// When a template fails.
    pub fn notice(&self, context: &NoticeContext) -> Result<RenderedNotice> {
        self.templates.notice(context)
    }

    /// What the templates see of `issue`.
    fn context(&self, issue: &Issue<'_>) -> DigestContext {
        let items = issue
            .items
            .iter()
            .map(|(kind, stored)| {
                let names = stored
                    .summary
                    .categories
                    .iter()
                    .map(|slug| self.category_name(slug.as_str()));
                ItemContext::in_edition(&self.site, stored, *kind, names.collect())
            })
            .collect();
        DigestContext::new(
            self.site.clone(),
            issue.digest,
            issue.number,
            issue.time,
            issue.note,
            items,
        )
    }

    fn category_name(&self, slug: &str) -> String {
        let known = self
            .categories
            .iter()
            .find(|category| category.slug.as_str() == slug);
        known.map_or_else(|| slug.to_owned(), |category| category.name.clone())
    }
}

fn warn_of_shortening(issue: &Issue<'_>, shortened: bool) {
    if shortened {
        tracing::warn!(
            edition = issue.number,
            segment = issue.segment,
            "entries were shortened to fit into 90 kB"
        );
    }
}
