//! HTTP: feeds, readers' links, the API, and whether all is well. The only axum.
//!
//! A handler parses, calls one function of [`App`], and maps its error.

mod conditional;
mod feeds;
mod health;
mod preferences;
mod problem;
mod send_digest;
mod stylesheet;
mod unsubscribe;

use crate::app::App;
use crate::domain::{Problem, Result};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest request; every form here is a few words.
const BODY: usize = 64 * 1024;
/// The longest a request may take.
const TIME: Duration = Duration::from_secs(30);

/// What holds for every page and document: nothing runs, nothing is loaded from elsewhere, no link leaks.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Every route.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/feeds/{file}", get(feeds::feed))
        .route(
            "/u/{token}",
            get(unsubscribe::page).post(unsubscribe::unsubscribe),
        )
        .route("/p/{token}", get(preferences::page))
        .route("/assets/site.css", get(stylesheet::stylesheet))
        .route("/api/digests/{name}/send", post(send_digest::send))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIME));
    for (name, value) in HEADERS {
        router = router.layer(SetResponseHeaderLayer::if_not_present(
            name,
            HeaderValue::from_static(value),
        ));
    }
    router.with_state(app)
}

/// Serves until `stop` becomes true; requests under way then end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(app: Arc<App>, listener: TcpListener, mut stop: watch::Receiver<bool>) -> Result<()> {
    axum::serve(listener, router(app))
        .with_graceful_shutdown(async move {
            // A sender that is gone is a stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await
        .map_err(|error| Problem::failed("the web server stopped").because(error))
}
