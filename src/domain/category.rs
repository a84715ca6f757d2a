//! What summaries belong to and readers choose.

use serde::{Deserialize, Serialize};

use super::slug::Slug;

/// A category, defined in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Stands in addresses, files and lists; `all` is reserved.
    pub slug: Slug,
    /// What people read.
    pub name: String,
    /// One sentence on what the category holds.
    #[serde(default)]
    pub description: String,
}
