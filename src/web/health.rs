//! `/healthz`: the process answers. `/readyz`: so does the database.

use super::problem::Failure;
use crate::app::App;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// A probe wants to know about now.
const FRESH: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

pub(super) async fn alive() -> impl IntoResponse {
    (FRESH, "ok\n")
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready().await {
        Ok(()) => (FRESH, "ready\n").into_response(),
        Err(problem) => {
            let mut response = Failure::from(problem).into_response();
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}
