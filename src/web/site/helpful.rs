//! "Was this summary helpful?": GET asks, POST counts.

use super::super::admin::is_from_here;
use super::super::problem::Failure;
use super::super::visitor::{self, Peer};
use super::{respond_alone, respond_to};
use crate::app::App;
use crate::app::site::Shown;
use crate::domain::helpful::Answer;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use url::form_urlencoded;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let answer = answer_in(query.unwrap_or_default().as_bytes());
    Ok(respond_to(&headers, app.helpful_page(&slug, answer).await?))
}

pub(super) async fn give_answer(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, Failure> {
    let is_ours = is_from_here(&headers, &app.site().url);
    let Some(answer) = answer_in(&form).filter(|_| is_ours) else {
        let status = if is_ours {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::FORBIDDEN
        };
        // The page asks again.
        return Ok(match app.helpful_page(&slug, None).await? {
            Shown::Summary(page) => respond_alone(status, page.text),
            gone => respond_to(&headers, gone),
        });
    };
    let visitor = visitor::address(peer, &headers, app.trusted_proxies());
    let program = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let shown = app
        .give_answer(&slug, answer, visitor, program.unwrap_or_default())
        .await?;
    Ok(match shown {
        Shown::Summary(page) => respond_alone(StatusCode::OK, page.text),
        gone => respond_to(&headers, gone),
    })
}

fn answer_in(form: &[u8]) -> Option<Answer> {
    form_urlencoded::parse(form)
        .find(|(name, _)| name == "answer")
        .and_then(|(_, value)| Answer::parse(&value))
}
