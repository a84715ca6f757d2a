//! The `folder` source: Markdown with TOML front matter, one summary a file.

use async_trait::async_trait;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FetchMemory, Item, Pulled, Source, body, front_matter};
use crate::domain::{Category, Problem, Result, Slug, Summary, Timestamp};

/// The largest summary file, in bytes.
pub const MAX_FILE: u64 = 1_000_000;

/// A folder of summary files.
#[derive(Debug)]
pub struct FolderSource {
    name: String,
    path: PathBuf,
    categories: Arc<[Category]>,
}

impl FolderSource {
    /// A source that reads the `.md` files directly in `path`.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>, categories: Arc<[Category]>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            categories,
        }
    }
}

#[async_trait]
impl Source for FolderSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn pull(&self, _: &dyn FetchMemory, _: Timestamp) -> Result<Pulled> {
        let mut pulled = Pulled::default();
        for file in files_in(&self.name, &self.path, &["md"]).await? {
            // Markdown that is made to be slow must not hold up the rest of the program.
            let categories = Arc::clone(&self.categories);
            let read = read_text(&file.path).await;
            let stem = file.stem.clone();
            let outcome = match read {
                Ok(None) => continue,
                Ok(Some(text)) => {
                    off_thread(move || {
                        let slug = Slug::parse(&stem).map_err(|problem| {
                            problem.hint("rename the file: its name without .md is the summary's slug")
                        })?;
                        parse(&text, slug, &categories)
                    })
                    .await
                }
                Err(problem) => Err(problem),
            };
            let place = file.path.display().to_string();
            let outcome = outcome.map_err(|problem| problem.at(&place));
            pulled.items.push(Item::new(file.stem, place, outcome));
        }
        Ok(pulled)
    }
}

/// Reads one summary file.
///
/// # Errors
/// Names the line and what is wrong on it.
pub fn parse(text: &str, slug: Slug, categories: &[Category]) -> Result<Summary> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let (head, rest, body_line) = front_matter::part(text)?;
    let head_line = 1 + text
        .get(..text.find(head).unwrap_or(0))
        .unwrap_or_default()
        .matches('\n')
        .count();
    let mut summary = front_matter::read(head, head_line, slug, categories)?;
    body::read(rest, body_line, &mut summary)?;
    Ok(summary)
}

/// Runs what may take long where it holds up nobody; a panic becomes an error.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Problem::failed(
            "the text could not be read: the program's parser gave up on it",
        ))
    })
}

/// A file of a source.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) stem: String,
    pub(super) extension: String,
    pub(super) path: PathBuf,
}

/// The files of `folder` with one of the extensions, by name; not README, nor names that begin with `.` or `_`.
pub(super) async fn files_in(source: &str, folder: &Path, extensions: &[&str]) -> Result<Vec<Found>> {
    let unreadable = |error: io::Error| {
        let what = if error.kind() == io::ErrorKind::NotFound {
            "does not exist"
        } else {
            "can't be read"
        };
        Problem::failed(format!("source {source:?}: folder {what}: {}", folder.display()))
            .because(error)
            .hint(format!(
                "correct `path` of the [[source]] with name = {source:?}, or make the folder"
            ))
    };
    let mut entries = tokio::fs::read_dir(folder).await.map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
        let path = entry.path();
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with(['.', '_']);
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        if hidden || stem.eq_ignore_ascii_case("readme") || !extensions.contains(&extension.as_str()) {
            continue;
        }
        if tokio::fs::metadata(&path)
            .await
            .is_ok_and(|metadata| metadata.is_file())
        {
            found.push(Found {
                stem,
                extension,
                path,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The bytes of a file of at most `limit`; `None` when it vanished meanwhile.
pub(super) async fn read_bytes(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    use tokio::io::AsyncReadExt;
    let unreadable = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            Ok(None)
        } else {
            Err(Problem::failed("the file can't be read")
                .because(error)
                .hint("see to the rights of the file"))
        }
    };
    let file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        Err(error) => return unreadable(error),
    };
    let mut bytes = Vec::new();
    // One byte more than allowed tells too large from just right, without trusting the stated size.
    if let Err(error) = file.take(limit + 1).read_to_end(&mut bytes).await {
        return unreadable(error);
    }
    if bytes.len() as u64 > limit {
        return Err(Problem::failed(format!("the file is larger than {limit} bytes"))
            .hint("a summary is a few pages of text; take out what is not"));
    }
    Ok(Some(bytes))
}

async fn read_text(path: &Path) -> Result<Option<String>> {
    let Some(bytes) = read_bytes(path, MAX_FILE).await? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error
            .as_bytes()
            .iter()
            .take(valid)
            .filter(|&&byte| byte == b'\n')
            .count();
        Problem::failed(format!("line {line}: not UTF-8 text")).hint("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::domain::FetchState;

    struct NoMemory;
    #[async_trait]
    impl FetchMemory for NoMemory {
        async fn recall(&self, _: &str, _: &str) -> Result<FetchState> {
            Ok(FetchState::default())
        }
        async fn remember(&self, _: &str, _: &str, _: &FetchState) -> Result<()> {
            Ok(())
        }
    }

    fn categories() -> Arc<[Category]> {
        let slug = Slug::parse("oncology").unwrap();
        Arc::new([Category {
            slug,
            name: "Oncology".to_owned(),
            description: String::new(),
        }])
    }

    async fn pull(path: &Path) -> Result<Pulled> {
        FolderSource::new("content", path, categories())
            .pull(&NoMemory, Timestamp::default())
            .await
    }

    const GOOD: &str = "+++\ntitle = \"T\"\ncategories = [\"Oncology\"]\n+++\n";

    #[tokio::test]
    async fn reads_what_is_a_summary_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        for skipped in ["README.md", ".hidden.md", "_draft.md", "notes.txt"] {
            write(skipped, b"nothing");
        }
        std::fs::create_dir(folder.path().join("folder.md")).unwrap();
        write("b.md", GOOD.as_bytes());
        write(
            "a.md",
            format!("\u{FEFF}{}", GOOD.replace('\n', "\r\n")).as_bytes(),
        );
        write("latin.md", b"+++\ntitle = \"caf\xe9\"\n+++\n");
        write("large.md", &vec![b'a'; 1_000_001]);
        write("Not A Slug.md", GOOD.as_bytes());
        let pulled = pull(folder.path()).await.unwrap();
        let found: Vec<(&str, &str)> = pulled
            .items
            .iter()
            .map(|item| {
                (
                    item.key.as_str(),
                    item.outcome
                        .as_ref()
                        .map_or_else(String::as_str, |s| s.title.as_str()),
                )
            })
            .map(|(key, text)| (key, text.rsplit_once(".md: ").map_or(text, |(_, reason)| reason)))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "Not A Slug",
                    "\"Not A Slug\" is not a slug\n  hint: rename the file: its name without .md is the summary's slug"
                ),
                ("a", "T"),
                ("b", "T"),
                (
                    "large",
                    "the file is larger than 1000000 bytes\n  hint: a summary is a few pages of text; take out what is not"
                ),
                ("latin", "line 2: not UTF-8 text\n  hint: save the file as UTF-8"),
            ]
        );
        let place = folder.path().join("latin.md").display().to_string();
        assert!(pulled.items[4].outcome.as_ref().unwrap_err().starts_with(&place));
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_names_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        let error = pull(&path).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("folder does not exist: {}", path.display())),
            "{error}"
        );
        assert!(
            error.contains("`path` of the [[source]] with name = \"content\""),
            "{error}"
        );
    }
}
