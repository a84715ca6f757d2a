//! What a reader receives; nothing changes here.

use super::problem::Failure;
use super::unsubscribe::respond;
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    Ok(respond(app.preferences_page(&token).await?))
}
