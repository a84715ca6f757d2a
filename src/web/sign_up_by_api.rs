//! `POST /api/subscribe`: a sign-up by a form of somebody else's, as JSON.

use super::pages::{NEVER_KEPT, visitor};
use super::problem::Failure;
use super::visitor::Peer;
use crate::app::App;
use crate::app::reader_pages::{ApiAnswer, ApiFault, ApiSignUp, LIMIT_SPAN};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::sync::Arc;

/// 202 whatever is known of the address; 415 and 400 for what is no JSON, 422 for a fault in a field, 429
/// when there were enough. A page of another site can't send it unseen: browsers ask before they send JSON.
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = media_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        return Ok((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json\n").into_response());
    }
    let sent: ApiSignUp = match serde_json::from_slice(&body) {
        Ok(sent) => sent,
        Err(error) => {
            let message = format!("line {}: the body can't be read", error.line());
            let field = "body";
            return Ok(faulty(StatusCode::BAD_REQUEST, &[ApiFault { field, message }]));
        }
    };
    Ok(
        match app.sign_up_by_api(sent, visitor(&app, peer, &headers)).await? {
            ApiAnswer::Accepted => {
                let answer = Json(serde_json::json!({"accepted": true}));
                (StatusCode::ACCEPTED, [NEVER_KEPT], answer).into_response()
            }
            ApiAnswer::Faulty(faults) => faulty(StatusCode::UNPROCESSABLE_ENTITY, &faults),
            ApiAnswer::TooMany => {
                let later = [(header::RETRY_AFTER, LIMIT_SPAN.to_string())];
                let said = "there were enough sign-ups for now; please try again later\n";
                (StatusCode::TOO_MANY_REQUESTS, later, said).into_response()
            }
        },
    )
}

fn faulty(status: StatusCode, faults: &[ApiFault]) -> Response {
    (status, [NEVER_KEPT], Json(serde_json::json!({"errors": faults}))).into_response()
}
