//! The columns of an export: which of them hold what we need.

use std::collections::BTreeMap;

use super::Program;
use super::{listmonk, mailchimp, substack};
use crate::domain::{Problem, Result};
use crate::subscriptions::cell::shown;
use crate::subscriptions::line::Wrong;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The address.
    Email,
    /// The whole name.
    Name,
    /// The first name, which the last name follows.
    FirstName,
    /// The last name.
    LastName,
    /// Where the reader stands.
    Status,
    /// When the reader agreed.
    ConsentAt,
    /// Where the reader agreed.
    ConsentSource,
    /// Tags, groups or interests, separated by commas.
    Categories,
    /// Lists, separated by commas.
    Digests,
    /// Whether the reader confirmed, left, or did neither.
    Confirmation,
    /// When the reader left.
    LeftAt,
    /// Why the reader left.
    LeftWhy,
    /// When the address was found dead.
    DeadAt,
    /// Whether mail to the reader is off.
    Off,
}

impl Field {
    /// The fields that a person can name a column for.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("email", Self::Email),
        ("name", Self::Name),
        ("first_name", Self::FirstName),
        ("last_name", Self::LastName),
        ("status", Self::Status),
        ("consent_at", Self::ConsentAt),
        ("consent_source", Self::ConsentSource),
        ("categories", Self::Categories),
        ("digests", Self::Digests),
    ];
}

/// A field, and the names of the columns that a program writes it into; the first that is filled counts.
pub(super) type Known = (Field, &'static [&'static str]);

/// Which columns of a file hold what.
#[derive(Debug)]
pub(super) struct Columns {
    width: usize,
    places: BTreeMap<Field, Vec<usize>>,
    header: String,
}

impl Columns {
    /// Reads the first row; columns that nobody knows are left alone.
    ///
    /// # Errors
    /// When the cells are not separated by commas, a column of `mapped` is missing, or that of addresses is.
    pub(super) fn parse(head: &[String], program: Program, mapped: &[(String, Field)]) -> Result<Self> {
        if let [only] = head
            && let Some(other) = only.chars().find(|c| matches!(c, ';' | '\t'))
        {
            let what = if other == ';' { "semicolons" } else { "tabs" };
            return Err(
                Problem::failed(format!("the cells are separated by {what}, not by commas"))
                    .hint("save it as CSV with commas, or take the file as it was exported"),
            );
        }
        let mut columns = Self {
            width: head.len(),
            places: BTreeMap::new(),
            header: head
                .iter()
                .map(|cell| shown(cell.trim()))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let known: &[Known] = match program {
            Program::Mailchimp => mailchimp::COLUMNS,
            Program::Listmonk => listmonk::COLUMNS,
            Program::Substack => substack::COLUMNS,
        };
        let named = mapped.iter().map(|(name, field)| (*field, name.as_str(), true));
        let usual = known
            .iter()
            .flat_map(|(field, names)| names.iter().map(|name| (*field, *name, false)));
        for (field, name, must) in named.chain(usual) {
            let before = columns.places.get(&field).map_or(0, Vec::len);
            for (at, cell) in head.iter().enumerate() {
                if cell.trim().to_lowercase() == name.trim().to_lowercase() {
                    columns.places.entry(field).or_default().push(at);
                }
            }
            if must && columns.places.get(&field).map_or(0, Vec::len) == before {
                return Err(columns.lacking(&format!("there is no column {}", shown(name))));
            }
        }
        if !columns.has(Field::Email) {
            return Err(columns
                .lacking("there is no column of addresses")
                .hint("name it, such as --map \"Work address=email\""));
        }
        Ok(columns)
    }

    /// An error that shows the columns that there are.
    pub(super) fn lacking(&self, what: &str) -> Problem {
        Problem::failed(format!("{what}; the first line has {}", self.header))
            .hint("name the columns as the first line does")
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.places.contains_key(&field)
    }

    /// The cells of a row.
    pub(super) fn row<'a>(&'a self, cells: &'a [String]) -> std::result::Result<Row<'a>, Wrong> {
        if cells.len() != self.width {
            return Err(Wrong::width(cells.len(), self.width));
        }
        Ok(Row { columns: self, cells })
    }
}

/// A row below the header.
pub(super) struct Row<'a> {
    columns: &'a Columns,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// Every filled cell of `field`, trimmed.
    pub(super) fn all(&self, field: Field) -> impl Iterator<Item = &'a str> {
        let places = self
            .columns
            .places
            .get(&field)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let cells = self.cells;
        places
            .iter()
            .filter_map(move |&at| cells.get(at))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    /// The first filled cell of `field`; empty when there is none.
    pub(super) fn get(&self, field: Field) -> &'a str {
        self.all(field).next().unwrap_or_default()
    }
}
