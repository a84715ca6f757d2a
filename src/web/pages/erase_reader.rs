//! `/account/{token}/delete`: GET asks a second time, POST erases the reader.

use super::super::problem::Failure;
use super::respond::respond;
use crate::app::App;
use crate::domain::Problem;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    Ok(respond(app.erase_page(&token).await?))
}

/// The token alone decides; the body is read so that the answer does not overtake it.
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    _form: Bytes,
) -> Result<Response, Failure> {
    // The work goes on when the reader goes away, or the time of a request is up.
    let job = tokio::spawn(async move { app.erase(&token).await });
    let page = job
        .await
        .map_err(|error| Problem::failed("erasing ended by itself").because(error))??;
    Ok(respond(page))
}
