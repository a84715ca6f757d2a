//! `/contact`: a form that mails the admins.

use super::super::pages::{Form, respond, visitor};
use super::super::problem::Failure;
use super::super::visitor::Peer;
use crate::app::App;
use crate::app::site::ContactForm;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    Ok(respond(app.contact_page()?))
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let form = ContactForm {
        name: form.one("name"),
        email: form.one("email"),
        message: form.one("message"),
        sentry: form.sentry(),
    };
    let visitor = visitor(&app, peer, &headers);
    Ok(respond(app.send_message(form, visitor).await?))
}
