//! From a row of another program to the cells that a list of ours would hold.

use std::collections::BTreeMap;

use super::columns::{Columns, Field, Row};
use super::mailchimp::Kind;
use super::values::{split, time};
use super::{Export, Program, Stand, listmonk, mailchimp, substack};
use crate::domain::subscriber::State;
use crate::domain::{Result, Slug, Timestamp};
use crate::subscriptions::cell::shown;
use crate::subscriptions::fate::has_left;
use crate::subscriptions::line::{Cells, ImportSettings, Layout, Told, Wrong};

/// Values that mean nothing here and are reported one by one; the others are counted together.
const SHOWN: usize = 100;

/// Under this name.
const OTHERS: &str = "others";

/// Reads the rows of one file.
pub(in crate::subscriptions) struct Translator<'a> {
    export: &'a Export,
    columns: Columns,
    /// What the file's name says, for programs that say something by it.
    kind: Option<Kind>,
    categories: BTreeMap<String, Vec<&'a Slug>>,
    lists: BTreeMap<String, Vec<&'a Slug>>,
    unmapped: BTreeMap<String, u64>,
}

impl<'a> Translator<'a> {
    /// Reads the first row of the file `name`.
    ///
    /// # Errors
    /// When it does not tell enough of its readers.
    pub(in crate::subscriptions) fn new(export: &'a Export, name: &str, head: &[String]) -> Result<Self> {
        let columns = Columns::parse(head, export.program, &export.columns)?;
        let mut kind = None;
        match export.program {
            Program::Mailchimp => {
                kind = Some(mailchimp::kind(name, export.unsaid, columns.has(Field::Status))?);
            }
            Program::Listmonk => listmonk::check(&columns, export.unsaid)?,
            Program::Substack => substack::check(&columns, export.unsaid)?,
        }
        if !export.lists.is_empty() && !columns.has(Field::Digests) {
            return Err(columns
                .lacking("no column holds the lists of --digest")
                .hint("name it, such as --map Lists=digests, or a digest for all: --digest weekly"));
        }
        Ok(Self {
            export,
            columns,
            kind,
            categories: folded(&export.categories),
            lists: folded(&export.lists),
            unmapped: BTreeMap::new(),
        })
    }

    fn stand(&self, row: &Row<'_>) -> std::result::Result<Stand, String> {
        let stand = match (self.export.program, self.kind) {
            (Program::Mailchimp, Some(kind)) => mailchimp::stand(row, kind)?,
            (Program::Mailchimp, None) => Stand::Unsaid,
            (Program::Listmonk, _) => listmonk::stand(row)?,
            (Program::Substack, _) => substack::stand(row)?,
        };
        match (stand, self.export.unsaid) {
            (Stand::Unsaid, Some(state)) => Ok(Stand::Is(state)),
            (Stand::Unsaid, None) => Err("does not say how the reader stands: add --as STATE".to_owned()),
            (stand, _) => Ok(stand),
        }
    }

    /// The slugs that the values of `field` stand for, joined by `;`.
    fn slugs(
        &mut self,
        cells: &[String],
        field: Field,
        settings: &ImportSettings,
    ) -> std::result::Result<String, Wrong> {
        let row = self.columns.row(cells)?;
        let mapped = if field == Field::Digests {
            &self.lists
        } else {
            &self.categories
        };
        let mut slugs = Vec::new();
        for value in row.all(field).flat_map(split) {
            let folded = value.to_lowercase();
            let is_ours = |slug: &Slug| field == Field::Categories && settings.categories.contains(slug);
            if let Some(mapped) = mapped.get(&folded) {
                slugs.extend(mapped.iter().map(|slug| slug.to_string()));
            } else if let Some(slug) = Slug::parse(&folded).ok().filter(is_ours) {
                slugs.push(slug.to_string());
            } else {
                let name = shown(&value);
                let is_full = self.unmapped.len() >= SHOWN && !self.unmapped.contains_key(&name);
                let name = if is_full { OTHERS.to_owned() } else { name };
                *self.unmapped.entry(name).or_default() += 1;
            }
        }
        Ok(slugs.join(";"))
    }
}

impl Layout for Translator<'_> {
    fn read(
        &mut self,
        cells: &[String],
        settings: &ImportSettings,
        now: Timestamp,
    ) -> std::result::Result<Told, Wrong> {
        let state = match self.stand(&self.columns.row(cells)?)? {
            Stand::Is(state) => state,
            Stand::Skipped(reason) => return Ok(Told::Skipped(reason)),
            Stand::Unsaid => return Err("does not say how the reader stands".to_owned().into()),
        };
        let mut digests: Vec<_> = self.export.digests.iter().map(Slug::to_string).collect();
        if !self.lists.is_empty() {
            let named = self.slugs(cells, Field::Digests, settings)?;
            if !named.is_empty() {
                digests.push(named);
            }
            if digests.is_empty() && !has_left(state) {
                return Ok(Told::Skipped("on no list that becomes a digest"));
            }
        }
        let categories = self.slugs(cells, Field::Categories, settings)?;
        let row = self.columns.row(cells)?;
        let name = match row.get(Field::Name) {
            "" => [row.get(Field::FirstName), row.get(Field::LastName)].join(" "),
            name => name.to_owned(),
        };
        let at = match row.get(Field::ConsentAt) {
            "" => self.export.consent_at.as_deref().unwrap_or_default(),
            at => at,
        };
        if state == State::Confirmed && at.is_empty() {
            return Err(
                "does not say when the reader agreed: add --consent-at DATE --consent-source TEXT"
                    .to_owned()
                    .into(),
            );
        }
        let source = match row.get(Field::ConsentSource) {
            "" => self.export.consent_source.as_deref(),
            source => Some(source),
        };
        Cells {
            email: row.get(Field::Email),
            name: &name,
            digest: &digests.join(";"),
            categories: &categories,
            status: state.as_str(),
            consent_at: &time(at),
            consent_source: source.unwrap_or(self.export.program.as_str()),
        }
        .line(settings, now)
        .map(Told::Reader)
    }

    fn unmapped(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.unmapped)
    }
}

/// Values in the form in which they are compared; one may stand for several things.
fn folded(pairs: &[(String, Slug)]) -> BTreeMap<String, Vec<&Slug>> {
    let mut map: BTreeMap<String, Vec<&Slug>> = BTreeMap::new();
    for (value, slug) in pairs {
        map.entry(value.trim().to_lowercase()).or_default().push(slug);
    }
    map
}

#[cfg(test)]
#[path = "translator_tests.rs"]
mod tests;
