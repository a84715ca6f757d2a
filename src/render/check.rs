//! Reads a template against sample data before it is ever used: every name must exist, also where
//! strict mode does not look. It also finds every place where a reader's value is more than printed.

use handlebars::template::{
    BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement,
};
use handlebars::{Path, PathSeg};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

use super::logic::LogicUse;
use super::partials::Partials;
use super::scopes::{Known, Scope, Scopes};
use super::slots::{READER, Slot};
use crate::domain::{Problem, Result};

const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];
/// Helpers and how many arguments they take; Handlebars ignores any more without a word.
const HELPERS: [(&str, usize); 11] = [
    ("lookup", 2),
    ("len", 1),
    ("eq", 2),
    ("ne", 2),
    ("gt", 2),
    ("gte", 2),
    ("lt", 2),
    ("lte", 2),
    ("and", 2),
    ("or", 2),
    ("not", 1),
];
/// Partials that include others twice double the work at every step.
const MAX_INCLUSIONS: usize = 1_000;
/// Checks `template` and every partial it includes against `sample`; gives the places where a reader's
/// value, or what may be one, is used in logic.
///
/// # Errors
/// Names file, line and the expression that is wrong.
pub(super) fn check(
    place: &str,
    template: &Template,
    partials: &Partials,
    sample: &Value,
) -> Result<Vec<LogicUse>> {
    let mut checker = Checker {
        partials,
        uses: Vec::new(),
        place: place.to_owned(),
        line: 1,
        included: Vec::new(),
        inclusions: 0,
        block_given: Vec::new(),
        scopes: Scopes::new(sample.clone()),
    };
    checker.template(template)?;
    Ok(checker.uses)
}

struct Checker<'a> {
    partials: &'a Partials,
    uses: Vec<LogicUse>,
    place: String,
    line: usize,
    included: Vec<String>,
    inclusions: usize,
    block_given: Vec<bool>,
    scopes: Scopes,
}

impl Checker<'_> {
    fn wrong(&self, message: impl std::fmt::Display) -> Problem {
        Problem::configuration(format!("{}, line {}: {message}", self.place, self.line))
    }

    fn template(&mut self, template: &Template) -> Result<()> {
        for (index, element) in template.elements.iter().enumerate() {
            if let Some(mapping) = template.mapping.get(index) {
                self.line = mapping.0;
            }
            let line = self.line;
            match element {
                TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression) => {
                    self.expression(expression)?;
                }
                TemplateElement::HelperBlock(block) => self.block(block)?,
                TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                    self.partial(partial)?;
                }
                TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
                    return Err(self.wrong("decorators such as {{#*inline}} are not supported").hint(
                        "put the part into a file below templates/partials and include it with {{> name}}",
                    ));
                }
                _ => {}
            }
            self.line = line;
        }
        Ok(())
    }

    /// `{{value}}`, `{{{value}}}` or `{{helper …}}`.
    fn expression(&mut self, expression: &HelperTemplate) -> Result<()> {
        let name = expression.name.as_name().unwrap_or_default();
        if !expression.params.is_empty() || !expression.hash.is_empty() {
            return self.helper(name, &expression.params, &expression.hash);
        }
        let shown = || format!("{{{{{name}}}}}");
        if BLOCKS.contains(&name) || HELPERS.iter().any(|(helper, _)| *helper == name) {
            return Err(self.wrong(format!("{} lacks its argument", shown())));
        }
        let known = match &expression.name {
            Parameter::Name(name) => {
                let path =
                    Path::parse(name).map_err(|_| self.wrong(format!("this is no name: {}", shown())))?;
                self.resolve(&path)?
            }
            other => self.parameter(other)?,
        };
        match known {
            Known::Value(Value::Object(_)) => Err(self
                .wrong(format!("a group of values can't be printed: {}", shown()))
                .hint("name one of its values after a dot")),
            Known::Value(Value::Array(_)) => Err(self
                .wrong(format!("a list can't be printed: {}", shown()))
                .hint("write {{#each …}}{{this}}{{/each}}")),
            _ => Ok(()),
        }
    }

    fn helper(&mut self, name: &str, params: &[Parameter], hash: &HashMap<String, Parameter>) -> Result<()> {
        let Some((_, arguments)) = HELPERS.iter().find(|(helper, _)| *helper == name) else {
            let helpers = HELPERS.map(|(helper, _)| helper).join(", ");
            return Err(self
                .wrong(format!("there is no helper named {name}"))
                .hint(format!(
                    "the helpers are {helpers} and, as blocks, {}",
                    BLOCKS.join(", ")
                )));
        };
        if params.len() != *arguments {
            return Err(self
                .wrong(format!(
                    "the helper {name} takes {arguments} arguments, not {}",
                    params.len()
                ))
                .hint("write (or a (or b c)) for three"));
        }
        for parameter in params.iter().chain(hash.values()) {
            self.argument(parameter)?;
        }
        Ok(())
    }

    /// `{{#if …}}`, `{{#unless …}}`, `{{#each …}}`, `{{#with …}}`.
    fn block(&mut self, block: &HelperTemplate) -> Result<()> {
        let name = block.name.as_name().unwrap_or_default().to_owned();
        if !BLOCKS.contains(&name.as_str()) {
            return Err(self
                .wrong(format!("there is no block helper named {name}"))
                .hint(format!("the block helpers are {}", BLOCKS.join(", "))));
        }
        let [parameter] = &block.params[..] else {
            return Err(self.wrong(format!("{{{{#{name}}}}} takes one argument")));
        };
        for parameter in block.hash.values() {
            self.argument(parameter)?;
        }
        let asks = matches!(name.as_str(), "if" | "unless");
        let value = self.parameter(parameter)?;
        // Whether a reader has a name is known without the name: a mail is rendered for both.
        if !(asks && is_reader_name(&value)) {
            self.note_use(parameter, &value);
        }
        if !asks {
            let inner = if name == "each" {
                self.element(value, parameter)?
            } else {
                value
            };
            let scope = Scope {
                names: names(block, &inner),
                value: inner,
            };
            self.scopes.enter(scope, name == "each");
        }
        if let Some(body) = &block.template {
            self.template(body)?;
        }
        if !asks {
            self.scopes.leave(name == "each");
        }
        block
            .inverse
            .as_ref()
            .map_or(Ok(()), |inverse| self.template(inverse))
    }

    /// What `{{this}}` is inside `{{#each list}}`.
    fn element(&self, list: Known, parameter: &Parameter) -> Result<Known> {
        match list {
            Known::Value(Value::Array(mut values)) if !values.is_empty() => {
                Ok(Known::Value(values.swap_remove(0)))
            }
            Known::Value(Value::Array(_) | Value::Object(_) | Value::Null) | Known::Unknown => {
                Ok(Known::Unknown)
            }
            Known::Value(_) => Err(self.wrong(format!(
                "{{{{#each}}}} needs a list, and this is none: {}",
                shown(parameter)
            ))),
        }
    }

    /// `{{> name}}` and `{{#> name}}…{{/name}}`.
    fn partial(&mut self, include: &DecoratorTemplate) -> Result<()> {
        let name = match &include.name {
            Parameter::Literal(Value::String(name)) => name.clone(),
            Parameter::Subexpression(_) => {
                return Err(self
                    .wrong("a partial's name can't be computed")
                    .hint("choose between partials with {{#if …}}"));
            }
            other => other.as_name().unwrap_or_default().to_owned(),
        };
        if name == "@partial-block" {
            for parameter in include.params.iter().chain(include.hash.values()) {
                self.argument(parameter)?;
            }
            return match (self.block_given.last(), &include.template) {
                (Some(true), _) => Ok(()),
                (_, Some(fallback)) => self.template(fallback),
                _ => Err(self.wrong("there is no block for {{> @partial-block}}")),
            };
        }
        let partials = self.partials;
        let Some(partial) = partials.get(&name) else {
            return Err(self
                .wrong(format!("there is no partial named {name}"))
                .hint(format!(
                    "the partials are {}; {{{{> a.html}}}} includes templates/partials/a.html.hbs",
                    partials.keys().cloned().collect::<Vec<_>>().join(", ")
                )));
        };
        if self.included.contains(&name) {
            return Err(self.wrong(format!("the partial includes itself: {name}")));
        }
        self.inclusions += 1;
        if self.inclusions > MAX_INCLUSIONS {
            return Err(self.wrong(format!(
                "the template includes partials more than {MAX_INCLUSIONS} times"
            )));
        }
        let mut value = match include.params.first() {
            Some(parameter) => self.argument(parameter)?,
            None => self.scopes.this(),
        };
        for parameter in include.params.iter().skip(1) {
            self.argument(parameter)?;
        }
        let mut names = BTreeMap::new();
        for (key, parameter) in &include.hash {
            let given = self.argument(parameter)?;
            if let (Known::Value(Value::Object(values)), Known::Value(given)) = (&mut value, &given) {
                values.insert(key.clone(), given.clone());
            }
            names.insert(key.clone(), given);
        }
        self.scopes.enter(Scope { value, names }, false);
        if let Some(block) = &include.template {
            self.template(block)?;
        }
        let (place, line) = (
            std::mem::replace(&mut self.place, partial.place.clone()),
            self.line,
        );
        self.included.push(name);
        self.block_given.push(include.template.is_some());
        self.template(&partial.template)?;
        self.block_given.pop();
        self.included.pop();
        (self.place, self.line) = (place, line);
        self.scopes.leave(false);
        Ok(())
    }

    /// The value of a helper's or partial's argument.
    fn argument(&mut self, parameter: &Parameter) -> Result<Known> {
        let known = self.parameter(parameter)?;
        self.note_use(parameter, &known);
        Ok(known)
    }

    /// Notes that `parameter` works with a reader's value, unless it certainly does not.
    fn note_use(&mut self, parameter: &Parameter, known: &Known) {
        let holds = matches!(known, Known::Value(value) if holds_reader(value));
        // Whatever the sample says: what is called so, and what is as a whole a level further out.
        let looks_so = matches!(parameter, Parameter::Path(path) if may_be_reader(path));
        if holds || looks_so {
            let found = LogicUse {
                place: self.place.clone(),
                line: Some(self.line),
                value: shown(parameter),
            };
            if !self.uses.contains(&found) {
                self.uses.push(found);
            }
        }
    }

    fn resolve(&self, path: &Path) -> Result<Known> {
        self.scopes
            .resolve(path)
            .map_err(|missing| self.wrong(missing.message).hint(missing.hint))
    }

    fn parameter(&mut self, parameter: &Parameter) -> Result<Known> {
        match parameter {
            Parameter::Path(path) => self.resolve(path),
            Parameter::Literal(value) => Ok(Known::Value(value.clone())),
            Parameter::Subexpression(sub) => {
                let no_hash = HashMap::new();
                let params = sub.params().map_or(&[][..], Vec::as_slice);
                self.helper(sub.name(), params, sub.hash().unwrap_or(&no_hash))?;
                Ok(Known::Unknown)
            }
            _ => Ok(Known::Unknown),
        }
    }
}

/// The names that `as |item index|` gives.
fn names(block: &HelperTemplate, inner: &Known) -> BTreeMap<String, Known> {
    let name = |parameter: &Parameter| parameter.as_name().unwrap_or_default().to_owned();
    match &block.block_param {
        Some(BlockParam::Single(single)) => BTreeMap::from([(name(single), inner.clone())]),
        Some(BlockParam::Pair((item, index))) => {
            BTreeMap::from([(name(item), inner.clone()), (name(index), Known::Unknown)])
        }
        _ => BTreeMap::new(),
    }
}

fn shown(parameter: &Parameter) -> String {
    parameter
        .as_name()
        .map_or_else(|| "(…)".to_owned(), str::to_owned)
}

fn holds_reader(value: &Value) -> bool {
    match value {
        Value::String(string) => string.chars().any(|c| Slot::of_marker(c).is_some()),
        Value::Array(values) => values.iter().any(holds_reader),
        Value::Object(values) => values.values().any(holds_reader),
        _ => false,
    }
}

fn is_reader_name(known: &Known) -> bool {
    matches!(known, Known::Value(Value::String(text)) if text.starts_with(Slot::Name.marker()))
}

fn may_be_reader(path: &Path) -> bool {
    let Path::Relative((segments, raw)) = path else {
        return false;
    };
    let mut names = segments.iter().filter_map(|segment| match segment {
        PathSeg::Named(name) => Some(name),
        _ => None,
    });
    match names.next() {
        Some(first) => first == READER || names.any(|name| name == READER),
        None => raw.contains(".."),
    }
}
