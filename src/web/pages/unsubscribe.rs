//! The one-click endpoint (RFC 8058): GET asks, POST unsubscribes. GET and HEAD change nothing.

use super::super::problem::Failure;
use super::respond::respond;
use crate::app::App;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    Ok(respond(app.unsubscribe_page(&token).await?))
}

/// Any body is fine, urlencoded or multipart: the token alone decides, without cookie, login or origin.
/// It is read all the same: an answer that overtakes it would be lost when the connection closes.
pub(super) async fn unsubscribe(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    form: Bytes,
) -> Result<Response, Failure> {
    Ok(respond(app.unsubscribe(&token, is_one_click(&form)).await?))
}

/// Whether a mail program sent `form`: the pair `List-Unsubscribe=One-Click` (RFC 8058 3.1), urlencoded or as a
/// part of a multipart body. The button of the page sends nothing of the kind.
fn is_one_click(form: &[u8]) -> bool {
    let holds = |text: &[u8]| {
        form.windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text))
    };
    holds(b"List-Unsubscribe") && holds(b"One-Click")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_program_is_known_by_what_it_sends() {
        for (form, is_one) in [
            (&b"List-Unsubscribe=One-Click"[..], true),
            (b"a=b&List-Unsubscribe=One-Click", true),
            (
                b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n",
                true,
            ),
            (b"", false),
            (b"List-Unsubscribe=", false),
            (b"One-Click", false),
            (b"\xff\x00", false),
        ] {
            assert_eq!(is_one_click(form), is_one, "{form:?}");
        }
    }
}
