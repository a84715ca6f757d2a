//! A page that was saved as plain text: menu, breadcrumb, title, and blocks of lines.

use super::facts::looks_like_facts;
use super::{Block, Draft, Look};
use crate::domain::text::{escape_html, one_line};
use crate::domain::{Problem, Result};
use crate::gather::sections::Section;

/// A line that is not blank, with its number.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
    after_blank: bool,
}

/// Reads the layout of the page.
///
/// # Errors
/// When no title can be found.
pub(super) fn read(page: &str) -> Result<Draft> {
    let mut lines = Vec::new();
    let mut blank = true;
    for (index, text) in page.split('\n').enumerate() {
        // A lone CR ends a line on no system that still saves pages; with LF it is Windows' line end.
        let text = text.trim_end();
        if text.trim().is_empty() {
            blank = true;
            continue;
        }
        lines.push(Line {
            number: index + 1,
            text,
            after_blank: blank,
        });
        blank = false;
    }
    let (title, steps, rest) = title(&lines)?;
    Ok(Draft {
        title,
        steps,
        url: None,
        blocks: blocks(lines.get(rest..).unwrap_or_default()),
    })
}

/// The title, the breadcrumb's steps, and the index of the line after the title.
fn title(lines: &[Line<'_>]) -> Result<(String, Vec<String>, usize)> {
    let no_title = |number: usize| {
        Problem::failed(format!("line {number}: the page has no title"))
            .hint("a breadcrumb of numbered lines, the title, and a line with journal and year come before the text")
    };
    let Some((steps, next)) = breadcrumb(lines) else {
        let facts = lines.iter().position(|line| looks_like_facts(line.text));
        let at = facts.and_then(|at| Some((at, lines.get(at.checked_sub(1)?)?)));
        let last = lines.last().map_or(1, |line| line.number);
        let (at, line) =
            at.ok_or_else(|| no_title(facts.and_then(|at| lines.get(at)).map_or(last, |l| l.number)))?;
        if bullet(line.text).is_some() || Section::find(line.text).is_some() {
            return Err(no_title(line.number));
        }
        return Ok((one_line(line.text), Vec::new(), at));
    };
    let last = steps.last().cloned().unwrap_or_default();
    let line = lines.get(next);
    let heading = line.map(|line| one_line(line.text)).unwrap_or_default();
    if !heading.is_empty()
        && (heading == last || !looks_like_facts(&heading) && Section::find(&heading).is_none())
    {
        return Ok((heading, steps, next + 1));
    }
    // The heading is missing, but a fourth step of the breadcrumb is the title as well.
    if steps.len() >= 4 {
        return Ok((last, steps, next));
    }
    Err(no_title(line.or(lines.last()).map_or(1, |line| line.number)))
}

/// The first lines numbered from 1 in sequence, and the index of the line after them.
fn breadcrumb(lines: &[Line<'_>]) -> Option<(Vec<String>, usize)> {
    for start in 0..lines.len() {
        let steps: Vec<String> = lines
            .iter()
            .skip(start)
            .enumerate()
            .map_while(|(n, line)| {
                let (number, step) = line.text.trim().split_once('.')?;
                (number.parse() == Ok(n + 1))
                    .then(|| one_line(step))
                    .filter(|step| !step.is_empty())
            })
            .collect();
        if steps.len() >= 2 {
            let next = start + steps.len();
            return Some((steps, next));
        }
    }
    None
}

/// What follows the bullet, when the line begins with one.
fn bullet(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let rest = text.strip_prefix(['•', '◦', '▪', '‣', '*', '-', '–'])?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

fn blocks(lines: &[Line<'_>]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut in_head = true;
    let mut count = 0_usize;
    let mut label = false;
    for line in lines {
        if Section::find(line.text).is_some() {
            (in_head, count, label) = (false, 0, false);
            blocks.push(block(Look::Paragraph, line, line.text));
            continue;
        }
        if let Some(rest) = bullet(line.text) {
            count += 1;
            label = rest.parse() == Ok(count);
            blocks.push(block(Look::Item, line, rest));
            continue;
        }
        // A heading stands right above its value, and each line of the head stands for itself.
        let joins = !in_head && (!line.after_blank || label);
        match blocks.last_mut() {
            Some(last) if joins && Section::find(&last.text).is_none() => {
                let text = if label {
                    one_line(line.text)
                } else {
                    one_line(&format!("{} {}", last.text, line.text))
                };
                last.html = escape_html(&text);
                last.text = text;
            }
            _ => blocks.push(block(Look::Paragraph, line, line.text)),
        }
        label = false;
    }
    blocks.retain(|block| !block.text.is_empty());
    blocks
}

fn block(look: Look, line: &Line<'_>, text: &str) -> Block {
    let text = one_line(text);
    Block {
        look,
        html: escape_html(&text),
        text,
        line: Some(line.number),
        category_link: false,
    }
}
