//! Lists in: streamed, in one go or not at all.

use std::collections::BTreeMap;
use std::io::Read;

use super::fate::has_left;
use super::group::{Candidate, Voice, apply};
use super::line::{Header, Layout, Told, Wrong};
use super::moving::{Export, Translator};
use super::rows::Rows;
use crate::domain::{Problem, Result, Timestamp};
use crate::store::Store;
use crate::store::import::Import;

pub use super::group::address_hash;
pub use super::import_report::{ImportReport, InvalidLine};
pub use super::line::ImportSettings;

/// Lines that are written in one statement.
const GROUP: usize = 1000;

/// With what a ZIP archive begins.
const ZIP: &[u8] = b"PK\x03\x04";

/// A file that is to be imported.
pub struct ListFile {
    /// Its path, for messages; some programs say in its name what it holds.
    pub name: String,
    /// Its bytes.
    pub from: Box<dyn Read + Send>,
}

/// Imports the CSV list `from`; nothing of it when a line is wrong, unless `settings.skip_invalid`.
///
/// Whoever a wrong line says has left is left alone nevertheless.
///
/// # Errors
/// When the header or a line is wrong (naming the lines), the file can't be read, or the database does
/// not answer. Nothing is kept then.
pub async fn import(
    store: &Store,
    from: impl Read + Send,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<ImportReport> {
    let mut running = Running::new(store, Voice::LIST, settings, now);
    let mut rows = Rows::new(from);
    let mut header = Header::parse(&first(&mut rows)?)?;
    let report = running.take(&mut rows, &mut header).await?;
    running.keep().await?;
    Ok(report)
}

/// Imports `files` in one go: lists of ours, or what another program exported; their reports in that order.
/// With `dry_run` everything is done, counted, and undone.
///
/// # Errors
/// As [`import`], with the file's name in front; when `export` names what is not there. Nothing is kept then.
pub async fn import_files(
    store: &Store,
    files: Vec<ListFile>,
    export: Option<&Export>,
    dry_run: bool,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<Vec<ImportReport>> {
    let voice = match export {
        Some(export) => export.checked(settings, now)?.voice(),
        None => Voice::LIST,
    };
    let mut running = Running::new(store, voice, settings, now);
    let mut reports = Vec::with_capacity(files.len());
    for file in files {
        let taken = running.file(file.from, &file.name, export).await;
        reports.push(taken.map_err(|problem| problem.at(&file.name))?);
    }
    if dry_run {
        running.abandon().await?;
    } else {
        running.keep().await?;
    }
    Ok(reports)
}

/// The first row, which names the columns.
fn first(rows: &mut Rows<impl Read>) -> Result<Vec<String>> {
    rows.next()?.and_then(|row| row.cells).ok_or_else(|| {
        Problem::failed("the list has no first line in UTF-8").hint("save it as CSV in UTF-8, with a header")
    })
}

/// The lines that wait to be written, and the transaction that takes them.
struct Running<'a> {
    store: &'a Store,
    voice: Voice,
    settings: &'a ImportSettings,
    now: Timestamp,
    import: Option<Import>,
    group: Vec<Candidate>,
}

impl<'a> Running<'a> {
    fn new(store: &'a Store, voice: Voice, settings: &'a ImportSettings, now: Timestamp) -> Self {
        Self {
            store,
            voice,
            settings,
            now,
            import: None,
            group: Vec::with_capacity(GROUP),
        }
    }

    async fn file(
        &mut self,
        mut from: Box<dyn Read + Send>,
        name: &str,
        export: Option<&Export>,
    ) -> Result<ImportReport> {
        let mut begin = Vec::with_capacity(ZIP.len());
        let trouble = |error| Problem::failed("the list can't be read").because(error);
        from.by_ref()
            .take(ZIP.len() as u64)
            .read_to_end(&mut begin)
            .map_err(trouble)?;
        if begin == ZIP {
            return Err(Problem::failed("this is a ZIP archive")
                .hint("unpack it, and name the CSV files that were in it"));
        }
        let mut rows = Rows::new(begin.as_slice().chain(from));
        let head = first(&mut rows)?;
        match export {
            None => self.take(&mut rows, &mut Header::parse(&head)?).await,
            Some(export) => {
                let mut translator = Translator::new(export, name, &head)?;
                self.take(&mut rows, &mut translator).await
            }
        }
    }

    /// Takes the rows of a file.
    async fn take(
        &mut self,
        rows: &mut Rows<impl Read + Send>,
        layout: &mut impl Layout,
    ) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        // Half of each hash is enough to tell a million addresses apart. A tree takes a third of a hash
        // table's memory while it grows.
        let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            report.rows += 1;
            let told = match row.cells {
                Some(cells) => layout.read(&cells, self.settings, self.now),
                None => Err("is not in UTF-8".to_owned().into()),
            };
            let (line, mut wrong) = match told {
                Ok(Told::Reader(line)) => (Some(line), false),
                Ok(Told::Skipped(reason)) => {
                    *report.skipped.entry(reason).or_default() += 1;
                    (None, false)
                }
                Err(Wrong { reason, leaver }) => {
                    report.wrong(row.line, reason);
                    (leaver.map(|line| *line), true)
                }
            };
            let Some(mut candidate) = line.map(|line| Candidate::new(line, self.settings)) else {
                continue;
            };
            let short = candidate
                .hash
                .get(..16)
                .and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let number = u32::try_from(row.line).unwrap_or(u32::MAX);
            let earlier = short.and_then(|short| seen.insert(short, number));
            if let Some(earlier) = earlier {
                if !wrong {
                    let address = &candidate.line.address;
                    report.wrong(
                        row.line,
                        format!("address {address} stands on line {earlier} already"),
                    );
                }
                wrong = true;
                if !has_left(candidate.line.state) {
                    continue;
                }
            }
            candidate.wrong = wrong;
            if report.invalid_count > 0 && !self.settings.skip_invalid {
                // Only the other wrong lines are looked for now; the lock is not needed for that.
                self.undo().await?;
                continue;
            }
            // One statement can't take an address twice.
            if earlier.is_some() || self.group.len() >= GROUP {
                self.flush(&mut report).await?;
            }
            self.group.push(candidate);
        }
        if report.invalid_count > 0 && !self.settings.skip_invalid {
            self.undo().await?;
            return Err(report.refusal());
        }
        report.unmapped = layout.unmapped();
        self.flush(&mut report).await?;
        Ok(report)
    }

    async fn flush(&mut self, report: &mut ImportReport) -> Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut import = match self.import.take() {
            Some(import) => import,
            None => self.store.begin_import(self.now).await?,
        };
        apply(&mut import, &self.group, self.voice, report).await?;
        self.group.clear();
        self.import = Some(import);
        Ok(())
    }

    async fn undo(&mut self) -> Result<()> {
        self.group.clear();
        match self.import.take() {
            Some(import) => import.abandon().await,
            None => Ok(()),
        }
    }

    async fn abandon(mut self) -> Result<()> {
        self.undo().await
    }

    async fn keep(self) -> Result<()> {
        match self.import {
            Some(import) => import.commit().await,
            None => Ok(()),
        }
    }
}
