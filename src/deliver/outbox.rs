//! The embedded default: a folder that takes one `.eml` a message.

use std::fs;
use std::future::Future;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::message::Envelope;
use super::retry::{Attempt, Happened};
use crate::domain::Result as PostriderResult;

/// How often the folder was looked at.
static PROBES: AtomicU64 = AtomicU64::new(0);

/// Longer names are refused by most file systems.
const LONGEST_NAME: usize = 240;

/// A folder of messages.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// Makes the folder when it is missing.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn open(folder: &Path) -> Result<Self, Happened> {
        let outbox = Self {
            folder: folder.to_owned(),
        };
        // Several connections look at the same time: each needs a name of its own.
        let number = PROBES.fetch_add(1, Ordering::Relaxed);
        let probe = folder.join(format!(".probe-{}-{number}", std::process::id()));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&probe, b""))
            .and_then(|()| fs::remove_file(&probe))
            .map_err(|error| outbox.trouble(&error))?;
        Ok(outbox)
    }

    /// Writes one message, whole or not at all. The same Message-ID overwrites the same file.
    pub async fn send<F>(&mut self, envelope: &Envelope<'_>, message: &[u8], before_final_dot: F) -> Attempt
    where
        F: Future<Output = PostriderResult<()>>,
    {
        let happened = match (file_name(envelope.message_id), before_final_dot.await) {
            (_, Err(problem)) => Happened::Local(format!("not written: {}", problem.message())),
            (None, _) => Happened::Local("the Message-ID is no name for a file".to_owned()),
            (Some(name), Ok(())) => {
                let (outbox, bytes) = (self.clone(), message.to_vec());
                tokio::task::spawn_blocking(move || outbox.write(&name, &bytes))
                    .await
                    .unwrap_or_else(|error| Happened::NotWritten(error.to_string()))
            }
        };
        Attempt::of(&happened, true)
    }

    fn write(&self, name: &str, message: &[u8]) -> Happened {
        // A fixed name: what a killed process left behind is overwritten by the repeat.
        let unfinished = self.folder.join(format!(".{name}.tmp"));
        // Addresses and personal links are in it: for its owner alone.
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|file| fill(file, message))
            .and_then(|()| fs::rename(&unfinished, self.folder.join(name)));
        match written {
            Ok(()) => Happened::Written,
            Err(error) => {
                let _ = fs::remove_file(&unfinished);
                self.trouble(&error)
            }
        }
    }

    fn trouble(&self, error: &io::Error) -> Happened {
        let what = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full",
            io::ErrorKind::PermissionDenied => "may not be written",
            io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
            _ => "cannot be written",
        };
        Happened::NotWritten(format!("outbox {}: {what} ({error})", self.folder.display()))
    }
}

fn fill(mut file: impl Write, message: &[u8]) -> io::Result<()> {
    file.write_all(message)?;
    file.flush()
}

/// A file name from a Message-ID; two that differ give two names.
fn file_name(message_id: &str) -> Option<String> {
    let id = message_id.trim_start_matches('<').trim_end_matches('>');
    let mut name = String::with_capacity(id.len() + 4);
    for (index, byte) in id.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_@+=".contains(&byte) || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name.push_str(".eml");
    (!id.is_empty() && name.len() <= LONGEST_NAME).then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::deliver::retry::Verdict;
    use crate::domain::{EmailAddress, Problem};
    use std::future::ready;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn connections_that_open_it_together_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(8);
        // Counted, since a thread that panics would leave the others waiting.
        let refused = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        together.wait();
                        let opened = Outbox::open(folder.path());
                        refused.fetch_add(u64::from(opened.is_err()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(refused.into_inner(), 0);
        assert!(names(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn a_repeat_overwrites_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(&folder.path().join("a/b")).unwrap();
        let to = EmailAddress::parse("ann@example.org").unwrap();
        let mut envelope = Envelope {
            from: "",
            to: &to,
            message_id: "<1.x@example.org>",
        };
        for text in ["one", "two"] {
            let attempt = outbox.send(&envelope, text.as_bytes(), ready(Ok(()))).await;
            assert_eq!(attempt.verdict, Verdict::Sent);
        }
        envelope.message_id = "../etc/passwd@example.org";
        outbox.send(&envelope, b"three", ready(Ok(()))).await;
        envelope.message_id = "never@example.org";
        let refused = ready(Err(Problem::failed("not yet")));
        assert_eq!(
            outbox.send(&envelope, b"four", refused).await.verdict,
            Verdict::Retry
        );
        assert_eq!(
            names(&outbox.folder),
            ["%2E.%2Fetc%2Fpasswd@example.org.eml", "1.x@example.org.eml"]
        );
        assert_eq!(
            fs::read(outbox.folder.join("1.x@example.org.eml")).unwrap(),
            b"two"
        );
    }

    #[test]
    fn a_full_disk_says_so_and_leaves_nothing_behind() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = fill(full, b"message").unwrap_err();
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path()).unwrap();
        let happened = outbox.trouble(&error);
        assert!(
            matches!(&happened, Happened::NotWritten(what) if what.contains("the disk is full")),
            "{happened:?}"
        );

        // The unfinished file is a link to a device that is always full.
        std::os::unix::fs::symlink("/dev/full", folder.path().join(".a.eml.tmp")).unwrap();
        assert_eq!(outbox.write("a.eml", b"message"), happened);
        assert!(names(folder.path()).is_empty());
        assert_eq!(outbox.write("a.eml", b"message"), Happened::Written);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_the_relays_trouble() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(matches!(
            Outbox::open(&folder.path().join("file/box")),
            Err(Happened::NotWritten(_))
        ));
    }
}
