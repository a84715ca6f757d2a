//! `/archive`: the editions that were sent, and each of them without anything personal.

use super::super::problem::Failure;
use super::{Paged, respond};
use crate::app::App;
use crate::domain::Problem;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(paged): Query<Paged>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(respond(&headers, app.archive_page(paged.number()?).await?))
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let known = number
        .parse()
        .map_err(|_| Problem::not_found("there is no such edition"))?;
    Ok(respond(&headers, app.edition_page(known).await?))
}
