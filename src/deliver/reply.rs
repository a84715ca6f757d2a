//! What a relay says (RFC 5321, 4.2), read from whatever bytes it sends.

use std::borrow::Cow;
use std::fmt;

use crate::domain::address::mask;
use crate::domain::text::one_line;

/// A relay's text is kept up to this length.
const LONGEST_TEXT: usize = 500;
/// A reply above this is no reply.
const LONGEST_REPLY: usize = 64 * 1024;

/// A reply as it is judged and recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// The enhanced status code (RFC 3463), when it agrees with the code.
    pub enhanced: Option<(u8, u16, u16)>,
    /// One line of at most 500 characters. It may hold a reader's address: for the ledger, not for logs.
    pub text: String,
}

impl Reply {
    /// A reply of these lines (without their codes).
    pub fn new(code: u16, lines: &[impl AsRef<str>]) -> Self {
        let first = lines.first().map(AsRef::as_ref).unwrap_or_default();
        let word = first.split_whitespace().next().unwrap_or_default();
        let enhanced = enhanced(word).filter(|status| u16::from(status.0) == code / 100);
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let line = line.as_ref();
            // Every line repeats the enhanced code; once is enough to read.
            let line = match line.strip_prefix(word) {
                Some(rest)
                    if index > 0 && enhanced.is_some() && (rest.is_empty() || rest.starts_with(' ')) =>
                {
                    rest
                }
                _ => line,
            };
            text.push(' ');
            text.push_str(line);
        }
        Self {
            code,
            enhanced,
            text: tidy(&text),
        }
    }

    /// The first digit of the code.
    pub fn class(&self) -> u16 {
        self.code / 100
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} {})", self.code, hide_addresses(&self.text))
    }
}

/// One line without control characters, cut at 500 characters.
pub fn tidy(text: &str) -> String {
    one_line(text).chars().take(LONGEST_TEXT).collect()
}

/// `text` with every address in it masked, for logs.
pub fn hide_addresses(text: &str) -> String {
    replace_addresses(text, mask)
}

/// `text` with `by(address)` in the place of every address in it.
pub fn replace_addresses(text: &str, by: impl Fn(&str) -> String) -> String {
    let outside = |c: char| c.is_whitespace() || "<>()[]{},;:\"'".contains(c);
    let mut hidden = String::with_capacity(text.len());
    for piece in text.split_inclusive(outside) {
        let end = piece.trim_end_matches(outside).len();
        let (word, tail) = piece.split_at(end);
        // Relays write links with the address in them.
        if ["@", "%40", "=40"].iter().any(|at| word.contains(at)) {
            hidden.push_str(&by(word));
        } else {
            hidden.push_str(word);
        }
        hidden.push_str(tail);
    }
    hidden
}

/// The lines of one reply as they came, without codes and line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Lines {
    /// The reply in the form that lettre reads: ASCII, CRLF, no blank line, no unknown second digit.
    pub(super) fn normalised(&self) -> Vec<u8> {
        // RFC 5321 4.3.2: an unknown code means what its first digit means; lettre knows 0 to 5.
        let code = match self.code / 10 % 10 {
            0..=5 => self.code,
            _ => self.code / 100 * 100 + 50 + self.code % 10,
        };
        let mut bytes = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let separator = if index + 1 < self.lines.len() { '-' } else { ' ' };
            let text: String = line
                .chars()
                .filter(|c| *c == ' ' || c.is_ascii_graphic())
                .take(500)
                .collect();
            let text = text.trim();
            let text = if text.is_empty() { "-" } else { text };
            bytes.extend_from_slice(format!("{code}{separator}{text}\r\n").as_bytes());
        }
        bytes
    }
}

/// Takes one whole reply from the front of `raw`; none while it is not complete.
///
/// Takes a bare code, any line end with an LF, and Latin-1 where UTF-8 does not fit.
///
/// # Errors
/// Says what is no reply; nothing after it can be trusted.
pub(super) fn take(raw: &mut Vec<u8>) -> Result<Option<Lines>, String> {
    let mut lines = Vec::new();
    let mut code = None;
    let mut rest = raw.as_slice();
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        let line = decode(line);
        let (this, last, text) =
            split(&line).ok_or_else(|| format!("no SMTP reply: {:?}", hide_addresses(&tidy(&line))))?;
        if *code.get_or_insert(this) != this {
            return Err(format!(
                "one reply with two codes: {:?}",
                hide_addresses(&tidy(&line))
            ));
        }
        lines.push(text.to_owned());
        if last {
            let used = raw.len() - rest.len();
            raw.drain(..used);
            return Ok(Some(Lines { code: this, lines }));
        }
    }
    if raw.len() > LONGEST_REPLY {
        return Err(format!("a reply of more than {LONGEST_REPLY} octets"));
    }
    // Garbage that never ends its line is recognised by its first octets.
    let begun = rest.iter().take(3).all(u8::is_ascii_digit);
    if begun {
        Ok(None)
    } else {
        Err(format!("no SMTP reply: {:?}", tidy(&decode(rest))))
    }
}

fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text.trim_end()),
        Err(_) => {
            let text: String = line.iter().map(|&byte| char::from(byte)).collect();
            Cow::Owned(text.trim_end().to_owned())
        }
    }
}

/// Code, whether it is the last line, and the text.
fn split(line: &str) -> Option<(u16, bool, &str)> {
    let code: u16 = line
        .get(..3)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?
        .parse()
        .ok()?;
    let rest = line.get(3..)?;
    let last = match rest.chars().next() {
        None | Some(' ' | '\t') => true,
        Some('-') => false,
        Some(_) => return None,
    };
    (200..600)
        .contains(&code)
        .then(|| (code, last, rest.get(1..).unwrap_or_default().trim()))
}

fn enhanced(word: &str) -> Option<(u8, u16, u16)> {
    let mut parts = word.split('.');
    let status = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    (parts.next().is_none() && matches!(status.0, 2 | 4 | 5)).then_some(status)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(bytes: &[u8]) -> (Result<Option<Lines>, String>, Vec<u8>) {
        let mut raw = bytes.to_vec();
        let taken = take(&mut raw);
        (taken, raw)
    }

    #[test]
    fn reads_what_relays_really_send() {
        for (bytes, code, text) in [
            (&b"250 ok\r\n"[..], 250, "ok"),
            (b"550\r\n", 550, ""),
            (b"550 no\n", 550, "no"),
            (b"550\tno\r\r\n", 550, "no"),
            (
                b"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n",
                550,
                "5.1.1 no such user",
            ),
            (b"550-a\n550\n", 550, "a"),
            (b"550 bo\xeete\r\n", 550, "bo\u{ee}te"),
            (b"571 no\x07\x1b[31m\r\n", 571, "no[31m"),
        ] {
            let (taken, rest) = read(bytes);
            let lines = taken.unwrap().unwrap();
            let reply = Reply::new(lines.code, &lines.lines);
            assert_eq!((reply.code, reply.text.as_str()), (code, text));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn leaves_the_next_reply_and_waits_for_the_rest() {
        let (taken, rest) = read(b"250-a\r\n250 b\r\n354 go\r\n");
        assert_eq!(taken.unwrap().unwrap().lines, ["a", "b"]);
        assert_eq!(rest, b"354 go\r\n");
        for part in [&b""[..], b"2", b"250", b"250 ok", b"250-ok\r\n", b"250-ok\r\n25"] {
            assert_eq!(read(part).0, Ok(None), "{part:?}");
        }
    }

    #[test]
    fn refuses_garbage() {
        for bytes in [
            &b"hello\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\n",
            b"2500 ok\r\n",
            b"250-a\r\n550 b\r\n",
            b"150 ok\r\n",
            b"650 ok\r\n",
            b"\r\n",
            b"x",
            b"\x16\x03\x01",
        ] {
            assert!(read(bytes).0.is_err(), "{bytes:?}");
        }
        assert!(
            read(&[b"250-", vec![b'a'; 70_000].as_slice()].concat())
                .0
                .is_err()
        );
    }

    #[test]
    fn enhanced_codes_must_agree_with_the_code() {
        assert_eq!(Reply::new(550, &["5.1.1 x"]).enhanced, Some((5, 1, 1)));
        assert_eq!(Reply::new(550, &["4.1.1 x"]).enhanced, None);
        assert_eq!(Reply::new(550, &["5.1 x"]).enhanced, None);
    }

    #[test]
    fn hides_addresses_in_logs() {
        let reply = Reply::new(
            550,
            &[
                "5.1.1 <ann@example.org>: Recipient bob@example.com, see http://x.example/?a=ann%40example.org",
            ],
        );
        assert!(reply.text.contains("ann@example.org"));
        assert_eq!(
            format!("{reply:?}"),
            "Reply(550 5.1.1 <a***@e***.org>: Recipient b***@e***.com, see http:/***)"
        );
    }

    #[test]
    fn what_lettre_gets_is_harmless() {
        let lines = Lines {
            code: 599,
            lines: vec!["   ".into(), "bo\u{ee}te".into()],
        };
        assert_eq!(lines.normalised(), b"559--\r\n559 bote\r\n");
    }
}
