//! SQLite's files are for their owner alone: they hold addresses and what people read.

use super::file_system::refuse_network;
use crate::domain::{Problem, Result};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes the file and its folder before SQLite does, so that nobody else can read it.
///
/// # Errors
/// When it can't be made, or lies on a network file system; or when it is there, as after a restore, and others may read or write it or
/// what SQLite keeps beside it, for which SQLite takes the mode of the file.
pub(super) fn make(path: &Path) -> Result<()> {
    let trouble = |error: io::Error| {
        Problem::failed(format!("database {}", path.display()))
            .because(error)
            .hint("check `[database] url`, and that its folder can be written")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(trouble)?;
        // A bare name has the empty path as its folder.
        let here = Path::new(".");
        refuse_network(
            path,
            if folder.as_os_str().is_empty() {
                here
            } else {
                folder
            },
        )?;
    }
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        refuse_open(&file)?;
    }
    // One that is there is not opened: closing it would drop the locks that this process has on it.
    match OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(trouble(error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Fails when the file is there and others may read or write it.
fn refuse_open(file: &Path) -> Result<()> {
    let others = file
        .metadata()
        .is_ok_and(|there| there.is_file() && there.permissions().mode() & 0o066 != 0);
    if !others {
        return Ok(());
    }
    Err(
        Problem::configuration(format!("others can read the database file {}", file.display()))
            .hint(format!("chmod 600 {}", file.display())),
    )
}
