//! An error as a response.

use crate::domain::Problem;
use crate::domain::problem::Kind;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A [`Problem`] that ends a request; what went wrong inside stays in the log.
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
            Kind::NotFound => (StatusCode::NOT_FOUND, "not found\n").into_response(),
            Kind::Configuration | Kind::Failed | Kind::Database => {
                tracing::error!(problem = %self.0, "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here; please try again later\n")
                    .into_response()
            }
        }
    }
}
