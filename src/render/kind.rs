//! What a template is made for, and the data it is tried with.

use serde_json::Value;

use super::context::{ChannelContext, DigestContext, EntryContext, NoticeContext, to_data};
use super::mail::{ReaderShape, with_reader, with_sample_reader};
use super::pages;
use crate::domain::Result;
use crate::domain::notice::NoticeKind;

/// A part of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
}

/// What a template is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Subject,
    MailText,
    MailHtml,
    /// Of a mail to a single reader.
    Notice(NoticeKind, Part),
    Channel,
    Entry,
    /// By its template (see [`pages`]).
    Page(&'static str),
}

impl Kind {
    /// The kind of the template at this path below `templates/`; none for partials and style sheets.
    pub(super) fn of(name: &str) -> Option<Self> {
        if let Some((mail, file)) = name.strip_prefix("email/").and_then(|rest| rest.split_once('/')) {
            let part = match file {
                "subject.txt.hbs" => Part::Subject,
                "body.txt.hbs" => Part::Text,
                "body.mjml.hbs" => Part::Html,
                _ => return None,
            };
            return Some(match (NoticeKind::parse(mail), part) {
                (Some(kind), part) => Self::Notice(kind, part),
                (None, Part::Subject) => Self::Subject,
                (None, Part::Text) => Self::MailText,
                (None, Part::Html) => Self::MailHtml,
            });
        }
        Some(match name {
            _ if name.starts_with("feed/channel_") => Self::Channel,
            _ if name.starts_with("feed/entry_") => Self::Entry,
            _ => Self::Page(pages::template_of(name)?),
        })
    }

    /// The full sample first.
    pub(super) fn samples(self) -> Result<Vec<Value>> {
        Ok(match self {
            Self::Subject | Self::MailText | Self::MailHtml => vec![
                with_reader(&DigestContext::sample(), ReaderShape::Named)?,
                with_reader(&DigestContext::sample(), ReaderShape::Unnamed)?,
                with_reader(&DigestContext::bare_sample(), ReaderShape::Named)?,
            ],
            Self::Notice(kind, _) => NoticeContext::samples(kind)
                .iter()
                .map(to_data)
                .collect::<Result<_>>()?,
            Self::Channel => vec![
                to_data(&ChannelContext::sample())?,
                to_data(&ChannelContext::bare_sample())?,
            ],
            Self::Entry => vec![
                to_data(&EntryContext::sample())?,
                to_data(&EntryContext::bare_sample())?,
            ],
            Self::Page(template) => pages::samples_of(template)?,
        })
    }

    /// The samples of a digest with a made-up reader's values; they are the same for whatever else.
    pub(super) fn personal_samples(self) -> Result<Vec<Value>> {
        match self {
            _ if self.is_digest() => Ok(vec![
                with_sample_reader(&DigestContext::sample(), ReaderShape::Named)?,
                with_sample_reader(&DigestContext::sample(), ReaderShape::Unnamed)?,
                with_sample_reader(&DigestContext::bare_sample(), ReaderShape::Named)?,
            ]),
            _ => self.samples(),
        }
    }

    /// Whether it is written in MJML.
    pub(super) fn is_mjml(self) -> bool {
        matches!(self, Self::MailHtml | Self::Notice(_, Part::Html))
    }

    /// Whether it makes the text part of a mail.
    pub(super) fn is_text_part(self) -> bool {
        matches!(self, Self::MailText | Self::Notice(_, Part::Text))
    }

    /// Whether it makes a part of a digest, where there is a reader.
    pub(super) fn is_digest(self) -> bool {
        matches!(self, Self::Subject | Self::MailText | Self::MailHtml)
    }
}
