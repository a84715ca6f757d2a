//! `/lost-link`: mails a reader the link to their choices.

use super::super::problem::Failure;
use super::super::visitor::Peer;
use super::form::{Form, visitor};
use super::respond::respond;
use crate::app::App;
use crate::app::reader_pages::LostLinkForm;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    Ok(respond(app.lost_link_page()?))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let form = LostLinkForm {
        address: form.one("address"),
        sentry: form.sentry(),
    };
    Ok(respond(
        app.ask_for_link(&form, visitor(&app, peer, &headers)).await?,
    ))
}
