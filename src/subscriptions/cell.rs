//! One cell of a list: how it is written, read, and shown in a message.

use crate::domain::address::mask;

/// A spreadsheet runs what begins with one of these.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// `text` as a cell that no spreadsheet runs: a `'` in front of it, as they do it themselves.
///
/// A text that begins with `'` gets one too, so that [`unguarded`] always gives back what was written.
pub(super) fn guarded(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with('\'') {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text of a cell, trimmed. A `'` goes only where [`guarded`] may have put it: `'t Hooft` keeps its own.
pub(super) fn unguarded(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) || rest.starts_with('\'') => rest,
        _ => cell,
    }
}

/// A cell as a message may show it: short, escaped, and masked when it may be an address in a wrong column.
pub(super) fn shown(cell: &str) -> String {
    if cell.contains('@') {
        return format!("{:?}", mask(cell));
    }
    let mut short: String = cell.chars().take(40).collect();
    if short.len() < cell.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_guarded_and_names_are_not_touched() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+4 Ann", "'+4 Ann"),
            ("'t Hooft", "''t Hooft"),
            ("''=1", "'''=1"),
            ("Ann", "Ann"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), cell);
            assert_eq!(unguarded(cell), text);
        }
        assert_eq!(unguarded(" 't Hooft "), "'t Hooft");
    }

    #[test]
    fn a_shown_cell_tells_no_address() {
        assert_eq!(shown("ann@example.org"), "\"a***@e***.org\"");
        assert_eq!(shown("a\nb"), "\"a\\nb\"");
        assert_eq!(shown(&"é".repeat(50)), format!("\"{}…\"", "é".repeat(40)));
    }

    proptest! {
        #[test]
        fn every_trimmed_text_comes_back(text in "['=+@-]{0,3}\\PC*") {
            let text = text.trim();
            let cell = guarded(text);
            prop_assert_eq!(unguarded(&cell), text);
            prop_assert!(!cell.starts_with(FORMULA));
        }
    }
}
