//! `[[category]]`: what readers choose from.

use super::relay::twice;
use super::section::Section;
use crate::domain::text::one_line;
use crate::domain::{Category, Problem, Result, Slug};

pub(super) const KEYS: &[&str] = &["slug", "name", "description"];

/// The slug that stands for every category in feeds.
const ALL: &str = "all";

pub(super) fn read(sections: Vec<Section<'_>>) -> Result<Vec<Category>> {
    let mut categories: Vec<Category> = Vec::new();
    for mut section in sections {
        let category = Category {
            slug: section.required("slug", "\"oncology\"", free_slug)?,
            name: section.required("name", "\"Oncology\"", |text| Ok(one_line(text)))?,
            description: section.text("description")?.unwrap_or_default(),
        };
        if categories.iter().any(|other| other.slug == category.slug) {
            return Err(twice(&section, "slug", category.slug.as_str()));
        }
        // Pages and feeds name categories by their words, so these must tell them apart too.
        if categories
            .iter()
            .any(|other| other.name.to_lowercase() == category.name.to_lowercase())
        {
            return Err(twice(&section, "name", &category.name));
        }
        categories.push(category);
    }
    Ok(categories)
}

fn free_slug(text: &str) -> Result<Slug> {
    if text.trim() == ALL {
        return Err(
            Problem::configuration(format!("reserved for the feed of every summary: {text:?}"))
                .hint("choose another slug"),
        );
    }
    Slug::parse(text.trim())
}
