//! Where a reader's own values go: a mail is rendered once for many readers and cut at these places.

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
