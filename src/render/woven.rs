//! What is woven into a parsed template before it is used: a count of every loop's rounds, and for
//! helpers that compare, the value itself instead of a reader's value with its markers.

use handlebars::template::{HelperTemplate, Parameter, Subexpression, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;
use std::cell::Cell;
use std::collections::HashMap;
use std::io;

use super::slots;

/// The most rounds of `{{#each}}` in one rendering.
const MAX_ROUNDS: u32 = 100_000;
/// Counts a round; no template can call it, since the check refuses unknown helpers.
const COUNT_ROUND: &str = "count-round";
/// Gives a value without markers; as out of reach as [`COUNT_ROUND`].
const UNMARKED: &str = "unmarked";
/// Helpers that look into their arguments, and the first argument that they look into. The others ask
/// whether there is anything, which markers do not change; `lookup` hands on what it finds, markers and all.
const LOOK_INTO: [(&str, usize); 8] = [
    ("eq", 0),
    ("ne", 0),
    ("gt", 0),
    ("gte", 0),
    ("lt", 0),
    ("lte", 0),
    ("len", 0),
    ("lookup", 1),
];

thread_local! {
    static ROUNDS: Cell<u32> = const { Cell::new(0) };
}

/// Begins to count for a rendering.
pub(super) fn begin() {
    ROUNDS.set(0);
}

/// Makes the helpers known that [`weave`] calls.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    handlebars.register_helper(COUNT_ROUND, Box::new(CountRound));
    handlebars.register_helper(UNMARKED, Box::new(Unmarked));
}

/// Weaves both into `template` and everything inside it.
pub(super) fn weave(template: &mut Template) {
    for element in &mut template.elements {
        match element {
            TemplateElement::Expression(helper)
            | TemplateElement::HtmlExpression(helper)
            | TemplateElement::HelperBlock(helper) => {
                unmark_arguments(helper);
                let is_loop = helper.block && helper.name.as_name() == Some("each");
                if let Some(body) = &mut helper.template {
                    weave(body);
                    if is_loop {
                        body.elements.insert(0, count_call());
                        if let Some(first) = body.mapping.first().cloned() {
                            body.mapping.insert(0, first);
                        }
                    }
                }
                if let Some(inverse) = &mut helper.inverse {
                    weave(inverse);
                }
            }
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                for parameter in partial.params.iter_mut().chain(partial.hash.values_mut()) {
                    unmark_inside(parameter);
                }
                if let Some(body) = &mut partial.template {
                    weave(body);
                }
            }
            _ => {}
        }
    }
}

/// Wraps the arguments of a helper that looks into them in `(unmarked …)`.
fn unmark_arguments(helper: &mut HelperTemplate) {
    for parameter in helper.params.iter_mut().chain(helper.hash.values_mut()) {
        unmark_inside(parameter);
    }
    let name = helper.name.as_name().unwrap_or_default();
    if let Some((_, from)) = LOOK_INTO.iter().find(|(known, _)| *known == name) {
        for parameter in helper.params.iter_mut().skip(*from) {
            if !matches!(parameter, Parameter::Literal(_)) {
                *parameter = Parameter::Subexpression(Subexpression::new(
                    Parameter::Name(UNMARKED.to_owned()),
                    vec![parameter.clone()],
                    HashMap::new(),
                ));
            }
        }
    }
}

fn unmark_inside(parameter: &mut Parameter) {
    if let Parameter::Subexpression(sub) = parameter
        && let TemplateElement::Expression(helper) = sub.element.as_mut()
    {
        unmark_arguments(helper);
    }
}

fn count_call() -> TemplateElement {
    let spec = Template::compile(&format!("{{{{{COUNT_ROUND}}}}}"));
    spec.ok()
        .and_then(|mut template| template.elements.pop())
        .unwrap_or(TemplateElement::RawString(String::new()))
}

/// Ends a rendering that goes round too often, also when it writes nothing.
struct CountRound;

impl HelperDef for CountRound {
    fn call<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let rounds = ROUNDS.get() + 1;
        ROUNDS.set(rounds);
        if rounds > MAX_ROUNDS {
            let message = format!("the template goes round its loops more than {MAX_ROUNDS} times");
            return Err(RenderErrorReason::IOError(io::Error::other(message)).into());
        }
        Ok(())
    }
}

/// A value without markers, for a helper that looks into it.
struct Unmarked;

impl HelperDef for Unmarked {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        match helper.param(0) {
            Some(given) if !given.is_value_missing() => {
                let mut value: Value = given.value().clone();
                slots::unmark(&mut value);
                Ok(ScopedJson::Derived(value))
            }
            given => {
                let path = given.and_then(|given| given.relative_path().cloned());
                Err(RenderErrorReason::MissingVariable(path).into())
            }
        }
    }
}
