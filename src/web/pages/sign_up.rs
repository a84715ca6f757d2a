//! `/subscribe`: the form, and what becomes of it.

use super::super::problem::Failure;
use super::super::visitor::Peer;
use super::form::{Form, visitor};
use super::respond::respond;
use crate::app::App;
use crate::app::reader_pages::SubscribeForm;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

/// `?category=` and `?digest=` tick boxes, so that a page can lead to a form that fits it.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let wanted = Form::read(query.unwrap_or_default().as_bytes());
    let page = app.subscribe_page(wanted.all("digest"), wanted.all("category"))?;
    Ok(respond(page))
}

pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let form = SubscribeForm {
        address: form.one("address"),
        fields: form.reader_fields(),
        agreed: form.ticked("agreed"),
        sentry: form.sentry(),
    };
    Ok(respond(app.sign_up(&form, visitor(&app, peer, &headers)).await?))
}
