//! A reader's page as a response; never kept by anything between, since its address or form is a secret of theirs.

use crate::app::reader_pages::{LIMIT_SPAN, Outcome, ReaderPage};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// What keeps a page out of every cache.
pub(in super::super) const NEVER_KEPT: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

pub(in super::super) fn respond(page: ReaderPage) -> Response {
    let html = ([NEVER_KEPT], Html(page.html));
    match page.outcome {
        Outcome::Good => html.into_response(),
        Outcome::Faulty => (StatusCode::UNPROCESSABLE_ENTITY, html).into_response(),
        Outcome::BadLink => (StatusCode::NOT_FOUND, html).into_response(),
        Outcome::TooMany => {
            let later = [(header::RETRY_AFTER, LIMIT_SPAN.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, later, html).into_response()
        }
    }
}

/// Leads on to `location`, so that loading the page again sends nothing twice (RFC 9110 15.4.4).
pub(super) fn see_other(location: String) -> Response {
    let head = [
        (header::LOCATION, location),
        (NEVER_KEPT.0, NEVER_KEPT.1.to_owned()),
    ];
    (
        StatusCode::SEE_OTHER,
        head,
        "it is done: see the page that follows\n",
    )
        .into_response()
}
