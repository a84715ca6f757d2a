//! `/p/{token}`: what a reader receives, to see and to change.

use super::super::problem::Failure;
use super::form::Form;
use super::respond::{respond, see_other};
use crate::app::App;
use crate::app::reader_pages::{PreferencesAnswer, PreferencesForm};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let saved = query.as_deref() == Some("saved");
    Ok(respond(app.preferences_page(&token, saved).await?))
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let form = PreferencesForm {
        fields: form.reader_fields(),
        pause: form.one("pause"),
    };
    Ok(match app.save_preferences(&token, &form).await? {
        PreferencesAnswer::Saved => see_other(format!("../p/{token}?saved")),
        PreferencesAnswer::Page(page) => respond(page),
    })
}
