//! `/feeds/{category}.{rss,atom,json}`: almost always a 304.

use super::conditional::{Validators, is_unchanged, takes_gzip};
use super::problem::Failure;
use crate::app::App;
use crate::app::feeds::{FeedDocument, Format};
use crate::domain::Problem;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// How long a feed reader may go without asking again, in seconds.
const MAX_AGE: &str = "public, max-age=300";

/// GET and HEAD; for HEAD the body is left out by axum.
pub(super) async fn feed(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (name, format) = file
        .rsplit_once('.')
        .and_then(|(name, extension)| Some((name, Format::of_extension(extension)?)))
        .ok_or_else(|| Problem::not_found(format!("there is no feed {file:?}")))?;
    let document = app.feed(name, format).await?;
    let gzip = takes_gzip(&headers);
    let (etag, length) = if gzip {
        (document.gzip_etag(), document.gzip.len())
    } else {
        (document.etag.clone(), document.bytes.len())
    };
    let validators = Validators {
        etags: [document.etag.clone(), document.gzip_etag()],
        modified: document.modified,
    };
    let shared = [
        (header::ETAG, etag),
        (header::LAST_MODIFIED, http_date(document.modified)),
        (header::CACHE_CONTROL, MAX_AGE.to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
        // Said here, or axum says 0 on a 304 (RFC 9110 8.6 wants the length of the 200 or none).
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    if is_unchanged(&headers, &validators) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    let content_type = [(header::CONTENT_TYPE, document.media_type)];
    Ok(if gzip {
        let coding = [(header::CONTENT_ENCODING, "gzip")];
        let body = Bytes::from_owner(Compressed(document));
        (shared, content_type, coding, body).into_response()
    } else {
        (shared, content_type, Bytes::from_owner(Plain(document))).into_response()
    })
}

/// Bodies that are the document on the shelf itself: as often as it is asked for, it is there once.
struct Plain(Arc<FeedDocument>);
struct Compressed(Arc<FeedDocument>);

impl AsRef<[u8]> for Plain {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl AsRef<[u8]> for Compressed {
    fn as_ref(&self) -> &[u8] {
        &self.0.gzip
    }
}

/// IMF-fixdate (RFC 9110 5.6.7).
fn http_date(at: crate::domain::Timestamp) -> String {
    at.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
