//! Who may come in: a session for every page, and for every form also a sign that it is from a page of ours.

use super::super::TIME;
use super::super::pages::Form;
use super::super::problem::Failure;
use super::respond;
use crate::app::App;
use crate::app::admin::{Admin, Visit};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// How long the form of somebody without a session may take.
const STRANGER_TIME: Duration = Duration::from_secs(3);

/// The cookie that holds a session.
const COOKIE: &str = "postrider_admin";

/// A signed-in admin who looks at a page; a stranger is led to the sign-in.
pub(super) struct Looking {
    pub(super) visit: Visit,
    /// The query of the address.
    pub(super) query: Form,
}

/// A signed-in admin who sends a form of ours; any other form gets a 403 and changes nothing.
pub(super) struct Acting {
    pub(super) visit: Visit,
    pub(super) form: Form,
}

impl FromRequestParts<Arc<App>> for Looking {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let root = root_of(&parts.uri);
        let query = Form::read(parts.uri.query().unwrap_or_default().as_bytes());
        let admin = admin(app, &parts.headers, &root).await?;
        let said = query.first("said").map(str::to_owned);
        Ok(Self {
            visit: Visit { admin, root, said },
            query,
        })
    }
}

impl FromRequest<Arc<App>> for Acting {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let root = root_of(request.uri());
        let headers = request.headers().clone();
        let admin = admin(app, &headers, &root).await;
        let patience = if admin.is_ok() { TIME } else { STRANGER_TIME };
        // Read in any case: an answer that overtakes the body would be lost when the connection closes.
        let body = within(patience, Bytes::from_request(request, app)).await;
        let (admin, body) = (admin?, body?);
        let form = Form::read(&body);
        if !is_from_here(&headers, &app.site().url) || !admin.sent_form(&form.one("form_token")) {
            tracing::warn!(admin = %admin.address, "a form that is not of this session was refused");
            return Err(refusal(app, &root));
        }
        let visit = Visit {
            admin,
            root,
            said: None,
        };
        Ok(Self { visit, form })
    }
}

/// A body that comes within `patience`: the work that follows may take long, waiting for it may not.
async fn within<E: IntoResponse>(
    patience: Duration,
    body: impl Future<Output = Result<Bytes, E>>,
) -> Result<Bytes, Response> {
    match tokio::time::timeout(patience, body).await {
        Ok(body) => body.map_err(IntoResponse::into_response),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the form did not come in time\n").into_response()),
    }
}

/// The answer to a form that is not from a page of ours.
pub(super) fn refusal(app: &App, root: &str) -> Response {
    match app.admin_refusal(root) {
        Ok(page) => respond::page(root, page),
        Err(problem) => Failure::from(problem).into_response(),
    }
}

async fn admin(app: &App, headers: &HeaderMap, root: &str) -> Result<Admin, Response> {
    let found = match session(headers) {
        Some(token) => app
            .admin_of(token)
            .await
            .map_err(|problem| Failure::from(problem).into_response())?,
        None => None,
    };
    found.ok_or_else(|| respond::see_other(root, "admin/sign-in"))
}

/// The session that the browser sends.
fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The cookie that gives `session` to the browser for `seconds`; none for the past takes it away.
pub(super) fn cookie(app: &App, session: &str, seconds: u64) -> Result<String, Failure> {
    let secure = if app.site().url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let path = app.admin_path()?;
    Ok(format!(
        "{COOKIE}={session}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
}

/// Leads from the page at `uri` to the site's start page.
pub(super) fn root_of(uri: &Uri) -> String {
    match uri.path().matches('/').count() {
        0 | 1 => "./".to_owned(),
        depth => "../".repeat(depth - 1),
    }
}

/// Whether a browser says that a form is from a page of this site. Where it says nothing, the form's token
/// decides alone; so it does for `Origin: null`, which pages without referrer send.
pub(in super::super) fn is_from_here(headers: &HeaderMap, site: &str) -> bool {
    let value = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(from) = value(HeaderName::from_static("sec-fetch-site")) {
        return matches!(from, "same-origin" | "none");
    }
    let Some(origin) = value(header::ORIGIN).filter(|origin| *origin != "null") else {
        return true;
    };
    let configured = url::Url::parse(site).map(|url| url.origin().ascii_serialization());
    let named = origin.split_once("://").map(|(_, authority)| authority);
    configured.is_ok_and(|configured| configured == origin) || named.is_some() && named == value(header::HOST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_form_from_elsewhere_is_known_by_its_headers() {
        const SITE: &str = "https://site.example.org/digest";
        let rows: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            // What the browser says of itself counts more than an origin that it hides.
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "null")], false),
            (&[("origin", "null")], true),
            (&[("origin", "https://site.example.org")], true),
            (&[("origin", "http://site.example.org")], false),
            (&[("origin", "https://example.org")], false),
            (
                &[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")],
                true,
            ),
            (
                &[("origin", "https://example.org"), ("host", "127.0.0.1:8080")],
                false,
            ),
            (&[("origin", "example.org")], false),
            (&[("origin", "\u{e4}")], false),
        ];
        for (headers, expected) in rows {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                let name = HeaderName::try_from(*name).unwrap();
                map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(is_from_here(&map, SITE), *expected, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let never = std::future::pending::<Result<Bytes, StatusCode>>();
        let answer = within(Duration::from_millis(5), never).await.unwrap_err();
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn every_page_finds_the_start_page() {
        for (path, root) in [
            ("/admin", "./"),
            ("/admin/editions", "../"),
            ("/admin/editions/3?watch=1", "../../"),
            ("/admin/editions/3/send", "../../../"),
        ] {
            assert_eq!(root_of(&path.parse().unwrap()), root, "{path}");
        }
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        for (cookies, expected) in [
            ("", None),
            ("postrider_admin=abc", Some("abc")),
            ("a=b; postrider_admin=abc; c", Some("abc")),
            ("xpostrider_admin=abc", None),
            ("postrider_admin", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
            assert_eq!(session(&headers), expected, "{cookies}");
        }
    }
}
