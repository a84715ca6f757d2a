//! What the templates of forms see: fields, choices, and what is wrong with them.

use serde::Serialize;

/// A line that a person fills in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FieldContext {
    /// What stands in it.
    pub value: String,
    /// What is wrong with it, or null.
    pub fault: Option<String>,
}

/// Boxes to tick, or the lines of a list to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ChoicesContext {
    /// Each of them.
    pub options: Vec<OptionContext>,
    /// What is wrong with what was chosen, or null.
    pub fault: Option<String>,
}

/// One of several things to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptionContext {
    /// Tells it from every other control of the page.
    pub id: String,
    /// The field's name.
    pub name: String,
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// More about it, or null.
    pub description: Option<String>,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A fault in the summary at the top of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultContext {
    /// The control that the summary leads to.
    pub id: String,
    /// What is wrong, and what to do.
    pub text: String,
}

/// A value that a form carries along unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HiddenContext {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl FieldContext {
    /// A field that holds `value`.
    pub fn of(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            fault: None,
        }
    }

    /// A field with a fault.
    pub(super) fn sample() -> Self {
        Self {
            value: "ann@".to_owned(),
            fault: Some("There is something wrong here.".to_owned()),
        }
    }
}

impl ChoicesContext {
    /// Two choices, one of them made, with a fault.
    pub(super) fn sample(name: &str) -> Self {
        let option = |value: &str, label: &str, chosen| OptionContext {
            id: format!("{name}-{value}"),
            name: name.to_owned(),
            value: value.to_owned(),
            label: format!("{label} {name}"),
            description: Some(format!("What {label} is about")),
            chosen,
        };
        Self {
            options: vec![option("first", "First", true), option("second", "Second", false)],
            fault: Some("There is something wrong here.".to_owned()),
        }
    }

    /// The same without what may be missing.
    pub(super) fn bare_sample(name: &str) -> Self {
        let mut choices = Self::sample(name);
        choices.fault = None;
        for option in &mut choices.options {
            option.description = None;
        }
        choices
    }
}

impl FaultContext {
    /// A fault of the control `id`.
    pub(super) fn sample(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            text: "There is something wrong here.".to_owned(),
        }
    }
}
