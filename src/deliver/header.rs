//! Header fields (RFC 5322): folded, in ASCII, and nothing in a value can start another field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::quoted::hex_digit;
use crate::domain::EmailAddress;
use crate::domain::text::one_line;

/// RFC 5322 recommends lines of at most 78.
pub(super) const LINE: usize = 78;
/// RFC 2047 allows 76 where an encoded-word stands.
const ENCODED_LINE: usize = 76;
/// `=?utf-8?B?` and `?=`.
const AROUND: usize = 12;
/// An encoded-word holds at most 75 characters.
const PAYLOAD: usize = 75 - AROUND;
/// Longer words are encoded so that they can be folded.
const LONG_WORD: usize = 60;

/// A field of free text, such as `Subject`.
///
/// Line ends and control characters in `value` become spaces or vanish.
pub(super) fn unstructured(out: &mut Vec<u8>, name: &str, value: &str) {
    start(out, name);
    let value = one_line(value);
    if needs_encoding(&value) {
        encoded_words(out, &value);
    } else {
        folded_words(out, &value);
    }
    out.extend_from_slice(b"\r\n");
}

/// A field with an optional name and something in angle brackets: a mailbox, or `List-Id`.
pub(super) fn with_angle(out: &mut Vec<u8>, name: &str, phrase: Option<&str>, angle: &str) {
    start(out, name);
    let phrase = one_line(phrase.unwrap_or_default());
    if phrase.is_empty() {
        out.push(b'<');
        out.extend_from_slice(angle.as_bytes());
        out.push(b'>');
    } else {
        write_phrase(out, &phrase);
        let fits = column(out) + angle.len() + 3 <= LINE;
        out.extend_from_slice(if fits { b" <" } else { b"\r\n <" });
        out.extend_from_slice(angle.as_bytes());
        out.push(b'>');
    }
    out.extend_from_slice(b"\r\n");
}

/// The address of `To`, on a line of its own when it would pass the recommended length.
pub(super) fn address(out: &mut Vec<u8>, to: &EmailAddress) {
    let (local, domain) = (to.local(), to.domain());
    let fits = "To: @".len() + local.len() + domain.len() <= LINE;
    out.extend_from_slice(if fits { b" " } else { b"\r\n " });
    out.extend_from_slice(local.as_bytes());
    out.push(b'@');
    out.extend_from_slice(domain.as_bytes());
}

/// A field whose value the caller has checked: printable ASCII, short.
pub(super) fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    start(out, name);
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes `<value>`, on a line of its own when it would pass the recommended length.
pub(super) fn angle(out: &mut Vec<u8>, value: &str) {
    if column(out) + value.len() + 3 > LINE {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b" <");
    out.extend_from_slice(value.as_bytes());
    out.push(b'>');
}

fn start(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
}

/// Bytes since the last line end.
fn column(out: &[u8]) -> usize {
    out.iter().rev().take_while(|&&byte| byte != b'\n').count()
}

fn needs_encoding(value: &str) -> bool {
    !value.is_ascii() || value.contains("=?") || value.split(' ').any(|word| word.len() > LONG_WORD)
}

fn folded_words(out: &mut Vec<u8>, value: &str) {
    for (index, word) in value.split(' ').enumerate() {
        if index > 0 {
            let fits = column(out) + 1 + word.len() <= LINE;
            out.extend_from_slice(if fits { b" " } else { b"\r\n " });
        }
        out.extend_from_slice(word.as_bytes());
    }
}

fn write_phrase(out: &mut Vec<u8>, phrase: &str) {
    let atom = |c: char| c == ' ' || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if needs_encoding(phrase) || phrase.len() > LONG_WORD {
        encoded_words(out, phrase);
    } else if phrase.chars().all(atom) {
        out.extend_from_slice(phrase.as_bytes());
    } else {
        out.push(b'"');
        for byte in phrase.bytes() {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

/// Encoded-words of RFC 2047, one a line; no character is split, and the shorter encoding is taken.
fn encoded_words(out: &mut Vec<u8>, text: &str) {
    let encoding = if q_length(text) <= b_length(text) {
        b'Q'
    } else {
        b'B'
    };
    let length = |chunk: &str| match encoding {
        b'Q' => q_length(chunk),
        _ => b_length(chunk),
    };
    let mut chunk = String::new();
    for c in text.chars() {
        let room = ENCODED_LINE.saturating_sub(column(out) + AROUND).min(PAYLOAD);
        chunk.push(c);
        if length(&chunk) > room && chunk.len() > c.len_utf8() {
            chunk.pop();
            encoded_word(out, encoding, &chunk);
            out.extend_from_slice(b"\r\n ");
            chunk.clear();
            chunk.push(c);
        }
    }
    encoded_word(out, encoding, &chunk);
}

fn encoded_word(out: &mut Vec<u8>, encoding: u8, chunk: &str) {
    out.extend_from_slice(b"=?utf-8?");
    out.push(encoding);
    out.push(b'?');
    if encoding == b'Q' {
        for byte in chunk.bytes() {
            match byte {
                b' ' => out.push(b'_'),
                _ if q_literal(byte) => out.push(byte),
                _ => out.extend_from_slice(&[b'=', hex_digit(byte >> 4), hex_digit(byte & 15)]),
            }
        }
    } else {
        out.extend_from_slice(STANDARD.encode(chunk).as_bytes());
    }
    out.extend_from_slice(b"?=");
}

/// The narrow set that RFC 2047 5(3) allows in a phrase serves everywhere.
fn q_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte)
}

fn q_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| if byte == b' ' || q_literal(byte) { 1 } else { 3 })
        .sum()
}

fn b_length(text: &str) -> usize {
    text.len().div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn subject(value: &str) -> String {
        let mut out = Vec::new();
        unstructured(&mut out, "Subject", value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_stays_readable() {
        assert_eq!(
            subject("Weekly digest: 3 new summaries"),
            "Subject: Weekly digest: 3 new summaries\r\n"
        );
        let folded = subject(&"words and ".repeat(20));
        assert!(folded.lines().all(|line| line.len() <= 78), "{folded}");
        assert!(
            folded
                .lines()
                .skip(1)
                .all(|line| line.starts_with(" w") || line.starts_with(" a"))
        );
    }

    #[test]
    fn a_value_cannot_start_a_field() {
        assert_eq!(
            subject("a\r\nBcc: x@example.org\0"),
            "Subject: a Bcc: x@example.org\r\n"
        );
        let mut out = Vec::new();
        with_angle(&mut out, "From", Some("Ann\"\r\nBcc: x"), "ann@example.org");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "From: \"Ann\\\" Bcc: x\" <ann@example.org>\r\n"
        );
    }

    #[test]
    fn what_looks_encoded_is_encoded() {
        assert_eq!(
            subject("=?utf-8?Q?x?="),
            "Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=\r\n"
        );
    }

    proptest! {
        #[test]
        fn decodes_to_what_went_in(value in "\\PC{1,200}", crafted in "[a =?_\"\\\\.,<>@:;()é\u{5d0}\u{1F600}\u{200D}]{1,120}") {
            for value in [value, crafted] {
                let wanted = one_line(&value);
                if wanted.is_empty() { continue; }
                let mut out = Vec::new();
                unstructured(&mut out, "Subject", &value);
                with_angle(&mut out, "From", Some(&value), "ann@example.org");
                out.extend_from_slice(b"\r\nbody\r\n");
                let text = String::from_utf8(out.clone()).unwrap();
                prop_assert!(text.is_ascii());
                prop_assert!(text.split("\r\n").all(|line| line.len() <= 78), "{}", text);
                let parsed = mail_parser::MessageParser::default().parse(&out).unwrap();
                prop_assert_eq!(parsed.headers().len(), 2);
                prop_assert_eq!(parsed.subject().unwrap_or_default(), wanted.as_str());
                let from = parsed.from().unwrap().first().unwrap();
                prop_assert_eq!(from.name().unwrap_or_default(), wanted.as_str());
                prop_assert_eq!(from.address().unwrap(), "ann@example.org");
            }
        }
    }
}
