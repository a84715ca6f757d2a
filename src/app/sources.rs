//! The configured sources as what pulls them.

use crate::config::{self, Origin};
use crate::domain::{Category, Result};
use crate::gather::Source;
use crate::gather::feed::{FeedOptions, FeedSource};
use crate::gather::fetch::{Fetcher, Limits};
use crate::gather::folder::FolderSource;
use crate::gather::pages::{PageOptions, PagesSource, Start};
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
        let rule = if source.allow_private {
            anywhere()
        } else {
            public_only()
        };
        Ok(Arc::new(Fetcher::new(Limits::default(), rule)?))
    };
    Ok(match &source.origin {
        Origin::Folder(path) => Box::new(FolderSource::new(name, path, categories)),
        Origin::SavedPages(path) => Box::new(PagesSource::folder(name, path, categories)),
        Origin::Sitemap(url) => Box::new(PagesSource::site(
            name,
            Start::Sitemap(url.clone()),
            page_options(source),
            categories,
            fetcher()?,
        )),
        Origin::Pages(urls) => Box::new(PagesSource::site(
            name,
            Start::Addresses(urls.clone()),
            page_options(source),
            categories,
            fetcher()?,
        )),
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

fn page_options(source: &config::Source) -> PageOptions {
    PageOptions {
        delay: source.delay,
        max_pages: usize::try_from(source.max_pages).unwrap_or(usize::MAX),
        ..PageOptions::default()
    }
}
