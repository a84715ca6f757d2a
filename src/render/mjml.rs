//! MJML to HTML, once per template: Handlebars expressions pass through and run on the HTML.

use mrml::prelude::parser::memory_loader::MemoryIncludeLoader;
use mrml::prelude::parser::{Error, ParserOptions};
use mrml::prelude::render::RenderOptions;
use std::collections::HashMap;

use super::sources::Sources;
use crate::domain::{Problem, Result};

/// Compiles the MJML of `source`; `place` stands in errors. `<mj-include path="head.mjml" />` in its head
/// includes `partials/head.mjml.hbs` of `sources`, which holds no expressions.
///
/// # Errors
/// Names the line that is no MJML.
pub(super) fn compile(source: &str, place: &str, sources: &Sources) -> Result<String> {
    let options = ParserOptions {
        include_loader: Box::new(MemoryIncludeLoader::from(sources.heads())),
    };
    let parsed = mrml::parse_with_options(source, &options).map_err(|error| {
        let at = line(&error, source).map_or_else(String::new, |line| format!(", line {line}"));
        Problem::configuration(format!("{place}{at}: {}", describe(&error)))
            .hint("a block expression around MJML elements stands in <mj-raw>; every element must be closed")
    })?;
    if let Some(warning) = parsed.warnings.first() {
        let line = line_at(source, warning.span.start);
        return Err(Problem::configuration(format!(
            "{place}, line {line}: {}",
            warning.kind
        )));
    }
    // No fonts: a mail names no foreign host of its own.
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        fonts: HashMap::new(),
    };
    let html = parsed
        .element
        .render(&options)
        .map_err(|error| Problem::configuration(format!("{place}: MJML can't be rendered")).because(error))?;
    // An element that MJML does not know passes through as it is.
    if let Some(at) = html.find("<mj-") {
        let rest = html.get(at..).unwrap_or_default();
        let end = rest.find([' ', '/', '>', '\n']).unwrap_or(rest.len());
        let element = rest.get(..end).unwrap_or_default();
        let line = source.find(element).map_or(1, |offset| line_at(source, offset));
        return Err(Problem::configuration(format!(
            "{place}, line {line}: MJML has no such element, or not here: {element}>"
        )));
    }
    Ok(html)
}

fn line(error: &Error, source: &str) -> Option<usize> {
    let offset = match error {
        Error::ParserError { source, .. } => return usize::try_from(source.pos().row).ok(),
        Error::UnexpectedElement { position, .. }
        | Error::UnexpectedToken { position, .. }
        | Error::MissingAttribute { position, .. }
        | Error::InvalidAttribute { position, .. }
        | Error::InvalidFormat { position, .. }
        | Error::IncludeLoaderError { position, .. } => position.start,
        _ => return None,
    };
    Some(line_at(source, offset))
}

fn line_at(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn describe(error: &Error) -> String {
    match error {
        Error::UnexpectedElement { .. } => "MJML does not allow this element here".to_owned(),
        Error::UnexpectedToken { .. } => "MJML does not allow this here".to_owned(),
        Error::MissingAttribute { name, .. } => format!("the element lacks the attribute {name}"),
        Error::InvalidAttribute { .. } => "the element has a wrong attribute".to_owned(),
        Error::EndOfStream { .. } => "MJML ends before its last element is closed".to_owned(),
        Error::NoRootNode => "there is no <mjml> element".to_owned(),
        Error::IncludeLoaderError { .. } => {
            "mj-include finds nothing there; it takes a partials/NAME.mjml.hbs by path=\"NAME.mjml\""
                .to_owned()
        }
        Error::ParserError { source, .. } => format!("this is no MJML: {source}"),
        other => format!("this is no MJML: {other}"),
    }
}
