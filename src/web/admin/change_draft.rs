//! What can be done to a draft: leave a summary out, write a note, send a test.

use super::guard::Acting;
use super::{number, respond, to_the_end};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn drop_summary(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, form }: Acting,
) -> Response {
    let next = async { app.admin_drop(&visit, number(&id)?, &form.one("slug")).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn set_note(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, form }: Acting,
) -> Response {
    let next = async { app.admin_note(&visit, number(&id)?, &form.one("note")).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn send_test(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, .. }: Acting,
) -> Response {
    let (working, who) = (Arc::clone(&app), visit.clone());
    let next = to_the_end(async move { working.admin_test(&who, number(&id)?).await }).await;
    respond::next(&app, &visit, next)
}
