//! The TOML head of a summary file: which keys there are, and on which line one is wrong.

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{categories, clean};
use crate::domain::summary::{Fault, Status};
use crate::domain::{Category, Doi, Problem, Result, Slug, Summary};

const FENCE: &str = "+++";

/// The keys, in the order in which they are listed to people.
const KEYS: &str = "title, journal, year, doi, published, categories, status, note, fault, duration, participants, \
                    evidence, url";

/// Parts a file into its head and its body, and says on which line the body begins.
///
/// # Errors
/// When there is no head between two lines `+++`.
pub(super) fn part(text: &str) -> Result<(&str, &str, usize)> {
    let missing = |what: &str| {
        Problem::failed(format!("line 1: {what}"))
            .hint("begin the file with TOML front matter: a line +++, the keys, and another line +++")
    };
    let mut offset = 0;
    let mut head_start = None;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_end();
        offset += line.len();
        match head_start {
            None if content == FENCE => head_start = Some(offset),
            None if content == "---" => {
                return Err(missing(
                    "front matter begins with \"---\" (YAML), not with \"+++\"",
                ));
            }
            None if content.is_empty() => {}
            None => return Err(missing("no front matter")),
            Some(start) if content == FENCE => {
                let head = text.get(start..offset - line.len()).unwrap_or_default();
                return Ok((head, text.get(offset..).unwrap_or_default(), n + 2));
            }
            Some(_) => {}
        }
    }
    Err(missing(if head_start.is_some() {
        "front matter without its closing \"+++\""
    } else {
        "no front matter"
    }))
}

/// A head that is read key by key.
struct Head<'a> {
    text: &'a str,
    first_line: usize,
}

impl Head<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or(self.text);
        self.first_line + before.matches('\n').count()
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, what: String) -> Problem {
        Problem::failed(format!("line {}: {what}", self.line(value.span().start)))
    }

    fn string(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String> {
        let text = value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.of_type(key, "a string in quotes", value))?;
        Ok(clean::line(text))
    }

    fn of_type(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) -> Problem {
        let found = value.get_ref().type_str();
        self.wrong(value, format!("{key} must be {wanted}, not {found}"))
            .hint("correct the value, or take the line out")
    }

    fn optional(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Option<String>> {
        Ok(Some(self.string(key, value)?).filter(|text| !text.is_empty()))
    }

    fn year(&self, value: &Spanned<DeValue<'_>>) -> Result<i32> {
        let integer = value
            .get_ref()
            .as_integer()
            .ok_or_else(|| self.of_type("year", "a number", value))?;
        i32::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|year| (1000..=9999).contains(year))
            .ok_or_else(|| {
                self.wrong(value, format!("year is {}", integer.as_str()))
                    .hint("write four digits: year = 2022")
            })
    }

    fn date(&self, value: &Spanned<DeValue<'_>>) -> Result<NaiveDate> {
        let text = match value.get_ref() {
            DeValue::Datetime(time) => time
                .date
                .map(|date| date.to_string())
                .unwrap_or_else(|| time.to_string()),
            DeValue::String(text) => text.trim().to_owned(),
            _ => return Err(self.of_type("published", "a date", value)),
        };
        NaiveDate::parse_from_str(&text, "%Y-%m-%d").map_err(|_| {
            self.wrong(value, format!("published is {text:?}"))
                .hint("write year, month and day: published = 2022-03-01")
        })
    }

    fn categories(&self, value: &Spanned<DeValue<'_>>, known: &[Category]) -> Result<Vec<Slug>> {
        let wanted = "a list of slugs or names in quotes";
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.of_type("categories", wanted, value))?;
        let mut slugs = Vec::new();
        for entry in list.iter() {
            let name = entry
                .get_ref()
                .as_str()
                .ok_or_else(|| self.of_type("categories", wanted, entry))?;
            let category = categories::find(name, known).ok_or_else(|| {
                categories::unknown(name).at(format!("line {}", self.line(entry.span().start)))
            })?;
            categories::add(&mut slugs, &category.slug);
        }
        Ok(slugs)
    }

    fn url(&self, value: &Spanned<DeValue<'_>>) -> Result<String> {
        let text = self.string("url", value)?;
        url::Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .map(String::from)
            .ok_or_else(|| {
                self.wrong(value, format!("url is {text:?}"))
                    .hint("write an absolute https address")
            })
    }

    fn set(
        &self,
        summary: &mut Summary,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        known: &[Category],
    ) -> Result<bool> {
        match key {
            "title" => summary.title = self.string(key, value)?,
            "journal" => summary.journal = self.optional(key, value)?,
            "year" => summary.year = Some(self.year(value)?),
            "doi" => {
                let place = format!("line {}", self.line(value.span().start));
                let text = self.string(key, value)?;
                summary.doi = Some(Doi::parse(&text).map_err(|problem| problem.at(format!("{place}: doi")))?);
            }
            "published" => summary.published = Some(self.date(value)?),
            "categories" => summary.categories = self.categories(value, known)?,
            "status" => {
                let text = self.string(key, value)?;
                summary.status = Status::parse(&text).ok_or_else(|| {
                    self.wrong(value, format!("status is {text:?}"))
                        .hint("use published, corrected or retracted")
                })?;
            }
            "note" => summary.note = self.optional(key, value)?,
            "fault" => {
                let text = self.string(key, value)?;
                let fault = Fault::parse(&text).ok_or_else(|| {
                    self.wrong(value, format!("fault is {text:?}"))
                        .hint("use paper or summary: whose mistake it was")
                })?;
                summary.fault = Some(fault);
            }
            "duration" => summary.duration = self.optional(key, value)?,
            "participants" => summary.participants = self.optional(key, value)?,
            "evidence" => summary.evidence = self.optional(key, value)?,
            "url" => summary.url = Some(self.url(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Reads the keys of a head that begins on `first_line` of its file.
///
/// # Errors
/// Names the line and the key that is unknown, missing, or has a wrong value.
pub(super) fn read(text: &str, first_line: usize, slug: Slug, known: &[Category]) -> Result<Summary> {
    let head = Head { text, first_line };
    let table = DeTable::parse(text).map_err(|error| {
        let line = head.line(error.span().map_or(0, |span| span.start));
        Problem::failed(format!(
            "line {line}: front matter is not TOML: {}",
            clean::line(error.message())
        ))
        .hint("write key = \"value\" on each line")
    })?;
    let mut summary = Summary::new(slug, String::new());
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        if !head.set(&mut summary, key.get_ref(), value, known)? {
            let line = head.line(key.span().start);
            return Err(
                Problem::failed(format!("line {line}: unknown key {:?}", key.get_ref()))
                    .hint(format!("the keys are: {KEYS}")),
            );
        }
    }
    check(summary)
}

fn check(mut summary: Summary) -> Result<Summary> {
    let lacks = |what: &str, hint: &str| Err(Problem::failed(format!("front matter {what}")).hint(hint));
    if summary.title.is_empty() {
        return lacks("has no title", "add a line: title = \"…\"");
    }
    if summary.categories.is_empty() {
        return lacks(
            "has no categories",
            "add a line: categories = [\"…\"], the main category first",
        );
    }
    if summary.status != Status::Published && summary.note.is_none() {
        return lacks(
            &format!("has status {:?} and no note", summary.status.as_str()),
            "add a line: note = \"…\" that says what was wrong",
        );
    }
    if summary.status == Status::Published && (summary.note.is_some() || summary.fault.is_some()) {
        return lacks(
            "has a note or fault, but its status is \"published\"",
            "add a line: status = \"corrected\" or \"retracted\", or take the note out",
        );
    }
    summary.fault = summary.fault.or(Fault::usual(summary.status));
    Ok(summary)
}
