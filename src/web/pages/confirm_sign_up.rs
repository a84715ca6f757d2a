//! `/confirm/{token}`: GET shows what will be subscribed, POST begins it.

use super::super::problem::Failure;
use super::respond::respond;
use crate::app::App;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    Ok(respond(app.confirm_page(&token).await?))
}

/// The token alone decides; the body is read so that the answer does not overtake it.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    _form: Bytes,
) -> Result<Response, Failure> {
    Ok(respond(app.confirm(&token).await?))
}
