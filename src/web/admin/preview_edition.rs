//! `/admin/editions/{number}/preview`: a mail as readers receive it, shut off from everything around it.

use super::guard::Looking;
use super::{number, respond};
use crate::app::App;
use crate::app::admin::DraftView;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

/// A mail brings its own styles, and pictures if the operator's template has some; it may do nothing else,
/// and stand in no frame but ours.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Looking { visit, query }: Looking,
    Path(id): Path<String>,
) -> Response {
    let view = DraftView {
        category: query.one("categories"),
        is_text: query.one("format") == "text",
    };
    let mail = async { app.admin_preview(number(&id)?, &view).await };
    let mut response = match mail.await {
        Ok(text) if view.is_text => (respond::PRIVATE, text).into_response(),
        Ok(html) => (respond::PRIVATE, Html(html)).into_response(),
        Err(problem) => return respond::outcome(&app, &visit, Err(problem)),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}
