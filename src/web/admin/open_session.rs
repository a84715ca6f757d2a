//! `/admin/session/{token}`, the mailed link: GET shows a button, POST signs in, once.

use super::super::problem::Failure;
use super::guard::{cookie, is_from_here, refusal};
use super::respond;
use crate::app::App;
use crate::app::admin::Opened;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const ROOT: &str = "../../";

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    Ok(respond::page(ROOT, app.session_page(&token).await?))
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    _form: Bytes,
) -> Result<Response, Failure> {
    if !is_from_here(&headers, &app.site().url) {
        return Ok(refusal(&app, ROOT));
    }
    Ok(match app.open_session(&token).await? {
        Opened::Session(session) => {
            let cookie = cookie(&app, &session, app.session_seconds())?;
            let given = [(header::SET_COOKIE, cookie)];
            (given, respond::see_other(ROOT, "admin")).into_response()
        }
        Opened::Page(page) => respond::page(ROOT, page),
    })
}
