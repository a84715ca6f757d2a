//! `/sitemap.xml` and `/robots.txt`.

use super::super::problem::Failure;
use super::{MAX_AGE, respond};
use crate::app::App;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn sitemap(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.sitemap().await?))
}

pub(super) async fn robots(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, MAX_AGE),
    ];
    (headers, app.robots()).into_response()
}
