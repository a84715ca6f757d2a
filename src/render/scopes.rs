//! What a name in a template stands for, worked out on sample data before anything is rendered.

use handlebars::{Path, PathSeg};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is known of a value when a template is loaded.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// The sample's value.
    Value(Value),
    /// Made by a helper, or an element of a list that the sample leaves empty.
    Unknown,
}

/// Where names are looked up: `{{#each}}`, `{{#with}}` and partials each open one.
pub(super) struct Scope {
    /// What `{{this}}` is.
    pub value: Known,
    /// Names given by `as |name|` or `{{> partial name=…}}`.
    pub names: BTreeMap<String, Known>,
}

/// The scopes around a place in a template, the outermost first.
pub(super) struct Scopes {
    stack: Vec<Scope>,
    loops: usize,
}

/// A name that stands for nothing.
pub(super) struct NoValue {
    /// What is wrong.
    pub message: String,
    /// What there is instead.
    pub hint: String,
}

impl Scopes {
    /// The outermost scope alone.
    pub(super) fn new(sample: Value) -> Self {
        let value = Known::Value(sample);
        Self {
            stack: vec![Scope {
                value,
                names: BTreeMap::new(),
            }],
            loops: 0,
        }
    }

    /// Opens a scope; `is_loop` when it has `@index` and its like.
    pub(super) fn enter(&mut self, scope: Scope, is_loop: bool) {
        self.stack.push(scope);
        self.loops += usize::from(is_loop);
    }

    /// Closes the innermost scope.
    pub(super) fn leave(&mut self, is_loop: bool) {
        self.stack.pop();
        self.loops -= usize::from(is_loop);
    }

    /// What `{{this}}` is.
    pub(super) fn this(&self) -> Known {
        self.stack
            .last()
            .map_or(Known::Unknown, |scope| scope.value.clone())
    }

    /// What `path` stands for.
    pub(super) fn resolve(&self, path: &Path) -> Result<Known, NoValue> {
        let (segments, raw) = match path {
            Path::Relative((segments, raw)) => (segments, raw),
            Path::Local((_, name, raw)) => {
                return match name.as_str() {
                    "index" | "first" | "last" | "key" if self.loops > 0 => Ok(Known::Unknown),
                    _ => Err(NoValue {
                        message: format!("there is no value named {raw}"),
                        hint: "inside {{#each}} there are @index, @first, @last and @key".to_owned(),
                    }),
                };
            }
        };
        let (mut ups, mut root, mut names) = (0, false, Vec::new());
        for segment in segments {
            match segment {
                PathSeg::Named(name) => names.push(name.as_str()),
                // The rule's type has no public name.
                PathSeg::Ruled(rule) => match format!("{rule:?}").as_str() {
                    "path_up" => ups += 1,
                    "path_root" => root = true,
                    _ => {}
                },
                _ => {}
            }
        }
        let plain_name = names.first().filter(|_| ups == 0 && !root);
        let given =
            plain_name.and_then(|name| self.stack.iter().rev().find_map(|scope| scope.names.get(*name)));
        if let Some(given) = given {
            return descend(given, names.get(1..).unwrap_or_default(), raw);
        }
        let depth = if root {
            Some(0)
        } else {
            self.stack.len().checked_sub(1 + ups)
        };
        match depth.and_then(|depth| self.stack.get(depth)) {
            Some(scope) => descend(&scope.value, &names, raw),
            None => Err(NoValue {
                message: format!("there is nothing above the top: {raw}"),
                hint: "take a ../ out: {{#if}} and {{#unless}} open no level".to_owned(),
            }),
        }
    }
}

fn descend(start: &Known, names: &[&str], raw: &str) -> Result<Known, NoValue> {
    let Known::Value(start) = start else {
        return Ok(Known::Unknown);
    };
    let mut value = start;
    for name in names {
        let next = match value {
            Value::Null => return Ok(Known::Unknown),
            Value::Object(values) => values.get(*name),
            Value::Array(values) => match name.parse::<usize>() {
                Ok(_) if values.is_empty() => return Ok(Known::Unknown),
                Ok(index) => values.get(index).or(values.first()),
                Err(_) => None,
            },
            _ => None,
        };
        value = next.ok_or_else(|| NoValue {
            message: format!("there is no value named {raw}"),
            hint: names_in(value),
        })?;
    }
    Ok(Known::Value(value.clone()))
}

fn names_in(value: &Value) -> String {
    match value {
        Value::Object(values) if !values.is_empty() => {
            let mut names: Vec<&str> = values.keys().map(String::as_str).collect();
            names.sort_unstable();
            format!("the values here are {}", names.join(", "))
        }
        _ => "docs/templates.md lists the values of each template".to_owned(),
    }
}
