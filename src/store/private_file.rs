//! SQLite's files are for their owner alone: they hold addresses and what people read.

use super::file_system::refuse_network;
use crate::domain::{Problem, Result};
use rustix::fs::{Access, access};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes the file and its folder before SQLite does, so that nobody else can read it.
///
/// # Errors
/// When it can't be made, can't be read and written, or lies on a network file system; or when it is there, as
/// after a restore, and others may read or write it or what SQLite keeps beside it, for which SQLite takes the
/// mode of the file.
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
    match path.metadata() {
        // Not opened: closing it would drop the locks that this process has on it.
        Ok(there) if there.is_file() => {
            let read_and_write = Access::READ_OK | Access::WRITE_OK;
            access(path, read_and_write).map_err(|error| trouble(error.into()))
        }
        Ok(_) => Err(trouble(io::Error::other("it is not a file"))),
        // Another process may make it just now; a link may lead to where it is to be.
        Err(_) => OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map(drop)
            .map_err(trouble),
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
