//! What readers fill in: read, judged, and shown again as it was typed.

use super::super::App;
use crate::domain::subscriber::Choice;
use crate::domain::{EmailAddress, Slug, text};
use crate::render::{ChoicesContext, FaultContext, FieldContext, OptionContext};
use crate::schedule::words;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// What the forms for signing up and for changing one's choices have in common, as it was sent.
#[derive(Clone, Default)]
pub struct ReaderFields {
    /// The name.
    pub name: String,
    /// Names of digests.
    pub digests: Vec<String>,
    /// Slugs of categories.
    pub categories: Vec<String>,
    /// Whether mails should come as text only.
    pub text_only: bool,
}

/// The same, understood.
pub(super) struct Understood {
    pub(super) name: Option<String>,
    pub(super) digests: Vec<Slug>,
    pub(super) categories: Choice,
}

/// What is wrong with a form, in the order of its fields.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<FaultContext>);

impl Faults {
    /// The value, unless it has a fault, which is noted for the control `id`.
    pub(super) fn take<T>(&mut self, id: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|text| {
            let id = id.to_owned();
            self.0.push(FaultContext { id, text });
        })
        .ok()
    }

    /// What is wrong with the control `id`.
    pub(super) fn of(&self, id: &str) -> Option<String> {
        let found = self.0.iter().find(|fault| fault.id == id);
        found.map(|fault| fault.text.clone())
    }
}

/// A field that shows what was typed, with what is wrong with it.
pub(super) fn field(typed: &str, id: &str, faults: &Faults) -> FieldContext {
    FieldContext {
        value: typed.to_owned(),
        fault: faults.of(id),
    }
}

/// Reads a reader's address; what is wrong with it is said in plain words.
pub(super) fn read_address(typed: &str) -> Result<EmailAddress, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("Please write your mail address.".to_owned());
    }
    EmailAddress::parse(typed).map_err(|_| {
        let foreign = typed.rsplit_once('@').is_some_and(|(local, _)| !local.is_ascii());
        if foreign {
            "Before the @ stands a letter that most mail services do not take, such as ä or one of another \
             alphabet. Please write the address with the letters a to z."
        } else {
            "This is not a whole mail address. One looks like name@example.org."
        }
        .to_owned()
    })
}

/// Reads a name; `None` when it was left empty.
pub(super) fn read_name(typed: &str) -> Result<Option<String>, String> {
    let typed = typed.trim();
    let hidden = |c: char| {
        c.is_control()
            || !text::is_allowed(c)
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if typed.chars().any(hidden) {
        return Err("The name holds a sign that can't be shown. Please type it by hand.".to_owned());
    }
    let lower = typed.to_lowercase();
    if lower.contains("://") || lower.contains("www.") {
        return Err(
            "The name holds a web address. Please write only what our mails should call you.".to_owned(),
        );
    }
    if typed.chars().count() > LONGEST_NAME {
        return Err(format!(
            "The name is too long. Please use at most {LONGEST_NAME} letters."
        ));
    }
    Ok(Some(typed.to_owned()).filter(|name| !name.is_empty()))
}

/// Each of `sent` that is one of `known`, which must be all of them.
fn read_slugs<'k>(
    sent: &[String],
    known: impl Iterator<Item = &'k Slug> + Clone,
) -> Result<Vec<Slug>, String> {
    let mut found: Vec<Slug> = Vec::new();
    for sent in sent {
        let slug = known.clone().find(|slug| slug.as_str() == sent);
        let slug = slug.ok_or("One of your choices is not offered any more. Please choose again.")?;
        if !found.contains(slug) {
            found.push(slug.clone());
        }
    }
    Ok(found)
}

impl App {
    /// Reads the fields that both forms have; faults are noted. Whoever signs up needs a digest.
    pub(super) fn understand(
        &self,
        sent: &ReaderFields,
        need_digest: bool,
        faults: &mut Faults,
    ) -> Option<Understood> {
        let name = faults.take("name", read_name(&sent.name));
        let digests = read_slugs(&sent.digests, self.digests.iter().map(|digest| &digest.name));
        let digests = digests.and_then(|digests| {
            if need_digest && digests.is_empty() {
                return Err("Please choose at least one digest.".to_owned());
            }
            Ok(digests)
        });
        let digests = faults.take(&self.digests_id(), digests);
        let categories = read_slugs(
            &sent.categories,
            self.categories.iter().map(|category| &category.slug),
        );
        let categories = faults.take(&self.categories_id(), categories);
        Some(Understood {
            name: name?,
            digests: digests?,
            categories: categories?.into_iter().collect(),
        })
    }

    /// The digests to choose from.
    pub(super) fn digest_choices(&self, chosen: &[String], faults: &Faults) -> ChoicesContext {
        let option = |digest: &crate::domain::Digest| OptionContext {
            id: format!("digest-{}", digest.name),
            name: "digest".to_owned(),
            value: digest.name.to_string(),
            label: digest.title.clone(),
            description: words::how_often(&digest.schedule),
            chosen: chosen.iter().any(|name| name == digest.name.as_str()),
        };
        ChoicesContext {
            options: self.digests.iter().map(option).collect(),
            fault: faults.of(&self.digests_id()),
        }
    }

    /// The categories to choose from.
    pub(super) fn category_choices(&self, chosen: &[String], faults: &Faults) -> ChoicesContext {
        let option = |category: &crate::domain::Category| OptionContext {
            id: format!("category-{}", category.slug),
            name: "category".to_owned(),
            value: category.slug.to_string(),
            label: category.name.clone(),
            description: Some(category.description.clone()).filter(|text| !text.is_empty()),
            chosen: chosen.iter().any(|slug| slug == category.slug.as_str()),
        };
        ChoicesContext {
            options: self.categories.iter().map(option).collect(),
            fault: faults.of(&self.categories_id()),
        }
    }

    /// The control that a fault of the digests leads to: the first of them.
    fn digests_id(&self) -> String {
        let first = self.digests.first();
        first.map_or_else(|| "digest".to_owned(), |digest| format!("digest-{}", digest.name))
    }

    /// The control that a fault of the categories leads to: the first of them.
    fn categories_id(&self) -> String {
        let first = self.categories.first();
        first.map_or_else(
            || "category".to_owned(),
            |category| format!("category-{}", category.slug),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_read_in_one_way_and_refused_in_plain_words() {
        for (typed, understood) in [
            (" ann@example.org\r\n", "ann@example.org"),
            ("Ann@B\u{fc}cher.example", "Ann@xn--bcher-kva.example"),
            // A look-alike of another alphabet is shown as what it is.
            ("ann@ex\u{430}mple.org", "ann@xn--exmple-4nf.org"),
        ] {
            assert_eq!(read_address(typed).unwrap().full(), understood);
        }
        for (typed, said) in [
            ("", "Please write"),
            (" \t", "Please write"),
            ("ann", "not a whole"),
            ("ann@example.org\r\nBcc: bob@example.org", "not a whole"),
            ("ann\u{0}@example.org", "not a whole"),
            ("\u{430}nn@example.org", "a letter that"),
            ("ann@exam\u{0}ple.org", "not a whole"),
            (&format!("{}@example.org", "a".repeat(65)), "not a whole"),
            (&format!("a@{}org", "a.".repeat(10_000)), "not a whole"),
        ] {
            let fault = read_address(typed).map(|_| ()).unwrap_err();
            assert!(fault.contains(said), "{typed:?}: {fault}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_signs_that_can_be_seen() {
        for (typed, name) in [
            ("", None),
            ("  ", None),
            (" Ann O\u{2019}Neil ", Some("Ann O\u{2019}Neil")),
            ("\u{5f20}\u{4e09} <b>", Some("\u{5f20}\u{4e09} <b>")),
        ] {
            assert_eq!(read_name(typed).unwrap().as_deref(), name);
        }
        for wrong in [
            "Ann\r\nBcc: bob@example.org",
            "Ann\u{0}",
            "Win at https://example.org",
            "Ann, see WWW.example.org",
            "Ann\u{202E}nnA",
            "A\u{200B}nn",
            "Ann\u{FDD0}",
            &"n".repeat(101),
        ] {
            assert!(read_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
