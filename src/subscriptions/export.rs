//! Lists out: the same columns, so that an import of an export gives the same readers.

use chrono::SecondsFormat;
use std::io::Write;
use std::path::Path;

use super::cell::guarded;
use super::line::COLUMNS;
use super::private_file::PrivateFile;
use crate::domain::{Problem, Result, Timestamp};
use crate::store::Store;
use crate::store::subscribers::Subscriber;

/// Writes every subscriber to `out` as CSV, in the order of their numbers; how many they are.
///
/// Cells that a spreadsheet would run get a `'` in front, which the import takes away again.
///
/// # Errors
/// When `out` takes no more, or the database does not answer.
pub async fn export(store: &Store, out: &mut (impl Write + Send)) -> Result<u64> {
    let mut list = csv::Writer::from_writer(out);
    list.write_record(COLUMNS).map_err(stuck)?;
    let mut count = 0;
    store
        .each_subscriber(|subscriber| {
            count += 1;
            list.write_record(cells(subscriber).map(|cell| guarded(&cell)))
                .map_err(stuck)
        })
        .await?;
    list.flush().map_err(|error| stuck(error.into()))?;
    Ok(count)
}

/// Writes the list into the file `path`: whole or not at all, and for its owner alone, for it is a list
/// of people and their interests.
///
/// # Errors
/// When the file can't be written, or the database does not answer; nothing is left of it then.
pub async fn export_to(store: &Store, path: &Path) -> Result<u64> {
    let trouble = |error: std::io::Error| {
        Problem::failed(format!("{} can't be written", path.display())).because(error)
    };
    let mut file = PrivateFile::begin(path).map_err(trouble)?;
    let count = export(store, &mut file).await?;
    file.finish().map_err(trouble)?;
    Ok(count)
}

fn cells(subscriber: &Subscriber) -> [String; COLUMNS.len()] {
    [
        subscriber.address.as_str().to_owned(),
        subscriber.name.clone().unwrap_or_default(),
        subscriber.digests.join(";"),
        subscriber.categories.to_string(),
        subscriber.state.as_str().to_owned(),
        subscriber.consent_at.map(instant).unwrap_or_default(),
        subscriber.consent_source.clone().unwrap_or_default(),
    ]
}

/// RFC 3339, with milliseconds only where there are some.
fn instant(at: Timestamp) -> String {
    at.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn stuck(error: csv::Error) -> Problem {
    Problem::failed("the list can't be written")
        .because(error)
        .hint("check that there is space on the disk and that the file can be written")
}
