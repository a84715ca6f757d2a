//! A message made for one reader in one go: no literals, no slots, every value in its place from the
//! start, and the plainest quoted-printable. Splicing must give the same bytes.
//!
//! One thing is set beforehand, for both: in a body a reader's value begins a line of its own, and ends
//! it unless the text's own line ends there. That is what makes it possible to encode what stands
//! around it without knowing it; a decoder drops these soft line breaks.

use super::super::message::{MessageHead, Part, boundary, with_mailto};
use super::*;

/// The message of `reader`.
pub(super) fn whole(head: &MessageHead, text: &[Part], html: &[Part], reader: &ReaderValues) -> Vec<u8> {
    let mut out = Vec::new();
    header::with_angle(&mut out, "From", head.from.name, &head.from.address.full());
    if let Some(reply_to) = &head.reply_to {
        header::with_angle(&mut out, "Reply-To", reply_to.name, &reply_to.address.full());
    }
    let to = reader.to.full();
    let fold = if to.len() > 74 { "\r\n" } else { "" };
    field(&mut out, &format!("To:{fold} {to}"));
    header::unstructured(&mut out, "Subject", &filled(head.subject, reader, false));
    field(&mut out, &format!("Date: {}", reader.date));
    field(&mut out, &format!("Message-ID: {}", reader.message_id));
    header::with_angle(&mut out, "List-Id", Some(head.list_name), head.list_id);
    out.extend_from_slice(b"List-Unsubscribe:");
    header::angle(&mut out, reader.unsubscribe_url);
    let mailto = head
        .unsubscribe_mailto
        .map(|mailto| format!(",\r\n <{}>", with_mailto(mailto)));
    field(&mut out, &mailto.unwrap_or_default());
    field(&mut out, "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    for (name, link) in [("List-Archive:", head.archive_url), ("List-Help:", head.help_url)] {
        out.extend_from_slice(name.as_bytes());
        header::angle(&mut out, link);
        field(&mut out, "");
    }
    field(&mut out, &format!("Feedback-ID: {}", head.feedback_id));
    field(&mut out, "Precedence: bulk");
    field(&mut out, "MIME-Version: 1.0");
    let boundary = boundary(head.boundary_seed);
    field(
        &mut out,
        &format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n"),
    );
    for (kind, parts, is_html) in [("text/plain", text, false), ("text/html", html, true)] {
        field(
            &mut out,
            &format!(
                "--{boundary}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
            ),
        );
        body(&mut out, parts, reader, is_html);
        field(&mut out, "");
    }
    field(&mut out, &format!("--{boundary}--"));
    out
}

/// The parts with the values in them, as a reader sees them.
pub(super) fn filled(parts: &[Part], reader: &ReaderValues, is_html: bool) -> String {
    let text = parts.iter().map(|part| match part {
        Part::Literal(text) => (*text).to_owned(),
        _ => value(part, reader, is_html),
    });
    text.collect()
}

fn value(part: &Part, reader: &ReaderValues, is_html: bool) -> String {
    let value = match part {
        Part::Literal(text) => (*text).to_owned(),
        Part::Name => one_line(reader.name.unwrap_or_default()),
        Part::UnsubscribeUrl => reader.unsubscribe_url.to_owned(),
        Part::PreferencesUrl => reader.preferences_url.to_owned(),
    };
    if is_html { escape_html(&value) } else { value }
}

fn field(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// What a body is made of: characters, and soft line breaks that are asked for.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Char(char),
    /// Where the line is not empty anyway.
    Break,
    /// In any case.
    HardBreak,
}

fn body(out: &mut Vec<u8>, parts: &[Part], reader: &ReaderValues, is_html: bool) {
    let mut signs = Vec::new();
    let mut after_value = false;
    for part in parts.iter().filter(|part| **part != Part::Literal("")) {
        if let Part::Literal(text) = part {
            if after_value && !text.starts_with(['\r', '\n']) {
                signs.push(Sign::HardBreak);
            }
            signs.extend(text.chars().map(Sign::Char));
            after_value = false;
        } else {
            signs.push(if after_value { Sign::HardBreak } else { Sign::Break });
            signs.extend(value(part, reader, is_html).chars().map(Sign::Char));
            after_value = true;
        }
    }
    let mut line = String::new();
    for (at, &sign) in signs.iter().enumerate() {
        let next = signs.get(at + 1);
        let ends = matches!(next, None | Some(Sign::Char('\r' | '\n')));
        let encoded = match sign {
            Sign::Break if line.is_empty() => continue,
            Sign::Break | Sign::HardBreak => {
                field(out, &format!("{line}="));
                line.clear();
                continue;
            }
            Sign::Char('\r') if next == Some(&Sign::Char('\n')) => continue,
            Sign::Char('\r' | '\n') => {
                field(out, &line);
                line.clear();
                continue;
            }
            Sign::Char(c @ (' ' | '\t')) if !ends => c.to_string(),
            Sign::Char(c @ '!'..='~') if c != '=' => c.to_string(),
            Sign::Char(c) => hex(c),
        };
        if line.len() + encoded.len() > 75 {
            field(out, &format!("{line}="));
            line.clear();
        }
        line.push_str(if line.is_empty() && encoded == "." {
            "=2E"
        } else {
            &encoded
        });
    }
    out.extend_from_slice(line.as_bytes());
}

fn hex(c: char) -> String {
    let mut bytes = [0; 4];
    c.encode_utf8(&mut bytes)
        .bytes()
        .map(|byte| format!("={byte:02X}"))
        .collect()
}
