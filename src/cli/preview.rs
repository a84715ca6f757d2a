//! `postrider preview`: the next edition as files.

use super::Done;
use super::deliver::{done, say_prepared};
use super::output::Output;
use super::publish::named;
use crate::app::publish::Delivered;
use crate::app::{App, Options, Request};
use crate::domain::{Result, Slug};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The digest to look at.
    digest: String,
    /// Only the mail of a reader who chose these categories.
    #[arg(long, value_name = "SLUG", value_delimiter = ',')]
    categories: Option<Vec<String>>,
    /// The folder for the files; made when missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(options: &Options, output: &Output, arguments: Arguments) -> Result<Done> {
    let categories = arguments
        .categories
        .map(|slugs| {
            slugs
                .iter()
                .map(|slug| Slug::parse(slug))
                .collect::<Result<Vec<_>>>()
        })
        .transpose()?;
    let app = App::open(options).await?;
    let digests = named(&app, std::slice::from_ref(&arguments.digest))?;
    let prepared = output.busy("gathering", app.prepare(&[], &Request::Next)).await?;
    say_prepared(output, &prepared)?;
    let mut segments = Vec::new();
    for digest in &digests {
        segments = app.preview(digest, categories.as_deref(), &arguments.out).await?;
    }
    let rows: Vec<Vec<String>> = segments
        .iter()
        .map(|segment| {
            vec![
                segment.name.clone(),
                segment
                    .readers
                    .map(|readers| readers.to_string())
                    .unwrap_or_default(),
                segment.summaries.len().to_string(),
                segment.subject.clone(),
            ]
        })
        .collect();
    if let Some(first) = segments.first() {
        output.line(format!("showing {}", first.shows.as_str()))?;
    }
    output.table(&["segment", "readers", "summaries", "subject"], &rows)?;
    output.line(format!("written to {}", arguments.out.display()))?;
    output.json(&segments)?;
    app.close().await;
    Ok(done(&prepared, &Delivered::default()))
}
