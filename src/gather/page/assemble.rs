//! The meaning of a page's blocks.

use url::Url;

use super::facts::Facts;
use super::{Block, Draft, Look, slug_of_title};
use crate::domain::summary::Implication;
use crate::domain::{Category, Problem, Prose, Result, Summary};
use crate::gather::sections::Section;
use crate::gather::{categories, clean};

/// Makes a summary of what was read of a page.
///
/// # Errors
/// Names the line, where there are lines, and the text that could not be understood.
pub(super) fn assemble(draft: Draft, base: Option<&Url>, categories: &[Category]) -> Result<Summary> {
    let title = clean::line(&draft.title);
    let mut summary = Summary::new(slug_of_title(&title)?, title);
    summary.url.clone_from(&draft.url);
    let first = draft
        .blocks
        .iter()
        .position(|block| block.look != Look::Item && Section::find(&block.text).is_some());
    let Some(first) = first else {
        return Err(Problem::failed("the page has none of the headings of a summary")
            .hint("the headings are Simple Explanation, Key Findings, Research Summary and so on"));
    };
    let (head, body) = draft.blocks.split_at(first);
    read_head(head, &draft.steps, categories, &mut summary)?;

    for (section, blocks) in sections(body, &draft.steps, categories) {
        match section {
            Section::Explanation => summary.explanation = prose(&blocks, base),
            Section::Research => summary.research_summary = prose(&blocks, base),
            Section::Duration => summary.duration = line(&blocks),
            Section::Participants => summary.participants = line(&blocks),
            Section::Evidence => summary.evidence = line(&blocks),
            Section::Findings => summary.findings = list(&blocks, section, base)?,
            Section::Limitations => summary.limitations = list(&blocks, section, base)?,
            Section::Implications => summary.implications = implications(&blocks, base),
        }
    }
    Ok(summary)
}

/// Journal, year, DOI, date and categories.
fn read_head(head: &[Block], steps: &[String], known: &[Category], summary: &mut Summary) -> Result<()> {
    // The third step is the main category, unless it is the title already.
    if let Some(step) = steps
        .get(2)
        .filter(|step| steps.len() > 3 && **step != summary.title)
    {
        let main = categories::find(step, known).ok_or_else(|| categories::unknown(step).at("breadcrumb"))?;
        categories::add(&mut summary.categories, &main.slug);
    }
    let mut facts = Facts::default();
    let linked = head.iter().any(|block| block.category_link);
    for block in head {
        let at = |problem: Problem| match block.line {
            Some(line) => problem.at(format!("line {line}")),
            None => problem,
        };
        if facts.absorb(&block.text).map_err(at)? {
            continue;
        }
        match categories::split(&block.text, known) {
            Ok(slugs) => slugs
                .iter()
                .for_each(|slug| categories::add(&mut summary.categories, slug)),
            // Where categories are links, other text in the head is decoration.
            Err(_) if linked && !block.category_link => {}
            Err(problem) => return Err(at(problem)),
        }
    }
    if summary.categories.is_empty() {
        return Err(Problem::failed("the page names no category")
            .hint("the breadcrumb's third step, or a line under journal and year, names them"));
    }
    summary.journal = facts.journal;
    summary.year = facts.year;
    summary.doi = facts.doi;
    summary.published = facts.published;
    Ok(())
}

/// The sections of a page up to its feedback box, each with the blocks in it.
fn sections<'a>(body: &'a [Block], steps: &[String], known: &[Category]) -> Vec<(Section, Vec<&'a Block>)> {
    let mut sections: Vec<(Section, Vec<&Block>)> = Vec::new();
    let mut level = 0;
    let mut foreign = false;
    for block in body {
        if ends_page(&block.text, steps, known) {
            break;
        }
        let section = Section::find(&block.text).filter(|_| block.look != Look::Item);
        if let Some(section) = section.filter(|section| sections.iter().all(|(other, _)| other != section)) {
            if let Look::Heading(found) = block.look {
                level = found;
            }
            foreign = false;
            sections.push((section, Vec::new()));
            continue;
        }
        // A heading of the same rank that is not ours begins something that is not ours.
        foreign |= matches!(block.look, Look::Heading(found) if found <= level);
        if let Some((_, blocks)) = sections.last_mut().filter(|_| !foreign) {
            blocks.push(block);
        }
    }
    sections
}

fn ends_page(text: &str, steps: &[String], known: &[Category]) -> bool {
    if ["your feedback", "was this summary helpful?"].contains(&text.to_lowercase().as_str()) {
        return true;
    }
    let back = text.trim_start_matches(['←', '‹', '«', ' ']);
    back.strip_prefix("Back to ").is_some_and(|place| {
        categories::find(place, known).is_some()
            || steps.iter().any(|step| step.eq_ignore_ascii_case(place.trim()))
    })
}

fn line(blocks: &[&Block]) -> Option<String> {
    let text: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    Some(clean::line(&text.join(" "))).filter(|text| !text.is_empty())
}

fn prose(blocks: &[&Block], base: Option<&Url>) -> Prose {
    let mut html = String::new();
    for block in blocks {
        html.push_str(&match block.look {
            Look::Paragraph => format!("<p>{}</p>", block.html),
            Look::Item => format!("<ul><li>{}</li></ul>", block.html),
            Look::Heading(_) => format!("<p><strong>{}</strong></p>", block.html),
        });
    }
    clean::prose_from_html(&html.replace("</ul><ul>", ""), base)
}

/// The items of a list; paragraphs count as items where there is no other.
fn list(blocks: &[&Block], section: Section, base: Option<&Url>) -> Result<Vec<Prose>> {
    let items = blocks.iter().any(|block| block.look == Look::Item);
    if let Some(stray) = blocks.iter().find(|block| items && block.look != Look::Item) {
        let place = stray
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        return Err(Problem::failed(format!(
            "{place}text in {:?} outside its list: {:?}",
            section.heading(),
            stray.text
        ))
        .hint("make it an item of the list, or give it a heading of its own"));
    }
    let inline = |block: &&Block| clean::inline_from_html(&block.html, base);
    Ok(blocks
        .iter()
        .map(inline)
        .filter(|item| !item.is_empty())
        .collect())
}

/// Names and texts in turn; a text without a name keeps an empty one.
fn implications(blocks: &[&Block], base: Option<&Url>) -> Vec<Implication> {
    let mut found: Vec<(String, Vec<&Block>)> = Vec::new();
    for block in blocks {
        let waiting = found
            .last()
            .is_some_and(|(name, texts)| !name.is_empty() && texts.is_empty());
        let is_name = match block.look {
            Look::Heading(_) => true,
            Look::Item => false,
            Look::Paragraph => {
                !waiting && block.text.chars().count() <= 100 && !block.text.ends_with(['.', '!', ';'])
            }
        };
        match found.last_mut() {
            _ if is_name => found.push((block.text.clone(), Vec::new())),
            Some((_, texts)) if block.look == Look::Paragraph || waiting => texts.push(block),
            _ => found.push((String::new(), vec![block])),
        }
    }
    let make = |(name, texts): (String, Vec<&Block>)| {
        if texts.is_empty() {
            return Implication {
                name: String::new(),
                text: clean::prose_from_text(&name),
            };
        }
        Implication {
            name: clean::line(&name),
            text: prose(&texts, base),
        }
    };
    found.into_iter().map(make).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_without_sections_is_no_summary() {
        let error = assemble(
            Draft {
                title: "About us".to_owned(),
                ..Draft::default()
            },
            None,
            &[],
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the page has none of the headings of a summary")
        );
    }
}
