//! One line of a list: from cells to a reader, or to the reason why not.

use chrono::{DateTime, NaiveDate, NaiveTime};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cell::{shown, unguarded};
use super::fate::has_left;
use crate::domain::subscriber::{Choice, State};
use crate::domain::text::one_line;
use crate::domain::{EmailAddress, LocalPartRule, Problem, Result, Slug, Timestamp};

/// The columns of a list, in the order in which they are written.
pub(super) const COLUMNS: [&str; 7] = [
    "email",
    "name",
    "digest",
    "categories",
    "status",
    "consent_at",
    "consent_source",
];

/// The longest name and source of consent, in characters.
const LONGEST: usize = 200;

/// What lists are measured by.
#[derive(Debug, Clone)]
pub struct ImportSettings {
    /// The digests that there are; the first stands for an empty cell.
    pub digests: Vec<Slug>,
    /// The categories that there are.
    pub categories: BTreeSet<Slug>,
    /// How the part before the `@` is compared.
    pub local_part: LocalPartRule,
    /// Whether wrong lines are left out, rather than the whole list.
    pub skip_invalid: bool,
    /// Salts the hashes by which suppressions know addresses; one per database, for ever.
    pub salt: String,
}

/// A reader as a list describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) address: EmailAddress,
    pub(super) name: Option<String>,
    /// Empty only for those who receive nothing.
    pub(super) digests: Vec<Slug>,
    pub(super) categories: Choice,
    pub(super) state: State,
    pub(super) consent_at: Option<Timestamp>,
    pub(super) consent_source: Option<String>,
}

/// What a row says.
#[derive(Debug)]
pub(super) enum Told {
    /// How a reader is to stand.
    Reader(Line),
    /// Nothing of a reader of ours, for this reason.
    Skipped(&'static str),
}

/// What knows the columns of a file, and reads its rows.
pub(super) trait Layout: Send {
    /// Reads a row below the header.
    fn read(
        &mut self,
        row: &[String],
        settings: &ImportSettings,
        now: Timestamp,
    ) -> std::result::Result<Told, Wrong>;

    /// Values that mean nothing here, and how often they were met.
    fn unmapped(&mut self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// A line that can't be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) reason: String,
    /// What is to be taken nevertheless when wrong lines are skipped: somebody who does not want mail.
    pub(super) leaver: Option<Box<Line>>,
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self { reason, leaver: None }
    }
}

impl Wrong {
    /// A row with another number of cells than the header.
    pub(super) fn width(cells: usize, header: usize) -> Self {
        format!("has {cells} cells, the first line has {header}").into()
    }
}

/// Which column of the file is which of ours.
#[derive(Debug)]
pub(super) struct Header {
    width: usize,
    places: [Option<usize>; COLUMNS.len()],
}

impl Header {
    /// Reads the first row.
    ///
    /// # Errors
    /// When a column is unknown, doubled or missing.
    pub(super) fn parse(cells: &[String]) -> Result<Self> {
        let form = format!(
            "the first line names the columns, separated by commas: {}",
            COLUMNS.join(",")
        );
        let mut places = [None; COLUMNS.len()];
        for (at, cell) in cells.iter().enumerate() {
            let name = unguarded(cell).to_ascii_lowercase();
            let place = COLUMNS.iter().position(|known| *known == name);
            match place.and_then(|place| places.get_mut(place)) {
                None => {
                    return Err(Problem::failed(format!("unknown column {}", shown(cell))).hint(form));
                }
                Some(Some(_)) => {
                    return Err(Problem::failed(format!("there are two columns {name:?}")).hint(form));
                }
                Some(place) => *place = Some(at),
            }
        }
        for (required, place) in COLUMNS.iter().zip(places) {
            if place.is_none() && matches!(*required, "email" | "status") {
                return Err(Problem::failed(format!("there is no column {required:?}")).hint(form));
            }
        }
        Ok(Self {
            width: cells.len(),
            places,
        })
    }

    /// Reads a row below it.
    pub(super) fn line(
        &self,
        row: &[String],
        settings: &ImportSettings,
        now: Timestamp,
    ) -> std::result::Result<Line, Wrong> {
        if row.len() != self.width {
            return Err(Wrong::width(row.len(), self.width));
        }
        let [
            email,
            name,
            digest,
            categories,
            status,
            consent_at,
            consent_source,
        ] = self.places.map(|place| {
            place
                .and_then(|at| row.get(at))
                .map_or("", |cell| unguarded(cell))
        });
        Cells {
            email,
            name,
            digest,
            categories,
            status,
            consent_at,
            consent_source,
        }
        .line(settings, now)
    }
}

impl Layout for Header {
    fn read(
        &mut self,
        row: &[String],
        settings: &ImportSettings,
        now: Timestamp,
    ) -> std::result::Result<Told, Wrong> {
        self.line(row, settings, now).map(Told::Reader)
    }
}

/// What a row says in our words, cell by cell.
pub(super) struct Cells<'a> {
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    pub(super) digest: &'a str,
    pub(super) categories: &'a str,
    pub(super) status: &'a str,
    pub(super) consent_at: &'a str,
    pub(super) consent_source: &'a str,
}

impl Cells<'_> {
    /// The reader whom they describe.
    pub(super) fn line(&self, settings: &ImportSettings, now: Timestamp) -> std::result::Result<Line, Wrong> {
        let address = EmailAddress::parse(self.email).map_err(|problem| problem.message().to_owned())?;
        let state = State::parse(&self.status.to_ascii_lowercase()).ok_or_else(|| {
            let known: Vec<_> = State::ALL.iter().map(|state| state.as_str()).collect();
            match self.status {
                "" => "has no status".to_owned(),
                other => format!("status {} is none of {}", shown(other), known.join(", ")),
            }
        })?;
        let mut line = Line {
            address,
            name: None,
            digests: Vec::new(),
            categories: Choice::default(),
            state,
            consent_at: None,
            consent_source: None,
        };
        match line.take(self, settings, now) {
            Ok(()) => Ok(line),
            Err(reason) => Err(Wrong {
                reason,
                leaver: has_left(state).then(|| Box::new(line)),
            }),
        }
    }
}

impl Line {
    /// Takes the cells without which a line still says whom to leave alone.
    fn take(
        &mut self,
        cells: &Cells<'_>,
        settings: &ImportSettings,
        now: Timestamp,
    ) -> std::result::Result<(), String> {
        self.name = text("name", cells.name)?;
        self.consent_source = text("consent_source", cells.consent_source)?;
        self.consent_at = instant(cells.consent_at, now)?;
        self.digests = digests(cells.digest, settings)?;
        // Who has left has no digest; an empty cell is no wish for the first one.
        if self.digests.is_empty() && !has_left(self.state) {
            let first = settings.digests.first();
            self.digests
                .push(first.cloned().ok_or("there is no digest in the configuration")?);
        }
        let choice = Choice::parse(cells.categories)
            .map_err(|_| format!("categories {} are no slugs joined by ;", shown(cells.categories)))?;
        known_categories(&choice, settings)?;
        self.categories = choice;
        if matches!(self.state, State::Confirmed | State::Paused) {
            for (column, missing) in [
                ("consent_at", self.consent_at.is_none()),
                ("consent_source", self.consent_source.is_none()),
            ] {
                if missing {
                    return Err(format!("status {:?} needs {column}", self.state.as_str()));
                }
            }
        }
        Ok(())
    }
}

/// One line of text, or nothing; never one that could start a header or break a list.
pub(super) fn text(column: &str, cell: &str) -> std::result::Result<Option<String>, String> {
    let text = one_line(cell);
    let length = text.chars().count();
    if length > LONGEST {
        return Err(format!(
            "{column} has {length} characters, at most {LONGEST} are possible"
        ));
    }
    if column == "name" && text.contains("://") {
        // Mail programs make a link of it, in a mail that bears our name.
        return Err(format!("{column} holds a web address"));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn digests(cell: &str, settings: &ImportSettings) -> std::result::Result<Vec<Slug>, String> {
    let mut digests = Vec::new();
    for name in cell.split(';').map(str::trim).filter(|name| !name.is_empty()) {
        let known = settings.digests.iter().find(|digest| digest.as_str() == name);
        let digest = known.ok_or_else(|| format!("digest {} is not in the configuration", shown(name)))?;
        if !digests.contains(digest) {
            digests.push(digest.clone());
        }
    }
    Ok(digests)
}

/// Refuses categories that the configuration lacks.
pub(super) fn known_categories(
    choice: &Choice,
    settings: &ImportSettings,
) -> std::result::Result<(), String> {
    match choice.slugs().find(|slug| !settings.categories.contains(slug)) {
        Some(unknown) => Err(format!(
            "category {:?} is not in the configuration",
            unknown.as_str()
        )),
        None => Ok(()),
    }
}

/// An instant of RFC 3339, or a date, which stands for its first moment in UTC.
pub(super) fn instant(cell: &str, now: Timestamp) -> std::result::Result<Option<Timestamp>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let date = || {
        Some(
            NaiveDate::parse_from_str(cell, "%Y-%m-%d")
                .ok()?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        )
    };
    let time = DateTime::parse_from_rfc3339(cell).map(|time| time.to_utc()).ok();
    let time = time.or_else(date).map(Timestamp::from).ok_or_else(|| {
        format!(
            "consent_at {} is neither a date such as 2026-01-31 nor a time of RFC 3339",
            shown(cell)
        )
    })?;
    // A date is a day long, and days begin at different times.
    if time > now.plus(Duration::from_hours(24)) {
        return Err(format!("consent_at {} lies in the future", shown(cell)));
    }
    Ok(Some(time))
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
