//! The message of one segment: headers and MIME parts, encoded once for all its readers.

use super::header;
use super::quoted::{After, Quoted};
use super::splice::{Slot, Value, check_link, is_printable};
use crate::domain::{EmailAddress, Problem, Result};
use std::ops::Range;

/// Who a message goes from and to on the wire (RFC 5321), as opposed to what its headers say.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The return path; empty for the null sender.
    pub from: &'a str,
    /// The one recipient.
    pub to: &'a EmailAddress,
    /// The same for every attempt; the outbox names its file after it.
    pub message_id: &'a str,
}

/// An address with the name that readers see.
#[derive(Debug, Clone, Copy)]
pub struct Mailbox<'a> {
    /// The display name.
    pub name: Option<&'a str>,
    /// The address.
    pub address: &'a EmailAddress,
}

impl<'a> Mailbox<'a> {
    /// A name, which may be empty, and an address.
    pub(super) fn of((name, address): &'a (String, EmailAddress)) -> Self {
        Self {
            name: (!name.is_empty()).then_some(name.as_str()),
            address,
        }
    }
}

/// The headers that a segment shares.
#[derive(Debug, Clone)]
pub struct MessageHead<'a> {
    /// `From`.
    pub from: Mailbox<'a>,
    /// `Reply-To`, when answers go elsewhere.
    pub reply_to: Option<Mailbox<'a>>,
    /// `Subject`: any characters; line ends become spaces. It shows no link.
    pub subject: &'a [Part<'a>],
    /// `List-Id` (RFC 2919) without brackets, such as `weekly.example.org`.
    pub list_id: &'a str,
    /// What the list is called.
    pub list_name: &'a str,
    /// `List-Archive` (RFC 2369): where past summaries are.
    pub archive_url: &'a str,
    /// `List-Help` (RFC 2369): how to change or end the subscription.
    pub help_url: &'a str,
    /// `Feedback-ID`: nothing personal.
    pub feedback_id: &'a str,
    /// A mailto of `List-Unsubscribe`, only where a person or program reads it.
    pub unsubscribe_mailto: Option<&'a str>,
    /// The MIME boundary follows from it; the same seed gives the same bytes.
    pub boundary_seed: &'a str,
}

/// A piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// The same for every reader.
    Literal(&'a str),
    /// The reader's name; escaped in HTML.
    Name,
    /// The reader's one-click link; escaped in HTML.
    UnsubscribeUrl,
    /// The link to the reader's choices; escaped in HTML.
    PreferencesUrl,
}

/// A message with places where the values of a reader go (see [`SegmentMessage::splice`]).
#[derive(Debug, Clone)]
pub struct SegmentMessage {
    /// Everything that is shared, in one piece.
    pub(super) literal: Vec<u8>,
    /// Where in `literal` a value goes, in rising order.
    pub(super) slots: Vec<(usize, Slot)>,
    /// The subject, where it holds the reader's name.
    pub(super) subject: Vec<Piece>,
    /// Where in `literal` the headers of all parts end.
    shared_head: usize,
    /// Where in `literal` the text part stands, with its own headers.
    text: Range<usize>,
}

impl SegmentMessage {
    /// Encodes what the readers of a segment share.
    ///
    /// # Errors
    /// When the subject is blank, or an address of the list cannot stand in a header.
    pub fn new(head: &MessageHead<'_>, text: &[Part<'_>], html: &[Part<'_>]) -> Result<Self> {
        let subject = merge(head.subject);
        head.check(&subject)?;
        let boundary = boundary(head.boundary_seed);
        let mut message = Self {
            literal: Vec::new(),
            slots: Vec::new(),
            subject,
            shared_head: 0,
            text: 0..0,
        };
        message.headers(head);
        message.bodies(&boundary, text, html);
        Ok(message)
    }

    /// A whole message of the fields in `head` and two bodies that nothing differs in.
    pub(super) fn whole(head: Vec<u8>, boundary_seed: &str, text: &str, html: &str) -> Vec<u8> {
        let mut message = Self {
            literal: head,
            slots: Vec::new(),
            subject: Vec::new(),
            shared_head: 0,
            text: 0..0,
        };
        message.bodies(
            &boundary(boundary_seed),
            &[Part::Literal(text)],
            &[Part::Literal(html)],
        );
        message.literal
    }

    /// The last fields and both parts.
    fn bodies(&mut self, boundary: &str, text: &[Part<'_>], html: &[Part<'_>]) {
        header::plain(&mut self.literal, "MIME-Version", "1.0");
        self.shared_head = self.literal.len();
        self.raw(&format!(
            "Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        ));
        let begin = self.literal.len();
        self.part("text/plain", text, Slot::Text);
        self.text = begin..self.literal.len();
        self.raw(&format!("--{boundary}\r\n"));
        self.part("text/html", html, Slot::Html);
        self.raw(&format!("--{boundary}--\r\n"));
    }

    /// The same message as its text part alone, for readers who asked for that.
    #[must_use]
    pub fn text_only(&self) -> Self {
        let Range { start, end } = self.text;
        let mut literal = Vec::with_capacity(self.shared_head + self.text.len());
        literal.extend_from_slice(self.literal.get(..self.shared_head).unwrap_or_default());
        literal.extend_from_slice(self.literal.get(start..end).unwrap_or_default());
        let slots = self.slots.iter().filter_map(|&(at, slot)| {
            if at <= self.shared_head {
                Some((at, slot))
            } else if (start..end).contains(&at) {
                Some((at - start + self.shared_head, slot))
            } else {
                None
            }
        });
        Self {
            slots: slots.collect(),
            subject: self.subject.clone(),
            shared_head: self.shared_head,
            text: self.shared_head..literal.len(),
            literal,
        }
    }

    fn headers(&mut self, head: &MessageHead<'_>) {
        let out = &mut self.literal;
        header::with_angle(out, "From", head.from.name, &head.from.address.full());
        if let Some(reply_to) = &head.reply_to {
            header::with_angle(out, "Reply-To", reply_to.name, &reply_to.address.full());
        }
        self.field("To:", Slot::To, "\r\n");
        match &self.subject[..] {
            [Piece::Literal(subject)] => header::unstructured(&mut self.literal, "Subject", subject),
            _ => self.field("", Slot::Subject, ""),
        }
        self.field("Date: ", Slot::Date, "\r\n");
        self.field("Message-ID: <", Slot::MessageId, ">\r\n");
        header::with_angle(&mut self.literal, "List-Id", Some(head.list_name), head.list_id);
        self.field("List-Unsubscribe:", Slot::ListUnsubscribe, "");
        if let Some(mailto) = head.unsubscribe_mailto {
            // The first value's length is not known here, so the second has a line of its own.
            self.raw(&format!(",\r\n <{}>", with_mailto(mailto)));
        }
        self.raw("\r\n");
        let out = &mut self.literal;
        header::plain(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        for (name, link) in [("List-Archive:", head.archive_url), ("List-Help:", head.help_url)] {
            out.extend_from_slice(name.as_bytes());
            header::angle(out, link);
            out.extend_from_slice(b"\r\n");
        }
        header::plain(out, "Feedback-ID", head.feedback_id);
        header::plain(out, "Precedence", "bulk");
    }

    fn part(&mut self, kind: &str, parts: &[Part<'_>], slot: fn(Value) -> Slot) {
        self.raw(&format!(
            "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        ));
        let merged = merge(parts);
        let mut quoted = Quoted::new(&mut self.literal);
        for (index, piece) in merged.iter().enumerate() {
            let next = merged.get(index + 1);
            match piece {
                Piece::Literal(text) => {
                    let after = if next.is_some() {
                        After::More
                    } else {
                        After::LineEnd
                    };
                    quoted.text(text, after);
                }
                Piece::Value(value) => {
                    quoted.seam();
                    self.slots.push((quoted.len(), slot(*value)));
                    quoted.passed_value();
                    // Before a line break and at the end the value needs no soft break behind it.
                    let line_ends = match next {
                        Some(Piece::Literal(text)) => text.starts_with(['\r', '\n']),
                        Some(Piece::Value(_)) => false,
                        None => true,
                    };
                    if !line_ends {
                        quoted.seam();
                    }
                }
            }
        }
        self.raw("\r\n");
    }

    fn field(&mut self, before: &str, slot: Slot, after: &str) {
        self.raw(before);
        self.slots.push((self.literal.len(), slot));
        self.raw(after);
    }

    fn raw(&mut self, text: &str) {
        self.literal.extend_from_slice(text.as_bytes());
    }
}

impl MessageHead<'_> {
    fn check(&self, subject: &[Piece]) -> Result<()> {
        if subject.iter().all(Piece::is_blank) {
            return Err(blank_subject());
        }
        let is_link = |piece: &Piece| matches!(piece, Piece::Value(value) if *value != Value::Name);
        if subject.iter().any(is_link) {
            return Err(Problem::failed("a reader's link can't stand in the subject"));
        }
        let label = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if !self.list_id.split('.').all(label) || self.list_id.len() > 255 {
            return Err(Problem::configuration(format!(
                "List-Id {:?} is not like a host name",
                self.list_id
            )));
        }
        let feedback = self.feedback_id;
        if feedback.is_empty() || feedback.len() > 200 || !is_printable(feedback) {
            return Err(Problem::failed(format!(
                "Feedback-ID {feedback:?} cannot stand in a header"
            )));
        }
        check_link("archive link", self.archive_url)?;
        check_link("help link", self.help_url)?;
        self.unsubscribe_mailto
            .map_or(Ok(()), |mailto| check_link("unsubscribe mailto", mailto))
    }
}

pub(super) fn blank_subject() -> Problem {
    Problem::failed("the subject is blank").hint("see subject.txt.hbs of the mail's templates")
}

/// Pieces with neighbouring literals made one, so that line ends are seen whole.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    Value(Value),
}

impl Piece {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Literal(text) if crate::domain::text::one_line(text).is_empty())
    }
}

fn merge(parts: &[Part<'_>]) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::with_capacity(parts.len());
    for part in parts {
        let value = match part {
            Part::Literal("") => continue,
            Part::Literal(text) => {
                if let Some(Piece::Literal(before)) = merged.last_mut() {
                    before.push_str(text);
                } else {
                    merged.push(Piece::Literal((*text).to_owned()));
                }
                continue;
            }
            Part::Name => Value::Name,
            Part::UnsubscribeUrl => Value::UnsubscribeUrl,
            Part::PreferencesUrl => Value::PreferencesUrl,
        };
        merged.push(Piece::Value(value));
    }
    merged
}

pub(super) fn with_mailto(uri: &str) -> String {
    let has_scheme = uri
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    if has_scheme {
        uri.to_owned()
    } else {
        format!("mailto:{uri}")
    }
}

/// A boundary that no quoted-printable text can hold: there `=` is never followed by `_`.
pub(super) fn boundary(seed: &str) -> String {
    let safe = seed
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        .take(40)
        .map(char::from);
    format!("=_postrider_{}", safe.collect::<String>())
}
