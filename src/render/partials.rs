//! Partials, and the circles that they must not form.

use handlebars::template::{Parameter, Template, TemplateElement};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Problem, Result};

/// A parsed partial and where it came from.
pub(super) struct Partial {
    /// Its file, as errors show it.
    pub place: String,
    /// What it says.
    pub template: Template,
}

/// Partials by the name that `{{> name}}` uses.
pub(super) type Partials = BTreeMap<String, Partial>;

/// Finds partials that include each other, which no depth of stack could render.
///
/// # Errors
/// Names the circle.
pub(super) fn refuse_cycles(partials: &Partials) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in partials.keys() {
        walk(partials, &mut vec![name.clone()], &mut seen)?;
    }
    Ok(())
}

/// Follows what the last partial of `way` includes; `seen` ones lead into no circle.
fn walk(partials: &Partials, way: &mut Vec<String>, seen: &mut BTreeSet<String>) -> Result<()> {
    let Some(partial) = way.last().and_then(|name| partials.get(name)) else {
        return Ok(());
    };
    let mut included = Vec::new();
    included_by(&partial.template, &mut included);
    for name in included {
        if let Some(start) = way.iter().position(|earlier| *earlier == name) {
            let circle = way
                .iter()
                .skip(start)
                .chain([&name])
                .cloned()
                .collect::<Vec<_>>()
                .join(" → ");
            return Err(Problem::configuration(format!(
                "{}: partials include each other: {circle}",
                partial.place
            ))
            .hint("take one of these {{> …}} out"));
        }
        if !seen.contains(&name) {
            way.push(name.clone());
            walk(partials, way, seen)?;
            way.pop();
            seen.insert(name);
        }
    }
    Ok(())
}

fn included_by(template: &Template, names: &mut Vec<String>) {
    for element in &template.elements {
        let inner: [Option<&Template>; 2] = match element {
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                if let Some(name) = partial.name.as_name()
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_owned());
                }
                if let Parameter::Literal(Value::String(name)) = &partial.name {
                    names.push(name.clone());
                }
                [partial.template.as_ref(), None]
            }
            TemplateElement::HelperBlock(block) => [block.template.as_ref(), block.inverse.as_ref()],
            TemplateElement::DecoratorBlock(block) => [block.template.as_ref(), None],
            _ => [None, None],
        };
        for template in inner.into_iter().flatten() {
            included_by(template, names);
        }
    }
}
