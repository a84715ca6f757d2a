//! `/research`: all summaries, page by page, and the page of each.

use super::super::problem::Failure;
use super::{Paged, respond, respond_to};
use crate::app::App;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(paged): Query<Paged>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(respond(&headers, app.research_page(paged.number()?).await?))
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(respond_to(&headers, app.summary_page(&slug).await?))
}
