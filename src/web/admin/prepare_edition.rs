//! `POST /admin/digests/{name}/prepare`: makes a draft of the next edition, or finds the one that waits.

use super::guard::Acting;
use super::{respond, to_the_end};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn prepare(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Acting { visit, .. }: Acting,
) -> Response {
    let (working, who) = (Arc::clone(&app), visit.clone());
    let next = to_the_end(async move { working.admin_prepare(&who, &name).await }).await;
    respond::next(&app, &visit, next)
}
