//! `/categories`: all categories, and the summaries of each.

use super::super::problem::Failure;
use super::{Paged, respond};
use crate::app::App;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.categories_page().await?))
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    Query(paged): Query<Paged>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(respond(
        &headers,
        app.category_page(&slug, paged.number()?).await?,
    ))
}
