//! The header field that carries a DKIM signature (RFC 6376 3.5), folded while it is written.

/// RFC 5322 recommends lines of at most 78.
const LINE: usize = 78;
const FIELD: &str = "DKIM-Signature";
/// What a field with 2048 bits has, in octets.
const USUAL: usize = 1024;

/// The field while it is written: lines break before a space, and nowhere else does white space stand in
/// front of a line end, so that its relaxed form is the same text without line ends.
pub(super) struct Folded {
    text: String,
    /// Where the last line begins.
    line: usize,
}

impl Folded {
    pub(super) fn new() -> Self {
        let mut field = String::with_capacity(USUAL);
        field.push_str(FIELD);
        field.push(':');
        Self { text: field, line: 0 }
    }

    fn column(&self) -> usize {
        self.text.len() - self.line
    }

    fn end_line(&mut self) {
        self.text.push_str("\r\n");
        self.line = self.text.len();
    }

    /// A space and `word`, on a new line when this one would be too long.
    pub(super) fn word(&mut self, word: &str) {
        if self.column() + 1 + word.len() > LINE {
            self.end_line();
        }
        self.text.push(' ');
        self.text.push_str(word);
    }

    pub(super) fn tags(&mut self, tags: &str) {
        tags.split(' ').for_each(|tag| self.word(tag));
    }

    /// Names with colons between.
    pub(super) fn list(&mut self, tag: &str, names: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            let end = if index + 1 == names.len() { ';' } else { ':' };
            if index == 0 {
                self.word(&format!("{tag}{name}{end}"));
            } else if self.column() + name.len() + 1 > LINE {
                self.word(&format!("{name}{end}"));
            } else {
                self.text.push_str(name);
                self.text.push(end);
            }
        }
    }

    /// Text that may break anywhere.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let room = LINE.saturating_sub(self.column()).min(rest.len());
            let (line, more) = rest.split_at(room);
            self.text.push_str(line);
            if !more.is_empty() {
                self.end_line();
                self.text.push(' ');
            }
            rest = more;
        }
    }

    /// Appends the relaxed form (RFC 6376 3.4.2), without the line end as the signature's own field has none.
    pub(super) fn relaxed(&self, data: &mut Vec<u8>) {
        let value = self.text.get(FIELD.len() + 1..).unwrap_or_default();
        data.extend(FIELD.bytes().map(|byte| byte.to_ascii_lowercase()));
        data.push(b':');
        data.extend(value.trim_start().bytes().filter(|byte| !b"\r\n".contains(byte)));
    }

    /// The whole field with its line end.
    pub(super) fn end(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}
