//! Where a reader's own values go: a mail is rendered once for many readers and cut at these places.
//!
//! A mail that uses them in logic is rendered with the values themselves, each between its marker and
//! [`END`]. [`collapse`] then leaves the marker alone, so that both ways are the same from there on.

use serde_json::Value;

use crate::domain::text::{is_allowed, strip_illegal};

/// What a reader's values are called together in templates.
pub(super) const READER: &str = "reader";

/// Stands after a value that is given together with its marker.
const END: char = '\u{FDD3}';

/// A value that differs from reader to reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The reader's name.
    Name,
    /// The https address that unsubscribes this reader.
    UnsubscribeUrl,
    /// The https address of this reader's preferences.
    PreferencesUrl,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 3] = [Self::Name, Self::UnsubscribeUrl, Self::PreferencesUrl];

    /// Stands for the value while a template is rendered: a noncharacter, which no content holds.
    pub(super) const fn marker(self) -> char {
        match self {
            Self::Name => '\u{FDD0}',
            Self::UnsubscribeUrl => '\u{FDD1}',
            Self::PreferencesUrl => '\u{FDD2}',
        }
    }

    /// `value` between its markers; a missing or blank one stays empty, so that templates can ask for it.
    pub(super) fn marked(self, value: &str) -> String {
        let value = strip_illegal(value);
        if value.trim().is_empty() {
            return String::new();
        }
        format!("{}{value}{END}", self.marker())
    }

    /// The slot that `c` stands for.
    pub(super) fn of_marker(c: char) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.marker() == c)
    }

    /// The longest value that a mail's size is reckoned with, in bytes.
    pub(super) const fn allowance(self) -> usize {
        match self {
            Self::Name => 300,
            Self::UnsubscribeUrl | Self::PreferencesUrl => 200,
        }
    }
}

/// A part of a rendered mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The same for every reader.
    Literal(String),
    /// Filled in for each reader; escaped for HTML in the HTML part, as it is in the text part.
    Slot(Slot),
}

/// Leaves of every value that [`Slot::marked`] wrote its marker alone, however it was escaped since.
pub(super) fn collapse(rendered: String) -> String {
    if !rendered.contains(END) {
        return rendered;
    }
    let mut inside = false;
    rendered
        .chars()
        .filter(|&c| {
            let shown = !inside;
            inside = match c {
                END => false,
                _ => inside || Slot::of_marker(c).is_some(),
            };
            shown
        })
        .collect()
}

/// Takes the markers out of `value` and of everything in it.
pub(super) fn unmark(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != END && Slot::of_marker(c).is_none()),
        Value::Array(values) => values.iter_mut().for_each(unmark),
        Value::Object(values) => values.values_mut().for_each(unmark),
        _ => {}
    }
}

/// What was rendered as one trimmed line, as `text::one_line` makes it, with its markers.
pub(super) fn one_line(rendered: &str) -> String {
    let kept: String = rendered
        .chars()
        .filter(|&c| is_allowed(c) || Slot::of_marker(c).is_some())
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts what was rendered at the markers.
pub(super) fn cut(rendered: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    for c in rendered.chars() {
        match Slot::of_marker(c) {
            Some(slot) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Slot(slot));
            }
            None => literal.push(c),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// The size in bytes that a mail part can reach once its slots are filled.
pub(super) fn filled_size(rendered: &str) -> usize {
    rendered
        .chars()
        .map(|c| Slot::of_marker(c).map_or(c.len_utf8(), Slot::allowance))
        .sum()
}
