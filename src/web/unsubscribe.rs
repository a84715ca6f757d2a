//! The one-click endpoint (RFC 8058): GET asks, POST unsubscribes. GET and HEAD change nothing.

use super::problem::Failure;
use crate::app::App;
use crate::app::readers::ReaderPage;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
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

/// A reader's page; never kept by anything between, since its address is a secret of theirs.
pub(super) fn respond(page: ReaderPage) -> Response {
    let status = if page.valid {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Html(page.html)).into_response()
}
