//! `/contact`: a form that mails the admins.

use super::super::problem::Failure;
use super::{respond, respond_alone};
use crate::app::App;
use crate::app::site::{ContactForm, ContactOutcome};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use url::form_urlencoded;

pub(super) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(respond(&headers, app.contact_page()?))
}

pub(super) async fn send(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Failure> {
    let mut form = ContactForm::default();
    for (name, value) in form_urlencoded::parse(&body) {
        let field = match &*name {
            "name" => &mut form.name,
            "email" => &mut form.email,
            "message" => &mut form.message,
            "trap" => &mut form.trap,
            _ => continue,
        };
        *field = value.into_owned();
    }
    Ok(match app.send_message(form).await? {
        ContactOutcome::Sent(html) => respond_alone(StatusCode::OK, html),
        ContactOutcome::Wrong(html) => respond_alone(StatusCode::UNPROCESSABLE_ENTITY, html),
    })
}
