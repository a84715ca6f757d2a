//! The environment variables that replace single keys.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{SECTIONS, nearest};

/// What every name of ours begins with.
const PREFIX: &str = "POSTRIDER_";
/// Names that the command line reads itself.
const ELSEWHERE: [&str; 4] = [
    "POSTRIDER_CONFIG",
    "POSTRIDER_DATABASE",
    "POSTRIDER_RELAY",
    "POSTRIDER_LOG_FORMAT",
];
/// Names that the tests read.
const TESTS: &str = "POSTRIDER_TEST_";

/// The variables of ours, and which of them a key has asked for.
pub(super) struct Environment {
    values: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl Environment {
    /// Keeps the names that begin with `POSTRIDER_`.
    pub(super) fn new(variables: &[(String, String)]) -> Self {
        Self {
            values: variables
                .iter()
                .filter(|(name, _)| name.starts_with(PREFIX))
                .cloned()
                .collect(),
            used: RefCell::default(),
        }
    }

    /// The value of `name`, which counts as known from now on.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (name, value) = self.values.get_key_value(name)?;
        self.used.borrow_mut().insert(name.clone());
        Some(value)
    }

    /// Whether a name begins with `prefix`.
    pub(super) fn has(&self, prefix: &str) -> bool {
        self.values
            .range(prefix.to_owned()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// A warning for each name that no key has asked for.
    pub(super) fn unknown(&self) -> Vec<String> {
        let used = self.used.borrow();
        let known: Vec<String> = SECTIONS
            .iter()
            .flat_map(|(section, keys)| keys.iter().map(|key| variable(&section.replace("[]", ".0"), key)))
            .chain(ELSEWHERE.map(str::to_owned))
            .collect();
        self.values
            .keys()
            .filter(|name| {
                !used.contains(*name) && !ELSEWHERE.contains(&name.as_str()) && !name.starts_with(TESTS)
            })
            .map(|name| {
                let near = nearest::to(name, known.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                format!("environment variable {name} is unknown and was ignored{near}")
            })
            .collect()
    }
}

/// The variable of `key` in a section such as `site` or `digest.0`.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.replace('.', "__"), key).to_uppercase()
}
