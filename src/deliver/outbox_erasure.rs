//! Taking a person's messages out of an outbox.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::domain::{EmailAddress, Problem, Result};

/// No header of ours comes near it.
const LONGEST_HEADER: u64 = 256 * 1024;

/// Deletes the messages in `folder` that go to an address which `is_theirs`, or whose answers go there;
/// how many. A folder that is not there holds none.
///
/// # Errors
/// When the folder or a message in it can't be read, or not be deleted.
pub fn erase(folder: &Path, is_theirs: impl Fn(&EmailAddress) -> bool) -> Result<u64> {
    let trouble = |error: io::Error| {
        Problem::failed(format!("outbox {}", folder.display()))
            .because(error)
            .hint("check its owner and mode, and do the same again")
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(trouble(error)),
    };
    let mut erased = 0;
    for entry in entries {
        let path = entry.map_err(trouble)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What a killed process left unfinished as well.
        if !name.ends_with(".eml") && !name.ends_with(".eml.tmp") {
            continue;
        }
        let gone = File::open(&path)
            .and_then(|file| people(file.take(LONGEST_HEADER)))
            .and_then(|people| {
                let theirs = people.iter().any(&is_theirs);
                if theirs {
                    fs::remove_file(&path).map(|()| true)
                } else {
                    Ok(false)
                }
            });
        match gone {
            Ok(gone) => erased += u64::from(gone),
            // Somebody else has taken it away.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(trouble(error)),
        }
    }
    Ok(erased)
}

/// The addresses in `To` and `Reply-To` of a message.
fn people(message: impl Read) -> io::Result<Vec<EmailAddress>> {
    let mut people = Vec::new();
    let mut reader = BufReader::new(message);
    let mut wanted = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            return Ok(people);
        }
        // A line that begins with a blank goes on with the field before it (RFC 5322 2.2.3).
        let value = if text.starts_with([' ', '\t']) {
            &text
        } else {
            let (name, value) = text.split_once(':').unwrap_or_default();
            wanted = name.eq_ignore_ascii_case("to") || name.eq_ignore_ascii_case("reply-to");
            value
        };
        if wanted {
            // A name holds no blank-free word with an @ that is not an address.
            let words = value.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | '"'));
            people.extend(words.filter_map(|word| EmailAddress::parse(word).ok()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn messages_to_a_person_go_however_the_field_is_written_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let them = EmailAddress::parse("Erase.Me+tag@readers.net").unwrap();
        for (name, message, stays) in [
            (
                "bare.eml",
                "From: a@example.org\r\nTo: Erase.Me+tag@readers.net\r\n\r\nx",
                false,
            ),
            (
                "folded.eml",
                "TO:\r\n Erase.Me+tag@readers.net\r\nSubject: x\r\n\r\nx",
                false,
            ),
            (
                "named.eml",
                "To: \"Me, <x>\"\r\n <Erase.Me+tag@readers.net>\r\n\r\nx",
                false,
            ),
            (
                "answer.eml",
                "To: a@example.org\r\nReply-To: =?utf-8?B?TQ==?= <Erase.Me+tag@readers.net>\r\n\r\n",
                false,
            ),
            (".unfinished.eml.tmp", "To: Erase.Me+tag@readers.net\r\n", false),
            (
                "other.eml",
                "To: not.Erase.Me+tag@readers.net\r\n\r\nTo: Erase.Me+tag@readers.net\r\n",
                true,
            ),
            (
                "subject.eml",
                "To: a@example.org\r\nSubject: Erase.Me+tag@readers.net\r\n\r\n",
                true,
            ),
            ("note.txt", "To: Erase.Me+tag@readers.net\r\n", true),
        ] {
            fs::write(folder.path().join(name), message).unwrap();
            let erased = erase(folder.path(), |address| *address == them).unwrap();
            assert_eq!(erased, u64::from(!stays), "{name}");
            assert_eq!(folder.path().join(name).exists(), stays, "{name}");
        }
        assert_eq!(erase(&folder.path().join("nowhere"), |_| true).unwrap(), 0);
        assert!(erase(&folder.path().join("note.txt"), |_| true).is_err());
    }
}
