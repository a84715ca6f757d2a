//! The file as a whole: its sections, each handed out once, and the lines they stand in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{Environment, variable};
use super::nearest;
use super::section::Section;
use crate::domain::{Problem, Result};

/// What every section knows of the file.
#[derive(Clone, Copy)]
pub(super) struct Context<'d> {
    file: &'d Path,
    text: &'d str,
    /// The variables that replace keys.
    pub(super) environment: &'d Environment,
}

impl Context<'_> {
    /// `config.toml:12`, or the file alone when the span is empty.
    pub(super) fn place(&self, span: &Range<usize>) -> String {
        match self.text.get(..span.start) {
            Some(before) if !span.is_empty() => {
                format!("{}:{}", self.file.display(), before.matches('\n').count() + 1)
            }
            _ => self.file.display().to_string(),
        }
    }

    /// The folder at which paths in the file start.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }
}

/// Keys and values of one table, with their places in the file.
pub(super) type Entries<'d> = BTreeMap<String, (Range<usize>, Spanned<DeValue<'d>>)>;

/// The parsed file.
pub(super) struct Document<'d> {
    context: Context<'d>,
    sections: Entries<'d>,
    holds_password: bool,
}

impl<'d> Document<'d> {
    /// Parses the text of `file`.
    pub(super) fn parse(file: &'d Path, text: &'d str, environment: &'d Environment) -> Result<Self> {
        let context = Context {
            file,
            text,
            environment,
        };
        // The parser's own display quotes the line, which may hold a password.
        let table = DeTable::parse(text).map_err(|error| {
            let place = context.place(&error.span().unwrap_or_default());
            Problem::configuration(format!("{place}: not TOML: {}", error.message()))
                .hint("write key = value; text stands between double quotes")
        })?;
        let holds_password = table
            .get_ref()
            .values()
            .any(|value| has_password(value.get_ref()));
        Ok(Self {
            context,
            sections: entries(table.into_inner()),
            holds_password,
        })
    }

    /// Whether an address in the file carries a password.
    pub(super) fn holds_password(&self) -> bool {
        self.holds_password
    }

    /// Refuses a top-level name that is none of `known`, of which lists end in `[]`.
    pub(super) fn refuse_unknown_sections(&self, known: &[&str]) -> Result<()> {
        let names: Vec<&str> = known.iter().map(|name| name.trim_end_matches("[]")).collect();
        match self
            .sections
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, (span, _))) => Err(unknown_key(
                &self.context.place(span),
                name,
                name,
                &names,
                "sections",
            )),
        }
    }

    /// Takes the table `name`, empty when the file has none, and refuses keys that are not in `keys`.
    pub(super) fn section(&mut self, name: &str, keys: &'static [&'static str]) -> Result<Section<'d>> {
        let value = self.sections.remove(name);
        self.open(value, name.to_owned(), name.to_owned(), keys)
    }

    /// Takes the list of tables `name`, lengthened by those that only the environment names.
    pub(super) fn sections(&mut self, name: &str, keys: &'static [&'static str]) -> Result<Vec<Section<'d>>> {
        let in_file = match self.sections.remove(name) {
            None => Vec::new(),
            Some((span, value)) => match value.into_inner() {
                DeValue::Array(values) => values
                    .into_iter()
                    .map(|value| Some((span.clone(), value)))
                    .collect(),
                _ => {
                    return Err(Problem::configuration(format!(
                        "{}: expected a list of tables, got {name}",
                        self.context.place(&span)
                    ))
                    .hint(format!("write [[{name}]] above the keys of each {name}")));
                }
            },
        };
        let mut sections = Vec::new();
        let mut rest = in_file.into_iter();
        loop {
            let number = sections.len();
            let item = rest.next().flatten();
            let variables = format!("{name}.{number}");
            if item.is_none() && !self.context.environment.has(&variable(&variables, "")) {
                return Ok(sections);
            }
            sections.push(self.open(item, format!("{name}[{number}]"), variables, keys)?);
        }
    }

    fn open(
        &self,
        value: Option<(Range<usize>, Spanned<DeValue<'d>>)>,
        path: String,
        variables: String,
        keys: &'static [&'static str],
    ) -> Result<Section<'d>> {
        let (span, entries) = match value {
            None => (Range::default(), Entries::new()),
            Some((key_span, value)) => {
                let own = value.span();
                let span = if own.is_empty() { key_span } else { own };
                match value.into_inner() {
                    DeValue::Table(table) => (span, entries(table)),
                    _ => {
                        let place = self.context.place(&span);
                        return Err(
                            Problem::configuration(format!("{place}: expected a table, got {path}"))
                                .hint(format!("write [{path}] above its keys")),
                        );
                    }
                }
            }
        };
        for (key, (span, _)) in &entries {
            if !keys.contains(&key.as_str()) {
                let full = format!("{path}.{key}");
                let owner = format!("keys of {path}");
                return Err(unknown_key(&self.context.place(span), &full, key, keys, &owner));
            }
        }
        Ok(Section::new(self.context, path, variables, span, entries, keys))
    }
}

/// The entries of a table by key.
fn entries<'d>(table: DeTable<'d>) -> Entries<'d> {
    table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            (key.into_inner().into_owned(), (span, value))
        })
        .collect()
}

fn unknown_key(place: &str, full: &str, key: &str, known: &[&str], owner: &str) -> Problem {
    let near = nearest::to(key, known.iter().copied());
    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
    Problem::configuration(format!("{place}: unknown key {full}"))
        .hint(format!("{near}{owner}: {}", known.join(", ")))
}

/// Whether a value, or one inside it, is an address with a password.
fn has_password(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(text) => url::Url::parse(text).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        }),
        DeValue::Array(values) => values.iter().any(|value| has_password(value.get_ref())),
        DeValue::Table(table) => table.values().any(|value| has_password(value.get_ref())),
        _ => false,
    }
}
