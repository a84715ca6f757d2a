//! `[subscribers]`: the lists, and how addresses are compared.

use std::path::PathBuf;

use super::{below, section::Section};
use crate::domain::{LocalPartRule, Problem, Result};

pub(super) const KEYS: &[&str] = &["folder", "local_part"];

/// Where lists are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribers {
    /// The folder of CSV lists.
    pub folder: PathBuf,
    /// How the part before the `@` is compared.
    pub local_part: LocalPartRule,
}

pub(super) fn read(mut section: Section<'_>) -> Result<Subscribers> {
    let folder = section.folder();
    Ok(Subscribers {
        folder: section
            .path("folder")?
            .unwrap_or_else(|| below(&folder, "subscribers")),
        local_part: section.parsed("local_part", rule)?.unwrap_or_default(),
    })
}

fn rule(text: &str) -> Result<LocalPartRule> {
    match text.trim() {
        "insensitive" => Ok(LocalPartRule::Insensitive),
        "exact" => Ok(LocalPartRule::Exact),
        _ => Err(
            Problem::configuration(format!("expected \"insensitive\" or \"exact\", got {text:?}"))
                .hint("\"insensitive\" takes Ann@example.org and ann@example.org for one reader"),
        ),
    }
}
