//! What a template is made for, and the data it is tried with.

use serde_json::Value;

use super::context::{ChannelContext, DigestContext, EntryContext, to_data};
use super::mail::{ReaderShape, with_reader, with_sample_reader};
use super::pages;
use crate::domain::Result;

/// What a template is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Subject,
    MailText,
    MailHtml,
    Channel,
    Entry,
    /// By its template (see [`pages`]).
    Page(&'static str),
}

impl Kind {
    /// The kind of the template at this path below `templates/`; none for partials and style sheets.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            _ if name.starts_with("email/") && name.ends_with("/subject.txt.hbs") => Self::Subject,
            _ if name.starts_with("email/") && name.ends_with("/body.txt.hbs") => Self::MailText,
            _ if name.starts_with("email/") && name.ends_with("/body.mjml.hbs") => Self::MailHtml,
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

    /// The samples of a mail with a made-up reader's values; they are the same for what makes no mail.
    pub(super) fn personal_samples(self) -> Result<Vec<Value>> {
        match self {
            _ if self.is_mail() => Ok(vec![
                with_sample_reader(&DigestContext::sample(), ReaderShape::Named)?,
                with_sample_reader(&DigestContext::sample(), ReaderShape::Unnamed)?,
                with_sample_reader(&DigestContext::bare_sample(), ReaderShape::Named)?,
            ]),
            _ => self.samples(),
        }
    }

    /// Whether it makes a part of a mail, where there is a reader.
    pub(super) fn is_mail(self) -> bool {
        matches!(self, Self::Subject | Self::MailText | Self::MailHtml)
    }
}
