//! `[secret]`: the keys that sign readers' links, made on the first start.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::section::Section;
use super::{below, private};
use crate::domain::text::hex;
use crate::domain::{Problem, Random, Result};

pub(super) const KEYS: &[&str] = &["file"];

/// The word after a key that is no longer honoured.
const REVOKED: &str = "revoked";
/// The bytes of one key.
const LENGTH: usize = 32;

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// Stands in every token, so that the key is found again.
    pub id: u8,
    /// The key itself.
    pub bytes: [u8; LENGTH],
    /// Whether tokens made with it are refused.
    pub revoked: bool,
}

/// The keys, newest first: the first one that is not revoked signs, every one that is not verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// At least one, with distinct ids.
    pub keys: Vec<SecretKey>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(***)")
    }
}

/// The file, which must be closed to others when it exists.
pub(super) fn read(mut section: Section<'_>) -> Result<PathBuf> {
    let folder = section.folder();
    let file = section
        .path("file")?
        .unwrap_or_else(|| below(&folder, "data/secret"));
    if file.exists() {
        private::refuse_open(&file).map_err(|problem| problem.at(section.place_of("file")))?;
    }
    Ok(file)
}

/// Reads the keys from `file`, which is made with one new key when it is missing.
///
/// Processes that start together end with the same key: the file appears whole, once.
///
/// # Errors
/// When the file cannot be read or made, is open to others, or has a line that is not `ID HEX [revoked]`.
pub fn load_or_create(file: &Path, random: &dyn Random) -> Result<Secrets> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            private::refuse_open(file)?;
            parse(&text, file)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(file, random)?;
            let text = std::fs::read_to_string(file).map_err(|error| trouble("read", file, error))?;
            parse(&text, file)
        }
        Err(error) => Err(trouble("read", file, error)),
    }
}

fn trouble(what: &str, file: &Path, error: std::io::Error) -> Problem {
    Problem::configuration(format!("cannot {what} the secret file {}", file.display()))
        .because(error)
        .hint("let this user read and write the file and its folder, or name another one in [secret] file")
}

/// Writes a new key beside `file` and links it into place, unless another process was faster.
fn create(file: &Path, random: &dyn Random) -> Result<()> {
    let mut bytes = [0; LENGTH];
    random.fill(&mut bytes)?;
    let mut name = [0; 8];
    random.fill(&mut name)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| trouble("make the folder of", file, error))?;
    }
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}", hex(&name)));
    let draft = PathBuf::from(draft);
    let written =
        write_draft(&draft, &format!("1 {}\n", hex(&bytes))).and_then(|()| {
            match std::fs::hard_link(&draft, file) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        });
    // The link stays; whether the draft can be removed decides nothing.
    let _ = std::fs::remove_file(&draft);
    written.map_err(|error| trouble("make", file, error))?;
    if let Ok(folder) = std::fs::File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn write_draft(draft: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn parse(text: &str, file: &Path) -> Result<Secrets> {
    let mut keys: Vec<SecretKey> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // The line is secret, so the error shows its place alone.
        let key = parse_line(line).filter(|key| keys.iter().all(|other| other.id != key.id));
        keys.push(key.ok_or_else(|| {
            Problem::configuration(format!("the secret file {} has a wrong line {number}", file.display())).hint(
                "each line is a number from 0 to 255 of its own, 64 hexadecimal digits, and `revoked` where the key no longer counts",
            )
        })?);
    }
    if keys.iter().all(|key| key.revoked) {
        return Err(Problem::configuration(format!("the secret file {} has no usable key", file.display()))
            .hint("put a line with a new key at the top; a missing file is made anew, but then no older link works"));
    }
    Ok(Secrets { keys })
}

fn parse_line(line: &str) -> Option<SecretKey> {
    let mut words = line.split_whitespace();
    let id = words.next()?.parse().ok()?;
    let digits = words.next()?.as_bytes();
    let revoked = match words.next() {
        None => false,
        Some(REVOKED) if words.next().is_none() => true,
        Some(_) => return None,
    };
    let mut bytes = [0; LENGTH];
    if digits.len() != 2 * LENGTH {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| !pair.contains('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(SecretKey { id, bytes, revoked })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::domain::SystemRandom;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn starters_that_race_end_with_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/deep/secret");
        let barrier = std::sync::Barrier::new(8);
        let all: Vec<Secrets> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        load_or_create(&file, &SystemRandom::default()).unwrap()
                    })
                })
                .collect();
            starters
                .into_iter()
                .map(|starter| starter.join().unwrap())
                .collect()
        });
        assert!(all.iter().all(|secrets| *secrets == all[0]));
        assert_ne!(all[0].keys[0].bytes, [0; 32]);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let left = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "drafts were left behind");
        assert_eq!(
            format!("{:?} {:?}", all[0], all[0].keys[0]),
            "Secrets(***) SecretKey(***)"
        );
    }

    #[test]
    fn reads_several_keys_and_refuses_wrong_lines_without_showing_them() {
        let file = Path::new("secret");
        let key = |n: u8| hex(&[n; LENGTH]);
        let secrets = parse(
            &format!("# newest first\n3 {}\n1 {} revoked\n", key(3), key(1)),
            file,
        )
        .unwrap();
        assert_eq!(
            secrets
                .keys
                .iter()
                .map(|key| (key.id, key.revoked))
                .collect::<Vec<_>>(),
            [(3, false), (1, true)]
        );
        assert_eq!(secrets.keys[0].bytes, [3; LENGTH]);
        for wrong in [
            String::new(),
            format!("1 {} revoked", key(1)),
            format!("256 {}", key(7)),
            format!("1 {}7", key(7)),
            format!("1 {}", "+7".repeat(32)),
            format!("1 {} lost", key(7)),
            format!("1 {}\n1 {}", key(7), key(8)),
        ] {
            let error = parse(&wrong, file).unwrap_err().to_string();
            assert!(
                !error.contains("0707") && error.contains("secret file secret"),
                "{error}"
            );
        }
    }
}
