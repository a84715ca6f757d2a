//! What differs from reader to reader, put between the pieces that a segment shares.

use std::borrow::Cow;

use super::header;
use super::message::{Piece, SegmentMessage, blank_subject};
use super::quoted::{After, Quoted};
use crate::domain::text::{escape_html, one_line};
use crate::domain::{EmailAddress, Problem, Result};

/// A link may be this long; headers must stay below 998 octets a line (RFC 5322).
const LONGEST_LINK: usize = 900;

/// The values of one reader.
#[derive(Clone, Copy)]
pub struct ReaderValues<'a> {
    /// Stands in `To`.
    pub to: &'a EmailAddress,
    /// What the reader is called; none or blank leaves the place empty.
    pub name: Option<&'a str>,
    /// With or without its angle brackets.
    pub message_id: &'a str,
    /// RFC 5322 date and time.
    pub date: &'a str,
    /// The one-click link (RFC 8058).
    pub unsubscribe_url: &'a str,
    /// The link to the reader's choices.
    pub preferences_url: &'a str,
}

impl std::fmt::Debug for ReaderValues<'_> {
    /// The masked address alone: the links act in the reader's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReaderValues")
            .field("to", self.to)
            .finish_non_exhaustive()
    }
}

/// A place between two literal pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    To,
    /// The whole field, where it holds the reader's name.
    Subject,
    Date,
    MessageId,
    /// The link in angle brackets, in `List-Unsubscribe`.
    ListUnsubscribe,
    /// A value in the text part.
    Text(Value),
    /// A value in the HTML part, escaped.
    Html(Value),
}

/// A value that stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Name,
    UnsubscribeUrl,
    PreferencesUrl,
}

impl SegmentMessage {
    /// Appends the message for one reader to `out`: 7-bit, CRLF, no final dot; no line begins with a dot.
    ///
    /// # Errors
    /// When a Message-ID, date or link holds what cannot stand in a header; `out` is then unchanged.
    pub fn splice(&self, reader: &ReaderValues<'_>, out: &mut Vec<u8>) -> Result<()> {
        let message_id = reader.message_id.trim_start_matches('<').trim_end_matches('>');
        reader.check(message_id)?;
        let name = one_line(reader.name.unwrap_or_default());
        let subject = self.subject_for(&name);
        if subject.as_deref().is_some_and(is_blank) {
            return Err(blank_subject());
        }
        let value = |value| match value {
            Value::Name => name.as_str(),
            Value::UnsubscribeUrl => reader.unsubscribe_url,
            Value::PreferencesUrl => reader.preferences_url,
        };
        out.reserve(self.literal.len() + 2048);
        let mut done = 0;
        for &(end, slot) in &self.slots {
            out.extend_from_slice(self.literal.get(done..end).unwrap_or_default());
            done = end;
            match slot {
                Slot::To => header::address(out, reader.to),
                Slot::Subject => header::unstructured(out, "Subject", subject.as_deref().unwrap_or_default()),
                Slot::Date => out.extend_from_slice(reader.date.as_bytes()),
                Slot::MessageId => out.extend_from_slice(message_id.as_bytes()),
                Slot::ListUnsubscribe => header::angle(out, reader.unsubscribe_url),
                Slot::Text(wanted) => Quoted::new(out).text(value(wanted), After::LineEnd),
                Slot::Html(wanted) => Quoted::new(out).text(&escaped(value(wanted)), After::LineEnd),
            }
        }
        out.extend_from_slice(self.literal.get(done..).unwrap_or_default());
        Ok(())
    }

    /// The subject for a reader of this name; none when all readers share one.
    fn subject_for(&self, name: &str) -> Option<String> {
        let pieces = &self.subject;
        let is_shared = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
        (!is_shared).then(|| {
            let text = pieces.iter().map(|piece| match piece {
                Piece::Literal(text) => text.as_str(),
                Piece::Value(_) => name,
            });
            text.collect()
        })
    }
}

/// `text` for HTML; most names and links stay as they are.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['&', '<', '>', '"', '\'']) {
        Cow::Owned(escape_html(text))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_blank(text: &str) -> bool {
    one_line(text).is_empty()
}

impl ReaderValues<'_> {
    fn check(&self, message_id: &str) -> Result<()> {
        if !is_token(message_id) || !message_id.contains('@') || message_id.len() > 250 {
            return Err(Problem::failed(format!(
                "Message-ID {message_id:?} cannot stand in a header"
            )));
        }
        if self.date.is_empty() || self.date.len() > 64 || !is_printable(self.date) {
            return Err(Problem::failed(format!(
                "date {:?} cannot stand in a header",
                self.date
            )));
        }
        check_link("unsubscribe link", self.unsubscribe_url)?;
        check_link("preferences link", self.preferences_url)
    }
}

/// Whether every character is ASCII and none is a control character.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Printable, no space, nothing that ends an angle bracket.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

/// Refuses a link that cannot stand between angle brackets. The link itself is not shown: it may be a token.
pub(super) fn check_link(what: &str, link: &str) -> Result<()> {
    if link.len() > LONGEST_LINK {
        return Err(Problem::failed(format!(
            "the {what} has {} characters, more than {LONGEST_LINK}",
            link.len()
        )));
    }
    if !is_token(link) {
        return Err(Problem::failed(format!(
            "the {what} is empty or has a space, < or >, or a character outside ASCII"
        ))
        .hint("percent-encode it"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "splice_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "splice_reference.rs"]
mod reference;
#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
