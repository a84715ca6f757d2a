//! `POST /api/digests/{name}/send`: a manual send by another program, with a bearer token.

use super::problem::Failure;
use crate::app::{App, Request};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// 202 with the edition, which this process then delivers; 401 without a good token; 404 for an unknown digest.
pub(super) async fn send(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(caller) = caller(&app, &headers).await? else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return Ok((StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed\n").into_response());
    };
    let digest = app.digest(&name)?.clone();
    tracing::info!(caller, digest = name, "send asked for");
    // The work goes on when the caller hangs up.
    let job = tokio::spawn(async move { app.prepare(&[digest], &Request::Next).await });
    let prepared = job
        .await
        .map_err(|error| crate::domain::Problem::failed("the send ended by itself").because(error))??;
    let outcome = prepared.digests.first();
    let answer = serde_json::json!({
        "edition": outcome.and_then(|outcome| outcome.edition),
        "created": outcome.is_some_and(|outcome| outcome.created),
    });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The name of the token that the request bears (RFC 6750 2.1).
async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match presented {
        Some(token) => Ok(app.api_token_name(token).await?),
        None => Ok(None),
    }
}
