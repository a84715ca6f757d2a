//! `/admin/editions/{number}/deliveries`: who got what.

use super::guard::Looking;
use super::{number, respond};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Looking { visit, query }: Looking,
    Path(id): Path<String>,
) -> Response {
    let (filter, from) = (query.one("state"), query.first("from"));
    let page = async { app.admin_deliveries(&visit, number(&id)?, &filter, from).await };
    respond::outcome(&app, &visit, page.await)
}
