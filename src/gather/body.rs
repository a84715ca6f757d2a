//! The Markdown body of a summary file: its headings, and what stands under each.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use std::ops::Range;

use super::clean;
use super::sections::Section;
use crate::domain::summary::Implication;
use crate::domain::{Problem, Prose, Result, Summary};

/// A heading and the range of what follows it.
struct Part {
    level: HeadingLevel,
    name: String,
    line: usize,
    start: usize,
    content: Range<usize>,
}

/// Fills `summary` from the body of a file, which begins on `first_line`.
///
/// # Errors
/// Names the line of text that stands under no known heading, or in the wrong form.
pub(super) fn read(body: &str, first_line: usize, summary: &mut Summary) -> Result<()> {
    let line_of = |offset: usize| {
        let skipped = body
            .get(offset..)
            .map_or(0, |rest| rest.len() - rest.trim_start().len());
        first_line + body.get(..offset + skipped).unwrap_or(body).matches('\n').count()
    };
    let parts = parts(body, &line_of);
    let before = parts.first().map_or(body.len(), |part| part.start);
    if !body.get(..before).unwrap_or_default().trim().is_empty() {
        return Err(Problem::failed(format!("line {}: text under no heading", line_of(0))).hint(HEADINGS));
    }
    let mut seen = Vec::new();
    let mut section = None;
    for part in &parts {
        let text = body.get(part.content.clone()).unwrap_or_default();
        let at = |problem: Problem| problem.at(format!("line {}", part.line));
        if part.level == HeadingLevel::H3 && section == Some(Section::Implications) {
            let text = clean::prose_from_markdown(text);
            if part.name.is_empty() || text.is_empty() {
                return Err(at(Problem::failed(format!(
                    "practical implication {:?} lacks its name or its text",
                    part.name
                ))
                .hint("write ### name, and what it means below")));
            }
            summary.implications.push(Implication {
                name: part.name.clone(),
                text,
            });
            continue;
        }
        let known = Section::find(&part.name).filter(|_| part.level == HeadingLevel::H2);
        let Some(found) = known.filter(|found| !found.is_fact()) else {
            let key = known.map(|_| format!("{:?} is a key of the front matter, no heading", part.name));
            let text = key.unwrap_or_else(|| format!("unknown heading {:?}", part.name));
            return Err(at(Problem::failed(text)).hint(HEADINGS));
        };
        if seen.contains(&found) {
            return Err(
                at(Problem::failed(format!("second heading {:?}", part.name))).hint("join the two sections")
            );
        }
        seen.push(found);
        section = Some(found);
        let line = line_of(part.content.start);
        match found {
            Section::Explanation => summary.explanation = clean::prose_from_markdown(text),
            Section::Research => summary.research_summary = clean::prose_from_markdown(text),
            Section::Findings => summary.findings = list(text, found, line)?,
            Section::Limitations => summary.limitations = list(text, found, line)?,
            _ if !text.trim().is_empty() => {
                return Err(
                    Problem::failed(format!("line {line}: text in {:?} under no name", part.name))
                        .hint("give each implication a heading of its own: ### name"),
                );
            }
            _ => {}
        }
    }
    Ok(())
}

const HEADINGS: &str = "the headings are: ## Simple Explanation, ## Key Findings, ## Research Summary, \
                        ## Practical Implications (with ### for each name), ## Study Limitations";

/// The headings of the body that stand in no list or quote.
fn parts(body: &str, line_of: &dyn Fn(usize) -> usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut depth = 0_usize;
    let mut in_heading = false;
    for (event, range) in Parser::new(body).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                if let Some(last) = parts.last_mut() {
                    last.content.end = range.start;
                }
                let content = range.end..body.len();
                let (line, start) = (line_of(range.start), range.start);
                parts.push(Part {
                    level,
                    name: String::new(),
                    line,
                    start,
                    content,
                });
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) if depth == 0 => {
                in_heading = false;
                if let Some(last) = parts.last_mut() {
                    last.name = clean::line(&last.name);
                }
            }
            Event::Text(text) | Event::Code(text) if in_heading => {
                if let Some(last) = parts.last_mut() {
                    last.name.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak if in_heading => {
                if let Some(last) = parts.last_mut() {
                    last.name.push(' ');
                }
            }
            Event::Start(Tag::List(_) | Tag::BlockQuote(_)) => depth += 1,
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_)) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    parts
}

/// The items of a section that is one list.
fn list(text: &str, section: Section, line: usize) -> Result<Vec<Prose>> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in Parser::new(text) {
        match (&event, depth) {
            (Event::Start(Tag::List(_)), 0) | (Event::End(TagEnd::List(_)), 1) => {}
            (Event::Start(Tag::Item), 1) => events.clear(),
            (Event::End(TagEnd::Item), 1) => {
                let mut html = String::new();
                pulldown_cmark::html::push_html(&mut html, events.drain(..));
                items.push(clean::inline_from_html(&html, None));
            }
            (_, 0) => {
                return Err(
                    Problem::failed(format!("line {line}: {:?} is not a list", section.heading()))
                        .hint("begin each item with a hyphen and a space: - …"),
                );
            }
            _ => events.push(event.clone()),
        }
        match event {
            Event::Start(Tag::List(_)) => depth += 1,
            Event::End(TagEnd::List(_)) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    Ok(items)
}
