//! `/admin/editions/{number}/send`: GET is a second look, POST approves the draft; a repeat sends nothing.

use super::guard::{Acting, Looking};
use super::{number, respond, to_the_end};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn second_look(
    State(app): State<Arc<App>>,
    Looking { visit, .. }: Looking,
    Path(id): Path<String>,
) -> Response {
    let next = async { app.admin_send_page(&visit, number(&id)?).await };
    respond::next(&app, &visit, next.await)
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Acting { visit, form }: Acting,
) -> Response {
    let (working, who) = (Arc::clone(&app), visit.clone());
    let seen = form.one("count").parse().ok();
    let work = async move {
        let print = form.one("print");
        working.admin_approve(&who, number(&id)?, seen, &print).await
    };
    let next = to_the_end(work).await;
    respond::next(&app, &visit, next)
}
