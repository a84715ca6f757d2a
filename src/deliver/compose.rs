//! From a segment's summaries to its encoded message, once for all its readers.

use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Mutex;

use super::message::{Mailbox, MessageHead, Part, SegmentMessage};
use crate::domain::edition::ItemKind;
use crate::domain::summary::StoredSummary;
use crate::domain::{Category, Digest, EmailAddress, Problem, Result, Site, Timestamp};
use crate::render::{DigestContext, ItemContext, Piece, ReaderShape, RenderedMail, Slot, Templates};
use crate::store::Store;
use crate::store::ledger::Batch;

/// Messages that are kept encoded; a segment is met again batch after batch.
const KEPT: usize = 64;

/// Who the mails are from and where answers go.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Name and address of `From`.
    pub from: (String, EmailAddress),
    /// Name and address of `Reply-To`.
    pub reply_to: Option<(String, EmailAddress)>,
    /// A mailto of `List-Unsubscribe`.
    pub unsubscribe_mailto: Option<String>,
    /// `List-Archive`.
    pub archive_url: String,
    /// `List-Help`.
    pub help_url: String,
}

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

/// The message of a segment, for readers with and without a name.
#[derive(Debug)]
pub struct SegmentMail {
    /// The digest's name.
    pub digest: String,
    named: SegmentMessage,
    unnamed: SegmentMessage,
}

impl SegmentMail {
    /// The message for a reader.
    pub fn message(&self, name: Option<&str>) -> &SegmentMessage {
        match name {
            Some(_) => &self.named,
            None => &self.unnamed,
        }
    }
}

/// Makes the messages of segments and keeps the last ones.
pub struct Composer {
    store: Store,
    templates: Arc<Templates>,
    site: Site,
    categories: Arc<[Category]>,
    digests: Arc<[Digest]>,
    sender: Sender,
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
            sender,
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
        Ok(SegmentMail {
            digest: issue.digest.name.to_string(),
            named: self.encode(issue, ReaderShape::Named)?,
            unnamed: self.encode(issue, ReaderShape::Unnamed)?,
        })
    }

    /// Renders `issue` without encoding it.
    ///
    /// # Errors
    /// When a template fails.
    pub fn render(&self, issue: &Issue<'_>, reader: ReaderShape) -> Result<RenderedMail> {
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
        let context = DigestContext::new(
            self.site.clone(),
            issue.digest,
            issue.number,
            issue.time,
            issue.note,
            items,
        );
        let mail = self.templates.digest(&issue.digest.templates, &context, reader)?;
        if mail.shortened {
            tracing::warn!(
                edition = issue.number,
                segment = issue.segment,
                "entries were shortened to fit into 90 kB"
            );
        }
        Ok(mail)
    }

    fn encode(&self, issue: &Issue<'_>, reader: ReaderShape) -> Result<SegmentMessage> {
        let mail = self.render(issue, reader)?;
        let name = issue.digest.name.as_str();
        let domain = self.sender.from.1.domain();
        let head = MessageHead {
            from: mailbox(&self.sender.from),
            reply_to: self.sender.reply_to.as_ref().map(mailbox),
            subject: &mail.subject,
            list_id: &format!("{name}.{domain}"),
            list_name: &issue.digest.title,
            archive_url: &self.sender.archive_url,
            help_url: &self.sender.help_url,
            feedback_id: &format!("{}:{name}:digest:postrider", issue.number),
            unsubscribe_mailto: self.sender.unsubscribe_mailto.as_deref(),
            boundary_seed: &format!(
                "{}-{}-{}",
                issue.number,
                issue.segment,
                usize::from(reader == ReaderShape::Named)
            ),
        };
        SegmentMessage::new(&head, &parts(&mail.text), &parts(&mail.html))
    }

    fn category_name(&self, slug: &str) -> String {
        let known = self
            .categories
            .iter()
            .find(|category| category.slug.as_str() == slug);
        known.map_or_else(|| slug.to_owned(), |category| category.name.clone())
    }
}

fn mailbox((name, address): &(String, EmailAddress)) -> Mailbox<'_> {
    Mailbox {
        name: (!name.is_empty()).then_some(name.as_str()),
        address,
    }
}

fn parts(pieces: &[Piece]) -> Vec<Part<'_>> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Part::Literal(text),
            Piece::Slot(Slot::Name) => Part::Name,
            Piece::Slot(Slot::UnsubscribeUrl) => Part::UnsubscribeUrl,
            Piece::Slot(Slot::PreferencesUrl) => Part::PreferencesUrl,
        })
        .collect()
}
