//! `/admin/sign-in`: asks for an address, and mails a link if it is an admin's.

use super::super::pages::{Form, visitor};
use super::super::problem::Failure;
use super::super::visitor::Peer;
use super::guard::{is_from_here, refusal};
use super::respond;
use crate::app::App;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

const ROOT: &str = "../";

pub(super) async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = Form::read(query.unwrap_or_default().as_bytes());
    Ok(respond::page(ROOT, app.sign_in_page(query.first("said"))?))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    if !is_from_here(&headers, &app.site().url) {
        return Ok(refusal(&app, ROOT));
    }
    let visitor = visitor(&app, peer, &headers);
    let form = Form::read(&body);
    let page = app.ask_to_sign_in(&form.one("address"), visitor).await?;
    Ok(respond::page(ROOT, page))
}
