//! HTTP: feeds, readers' links, the API, and whether all is well. The only axum.
//!
//! A handler parses, calls one function of [`App`], and maps its error.

mod admin;
mod conditional;
mod connections;
mod feeds;
mod health;
mod metrics;
mod pages;
mod problem;
mod send_digest;
mod sign_up_by_api;
mod site;
mod stylesheet;
mod visitor;
mod writing;

pub use connections::{serve, serve_watchers};

use crate::app::App;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use std::time::Duration;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest request; every form here is a few words.
const BODY: usize = 64 * 1024;
/// The longest a request may take.
const TIME: Duration = Duration::from_secs(30);

/// What a page may load, and who may show it in a frame.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What holds for every page and document: nothing runs, nothing is loaded from elsewhere, no link leaks.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// Said where the site is on https: browsers then ask no other way for a year (RFC 6797).
const ONLY_HTTPS: (HeaderName, &str) = (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");

/// What tells whether all is well.
fn watchers() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
}

/// Only what tells whether all is well; a request may take `longest`.
pub fn watchers_alone(app: Arc<App>, longest: Duration) -> Router {
    let router = watchers()
        .fallback(problem::nothing_here)
        .method_not_allowed_fallback(problem::not_that_way)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            longest,
        ));
    guarded(router, &app).with_state(app)
}

/// Every route; a request may take `longest`, but for one that gathers: pages of a site come a second
/// apart, and the time-outs of the sources bound it.
pub fn router(app: Arc<App>, longest: Duration) -> Router {
    let gathering = Router::new()
        .route("/api/digests/{name}/send", post(send_digest::send))
        .route(admin::PREPARE, admin::prepare())
        .method_not_allowed_fallback(problem::not_that_way);
    let mut router = Router::new()
        .route("/feeds/{file}", get(feeds::feed))
        .route("/assets/site.css", get(stylesheet::stylesheet))
        .route("/api/subscribe", post(sign_up_by_api::sign_up))
        .merge(watchers());
    let admins = admin::pages().into_iter().chain(admin::actions());
    for (path, route) in readers_pages().into_iter().chain(admins) {
        router = router.route(path, route);
    }
    if app.site().pages {
        for (path, route) in site::pages().into_iter().chain(site::documents()) {
            router = router.route(path, route);
        }
    }
    let router = router
        .fallback(problem::nothing_here)
        .method_not_allowed_fallback(problem::not_that_way)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            longest,
        ))
        .layer(map_response(problem::say_time_is_up))
        .layer(from_fn_with_state(Arc::clone(&app), site::say_it_on_a_page))
        .merge(gathering)
        .layer(RequestBodyLimitLayer::new(BODY));
    guarded(router, &app).with_state(app)
}

/// The routes of readers' own pages, which are there with the site's pages or without.
fn readers_pages() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    pages::routes()
}

/// The paths of the pages for people, such as `/u/{token}`; `tests/browser` visits every one.
pub fn page_paths() -> Vec<&'static str> {
    let pages = readers_pages()
        .into_iter()
        .chain(site::pages())
        .chain(admin::pages());
    pages.map(|(path, _)| path).collect()
}

/// What every answer says of itself.
fn guarded(mut router: Router<Arc<App>>, app: &App) -> Router<Arc<App>> {
    let https = app.site().url.starts_with("https:");
    for (name, value) in HEADERS.into_iter().chain(https.then_some(ONLY_HTTPS)) {
        router = router.layer(SetResponseHeaderLayer::if_not_present(
            name,
            HeaderValue::from_static(value),
        ));
    }
    router
}
