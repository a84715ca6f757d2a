//! `[admin]`: who looks after the site.

use super::section::Section;
use crate::domain::{EmailAddress, Problem, Result};

pub(super) const KEYS: &[&str] = &["addresses"];

/// The people who look after the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admin {
    /// Who may sign in, and where visitors' messages go; empty: nobody, and the address to which readers answer.
    pub addresses: Vec<EmailAddress>,
}

pub(super) fn read(mut section: Section<'_>) -> Result<Admin> {
    let addresses = section.list("addresses", |text| {
        EmailAddress::parse(text.trim()).map_err(|problem| {
            Problem::configuration(format!("expected an email address, got {text:?}"))
                .because(problem)
                .hint("write the bare address, such as editor@example.org")
        })
    })?;
    Ok(Admin {
        addresses: addresses.unwrap_or_default(),
    })
}
