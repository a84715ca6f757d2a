//! `/account/{token}`: a fresh link, to change the address and to download what is kept.

use super::super::problem::Failure;
use super::super::visitor::Peer;
use super::form::{Form, visitor};
use super::respond::{NEVER_KEPT, respond, see_other};
use crate::app::App;
use crate::app::reader_pages::{AccountAnswer, AccountForm};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let asked = query.as_deref() == Some("asked");
    Ok(respond(app.account_page(&token, asked).await?))
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let form = match form.one("do").as_str() {
        "download" => AccountForm::Download,
        _ => AccountForm::Address(form.one("address")),
    };
    Ok(
        match app
            .use_account(&token, &form, visitor(&app, peer, &headers))
            .await?
        {
            AccountAnswer::Asked => see_other(format!("../account/{token}?asked")),
            AccountAnswer::Data(data) => {
                let head = [
                    NEVER_KEPT,
                    (header::CONTENT_TYPE, "application/json"),
                    (
                        header::CONTENT_DISPOSITION,
                        "attachment; filename=\"my-data.json\"",
                    ),
                ];
                (head, data).into_response()
            }
            AccountAnswer::Page(page) => respond(page),
        },
    )
}
