//! `/admin` and `/admin/digests/{name}`: what waits, and what is under way.

use super::guard::Looking;
use super::respond;
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn overview(State(app): State<Arc<App>>, Looking { visit, .. }: Looking) -> Response {
    respond::outcome(&app, &visit, app.admin_start(&visit).await)
}

pub(super) async fn digest(
    State(app): State<Arc<App>>,
    Looking { visit, .. }: Looking,
    Path(name): Path<String>,
) -> Response {
    respond::outcome(&app, &visit, app.admin_digest(&visit, &name).await)
}
