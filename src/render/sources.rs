//! The text of every template: compiled in, overridden file by file from a folder.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::built_in::BUILT_IN;
use crate::domain::notice::NoticeKind;
use crate::domain::{Problem, Result};

/// The largest template file that is read, in bytes.
const MAX_FILE: u64 = 1_000_000;

/// The three files of a mail.
pub(super) const MAIL_FILES: [&str; 3] = ["subject.txt.hbs", "body.txt.hbs", "body.mjml.hbs"];

/// One template file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Where it came from, as errors show it.
    pub place: String,
    /// Its text, with LF line ends.
    pub text: String,
}

/// All template files by their path below `templates/`.
#[derive(Debug, Clone)]
pub(super) struct Sources(pub BTreeMap<String, Source>);

impl Sources {
    /// The compiled-in files, with those of `folder` on top.
    pub(super) fn read(folder: Option<&Path>) -> Result<Self> {
        let mut sources = Self(
            BUILT_IN
                .iter()
                .map(|&(name, text)| {
                    let place = format!("templates/{name}");
                    (
                        name.to_owned(),
                        Source {
                            place,
                            text: text.to_owned(),
                        },
                    )
                })
                .collect(),
        );
        if let Some(folder) = folder {
            if !folder.is_dir() {
                return Err(Problem::configuration(format!(
                    "there is no templates folder {}",
                    folder.display()
                ))
                .hint("create it, or leave the key out to use the templates that are compiled in"));
            }
            sources.overlay(folder, &mut Vec::new())?;
        }
        Ok(sources)
    }

    fn overlay(&mut self, folder: &Path, below: &mut Vec<String>) -> Result<()> {
        let unreadable = |path: &Path, error: std::io::Error| {
            Problem::configuration(format!("can't read the template {}", path.display())).because(error)
        };
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
            .map_err(|error| unreadable(folder, error))?;
        entries.sort();
        for path in entries {
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if file.starts_with(['.', '_']) {
                continue;
            }
            below.push(file.to_owned());
            if path.is_dir() {
                if below.len() < 4 {
                    self.overlay(&path, below)?;
                }
            } else if has_extension(file, "hbs") || has_extension(file, "css") {
                let name = below.join("/");
                if !is_known(&name) {
                    return Err(Problem::configuration(format!(
                        "this template overrides nothing: {}",
                        path.display()
                    ))
                    .hint(
                        "templates are email/MAIL/{subject.txt,body.txt,body.mjml}.hbs, feed/*.hbs and web/* \
                         as docs/templates.md lists them, and partials/*.html.hbs, partials/*.txt.hbs and \
                         partials/*.mjml.hbs; \
                         a name that begins with _ is skipped",
                    ));
                }
                let size = fs::metadata(&path)
                    .map_err(|error| unreadable(&path, error))?
                    .len();
                if size > MAX_FILE {
                    return Err(Problem::configuration(format!(
                        "the template {} is larger than {MAX_FILE} bytes: {size}",
                        path.display()
                    )));
                }
                let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                let text = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
                let place = path.display().to_string();
                self.0.insert(name, Source { place, text });
            }
            below.pop();
        }
        Ok(())
    }

    /// What MJML may include in its head, by the name that it includes it by.
    pub(super) fn heads(&self) -> HashMap<String, String> {
        let head = |(name, source): (&String, &Source)| {
            let short = name.strip_prefix("partials/")?.strip_suffix(".hbs")?;
            short
                .ends_with(".mjml")
                .then(|| (short.to_owned(), source.text.clone()))
        };
        self.0.iter().filter_map(head).collect()
    }

    /// The folders below `email/`, sorted.
    pub(super) fn mails(&self) -> Vec<String> {
        let mut mails: Vec<String> = self
            .0
            .keys()
            .filter_map(|name| {
                name.strip_prefix("email/")?
                    .split_once('/')
                    .map(|(mail, _)| mail.to_owned())
            })
            .collect();
        mails.dedup();
        mails
    }

    /// Whether `mail` has its three files.
    ///
    /// # Errors
    /// Names the first file that is missing.
    pub(super) fn require_mail(&self, mail: &str) -> Result<()> {
        match MAIL_FILES
            .iter()
            .find(|file| !self.0.contains_key(&format!("email/{mail}/{file}")))
        {
            None => Ok(()),
            Some(file) => Err(Problem::configuration(format!(
                "a mail's template is missing: templates/email/{mail}/{file}"
            ))
            .hint(format!(
                "the mails that exist: {}",
                self.complete_mails().join(", ")
            ))),
        }
    }

    fn complete_mails(&self) -> Vec<String> {
        // The templates of notices make no digest.
        let complete = |mail: &String| {
            NoticeKind::parse(mail).is_none()
                && MAIL_FILES
                    .iter()
                    .all(|file| self.0.contains_key(&format!("email/{mail}/{file}")))
        };
        self.mails().into_iter().filter(complete).collect()
    }
}

fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|found| found == extension)
}

fn is_known(name: &str) -> bool {
    let built_in = || BUILT_IN.iter().any(|(known, _)| *known == name);
    match name.split('/').collect::<Vec<_>>()[..] {
        ["email", _, file] => MAIL_FILES.contains(&file),
        ["partials", file] => [".html.hbs", ".txt.hbs", ".mjml.hbs"]
            .iter()
            .any(|ending| file.ends_with(ending)),
        _ => built_in(),
    }
}
