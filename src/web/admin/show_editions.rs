//! `/admin/editions` and `/admin/editions/{number}`: all of them, and one: a draft, or its account.

use super::guard::Looking;
use super::{number, respond};
use crate::app::App;
use crate::app::admin::DraftView;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn list(State(app): State<Arc<App>>, Looking { visit, query }: Looking) -> Response {
    let page = async {
        let before = query.first("before").map(number).transpose()?;
        app.admin_editions(&visit, before).await
    };
    respond::outcome(&app, &visit, page.await)
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Looking { visit, query }: Looking,
    Path(id): Path<String>,
) -> Response {
    let view = DraftView {
        category: query.one("categories"),
        is_text: query.one("format") == "text",
    };
    let watched = query.first("watch").is_some();
    let page = async { app.admin_edition(&visit, number(&id)?, &view, watched).await };
    respond::outcome(&app, &visit, page.await)
}
