//! Finding the known category that a source means.

use crate::domain::{Category, Problem, Result, Slug};

/// The category whose slug or name is `text`, whatever the case.
pub(super) fn find<'a>(text: &str, categories: &'a [Category]) -> Option<&'a Category> {
    let text = text.trim();
    categories
        .iter()
        .find(|category| category.slug.as_str() == text)
        .or_else(|| {
            let wanted = text.to_lowercase();
            categories
                .iter()
                .find(|category| category.name.to_lowercase() == wanted || category.slug.as_str() == wanted)
        })
}

/// Adds `slug` unless it is there.
pub(super) fn add(slugs: &mut Vec<Slug>, slug: &Slug) {
    if !slugs.contains(slug) {
        slugs.push(slug.clone());
    }
}

/// The error for a category that nobody defined.
pub(super) fn unknown(text: &str) -> Problem {
    Problem::failed(format!("unknown category {text:?}"))
        .hint("use the slug or name of a [[category]] in the configuration, or define it there")
}

/// The categories of a line in which their names stand with nothing, or only signs, between them.
///
/// # Errors
/// Names the rest of the line that begins with no known name.
pub(super) fn split(line: &str, categories: &[Category]) -> Result<Vec<Slug>> {
    let mut known: Vec<&Category> = categories.iter().collect();
    known.sort_by_key(|category| std::cmp::Reverse(category.name.len()));
    let mut dead = vec![false; line.len() + 1];
    let mut farthest = 0;
    let mut path: Vec<(usize, usize)> = Vec::new();
    // Depth first with a note of dead ends, so that no line costs more than length times categories.
    let (mut at, mut next) = (skip_signs(line, 0), 0);
    loop {
        farthest = farthest.max(at);
        if at >= line.len() {
            let mut slugs = Vec::new();
            for (_, index) in path {
                if let Some(category) = known.get(index) {
                    add(&mut slugs, &category.slug);
                }
            }
            return Ok(slugs);
        }
        let rest = line.get(at..).unwrap_or_default();
        let step = (next..known.len()).find_map(|index| {
            let name = &known.get(index)?.name;
            let head = rest.get(..name.len())?;
            let end = skip_signs(line, at + name.len());
            let open = !dead.get(end).copied().unwrap_or(true);
            (!name.is_empty() && head.eq_ignore_ascii_case(name) && open).then_some((index, end))
        });
        if let Some((index, end)) = step {
            path.push((at, index));
            (at, next) = (end, 0);
        } else {
            if let Some(mark) = dead.get_mut(at) {
                *mark = true;
            }
            match path.pop() {
                Some((before, index)) => (at, next) = (before, index + 1),
                None => break,
            }
        }
    }
    let rest = line.get(farthest..).unwrap_or(line).trim();
    Err(
        Problem::failed(format!("{line:?} is no list of known categories: {rest:?}"))
            .hint("define the category under [[category]] in the configuration, or correct the line"),
    )
}

fn skip_signs(line: &str, from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    let signs = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '·' | '|' | '/' | '•');
    from + (rest.len() - rest.trim_start_matches(signs).len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn known(names: &[&str]) -> Vec<Category> {
        let make = |name: &&str| Category {
            slug: Slug::from_title(name).unwrap(),
            name: (*name).to_owned(),
            description: String::new(),
        };
        names.iter().map(make).collect()
    }

    fn split_with(names: &[&str], line: &str) -> std::result::Result<String, String> {
        let slugs = split(line, &known(names)).map_err(|problem| problem.message().to_owned())?;
        Ok(slugs.iter().map(Slug::as_str).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn splits_what_has_nothing_between() {
        let names = [
            "Care",
            "Spinal Cord Injury",
            "Research Methodology & Design",
            "Oncology",
            "Surgery",
        ];
        for (line, slugs) in [
            ("OncologySurgery", "oncology surgery"),
            (
                "Spinal Cord InjuryResearch Methodology & Design",
                "spinal-cord-injury research-methodology-design",
            ),
            (" Oncology, Surgery · Oncology", "oncology surgery"),
            ("", ""),
        ] {
            assert_eq!(split_with(&names, line), Ok(slugs.to_owned()), "{line}");
        }
    }

    #[test]
    fn takes_the_longest_name_but_goes_back_when_it_leads_nowhere() {
        assert_eq!(
            split_with(&["Pain", "Pain Care", "Care Homes"], "Pain Care"),
            Ok("pain-care".to_owned())
        );
        assert_eq!(
            split_with(&["Pain", "Pain Care", "Care Homes"], "Pain Care Homes"),
            Ok("pain care-homes".to_owned())
        );
    }

    #[test]
    fn names_what_can_not_be_split_and_stays_quick() {
        assert_eq!(
            split_with(&["Oncology"], "OncologyAstrology"),
            Err("\"OncologyAstrology\" is no list of known categories: \"Astrology\"".to_owned())
        );
        let line = format!("{}é", "a".repeat(2000));
        assert!(split_with(&["a", "aa", "aaa"], &line).is_err());
    }
}
