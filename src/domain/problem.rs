//! The one error of the program: what was wrong, where, and what to do about it.

use std::error::Error;
use std::fmt;

/// The result of anything that can go wrong in a way a person can act on.
pub type Result<T> = std::result::Result<T, Problem>;

/// What kind of trouble a [`Problem`] is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration is wrong (exit code 2).
    Configuration,
    /// What was named does not exist (exit code 1, HTTP 404).
    NotFound,
    /// The work could not be done (exit code 1).
    Failed,
    /// The database could not do its part (exit code 1): whatever it was for, it is not the input's fault.
    Database,
}

/// An error with the wrong value, its place, and a hint.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    passing: bool,
}

impl Problem {
    /// A wrong command line or configuration.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, message)
    }

    /// Something that was named and does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Work that could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Work that the database could not do.
    pub fn database(message: impl Into<String>) -> Self {
        Self::new(Kind::Database, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            source: None,
            passing: false,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says where it happened, in front of the message.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The same as a mistake on the command line or in the configuration.
    #[must_use]
    pub fn as_configuration(mut self) -> Self {
        self.kind = Kind::Configuration;
        self
    }

    /// Marks trouble that is over as soon as it is told of: the same work, begun anew, may well succeed.
    #[must_use]
    pub fn as_passing(mut self) -> Self {
        self.passing = true;
        self
    }

    /// Whether the same work, begun anew at once, may well succeed.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// The kind of trouble.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message alone, without causes and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message and its causes, without what a cause says again.
    pub fn with_causes(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self
            .source
            .as_deref()
            .map(|error| error as &(dyn Error + 'static));
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        text
    }

    /// What to do about it, when known.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Problem {
    /// The message, its causes, and the hint on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_causes())?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_place_cause_and_hint() {
        let problem = Problem::configuration("port is \"x\"")
            .because(std::io::Error::other("not a number"))
            .hint("write a number")
            .at("config.toml");
        assert_eq!(
            problem.to_string(),
            "config.toml: port is \"x\": not a number\n  hint: write a number"
        );
    }
}
