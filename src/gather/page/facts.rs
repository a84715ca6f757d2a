//! The line under a page's title: journal, year, DOI and date, parted by middle dots.

use chrono::NaiveDate;

use crate::domain::{Doi, Problem, Result};

const DOT: &str = " · ";

/// What the line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) journal: Option<String>,
    pub(super) year: Option<i32>,
    pub(super) doi: Option<Doi>,
    pub(super) published: Option<NaiveDate>,
}

impl Facts {
    /// Takes what `line` says; `false` when it is no such line.
    ///
    /// # Errors
    /// When a DOI or a date is labelled as one and is none.
    pub(super) fn absorb(&mut self, line: &str) -> Result<bool> {
        let pieces: Vec<&str> = line.split('·').map(str::trim).collect();
        if pieces.iter().all(|piece| piece.is_empty()) {
            return Ok(true);
        }
        // From the right, because the journal's own name may hold a middle dot.
        let mut known = pieces.len();
        while let Some(piece) = known.checked_sub(1).and_then(|last| pieces.get(last)) {
            if !piece.is_empty() && !self.labelled(piece)? {
                break;
            }
            known -= 1;
        }
        let rest = pieces.get(..known).unwrap_or_default().join(DOT);
        let rest = rest.trim_matches(|c: char| c == '·' || c.is_whitespace());
        if rest.is_empty() {
            return Ok(true);
        }
        if let Some(year) = as_year(rest) {
            self.year = Some(year);
        } else if let Some((journal, year)) = rest.rsplit_once(',').and_then(|(j, y)| Some((j, as_year(y)?)))
        {
            self.journal = Some(journal.trim().to_owned()).filter(|journal| !journal.is_empty());
            self.year = Some(year);
        } else if known < pieces.len() {
            self.journal = Some(rest.to_owned());
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn labelled(&mut self, piece: &str) -> Result<bool> {
        if let Some(value) = after_label(piece, "doi:") {
            if !is_none(value) {
                self.doi = Some(Doi::parse(value)?);
            }
        } else if let Some(value) = after_label(piece, "published:") {
            if !is_none(value) {
                let wrong = || {
                    Problem::failed(format!("date of publication is {value:?}"))
                        .hint("a date looks like March 1, 2022 or 2022-03-01")
                };
                self.published = Some(as_date(value).ok_or_else(wrong)?);
            }
        } else if let Ok(doi) = Doi::parse(piece) {
            self.doi = Some(doi);
        } else if let Some(date) = as_date(piece) {
            self.published = Some(date);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// Whether `line` can be nothing but such a line.
pub(super) fn looks_like_facts(line: &str) -> bool {
    let labelled = line
        .split('·')
        .map(str::trim)
        .any(|piece| after_label(piece, "doi:").is_some() || after_label(piece, "published:").is_some());
    labelled
        || line
            .rsplit_once(',')
            .is_some_and(|(_, year)| as_year(year).is_some())
}

fn after_label<'a>(piece: &'a str, label: &str) -> Option<&'a str> {
    let head = piece.get(..label.len())?;
    head.eq_ignore_ascii_case(label)
        .then(|| piece.get(label.len()..).unwrap_or_default().trim())
}

fn is_none(value: &str) -> bool {
    ["", "-", "–", "—", "n/a", "none", "not specified", "not available"]
        .contains(&value.to_lowercase().as_str())
}

fn as_year(text: &str) -> Option<i32> {
    let text = text.trim();
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|year| digits && (1500..=2200).contains(year))
}

fn as_date(text: &str) -> Option<NaiveDate> {
    ["%B %d, %Y", "%d %B %Y", "%Y-%m-%d", "%B %d %Y", "%d %B, %Y"]
        .into_iter()
        .find_map(|format| NaiveDate::parse_from_str(text.trim(), format).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(line: &str) -> std::result::Result<Option<String>, String> {
        let mut facts = Facts::default();
        let found = facts
            .absorb(line)
            .map_err(|problem| problem.message().to_owned())?;
        let show = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        Ok(found.then(|| {
            format!(
                "{}|{}|{}|{}",
                show(facts.journal),
                show(facts.year.map(|y| y.to_string())),
                show(facts.doi.map(|d| d.to_string())),
                show(facts.published.map(|d| d.to_string()))
            )
        }))
    }

    #[test]
    fn reads_every_form_of_the_line() {
        for (line, facts) in [
            (
                "Pain, 2022 · DOI: https://doi.org/10.1234/ab.5 · Published: March 1, 2022",
                "Pain|2022|10.1234/ab.5|2022-03-01",
            ),
            (
                "Pain · Now, and Then, 2019 · DOI: 10.1234/x",
                "Pain · Now, and Then|2019|10.1234/x|-",
            ),
            ("Pain · Published: 2 Feb 2020", "Pain|-|-|2020-02-02"),
            ("Pain, 2022", "Pain|2022|-|-"),
            ("DOI: Not available · Published: 2020-02-29", "-|-|-|2020-02-29"),
            ("10.1234/x · December 31, 1999", "-|-|10.1234/x|1999-12-31"),
            ("2021", "-|2021|-|-"),
            (" · ", "-|-|-|-"),
        ] {
            assert_eq!(read(line), Ok(Some(facts.to_owned())), "{line}");
        }
        assert_eq!(read("OncologySurgery"), Ok(None));
        assert_eq!(read("Oncology · Surgery"), Ok(None));
        assert_eq!(
            read("Pain, 2022 · DOI: 11.1/x"),
            Err("\"11.1/x\" is not a DOI".to_owned())
        );
        assert_eq!(
            read("Published: soon"),
            Err("date of publication is \"soon\"".to_owned())
        );
        assert_eq!(
            read("Published: February 30, 2021"),
            Err("date of publication is \"February 30, 2021\"".to_owned())
        );
    }
}
