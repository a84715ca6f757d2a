//! The folder of lists: what changed there is imported before an edition is planned.

use aws_lc_rs::digest;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::import::{ImportReport, ImportSettings, import};
use crate::domain::problem::Kind;
use crate::domain::text::hex;
use crate::domain::{Problem, Result, Timestamp};
use crate::store::Store;

/// What became of a list that had changed.
#[derive(Debug)]
pub struct ListOutcome {
    /// The file's name within the folder.
    pub file: String,
    /// Its report; an error names file and line, and the list is tried again the next time.
    pub outcome: Result<ImportReport>,
}

/// Imports each `*.csv` of `folder` whose bytes changed since it was last imported, in the order of
/// their names. A wrong list does not stop the others. README and names that begin with a dot are skipped.
///
/// # Errors
/// When the folder can't be read, or the database does not answer.
pub async fn import_changed_lists(
    store: &Store,
    folder: &Path,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<Vec<ListOutcome>> {
    let mut outcomes = Vec::new();
    for (file, path) in lists(folder)? {
        let place = path.display().to_string();
        let hash = match hash(&path) {
            Ok(hash) => hash,
            Err(error) => {
                let outcome = Err(Problem::failed(place)
                    .because(error)
                    .hint("check the file's owner and mode"));
                outcomes.push(ListOutcome { file, outcome });
                continue;
            }
        };
        if store.list_hash(&file).await?.as_ref() == Some(&hash) {
            continue;
        }
        let outcome = import_file(store, &path, settings, now).await;
        if outcome
            .as_ref()
            .is_err_and(|problem| problem.kind() == Kind::Database)
        {
            // Not the list's fault: planning without its readers would leave them out for good.
            return outcome.map(|_| outcomes);
        }
        if outcome.is_ok() {
            // The hash was taken first: a list that is changed meanwhile is imported once more.
            store.set_list_hash(&file, &hash, now).await?;
        }
        outcomes.push(ListOutcome { file, outcome });
    }
    Ok(outcomes)
}

/// Imports the list at `path`.
///
/// # Errors
/// As [`import`], with the path in front.
pub async fn import_file(
    store: &Store,
    path: &Path,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<ImportReport> {
    let file = File::open(path).map_err(|error| {
        Problem::failed(format!("list {}", path.display()))
            .because(error)
            .hint("check the file's name, owner and mode")
    })?;
    import(store, file, settings, now)
        .await
        .map_err(|problem| problem.at(path.display()))
}

/// Names and paths, by name.
pub(super) fn lists(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let trouble = |error| {
        Problem::failed(format!("folder of lists {}", folder.display()))
            .because(error)
            .hint("make the folder, or change `[subscribers] folder`")
    };
    let mut lists = Vec::new();
    for entry in fs::read_dir(folder).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        let folded = name.to_ascii_lowercase();
        let wanted = folded.ends_with(".csv") && !folded.starts_with('.') && folded != "readme.csv";
        if wanted && path.is_file() {
            lists.push((name, path));
        }
    }
    lists.sort();
    Ok(lists)
}

pub(super) fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(context.finish().as_ref())),
            read => context.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
