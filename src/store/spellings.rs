//! The ways in which an address is written in texts, and how they are found there.

use std::collections::BTreeSet;

/// The ways in which a person's address is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spellings {
    /// In lower case, to the letter.
    forms: BTreeSet<String>,
    /// What LIKE finds all of them by, in lower case: one look serves every form.
    patterns: BTreeSet<String>,
    /// Whether messages that name it are the person's.
    of_messages: bool,
}

impl Spellings {
    /// Of somebody of whom nothing stays: what they wrote to the admins goes too.
    pub fn of_person(addresses: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all = Self {
            forms: BTreeSet::new(),
            patterns: BTreeSet::new(),
            of_messages: true,
        };
        for address in addresses {
            all.forms.extend(forms(address.as_ref()));
            all.patterns.insert(pattern(address.as_ref()));
        }
        all
    }

    /// Of an address that its reader gave up for another one: only what relays said goes.
    pub fn given_up(address: &str) -> Self {
        Self {
            of_messages: false,
            ..Self::of_person([address])
        }
    }

    /// A condition that `columns` meet which may hold a spelling; its patterns are bound from `$first` on.
    pub(super) fn like(&self, columns: &[&str], first: usize) -> String {
        let mut any = Vec::new();
        for n in first..first + self.patterns.len() {
            any.extend(columns.iter().map(|column| format!("lower({column}) LIKE ${n}")));
        }
        any.join(" OR ")
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(String::as_str)
    }

    /// Whether one of them stands anywhere in `text`.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.any(text, |text, form| text.contains(form))
    }

    /// Whether `text` is of this person, who is not somebody whose address merely ends or begins like theirs.
    pub(super) fn are_meant_by(&self, text: &str) -> bool {
        self.of_messages && self.any(text, names)
    }

    /// Whether `is_there` holds for `text` as it is, or with its percent-encoding undone.
    fn any(&self, text: &str, is_there: fn(&str, &str) -> bool) -> bool {
        let text = text.to_lowercase();
        let decoded = decoded(&text);
        let both = [text.as_str(), decoded.as_str()];
        self.forms
            .iter()
            .any(|form| both.iter().any(|text| is_there(text, form)))
    }
}

/// `text` with every `%40` and the like as the character that it means; what means none stays.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..2)
            .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if byte.is_ascii() => {
                decoded.push(char::from(byte.to_ascii_lowercase()));
                decoded.push_str(part.get(2..).unwrap_or_default());
            }
            _ => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

/// Whether `text` holds `form` as a whole: no character of an address stands before or behind it.
fn names(text: &str, form: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "!#$&*+/=?^_`{|}~-.%".contains(c);
    text.match_indices(form).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let mut behind = text.get(at + form.len()..).unwrap_or_default().chars();
        let ends = match behind.next() {
            // A full stop ends a sentence, unless the domain goes on.
            Some('.') => !behind.next().is_some_and(char::is_alphanumeric),
            next => !next.is_some_and(goes_on),
        };
        !before.is_some_and(goes_on) && ends
    })
}

/// The ways in which an address is written, in lower case, beside percent-encoding: as it is, and in JSON.
fn forms(address: &str) -> [String; 2] {
    let address = address.to_lowercase();
    let in_json = address.replace('\\', "\\\\").replace('"', "\\\"");
    [address, in_json]
}

/// What LIKE finds every form of an address by: its letters and digits, with anything in between.
fn pattern(address: &str) -> String {
    let mut pattern = String::from("%");
    for c in address.chars() {
        if c.is_ascii_alphanumeric() {
            pattern.push(c.to_ascii_lowercase());
        } else if !pattern.ends_with('%') {
            pattern.push('%');
        }
    }
    if !pattern.ends_with('%') {
        pattern.push('%');
    }
    pattern
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_finds_every_form_and_has_no_wildcard_from_outside() {
        let address = "Ann_B%x!+y@readers-1.net";
        let pattern = pattern(address);
        assert_eq!(pattern, "%ann%b%x%y%readers%1%net%");
        let spellings = Spellings::of_person([address]);
        for (text, stands) in [
            ("<Ann_B%x!+y@Readers-1.net>", true),
            ("?to=ann_b%25x%21%2by%40readers-1.net", true),
            ("?to=ANN%5Fb%25x%21%2By%40readers%2D1%2Enet&x=%", true),
            ("ann_b%x!+y%40readers%2d1.net", true),
            ("annxb%25x%21%2by%40readers-1.net", false),
            ("%%4%zz%e4 ann b x y readers 1 net", false),
        ] {
            assert_eq!(spellings.stand_in(text), stands, "{text}");
            let (mut rest, mut is_found) = (text.to_lowercase(), true);
            for part in pattern.split('%') {
                match rest.split_once(part) {
                    Some((_, behind)) => rest = behind.to_owned(),
                    None => is_found = false,
                }
            }
            assert!(is_found || !stands, "{text}");
        }
    }

    #[test]
    fn two_cases_of_an_address_are_one_pattern() {
        let spellings = Spellings::of_person(["Ann@readers.net", "ann@readers.net"]);
        assert_eq!(spellings.patterns().collect::<Vec<_>>(), ["%ann%readers%net%"]);
        assert_eq!(
            spellings.like(&["text", "data"], 3),
            "lower(text) LIKE $3 OR lower(data) LIKE $3"
        );
    }

    #[test]
    fn what_a_pattern_finds_must_hold_the_address_to_the_letter() {
        let spellings = Spellings::of_person(["e@readers.net"]);
        for (text, stands) in [
            ("550 <E@Readers.net> is full", true),
            ("see ?who=e%40readers.net", true),
            ("the readers of the net", false),
        ] {
            assert_eq!(spellings.stand_in(text), stands, "{text}");
        }
    }

    #[test]
    fn a_message_is_of_an_address_that_is_erased_not_of_one_that_is_given_up() {
        let text = "{\"from\":\"E@readers.net\"}";
        assert!(Spellings::of_person(["e@readers.net"]).are_meant_by(text));
        assert!(!Spellings::given_up("e@readers.net").are_meant_by(text));
    }

    #[test]
    fn nobody_is_taken_for_somebody_whose_address_is_longer() {
        for (text, whole) in [
            ("{\"from\":\"e@readers.net\",\"text\":\"\"}", true),
            ("write to e@readers.net.", true),
            ("<e@readers.net>", true),
            ("e@readers.net", true),
            ("jane@readers.net", false),
            ("j.e@readers.net", false),
            ("e@readers.network", false),
            ("e@readers.net.example", false),
            ("jane@readers.net, e@readers.net", true),
        ] {
            assert_eq!(names(text, "e@readers.net"), whole, "{text}");
        }
    }
}
