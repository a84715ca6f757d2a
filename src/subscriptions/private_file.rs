//! A file that appears whole or not at all, and that only its owner can read.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// So many names are tried for the file under way: those of killed processes may be there.
const NAMES: u32 = 100;

/// The file under way, beside the one that it becomes; it goes away when it does not become that.
#[derive(Debug)]
pub(super) struct PrivateFile {
    out: BufWriter<File>,
    unfinished: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl PrivateFile {
    /// Begins what becomes `path`; a file that is there stays until [`PrivateFile::finish`].
    ///
    /// # Errors
    /// When `path` is something else than a file, or its folder can't be written.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no ordinary file"));
        }
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
        for number in 0..NAMES {
            let mut unfinished = OsString::from(".");
            unfinished.push(name);
            unfinished.push(format!(".{}-{number}.tmp", std::process::id()));
            let unfinished = path.with_file_name(unfinished);
            // A file or link of that name is somebody else's: it is neither followed nor emptied.
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished);
            match made {
                Ok(file) => {
                    return Ok(Self {
                        out: BufWriter::new(file),
                        unfinished,
                        path: path.to_owned(),
                        finished: false,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "its folder is full of unfinished files",
        ))
    }

    /// Gives it the mode and, where that is allowed, the owner of the file that it replaces.
    ///
    /// # Errors
    /// When the mode can't be set.
    pub(super) fn as_open_as_before(&self) -> io::Result<()> {
        let was = fs::metadata(&self.path)?;
        // Only the owner of a file may give it away, and to few.
        let _ = std::os::unix::fs::fchown(self.out.get_ref(), Some(was.uid()), Some(was.gid()));
        self.out.get_ref().set_permissions(was.permissions())
    }

    /// Puts the whole file in its place.
    ///
    /// # Errors
    /// When it can't be written to the end; nothing is left of it then.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nobodys_file_is_harmed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "theirs").unwrap();
        let trap = format!(".list.csv.{}-0.tmp", std::process::id());
        symlink(&victim, folder.path().join(&trap)).unwrap();
        fs::write(folder.path().join("list.tmp"), "theirs").unwrap();
        let path = folder.path().join("list.csv");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut file = PrivateFile::begin(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old", "whole or not at all");
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
        assert_eq!(
            fs::read_to_string(folder.path().join("list.tmp")).unwrap(),
            "theirs"
        );
        assert_eq!(
            names(folder.path()),
            [trap.as_str(), "list.csv", "list.tmp", "victim"]
        );
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let mut file = PrivateFile::begin(&path).unwrap();
        file.write_all(b"ann@example.org").unwrap();
        file.flush().unwrap();
        drop(file);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        assert!(PrivateFile::begin(folder.path()).is_err(), "a folder");
        assert!(PrivateFile::begin(Path::new("/dev/null")).is_err(), "a device");
        assert!(PrivateFile::begin(Path::new("/")).is_err());
    }
}
