//! Characters that must not travel, what XML 1.0 forbids and what this program keeps for itself; and those
//! that are written in another way.

/// Whether XML 1.0 allows `c` and it is no Unicode noncharacter (slots of a template are marked by those).
pub fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{7E}' | '\u{85}' | '\u{A0}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}')
        || (c >= '\u{10000}' && (c as u32 & 0xFFFF) < 0xFFFE)
}

/// `text` without the characters that [`is_allowed`] refuses.
pub fn strip_illegal(text: &str) -> String {
    text.chars().filter(|&c| is_allowed(c)).collect()
}

/// One trimmed line: illegal characters dropped, every run of white space one space.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().filter(|&c| is_allowed(c)) {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// `bytes` in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `text` for the inside of an element or of a quoted attribute of HTML.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_an_attribute() {
        assert_eq!(escape_html("a&b <\"c'>é"), "a&amp;b &lt;&quot;c&#39;&gt;é");
        assert_eq!(hex(&[0, 0x0F, 0xA0]), "000fa0");
    }

    #[test]
    fn drops_what_xml_forbids() {
        assert_eq!(
            strip_illegal("a\u{1}b\u{FFFE}c\u{FDD0}\n\u{1F600}"),
            "abc\n\u{1F600}"
        );
    }

    #[test]
    fn folds_white_space_to_one_line() {
        assert_eq!(one_line("  a\r\n\tb\u{0}\u{A0} c "), "a b c");
    }
}
