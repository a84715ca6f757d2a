//! A segment's mail: spliced for each of its readers, or rendered for each where the templates work with
//! a reader's values.

use std::sync::Arc;

use super::message::{Mailbox, MessageHead, Part, SegmentMessage};
use super::splice::ReaderValues;
use crate::domain::text::one_line;
use crate::domain::{EmailAddress, Result};
use crate::render::{PersonalMail, Piece, Reader, ReaderShape, RenderedMail, Slot, Templates};

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

/// The mail of a segment.
pub struct SegmentMail {
    /// The digest's name.
    pub digest: String,
    pub(super) made: Made,
}

/// How far a segment's mail is made before a reader is known.
pub(super) enum Made {
    /// Encoded, for readers with and without a name.
    Once(Box<[SegmentMessage; 2]>),
    /// Not rendered yet.
    ForEach(Box<(Arc<Templates>, PersonalMail, Heading)>),
}

impl Made {
    pub(super) fn once(named: &RenderedMail, unnamed: &RenderedMail, heading: &Heading) -> Result<Self> {
        Ok(Self::Once(Box::new([
            heading.message(named, ReaderShape::Named)?,
            heading.message(unnamed, ReaderShape::Unnamed)?,
        ])))
    }

    pub(super) fn for_each(templates: Arc<Templates>, mail: PersonalMail, heading: Heading) -> Self {
        Self::ForEach(Box::new((templates, mail, heading)))
    }
}

impl SegmentMail {
    /// Appends the message for one reader to `out`, as [`SegmentMessage::splice`] writes it.
    ///
    /// # Errors
    /// When a value can't stand in a message, or a template fails; `out` is then unchanged.
    pub fn write(&self, reader: &ReaderValues<'_>, out: &mut Vec<u8>) -> Result<()> {
        self.write_as(reader, false, out)
    }

    /// [`SegmentMail::write`], or its text part alone.
    ///
    /// # Errors
    /// As there.
    pub fn write_as(&self, reader: &ReaderValues<'_>, text_only: bool, out: &mut Vec<u8>) -> Result<()> {
        let splice = |message: &SegmentMessage, reader: &ReaderValues<'_>, out: &mut Vec<u8>| {
            if text_only {
                message.text_only().splice(reader, out)
            } else {
                message.splice(reader, out)
            }
        };
        let name = one_line(reader.name.unwrap_or_default());
        let (name, shape) = if name.is_empty() {
            (None, ReaderShape::Unnamed)
        } else {
            (Some(name.as_str()), ReaderShape::Named)
        };
        let reader = ReaderValues { name, ..*reader };
        match &self.made {
            Made::Once(made) => {
                let [named, unnamed] = &**made;
                match shape {
                    ReaderShape::Named => splice(named, &reader, out),
                    ReaderShape::Unnamed => splice(unnamed, &reader, out),
                }
            }
            Made::ForEach(made) => {
                let (templates, mail, heading) = &**made;
                let values = Reader {
                    name,
                    unsubscribe_url: reader.unsubscribe_url,
                    preferences_url: reader.preferences_url,
                };
                let rendered = templates.personal(mail, &values)?;
                splice(&heading.message(&rendered, shape)?, &reader, out)
            }
        }
    }
}

/// What the headers of a segment's messages say.
pub(super) struct Heading {
    pub(super) sender: Arc<Sender>,
    pub(super) list_id: String,
    pub(super) list_name: String,
    pub(super) feedback_id: String,
    /// Tells segments of all editions apart.
    pub(super) seed: String,
}

impl Heading {
    /// Encodes a mail.
    fn message(&self, mail: &RenderedMail, shape: ReaderShape) -> Result<SegmentMessage> {
        let sender = &*self.sender;
        let head = MessageHead {
            from: Mailbox::of(&sender.from),
            reply_to: sender.reply_to.as_ref().map(Mailbox::of),
            subject: &parts(&mail.subject),
            list_id: &self.list_id,
            list_name: &self.list_name,
            archive_url: &sender.archive_url,
            help_url: &sender.help_url,
            feedback_id: &self.feedback_id,
            unsubscribe_mailto: sender.unsubscribe_mailto.as_deref(),
            boundary_seed: &format!("{}-{}", self.seed, usize::from(shape == ReaderShape::Named)),
        };
        SegmentMessage::new(&head, &parts(&mail.text), &parts(&mail.html))
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

#[cfg(test)]
#[path = "segment_mail_tests.rs"]
mod tests;
