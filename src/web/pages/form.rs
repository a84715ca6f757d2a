//! A form as browsers send it: pairs of names and values, some of them more than once.

use super::super::visitor::{self, Peer};
use crate::app::App;
use crate::app::reader_pages::{ReaderFields, Sentry};
use axum::http::HeaderMap;
use std::net::IpAddr;

/// The fields of a form (`application/x-www-form-urlencoded`); of anything else, none that anybody asks for.
#[derive(Debug)]
pub(in super::super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body, or the query of an address.
    pub(in super::super) fn read(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The value of the first field called `name`; empty when there is none.
    pub(in super::super) fn one(&self, name: &str) -> String {
        self.first(name).unwrap_or_default().to_owned()
    }

    /// The value of the first field called `name`.
    pub(in super::super) fn first(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The values of every field called `name`.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// Whether the box called `name` was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        !self.one(name).is_empty()
    }

    /// What the forms of readers have in common.
    pub(super) fn reader_fields(&self) -> ReaderFields {
        ReaderFields {
            name: self.one("name"),
            digests: self.all("digest"),
            categories: self.all("category"),
            text_only: self.ticked("text_only"),
        }
    }

    /// What tells people from programs.
    pub(in super::super) fn sentry(&self) -> Sentry {
        Sentry {
            homepage: self.one("homepage"),
            stamp: self.one("stamp"),
            person: self.one("person"),
        }
    }
}

/// The address that a request comes from.
pub(in super::super) fn visitor(app: &App, peer: Peer, headers: &HeaderMap) -> IpAddr {
    visitor::address(peer.0, headers, app.trusted_proxies())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_once_or_often_or_not_at_all() {
        let form = Form::read(b"address=a%40b+c&category=x&category=y&text_only=yes&empty=&\xff=%ff%00");
        assert_eq!(form.one("address"), "a@b c");
        assert_eq!(form.all("category"), ["x", "y"]);
        assert_eq!(form.one("nothing"), "");
        assert!(form.ticked("text_only") && !form.ticked("empty") && !form.ticked("nothing"));
        assert_eq!(form.one("\u{FFFD}"), "\u{FFFD}\0");
        assert!(
            Form::read(b"--b\r\nContent-Disposition: form-data; name=\"address\"\r\n\r\nx")
                .one("address")
                .is_empty()
        );
    }
}
