//! What can be done to an edition that is approved: pause, resume, retry, and, after a second look, cancel.

use super::guard::{Acting, Looking};
use super::{number, respond, to_the_end};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn pause(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, .. }: Acting,
) -> Response {
    let next = async { app.admin_pause(&visit, number(&id)?).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, .. }: Acting,
) -> Response {
    let next = async { app.admin_resume(&visit, number(&id)?).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, .. }: Acting,
) -> Response {
    let next = async { app.admin_retry(&visit, number(&id)?).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn second_look(
    State(app): State<Arc<App>>,
    Looking { visit, .. }: Looking,
    Path(id): Path<String>,
) -> Response {
    let next = async { app.admin_cancel_page(&visit, number(&id)?).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, form }: Acting,
) -> Response {
    let (working, who) = (Arc::clone(&app), visit.clone());
    let work = async move { working.admin_cancel(&who, number(&id)?, &form.one("seen")).await };
    let next = to_the_end(work).await;
    respond::next(&app, &visit, next)
}
