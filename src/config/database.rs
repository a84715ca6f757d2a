//! `[database]`: where everything is kept.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::section::Section;
use super::{below, private};
use crate::domain::{Problem, Result};

pub(super) const KEYS: &[&str] = &["url", "password_file"];

const DEFAULT: &str = "sqlite:data/postrider.db";
const FORMS: &str = "write sqlite:PATH or postgres://user@host/database";

/// The address of a database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, made when missing.
    Sqlite(PathBuf),
    /// A PostgreSQL address, which may hold a password.
    Postgres(String),
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://…`; a relative path starts at `folder`.
    ///
    /// # Errors
    /// Says what is wrong without showing a password.
    pub fn parse(text: &str, folder: &Path) -> Result<Self> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') || path.contains('?') {
                return Err(
                    Problem::configuration(format!("expected a file after sqlite:, got {text:?}"))
                        .hint(FORMS),
                );
            }
            return Ok(Self::Sqlite(below(folder, path)));
        }
        let shown = shown(text);
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => {
                Ok(Self::Postgres(text.to_owned()))
            }
            _ => Err(
                Problem::configuration(format!("expected the address of a database, got {shown:?}"))
                    .hint(FORMS),
            ),
        }
    }
}

/// The address up to its first secret part.
fn shown(text: &str) -> String {
    let hidden = crate::domain::relay::hide_password(text);
    hidden.split('?').next().unwrap_or_default().to_owned()
}

impl fmt::Display for Database {
    /// The address without user, password and options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&shown(url)),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

pub(super) fn read(mut section: Section<'_>, instead: Option<&str>) -> Result<Database> {
    let folder = section.folder();
    let in_file = section.parsed("url", |text| Ok(text.to_owned()))?;
    let password_file = section.path("password_file")?;
    if let Some(text) = instead {
        return Database::parse(text, Path::new(""))
            .map_err(|problem| problem.at("--database (POSTRIDER_DATABASE)"));
    }
    let url = in_file.unwrap_or_else(|| DEFAULT.to_owned());
    let database = Database::parse(&url, &folder).map_err(|problem| problem.at(section.place_of("url")))?;
    match (database, password_file) {
        (database, None) => Ok(database),
        (Database::Postgres(url), Some(file)) => {
            let at = section.place_of("password_file");
            let password = private::read_password(&file).map_err(|problem| problem.at(&at))?;
            with_password(&url, &password)
                .map(Database::Postgres)
                .ok_or_else(|| {
                    Problem::configuration(format!(
                        "{at}: the address cannot take a password: {:?}",
                        shown(&url)
                    ))
                    .hint("write postgres://user@host/database, with no password in it")
                })
        }
        (Database::Sqlite(_), Some(file)) => Err(Problem::configuration(format!(
            "{}: SQLite has no password, but one is named: {}",
            section.place_of("password_file"),
            file.display()
        ))
        .hint("remove password_file")),
    }
}

/// `url` with `password`, when it has a user and no password yet.
pub(super) fn with_password(url: &str, password: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    if url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_password(Some(&private::percent_encode(password))).ok()?;
    Some(url.into())
}
