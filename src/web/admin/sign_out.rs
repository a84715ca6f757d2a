//! `POST /admin/sign-out`: ends the session.

use super::super::problem::Failure;
use super::guard::{Acting, cookie};
use super::respond;
use crate::app::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    Acting { visit, .. }: Acting,
) -> Result<Response, Failure> {
    app.sign_out(&visit).await?;
    let taken = [(header::SET_COOKIE, cookie(&app, "", 0)?)];
    let to = respond::see_other(&visit.root, "admin/sign-in?said=signed-out");
    Ok((taken, to).into_response())
}
