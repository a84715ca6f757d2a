//! `[templates]`: overrides of the compiled-in templates.

use std::path::PathBuf;

use super::section::Section;
use crate::domain::{Problem, Result};

pub(super) const KEYS: &[&str] = &["folder"];

pub(super) fn read(mut section: Section<'_>) -> Result<Option<PathBuf>> {
    let folder = section.path("folder")?;
    match folder {
        Some(folder) if !folder.is_dir() => Err(Problem::configuration(format!(
            "{}: no such folder: {}",
            section.place_of("folder"),
            folder.display()
        ))
        .hint("make the folder, or remove the key to use the templates that are compiled in")),
        folder => Ok(folder),
    }
}
