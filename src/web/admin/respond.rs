//! An admin's page as a response: never kept by anything between, and never listed by search engines.

use super::super::POLICY;
use super::super::problem::Failure;
use crate::app::App;
use crate::app::admin::{AdminPage, Next, Outcome, Visit};
use crate::domain::Result;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// What every answer says of itself.
pub(super) const PRIVATE: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// How soon a page that is watched loads itself again, in seconds.
const AGAIN: u32 = 5;

/// A page, for somebody at the place from which `root` leads to the site's start page.
pub(super) fn page(root: &str, page: AdminPage) -> Response {
    let status = match page.outcome {
        Outcome::Good => StatusCode::OK,
        Outcome::Faulty => StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::Missing => StatusCode::NOT_FOUND,
        Outcome::Conflict => StatusCode::CONFLICT,
        Outcome::Refused => StatusCode::FORBIDDEN,
        Outcome::TooMany => StatusCode::TOO_MANY_REQUESTS,
    };
    // A preview is a page of ours in a frame.
    let policy = [(
        header::CONTENT_SECURITY_POLICY,
        format!("{POLICY}; frame-src 'self'"),
    )];
    let mut response = (status, PRIVATE, policy, Html(page.html)).into_response();
    if let Some(then) = page.then
        && let Ok(value) = HeaderValue::try_from(format!("{AGAIN}; url={root}{then}"))
    {
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}

/// Leads on to `path`, which is relative to the site's start page, so that loading a page again sends nothing
/// twice (RFC 9110 15.4.4).
pub(super) fn see_other(root: &str, path: &str) -> Response {
    let location = [(header::LOCATION, format!("{root}{path}"))];
    (StatusCode::SEE_OTHER, PRIVATE, location).into_response()
}

/// What was asked for, or the page that says why not.
pub(super) fn outcome(app: &App, visit: &Visit, outcome: Result<AdminPage>) -> Response {
    let made = outcome.or_else(|problem| app.admin_trouble(visit, problem));
    match made {
        Ok(made) => page(&visit.root, made),
        Err(problem) => Failure::from(problem).into_response(),
    }
}

/// What an action led to.
pub(super) fn next(app: &App, visit: &Visit, next: Result<Next>) -> Response {
    match next {
        Ok(Next::To(path)) => see_other(&visit.root, &path),
        Ok(Next::Page(made)) => page(&visit.root, made),
        Err(problem) => outcome(app, visit, Err(problem)),
    }
}
