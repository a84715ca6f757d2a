//! Pages of the site: our own corpus, and the real pages in the folder that `POSTRIDER_TEST_PAGES` names.
//!
//! A page in `tests/corpus/pages` with `<page>.json` or `<page>.error` beside it is a test; no code is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use postrider::domain::Summary;
use postrider::gather::page::{parse_html, parse_text};
use std::path::Path;

const FOLDER: &str = "POSTRIDER_TEST_PAGES";

fn main() {
    let mut trials: Vec<Trial> = support::inputs(&support::corpus("pages"))
        .into_iter()
        .map(|path| {
            let name = format!("corpus::{}", path.file_name().unwrap().to_string_lossy());
            Trial::test(name, move || {
                let page = std::fs::read_to_string(&path).unwrap();
                let categories = support::categories();
                let outcome = if path.extension().is_some_and(|extension| extension == "html") {
                    parse_html(&page, None, &categories)
                } else {
                    parse_text(&page, &categories)
                };
                support::compare(&path, outcome).map_err(Failed::from)
            })
        })
        .collect();
    assert!(trials.len() >= 10, "the corpus of pages is gone");
    let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty());
    let ignored = folder.is_none();
    trials.push(
        Trial::test("real_page", move || {
            let folder = folder.ok_or_else(|| Failed::from(format!("{FOLDER} is not set")))?;
            let page = std::fs::read_to_string(Path::new(&folder).join("site-page.txt"))?;
            check_real_page(
                &parse_text(&page, &support::categories()).map_err(|problem| problem.to_string())?,
            )
        })
        .with_ignored_flag(ignored),
    );
    if ignored {
        eprintln!("real_page is ignored: {FOLDER} does not name the folder of real pages");
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn check_real_page(summary: &Summary) -> Result<(), Failed> {
    let is = |what: &str, right: bool| {
        if right {
            Ok(())
        } else {
            Err(Failed::from(format!("{what}: {summary:#?}")))
        }
    };
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    is(
        "title",
        summary.title.starts_with("Effect of ") && summary.title.ends_with(" Metastatic Spinal Tumors"),
    )?;
    is("journal", text(&summary.journal) == "Medicina")?;
    is("year", summary.year == Some(2022))?;
    is(
        "doi",
        summary
            .doi
            .as_ref()
            .is_some_and(|doi| doi.as_str() == "10.3390/medicina58030358"),
    )?;
    is(
        "published",
        summary
            .published
            .is_some_and(|date| date.to_string() == "2022-03-01"),
    )?;
    let categories: Vec<&str> = summary.categories.iter().map(|slug| slug.as_str()).collect();
    is(
        "categories, the main one first",
        categories == ["oncology", "surgery"],
    )?;
    is("explanation", summary.explanation.html().len() > 200)?;
    is(
        "duration",
        text(&summary.duration) == "December 2013 to October 2020",
    )?;
    is(
        "participants",
        text(&summary.participants).starts_with("51 patients"),
    )?;
    is("evidence", text(&summary.evidence) == "Not specified")?;
    is("3 findings", summary.findings.len() == 3)?;
    is(
        "no number before a finding",
        !summary
            .findings
            .iter()
            .any(|f| f.html().starts_with(|c: char| c.is_ascii_digit())),
    )?;
    is("research summary", summary.research_summary.html().len() > 200)?;
    let names: Vec<&str> = summary
        .implications
        .iter()
        .map(|implication| implication.name.as_str())
        .collect();
    is(
        "3 implications",
        names
            == [
                "Improved Quality of Life",
                "Outpatient Treatment",
                "Personalized Treatment",
            ],
    )?;
    is(
        "implications have texts",
        summary
            .implications
            .iter()
            .all(|implication| implication.text.html().len() > 40),
    )?;
    is("3 limitations", summary.limitations.len() == 3)?;
    is(
        "the feedback box is outside",
        !format!("{summary:?}").contains("helpful?"),
    )
}
