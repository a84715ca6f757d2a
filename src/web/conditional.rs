//! Conditional requests (RFC 9110 13) and content codings.

use crate::domain::Timestamp;
use axum::http::{HeaderMap, header};
use chrono::NaiveDateTime;

/// What the present document can be recognised by.
#[derive(Debug)]
pub(super) struct Validators {
    /// The entity tags of all its codings: a client may hold either.
    pub(super) etags: [String; 2],
    /// When its bytes last changed.
    pub(super) modified: Timestamp,
}

/// Whether the client has the document: `If-None-Match` decides, and `If-Modified-Since` only without it.
pub(super) fn is_unchanged(headers: &HeaderMap, validators: &Validators) -> bool {
    let mut lists = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    if lists.peek().is_some() {
        return lists.filter_map(|list| list.to_str().ok()).any(|list| {
            list.trim() == "*" || tags(list).any(|tag| validators.etags.iter().any(|etag| etag == tag))
        });
    }
    headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|date| date.to_str().ok())
        .and_then(parse_date)
        .is_some_and(|since| validators.modified.0.div_euclid(1000) <= since)
}

/// The tags of a list, without `W/`: for GET and HEAD the weak comparison holds. A tag may hold commas.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.find('"')?;
        let end = rest.get(start + 1..)?.find('"')? + start + 2;
        let tag = rest.get(start..end)?;
        rest = rest.get(end..)?;
        Some(tag)
    })
}

/// Seconds since 1970 of an HTTP date in any of its three forms.
fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|date| date.and_utc().timestamp())
}

/// Whether `Accept-Encoding` takes gzip with a weight above zero (RFC 9110 12.5.3).
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut any = None;
    let mut gzip = None;
    for list in headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|list| list.to_str().ok())
    {
        for item in list.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0));
            match coding.as_str() {
                "gzip" | "x-gzip" => gzip = Some(weight > 0.0),
                "*" => any = Some(weight > 0.0),
                _ => {}
            }
        }
    }
    gzip.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn an_entity_tag_beats_a_date() {
        let validators = Validators {
            etags: ["\"a,b\"".to_owned(), "\"a,b-gzip\"".to_owned()],
            modified: Timestamp(1_767_323_045_900),
        };
        let same = "Fri, 02 Jan 2026 03:04:05 GMT";
        let earlier = "Friday, 02-Jan-26 03:04:04 GMT";
        for (pairs, unchanged) in [
            (vec![], false),
            (vec![(header::IF_NONE_MATCH, "*")], true),
            (vec![(header::IF_NONE_MATCH, "\"a,b\"")], true),
            (vec![(header::IF_NONE_MATCH, "\"x\" , W/\"a,b-gzip\"")], true),
            (vec![(header::IF_NONE_MATCH, "\"x\"")], false),
            (vec![(header::IF_NONE_MATCH, "a,b")], false),
            (
                vec![
                    (header::IF_NONE_MATCH, "\"x\""),
                    (header::IF_MODIFIED_SINCE, same),
                ],
                false,
            ),
            (
                vec![
                    (header::IF_NONE_MATCH, "\"a,b\""),
                    (header::IF_MODIFIED_SINCE, earlier),
                ],
                true,
            ),
            (vec![(header::IF_MODIFIED_SINCE, same)], true),
            (
                vec![(header::IF_MODIFIED_SINCE, "Sat Jan  3 03:04:05 2026")],
                true,
            ),
            (vec![(header::IF_MODIFIED_SINCE, earlier)], false),
            (vec![(header::IF_MODIFIED_SINCE, "yesterday")], false),
        ] {
            assert_eq!(
                is_unchanged(&headers(&pairs), &validators),
                unchanged,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn gzip_only_where_it_is_wanted() {
        for (value, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0, *", false),
            ("*;q=0.1", true),
            ("br", false),
            ("identity", false),
            ("*;q=0", false),
        ] {
            assert_eq!(
                takes_gzip(&headers(&[(header::ACCEPT_ENCODING, value)])),
                takes,
                "{value}"
            );
        }
        assert!(!takes_gzip(&headers(&[])));
    }
}
