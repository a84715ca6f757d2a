//! The pages of the site, for everybody: made anew for each request, and a 304 where the reader has them.

mod archive;
mod categories;
mod contact;
mod helpful;
mod home;
mod missing;
mod research;
mod robots;
mod texts;

pub(super) use missing::say_it_on_a_page;

use super::conditional::{Validators, is_unchanged};
use crate::app::App;
use crate::app::site::{PublicDocument, Shown};
use crate::domain::{Problem, Timestamp};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde::Deserialize;
use std::sync::Arc;

/// A correction must not wait longer to be seen.
const MAX_AGE: &str = "public, max-age=60";

/// The routes that answer with pages.
pub(super) fn pages() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/", get(home::page)),
        ("/research", get(research::list)),
        ("/research/{slug}", get(research::page)),
        (
            "/research/{slug}/helpful",
            get(helpful::page).post(helpful::give_answer),
        ),
        ("/categories", get(categories::list)),
        ("/categories/{slug}", get(categories::page)),
        ("/about", get(texts::about)),
        ("/disclaimer", get(texts::disclaimer)),
        ("/privacy", get(texts::privacy)),
        ("/contact", get(contact::page).post(contact::send)),
        ("/archive", get(archive::list)),
        ("/archive/{number}", get(archive::page)),
    ]
}

/// The routes that answer programs.
pub(super) fn documents() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/sitemap.xml", get(robots::sitemap)),
        ("/robots.txt", get(robots::robots)),
    ]
}

/// Which page of a list is asked for.
#[derive(Debug, Deserialize)]
struct Paged {
    page: Option<String>,
}

impl Paged {
    /// The number of the page, from 1.
    fn number(&self) -> Result<i64, Problem> {
        let Some(text) = &self.page else { return Ok(1) };
        text.parse()
            .map_err(|_| Problem::not_found("there is no page of this number"))
    }
}

/// A document for everybody, or a 304.
fn respond(headers: &HeaderMap, document: PublicDocument) -> Response {
    let validators = Validators {
        etags: [document.etag.clone(), document.etag.clone()],
        // Only the bytes tell: a template may have changed as well.
        modified: Timestamp(i64::MAX),
    };
    let shared = [
        (header::ETAG, document.etag),
        (header::CACHE_CONTROL, MAX_AGE.to_owned()),
        (header::CONTENT_LENGTH, document.text.len().to_string()),
    ];
    if is_unchanged(headers, &validators) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, document.media_type)];
    (shared, content_type, document.text).into_response()
}

/// The page of a summary, or that it is gone.
fn respond_to(headers: &HeaderMap, shown: Shown) -> Response {
    match shown {
        Shown::Summary(page) => respond(headers, page),
        Shown::Removed(html) => {
            let cache = [(header::CACHE_CONTROL, MAX_AGE)];
            (StatusCode::GONE, cache, Html(html)).into_response()
        }
    }
}

/// A page that is made for one visitor.
fn respond_alone(status: StatusCode, html: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}
