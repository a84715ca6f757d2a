//! `/`: the latest research.

use super::super::problem::Failure;
use super::respond;
use crate::app::App;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.home_page().await?))
}
