//! Taking a person out of the folder of lists.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use super::addressing::Addressing;
use super::cell::unguarded;
use super::erase::Traces;
use super::list_folder::{hash, lists};
use super::private_file::PrivateFile;
use super::rows::Rows;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::store::Store;

/// What was taken out of the folder, and what could not be.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// Rows that are gone.
    pub rows: u64,
    /// The lists that were written anew, by name.
    pub lists: Vec<String>,
    /// What is left to do by hand, one sentence each.
    pub left: Vec<String>,
}

/// Removes every row that holds an address of the person from the lists in `folder`; the other rows stay
/// byte for byte, and a list that had been imported counts as imported still. A list that can't be read, and a
/// file of another kind that names the address, is told of.
///
/// # Errors
/// When the database does not answer, or the folder can't be read. Doing it again goes on.
pub async fn clean(
    store: &Store,
    folder: &Path,
    traces: &Traces,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<Cleaned> {
    let mut cleaned = Cleaned::default();
    if !folder.exists() {
        return Ok(cleaned);
    }
    for (name, path) in lists(folder)? {
        match clean_list(&path, traces, addressing) {
            Ok(None) => {}
            Ok(Some(list)) => {
                cleaned.rows += list.rows;
                if store.list_hash(&name).await? == Some(list.before) {
                    store.set_list_hash(&name, &list.after, now).await?;
                }
                cleaned.lists.push(name);
            }
            Err(problem) => cleaned.left.push(format!(
                "{}: nothing was taken out: {}",
                path.display(),
                problem.message()
            )),
        }
    }
    let trouble = |error| Problem::failed(format!("folder of lists {}", folder.display())).because(error);
    for entry in fs::read_dir(folder).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        if path.is_file() {
            match names(&path, traces) {
                Ok(false) => {}
                Ok(true) => cleaned.left.push(format!(
                    "{} names the address still: take it out by hand",
                    path.display()
                )),
                Err(error) => cleaned.left.push(format!(
                    "{} can't be read: {error}; look into it by hand",
                    path.display()
                )),
            }
        }
    }
    Ok(cleaned)
}

/// A list that was written anew.
struct Rewritten {
    rows: u64,
    /// The hash of its bytes before.
    before: String,
    /// The hash of its bytes now.
    after: String,
}

fn clean_list(path: &Path, traces: &Traces, addressing: &Addressing) -> Result<Option<Rewritten>> {
    let unreadable = |error: io::Error| Problem::failed(error.to_string());
    // The file itself, where the name is a link to it.
    let path = fs::canonicalize(path).map_err(unreadable)?;
    let before = hash(&path).map_err(unreadable)?;
    let mut file = File::open(&path).map_err(unreadable)?;
    let theirs = places(&file, traces, addressing)?;
    if theirs.is_empty() {
        return Ok(None);
    }
    file.rewind().map_err(unreadable)?;
    rewrite(&mut file, &path, &theirs).map_err(unreadable)?;
    Ok(Some(Rewritten {
        rows: theirs.len() as u64,
        before,
        after: hash(&path).map_err(unreadable)?,
    }))
}

/// Where the rows of the person stand.
fn places(file: impl Read, traces: &Traces, addressing: &Addressing) -> Result<Vec<Range<u64>>> {
    let mut rows = Rows::new(file);
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let is_theirs = |cell: &String| {
            EmailAddress::parse(unguarded(cell)).is_ok_and(|address| traces.is_theirs(&address, addressing))
        };
        if row.cells.is_some_and(|cells| cells.iter().any(is_theirs)) {
            places.push(row.bytes);
        }
    }
    Ok(places)
}

/// Writes the file at `path` anew, without these places.
fn rewrite(file: &mut File, path: &Path, without: &[Range<u64>]) -> io::Result<()> {
    let mut out = PrivateFile::begin(path)?;
    let mut at = 0;
    for place in without {
        io::copy(&mut file.by_ref().take(place.start.saturating_sub(at)), &mut out)?;
        file.seek(SeekFrom::Start(place.end))?;
        at = place.end;
    }
    io::copy(file, &mut out)?;
    out.as_open_as_before()?;
    out.finish()
}

/// Whether the file at `path` names the person's address.
fn names(path: &Path, traces: &Traces) -> io::Result<bool> {
    Ok(traces.stand_in(&fs::read(path)?))
}
