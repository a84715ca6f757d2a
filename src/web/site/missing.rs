//! What is not there, on a page for those who read pages.

use super::super::problem::Missing;
use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

/// Puts a page in the place of the bare words of a 404, when the client asks for HTML.
pub(in crate::web) async fn say_it_on_a_page(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let wants_page = takes_html(request.headers());
    let depth = request.uri().path().matches('/').count().saturating_sub(1);
    let mut response = next.run(request).await;
    if response.extensions().get::<Missing>().is_none() {
        return response;
    }
    if wants_page {
        match app.not_found_page(depth) {
            Ok(html) => response = (response.status(), Html(html)).into_response(),
            Err(problem) => tracing::error!(%problem, "the page for what is not there failed"),
        }
    }
    let vary = header::HeaderValue::from_static("Accept");
    response.headers_mut().insert(header::VARY, vary);
    // What is not there today may be there tomorrow.
    let fresh = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, fresh);
    response
}

/// Whether `Accept` names HTML, as browsers do.
fn takes_html(headers: &HeaderMap) -> bool {
    let mut lists = headers.get_all(header::ACCEPT).iter();
    lists.any(|list| {
        let text = list.to_str().unwrap_or_default();
        let mut items = text.split(',').filter_map(|item| item.split(';').next());
        items.any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
    })
}
