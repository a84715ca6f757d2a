//! Handlebars, held to its bounds: strict names, a limit on output and on loops, errors with a line.

use handlebars::template::Template;
use handlebars::{Context, Handlebars, RenderError, RenderErrorReason};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;

use super::woven;
use crate::domain::{Problem, Result};

/// The most that a template may write, in bytes.
const MAX_OUTPUT: usize = 2_000_000;

/// How values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// For HTML.
    Html,
    /// Not at all.
    None,
}

/// Compiled templates.
pub(super) struct Engine {
    html: Handlebars<'static>,
    text: Handlebars<'static>,
    /// Name → file, as errors show it.
    places: BTreeMap<String, String>,
}

impl Engine {
    pub(super) fn new() -> Self {
        let make = || {
            let mut handlebars = Handlebars::new();
            handlebars.set_strict_mode(true);
            woven::register(&mut handlebars);
            handlebars
        };
        let (html, mut text) = (make(), make());
        text.register_escape_fn(handlebars::no_escape);
        Self {
            html,
            text,
            places: BTreeMap::new(),
        }
    }

    /// Adds a template that [`parse`] read.
    pub(super) fn add(&mut self, name: &str, place: &str, mut template: Template, escape: Escape) {
        woven::weave(&mut template);
        self.places.insert(name.to_owned(), place.to_owned());
        self.registry_mut(escape).register_template(name, template);
    }

    /// Adds a partial for both ways of escaping.
    pub(super) fn add_partial(&mut self, name: &str, place: &str, template: &Template) {
        self.add(name, place, template.clone(), Escape::Html);
        self.add(name, place, template.clone(), Escape::None);
    }

    /// Renders `name`.
    ///
    /// # Errors
    /// Names file, line, and the value that is missing or the limit that was passed.
    pub(super) fn render(&self, name: &str, data: &Context, escape: Escape) -> Result<String> {
        self.try_render(name, data, escape)
            .map_err(|error| self.problem(name, &error))
    }

    /// Renders `compiled`; when that fails, the error has the line of `source`, from which it was compiled.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub(super) fn render_compiled(&self, compiled: &str, source: &str, data: &Context) -> Result<String> {
        self.try_render(compiled, data, Escape::Html).map_err(|error| {
            // The source holds the same expressions in the same order, so it fails at the same one.
            match self.try_render(source, data, Escape::Html) {
                Err(in_source) => self.problem(source, &in_source),
                Ok(_) => {
                    let mut without_line = error;
                    without_line.line_no = None;
                    self.problem(source, &without_line)
                }
            }
        })
    }

    fn registry_mut(&mut self, escape: Escape) -> &mut Handlebars<'static> {
        match escape {
            Escape::Html => &mut self.html,
            Escape::None => &mut self.text,
        }
    }

    fn try_render(
        &self,
        name: &str,
        data: &Context,
        escape: Escape,
    ) -> std::result::Result<String, RenderError> {
        woven::begin();
        let registry = match escape {
            Escape::Html => &self.html,
            Escape::None => &self.text,
        };
        let mut output = Bounded(Vec::with_capacity(16 * 1024));
        registry.render_with_context_to_write(name, data, &mut output)?;
        Ok(String::from_utf8(output.0)?)
    }

    fn problem(&self, name: &str, error: &RenderError) -> Problem {
        let file = error.template_name.as_deref().unwrap_or(name);
        let place = self.places.get(file).map_or(file, String::as_str);
        let at = error
            .line_no
            .map_or_else(String::new, |line| format!(", line {line}"));
        match error.reason() {
            RenderErrorReason::MissingVariable(path) => {
                let path = path.as_deref().filter(|path| !path.is_empty()).unwrap_or("this");
                Problem::configuration(format!("{place}{at}: there is no value for {path}")).hint(
                    "a value that may be missing stands inside {{#if …}}; docs/templates.md lists the values",
                )
            }
            RenderErrorReason::IOError(io) => Problem::configuration(format!("{place}{at}: {io}"))
                .hint("look for a loop inside a loop over the same list"),
            reason => Problem::configuration(format!("{place}{at}: {reason}")),
        }
    }
}

/// Parses a template.
///
/// # Errors
/// Names the line that Handlebars does not understand.
pub(super) fn parse(name: &str, place: &str, text: &str) -> Result<Template> {
    Template::compile_with_name(text, name.to_owned()).map_err(|error| {
        let at = error
            .pos()
            .map_or_else(String::new, |(line, _)| format!(", line {line}"));
        let reason = error.reason().to_string();
        let reason = reason
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        Problem::configuration(format!("{place}{at}: {reason}"))
            .hint("look for a {{ without }}, or a block that is not closed by its name")
    })
}

/// A buffer that refuses to grow beyond [`MAX_OUTPUT`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!(
                "the template writes more than {MAX_OUTPUT} bytes"
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Data for rendering.
pub(super) fn context(data: Value) -> Context {
    Context::from(data)
}
