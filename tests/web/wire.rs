//! HTTP/1.1 as bytes, so that no client hides a header. Every answer is held to what all answers must be.

use crate::site::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back; header names in lower case.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The only header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        let first = all.next().map(|(_, value)| value.as_str());
        assert_eq!(all.next(), None, "{name} twice in {:?}", self.headers);
        first
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The headers but the time of the answer.
    pub fn lasting_headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| name != "date")
            .cloned()
            .collect();
        headers.sort();
        headers
    }
}

/// What can be asked: the real program, or its routes within the test.
pub trait Listens {
    /// `http://address:port`.
    fn url(&self) -> &str;
}

impl Listens for Server {
    fn url(&self) -> &str {
        &self.url
    }
}

/// A connection to the server, on which nothing waits longer than 20 seconds.
pub fn connect(server: &impl Listens) -> TcpStream {
    let stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The head of a request on a connection that is closed afterwards.
pub fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: site.example.org\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends a request without a body.
pub fn ask(server: &impl Listens, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = connect(server);
    stream.write_all(&head(method, path, headers)).unwrap();
    answer(&mut stream, method)
}

pub fn get(server: &impl Listens, path: &str) -> Answer {
    ask(server, "GET", path, &[])
}

/// Sends a form.
pub fn post(server: &impl Listens, path: &str, fields: &[(&str, &str)]) -> Answer {
    post_with(server, path, &[], fields)
}

/// Sends a form with further headers.
pub fn post_with(
    server: &impl Listens,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    send(server, "POST", path, &all, body.as_bytes())
}

/// Sends a request with a body.
pub fn send(
    server: &impl Listens,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let length = body.len().to_string();
    let mut all = vec![("Content-Length", length.as_str())];
    all.extend(headers);
    let mut bytes = head(method, path, &all);
    bytes.extend(body);
    let mut stream = connect(server);
    stream.write_all(&bytes).unwrap();
    answer(&mut stream, method)
}

/// Reads the answer to the end of the connection.
pub fn answer(stream: &mut TcpStream, method: &str) -> Answer {
    let answer = read(stream);
    check(&answer, method);
    answer
}

/// Reads an answer that is held to nothing yet.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or_else(|| {
            panic!("no whole answer: {:?}", String::from_utf8_lossy(&bytes));
        });
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Answer {
        status,
        headers: headers.collect(),
        body: bytes[end + 4..].to_vec(),
    }
}

/// What holds for every answer, whatever the question.
fn check(answer: &Answer, method: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{answer:?}"
    );
    assert_eq!(
        answer.header("referrer-policy"),
        Some("no-referrer"),
        "{answer:?}"
    );
    assert_eq!(
        answer.header("x-content-type-options"),
        Some("nosniff"),
        "{answer:?}"
    );
    assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    // Only a form that was taken leads on.
    assert_eq!(
        answer.header("location").is_some(),
        answer.status == 303,
        "{answer:?}"
    );
    for header in [
        "permissions-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
    ] {
        assert!(answer.header(header).is_some(), "no {header}: {answer:?}");
    }
    // The site of these tests is on https.
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=31536000"),
        "{answer:?}"
    );
    if answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"))
    {
        // What is the same for everybody may be kept for a moment; a page with a link or a form of somebody's never.
        let kept = if answer.header("etag").is_some() || answer.status == 410 {
            "public, max-age=60"
        } else {
            "no-store"
        };
        assert_eq!(answer.header("cache-control"), Some(kept), "{answer:?}");
    }
    if method == "HEAD" || answer.status == 304 {
        assert_eq!(answer.body, b"", "{answer:?}");
        return;
    }
    let length = answer.body.len().to_string();
    assert_eq!(
        answer.header("content-length"),
        Some(length.as_str()),
        "{answer:?}"
    );
    assert!(
        answer
            .header("content-type")
            .is_some_and(|kind| kind.contains("charset=utf-8") || kind == "application/json"),
        "{answer:?}"
    );
    if answer.status >= 400 {
        assert!(
            answer.text().trim().len() > 10,
            "an error without an explanation: {answer:?}"
        );
    }
}
