//! `/metrics`: numbers for Prometheus, without anybody's address.

use super::problem::Failure;
use crate::app::App;
use crate::app::metrics::MEDIA_TYPE;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics().await {
        Ok(text) => {
            let head = [
                (header::CONTENT_TYPE, MEDIA_TYPE),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (head, text).into_response()
        }
        Err(problem) => Failure::from(problem).into_response(),
    }
}
