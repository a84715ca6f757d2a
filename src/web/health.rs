//! `/healthz`: the process answers. `/readyz`: so does the database.

use super::problem::Failure;
use crate::app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(problem) => {
            let mut response = Failure::from(problem).into_response();
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}
