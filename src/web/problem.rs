//! An error as a response.

use crate::domain::Problem;
use crate::domain::problem::Kind;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A [`Problem`] that ends a request. What was asked for in vain is named; what went wrong inside stays in the log.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0.kind() {
            Kind::NotFound => missing(format!("{}\n", self.0)),
            Kind::Configuration | Kind::Failed | Kind::Database => {
                tracing::error!(problem = %self.0, "request failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "something went wrong here; please try again later\n",
                )
                    .into_response()
            }
        }
    }
}

/// The answer at an address that is nobody's.
pub(super) async fn nothing_here() -> impl IntoResponse {
    missing("there is nothing at this address\n".to_owned())
}

/// Marks a response as the bare words for what is not there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing;

fn missing(words: String) -> Response {
    (StatusCode::NOT_FOUND, axum::Extension(Missing), words).into_response()
}

/// The answer to a method that an address does not take; axum adds `Allow`.
pub(super) async fn not_that_way() -> impl IntoResponse {
    (
        StatusCode::METHOD_NOT_ALLOWED,
        "this address does not take requests of this kind\n",
    )
}

/// Gives the bare answer of the time limit a status and words that say whose trouble it is: rarely the client's.
pub(super) async fn say_time_is_up(response: Response) -> Response {
    if response.status() == StatusCode::GATEWAY_TIMEOUT {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "this took too long; please try again later\n",
        )
            .into_response();
    }
    response
}
