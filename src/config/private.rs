//! Files that hold secrets: nobody but their owner may read them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::domain::{Problem, Result};

/// The permission bits by which the group or others can read or change a file.
const OTHERS: u32 = 0o066;

/// Whether somebody beside its owner can read or change `file`.
pub(super) fn is_open_to_others(file: &Path) -> Result<bool> {
    let metadata = std::fs::metadata(file).map_err(|error| {
        Problem::configuration(format!("cannot read {}", file.display()))
            .because(error)
            .hint("make the file, or correct its name")
    })?;
    Ok(metadata.permissions().mode() & OTHERS != 0)
}

/// Refuses a secret file that somebody beside its owner can read or change.
pub(super) fn refuse_open(file: &Path) -> Result<()> {
    if is_open_to_others(file)? {
        return Err(
            Problem::configuration(format!("others can read the secret file {}", file.display()))
                .hint(format!("chmod 600 {}", file.display())),
        );
    }
    Ok(())
}

/// The text of a file that holds a private key.
pub(super) fn read_key(file: &Path) -> Result<String> {
    refuse_open(file)?;
    std::fs::read_to_string(file).map_err(|error| {
        Problem::configuration(format!("cannot read the key file {}", file.display()))
            .because(error)
            .hint("name a file in PEM form, such as `postrider dkim generate` makes")
    })
}

/// The first line of a file that holds a password.
pub(super) fn read_password(file: &Path) -> Result<String> {
    refuse_open(file)?;
    let text = std::fs::read_to_string(file).map_err(|error| {
        Problem::configuration(format!("cannot read the password file {}", file.display()))
            .because(error)
            .hint("write the password into it as UTF-8 text, on one line")
    })?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(
            Problem::configuration(format!("the password file {} is empty", file.display()))
                .hint("write the password into its first line"),
        );
    }
    Ok(password.to_owned())
}

/// `text` with everything but letters and digits percent-encoded, fit for any part of an address.
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
