//! Quoted-printable (RFC 2045, 6.7), written so that no line begins with a dot.
//!
//! A dot at the start of a line becomes `=2E`: what is written needs no dot-stuffing, and a folder
//! and a relay receive the same bytes.

/// The longest line without its soft break, so that `=` still makes it 76.
const ROOM: usize = 75;

/// A soft line break: the decoder drops it.
pub(super) const SOFT_BREAK: &[u8] = b"=\r\n";

/// What comes after a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// More text on the same line.
    More,
    /// A line break or the end of the body: white space before it must be encoded.
    LineEnd,
}

/// Appends encoded text to `out` and knows the column.
pub(super) struct Quoted<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
}

impl<'a> Quoted<'a> {
    /// Begins at the start of a line.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, column: 0 }
    }

    /// How many bytes `out` holds.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Ends the line with a soft break, unless nothing stands on it yet.
    pub(super) fn seam(&mut self) {
        if self.column > 0 {
            self.out.extend_from_slice(SOFT_BREAK);
            self.column = 0;
        }
    }

    /// Says that a value of unknown length now stands on the line.
    pub(super) fn passed_value(&mut self) {
        self.column = 1;
    }

    /// Encodes `text`; CR, LF and CR LF each become one CR LF.
    pub(super) fn text(&mut self, text: &str, after: After) {
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.bytes().position(|byte| !is_plain(byte));
            let mut plain = plain.unwrap_or(rest.len());
            // White space at the end of a line must be encoded, its last character at least.
            let line_ends = match rest.as_bytes().get(plain) {
                Some(next) => matches!(next, b'\r' | b'\n'),
                None => after == After::LineEnd,
            };
            if line_ends && matches!(rest.as_bytes().get(..plain), Some([.., b' ' | b'\t'])) {
                plain -= 1;
            }
            let (run, other) = rest.split_at_checked(plain).unwrap_or((rest, ""));
            self.plain(run.as_bytes());
            rest = other;
            let mut chars = rest.chars();
            match chars.next() {
                None => return,
                Some('\r') if chars.as_str().starts_with('\n') => {}
                Some('\r' | '\n') => {
                    self.out.extend_from_slice(b"\r\n");
                    self.column = 0;
                }
                Some(c) => self.encoded(c),
            }
            rest = chars.as_str();
        }
    }

    /// Characters that stand for themselves.
    fn plain(&mut self, mut run: &[u8]) {
        while let Some(&first) = run.first() {
            if self.column >= ROOM {
                self.seam();
            }
            if first == b'.' && self.column == 0 {
                self.encoded('.');
                run = run.get(1..).unwrap_or_default();
            }
            let room = run.len().min(ROOM - self.column);
            let (fits, more) = run.split_at_checked(room).unwrap_or((run, b""));
            self.out.extend_from_slice(fits);
            self.column += fits.len();
            run = more;
        }
    }

    /// One character in hexadecimal, never split across lines.
    fn encoded(&mut self, c: char) {
        if self.column + 3 * c.len_utf8() > ROOM {
            self.seam();
        }
        let mut buffer = [0u8; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            self.out
                .extend_from_slice(&[b'=', hex_digit(byte >> 4), hex_digit(byte & 15)]);
            self.column += 3;
        }
    }
}

/// Whether a byte stands for itself, but for a dot that begins a line and white space that ends one.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'<' | b'>'..=b'~' | b'\t')
}

/// The upper-case hexadecimal digit of a value below 16.
pub(super) fn hex_digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'A' + (value - 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        let mut out = Vec::new();
        Quoted::new(&mut out).text(text, After::LineEnd);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn encodes_what_would_not_survive() {
        for (plain, encoded) in [
            ("a=b", "a=3Db"),
            ("\u{e9}", "=C3=A9"),
            ("a \nb\t", "a=20\r\nb=09"),
            ("a\rb\r\nc\n\nd", "a\r\nb\r\nc\r\n\r\nd"),
            (".\n..\nx.", "=2E\r\n=2E.\r\nx."),
            ("\0\u{7f}", "=00=7F"),
            ("\u{1F600}", "=F0=9F=98=80"),
        ] {
            assert_eq!(encode(plain), encoded, "{plain:?}");
        }
    }

    #[test]
    fn wraps_at_76_and_no_wrapped_line_begins_with_a_dot() {
        for unit in [".", "a", "=", "\u{1F600}", "a ", ". "] {
            for line in encode(&unit.repeat(300)).split("\r\n") {
                assert!(line.len() <= 76, "{unit:?}: {}", line.len());
                assert!(!line.starts_with('.'), "{unit:?}: {line}");
            }
        }
    }
}
