//! What several test files need: the categories, and the comparison of a corpus with its expectations.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod http;

use postrider::domain::{Category, Result, Slug, Summary};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The categories of the sample configuration.
pub fn categories() -> Arc<[Category]> {
    [
        "Oncology",
        "Surgery",
        "Spinal Cord Injury",
        "Neurology",
        "Research Methodology & Design",
        "Regenerative Medicine",
        "Rehabilitation",
        "Biomedical Engineering",
        "Urology",
        "Gastroenterology",
        "Pain Management",
    ]
    .into_iter()
    .map(|name| Category {
        slug: Slug::from_title(name).expect("a name"),
        name: name.to_owned(),
        description: String::new(),
    })
    .collect()
}

/// The folder of inputs called `name`.
pub fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name)
}

/// The inputs in a corpus folder: every file that is no expectation.
pub fn inputs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            !path.to_string_lossy().ends_with(".json") && !path.to_string_lossy().ends_with(".error")
        })
        .collect();
    found.sort();
    found
}

/// Compares what `input` gave with `<input>.json` (a summary) or `<input>.error` (the whole message) beside it.
pub fn compare(input: &Path, outcome: Result<Summary>) -> std::result::Result<(), String> {
    let beside = |extension: &str| PathBuf::from(format!("{}.{extension}", input.display()));
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    match (outcome, read(&beside("json")), read(&beside("error"))) {
        (Ok(summary), Some(expected), None) => {
            let expected: serde_json::Value =
                serde_json::from_str(&expected).map_err(|error| error.to_string())?;
            let got = serde_json::to_value(&summary).unwrap();
            let pretty = serde_json::to_string_pretty(&got).unwrap();
            if got == expected {
                Ok(())
            } else {
                Err(format!("{} gave\n{pretty}", input.display()))
            }
        }
        (Err(problem), None, Some(expected)) if problem.to_string() == expected.trim_end() => Ok(()),
        (Err(problem), _, _) => Err(format!("{} gave the error\n{problem}", input.display())),
        (Ok(summary), _, _) => {
            let got = serde_json::to_string_pretty(&summary).unwrap();
            Err(format!(
                "{} is not to give a summary; it gave\n{got}",
                input.display()
            ))
        }
    }
}
