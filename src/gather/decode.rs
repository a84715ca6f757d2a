//! Bytes to text: byte order mark, then what HTTP said, then what the document says of itself.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The kind of document, which decides how it states its own encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// `<?xml … encoding="…"?>`.
    Xml,
    /// `<meta charset="…">` and its older form.
    Html,
}

/// The text of a document; what can't be decoded becomes U+FFFD. The byte order mark and an XML
/// declaration are taken off, because after decoding both would be wrong.
pub fn to_text(bytes: &[u8], http_charset: Option<&str>, markup: Markup) -> String {
    let encoding = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| http_charset.and_then(|label| Encoding::for_label(label.trim().as_bytes())))
        .or_else(|| without_mark(bytes))
        .or_else(|| declared(bytes, markup))
        .unwrap_or(UTF_8);
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    let text = text.trim_start_matches('\u{FEFF}');
    if let Some(rest) = text.trim_start().strip_prefix("<?xml")
        && rest.starts_with(char::is_whitespace)
        && let Some((_, rest)) = rest.split_once("?>")
    {
        return rest.to_owned();
    }
    text.to_owned()
}

/// The `charset` of a `Content-Type`.
pub fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    })
}

/// UTF-16 without a byte order mark: every document here begins with `<` or `{` (or white space).
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, b'<' | b'{' | b'\n' | b' ', ..] => Some(UTF_16BE),
        [b'<' | b'{' | b'\n' | b' ', 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

fn declared(bytes: &[u8], markup: Markup) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024))?).to_ascii_lowercase();
    let (scope, key) = match markup {
        Markup::Xml => (
            head.trim_start().strip_prefix("<?xml")?.split("?>").next()?,
            "encoding",
        ),
        Markup::Html => (
            head.split("<meta")
                .skip(1)
                .find(|meta| meta.contains("charset"))?,
            "charset",
        ),
    };
    let (_, value) = scope.split_once(key)?;
    let value = value
        .trim_start()
        .strip_prefix('=')?
        .trim_start()
        .trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(value.len());
    let encoding = Encoding::for_label(value.get(..end)?.as_bytes())?;
    // Bytes that could be read so far are not UTF-16, whatever they say.
    Some(if encoding == UTF_16BE || encoding == UTF_16LE {
        UTF_8
    } else {
        encoding
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn mark_then_http_then_declaration() {
        let xml = |bytes: &[u8], charset| to_text(bytes, charset, Markup::Xml);
        assert_eq!(
            xml(
                "<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>".as_bytes(),
                Some("utf-8")
            ),
            "<a>é</a>"
        );
        assert_eq!(
            xml(b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>\xe9</a>", None),
            "<a>é</a>"
        );
        assert_eq!(
            xml(
                b"\xEF\xBB\xBF<?xml version='1.0' encoding='latin1'?><a>\xc3\xa9</a>",
                Some("latin1")
            ),
            "<a>é</a>"
        );
        assert_eq!(xml("<a>é</a>".as_bytes(), Some("no-such-charset")), "<a>é</a>");
        for big in [true, false] {
            let text = "<?xml version='1.0' encoding='UTF-16'?><a>é😀</a>";
            assert_eq!(xml(&utf16(text, big), None), "<a>é😀</a>");
            assert_eq!(
                xml(&utf16(&format!("\u{FEFF}{text}"), big), Some("utf-8")),
                "<a>é😀</a>"
            );
        }
        assert_eq!(
            xml(b"<?xml version='1.0' encoding='UTF-16'?><a>\xc3\xa9</a>", None),
            "<a>é</a>"
        );
    }

    #[test]
    fn html_states_it_in_a_meta_element() {
        let html = b"<html><meta name=x content=y><META http-equiv=Content-Type content=\"text/html; charset=windows-1252\">\x80";
        assert!(to_text(html, None, Markup::Html).ends_with('€'));
        assert_eq!(charset_of("text/html; Charset=\"UTF-8\""), Some("UTF-8"));
        assert_eq!(charset_of("text/html"), None);
    }
}
