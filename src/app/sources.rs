//! The configured sources as what pulls them.

use crate::config::{self, Origin};
use crate::domain::{Category, Result};
use crate::gather::Source;
use crate::gather::feed::{FeedOptions, FeedSource};
use crate::gather::fetch::{Fetcher, Limits};
use crate::gather::folder::FolderSource;
use crate::gather::pages::PagesSource;
use crate::gather::reach::{anywhere, public_only};
use std::sync::Arc;

/// Every source, in the order of the configuration.
pub(super) fn all(sources: &[config::Source], categories: &Arc<[Category]>) -> Result<Vec<Box<dyn Source>>> {
    sources.iter().map(|source| one(source, categories)).collect()
}

fn one(source: &config::Source, categories: &Arc<[Category]>) -> Result<Box<dyn Source>> {
    let name = source.name.as_str();
    let categories = Arc::clone(categories);
    let fetcher = || -> Result<Arc<Fetcher>> {
        let rule = if source.allow_private { anywhere() } else { public_only() };
        Ok(Arc::new(Fetcher::new(Limits::default(), rule)?))
    };
    Ok(match &source.origin {
        Origin::Folder(path) => Box::new(FolderSource::new(name, path, categories)),
        Origin::SavedPages(path) => Box::new(PagesSource::saved(name, path, categories)),
        Origin::Sitemap(_) | Origin::Pages(_) => todo_pages(),
        Origin::Feed(url) => Box::new(FeedSource::new(
            name,
            url.clone(),
            FeedOptions {
                map: source.map.clone(),
                category: source.category.clone(),
            },
            categories,
            fetcher()?,
        )),
    })
}
