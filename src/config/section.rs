//! One table while it is read: each getter takes a key's value from the environment or the file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::document::{Context, Entries};
use super::environment::variable;
use super::{below, duration};
use crate::domain::text::one_line;
use crate::domain::{Problem, Result};

/// The keys of one table. Blank text counts as not given.
pub(super) struct Section<'d> {
    context: Context<'d>,
    path: String,
    variables: String,
    span: Range<usize>,
    entries: Entries<'d>,
    keys: &'static [&'static str],
}

/// A value and where it stands.
struct Field<'d> {
    place: String,
    value: Raw<'d>,
}

/// What may be written as one text or as a list of them.
pub(super) enum TextOrList {
    Text(String),
    List(Vec<String>),
}

enum Raw<'d> {
    /// As TOML.
    File(DeValue<'d>),
    /// As the environment gives it.
    Variable(&'d str),
}

impl<'d> Section<'d> {
    pub(super) fn new(
        context: Context<'d>,
        path: String,
        variables: String,
        span: Range<usize>,
        entries: Entries<'d>,
        keys: &'static [&'static str],
    ) -> Self {
        Self {
            context,
            path,
            variables,
            span,
            entries,
            keys,
        }
    }

    /// Where the section stands, such as `config.toml:12: digest[0]`.
    pub(super) fn place(&self) -> String {
        format!("{}: {}", self.context.place(&self.span), self.path)
    }

    /// Where `key` stands or would stand; for errors found after it was read.
    pub(super) fn place_of(&self, key: &str) -> String {
        format!("{}.{key}", self.place())
    }

    /// An error about `key`, which is missing; `example` is TOML.
    pub(super) fn missing(&self, key: &str, example: &str) -> Problem {
        Problem::configuration(format!(
            "{}: missing key {}.{key}",
            self.context.place(&self.span),
            self.path
        ))
        .hint(format!("add {key} = {example}"))
    }

    fn take(&mut self, key: &'static str) -> Option<Field<'d>> {
        debug_assert!(self.keys.contains(&key), "{key} is not in the list of keys");
        let from_file = self.entries.remove(key);
        let name = variable(&self.variables, key);
        if let Some(value) = self.context.environment.get(&name) {
            return Some(Field {
                place: format!("environment variable {name}"),
                value: Raw::Variable(value),
            });
        }
        from_file.map(|(span, value)| Field {
            place: format!("{}: {}.{key}", self.context.place(&span), self.path),
            value: Raw::File(value.into_inner()),
        })
    }

    /// Text that `parse` turns into a value; its error is given the place.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        let text = match &field.value {
            Raw::File(DeValue::String(text)) => text,
            Raw::Variable(text) => *text,
            Raw::File(other) => return Err(unexpected(&field.place, "text between double quotes", other)),
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).map_err(|problem| problem.at(field.place))
    }

    /// One line of text.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        self.parsed(key, |text| Ok(one_line(text)))
    }

    /// Text that must be given; `example` is TOML.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Result<T> {
        self.parsed(key, parse)?.ok_or_else(|| self.missing(key, example))
    }

    /// A duration, at least `least`.
    pub(super) fn duration(&mut self, key: &'static str, least: Duration) -> Result<Option<Duration>> {
        self.parsed(key, |text| {
            let duration = duration::parse(text)?;
            if duration < least {
                return Err(Problem::configuration(format!(
                    "expected at least {}s, got {text:?}",
                    least.as_secs()
                ))
                .hint("write a longer duration"));
            }
            Ok(duration)
        })
    }

    /// A path, which starts at the folder of the file.
    pub(super) fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>> {
        let folder = self.folder();
        self.parsed(key, |text| Ok(below(&folder, text)))
    }

    /// The folder at which paths start.
    pub(super) fn folder(&self) -> PathBuf {
        self.context.folder().to_owned()
    }

    /// A whole number of `range`.
    pub(super) fn number(&mut self, key: &'static str, range: Range<u32>) -> Result<Option<u32>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        let expected = format!("a whole number from {} to {}", range.start, range.end - 1);
        let number = match &field.value {
            Raw::File(DeValue::Integer(number)) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
            Raw::Variable(text) if text.trim().is_empty() => return Ok(None),
            Raw::Variable(text) => text.trim().parse().ok(),
            Raw::File(other) => return Err(unexpected(&field.place, &expected, other)),
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(field.refuse(&expected)),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        match &field.value {
            Raw::File(DeValue::Boolean(flag)) => Ok(Some(*flag)),
            Raw::Variable(text) => match text.trim() {
                "" => Ok(None),
                "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                _ => Err(field.refuse("true or false")),
            },
            Raw::File(other) => Err(unexpected(&field.place, "true or false", other)),
        }
    }

    /// A list of texts, each turned into a value by `parse`; a variable holds it as TOML.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        let Some((place, value)) = self.compound(key)? else {
            return Ok(None);
        };
        let expected = "a list such as [\"one\", \"two\"]";
        let DeValue::Array(values) = value else {
            return Err(unexpected(&place, expected, &value));
        };
        values
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::String(text) => parse(text).map_err(|problem| problem.at(&place)),
                other => Err(unexpected(&place, expected, other)),
            })
            .collect::<Result<Vec<T>>>()
            .map(Some)
    }

    /// One text, or a list of them; a variable holds the text as it is, and a list as TOML.
    pub(super) fn text_or_list(&mut self, key: &'static str) -> Result<Option<TextOrList>> {
        let is_list = match self.context.environment.get(&variable(&self.variables, key)) {
            Some(text) => text.trim_start().starts_with('['),
            None => self
                .entries
                .get(key)
                .is_some_and(|(_, value)| matches!(value.get_ref(), DeValue::Array(_))),
        };
        Ok(if is_list {
            self.list(key, |text| Ok(text.to_owned()))?.map(TextOrList::List)
        } else {
            self.text(key)?.map(TextOrList::Text)
        })
    }

    /// A table of texts, each turned into a value by `parse`; a variable holds it as TOML.
    pub(super) fn map<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T>,
    ) -> Result<Option<BTreeMap<String, T>>> {
        let Some((place, value)) = self.compound(key)? else {
            return Ok(None);
        };
        let expected = "a table such as { \"theirs\" = \"ours\" }";
        let DeValue::Table(table) = value else {
            return Err(unexpected(&place, expected, &value));
        };
        table
            .iter()
            .map(|(name, value)| {
                let name = name.get_ref();
                match value.get_ref() {
                    DeValue::String(text) => parse(text)
                        .map(|value| (name.clone().into_owned(), value))
                        .map_err(|problem| problem.at(format!("{place}.{name:?}"))),
                    other => Err(unexpected(&place, expected, other)),
                }
            })
            .collect::<Result<BTreeMap<String, T>>>()
            .map(Some)
    }

    fn compound(&mut self, key: &'static str) -> Result<Option<(String, DeValue<'d>)>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        match field.value {
            Raw::File(value) => Ok(Some((field.place, value))),
            Raw::Variable(text) if text.trim().is_empty() => Ok(None),
            Raw::Variable(text) => DeValue::parse(text)
                .map(Spanned::into_inner)
                .map(|value| Some((field.place.clone(), value)))
                .map_err(|_| field_text_is_not_toml(&field.place, text)),
        }
    }
}

impl Field<'_> {
    fn refuse(&self, expected: &str) -> Problem {
        match &self.value {
            Raw::File(value) => unexpected(&self.place, expected, value),
            Raw::Variable(text) => refused(&self.place, expected, &format!("{text:?}")),
        }
    }
}

fn unexpected(place: &str, expected: &str, value: &DeValue<'_>) -> Problem {
    let got = match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    refused(place, expected, &got)
}

fn refused(place: &str, expected: &str, got: &str) -> Problem {
    Problem::configuration(format!("{place}: expected {expected}, got {got}"))
        .hint(format!("write {expected}"))
}

fn field_text_is_not_toml(place: &str, text: &str) -> Problem {
    Problem::configuration(format!("{place}: not TOML: {text:?}"))
        .hint("write a list as [\"one\", \"two\"] and a table as { \"theirs\" = \"ours\" }")
}
