//! `/about`, `/disclaimer` and `/privacy`.

use super::super::problem::Failure;
use super::respond;
use crate::app::App;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn about(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.text_page("about")?))
}

pub(super) async fn disclaimer(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.text_page("disclaimer")?))
}

pub(super) async fn privacy(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.text_page("privacy")?))
}
