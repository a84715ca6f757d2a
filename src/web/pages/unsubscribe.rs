//! The one-click endpoint (RFC 8058): GET asks, POST unsubscribes. GET and HEAD change nothing.

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
    Ok(respond(app.unsubscribe_page(&token).await?))
}

/// Any body is fine, urlencoded or multipart: the token alone decides, without cookie, login or origin.
/// It is read all the same: an answer that overtakes it would be lost when the connection closes.
pub(super) async fn unsubscribe(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    _form: Bytes,
) -> Result<Response, Failure> {
    Ok(respond(app.unsubscribe(&token).await?))
}
