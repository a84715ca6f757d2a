//! The HTTP client against a scripted server: what it remembers, what it refuses, where it stops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use flate2::{Compression, write::GzEncoder};
use postrider::domain::{Result, Timestamp};
use postrider::gather::fetch::{Answer, Ask, Document, Fetched, Fetcher, Limits};
use postrider::gather::reach::anywhere;
use std::io::Write;
use std::time::Duration;
use support::http::{Body, Memory, NOW, Reply, Server};
use url::Url;

fn small() -> Limits {
    Limits {
        bytes: 100_000,
        ..Limits::default()
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(small(), anywhere()).unwrap()
}

async fn get_at(fetcher: &Fetcher, memory: &Memory, address: &Url, now: Timestamp) -> Result<Answer> {
    let ask = Ask {
        source: "source",
        address,
        accept: "*/*",
        conditional: true,
        same_host: false,
        final_when_gone: true,
        now,
    };
    fetcher.get(memory, &ask).await
}

async fn get(memory: &Memory, address: &Url) -> Result<Answer> {
    get_at(&fetcher(), memory, address, NOW).await
}

/// Fetches a document and remembers its validators, as after storing.
async fn document(memory: &Memory, address: &Url) -> Document {
    match get(memory, address).await.unwrap().fetched {
        Fetched::Document(document) => {
            memory.stored(std::slice::from_ref(&document.validators)).await;
            *document
        }
        other => panic!("{other:?}"),
    }
}

async fn error(memory: &Memory, address: &Url) -> String {
    get(memory, address).await.unwrap_err().to_string()
}

#[tokio::test]
async fn validators_go_back_verbatim_and_304_is_unchanged() {
    let server = Server::start(|request| match request.header("if-none-match") {
        Some("W/\"odd, tag\"") => Reply::new(304),
        _ => Reply::ok("text")
            .header("ETag", "W/\"odd, tag\"")
            .header("Last-Modified", "yesterday, about noon"),
    })
    .await;
    let memory = Memory::default();
    let url = server.url("/feed");
    assert_eq!(document(&memory, &url).await.body, b"text");
    assert!(matches!(
        get(&memory, &url).await.unwrap().fetched,
        Fetched::Unchanged
    ));
    let asked = server.requests();
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(
        asked[1].header("if-modified-since"),
        Some("yesterday, about noon")
    );
    assert!(asked[0].header("user-agent").unwrap().starts_with("Postrider/"));
    assert_eq!(asked[0].header("cookie"), None);
}

#[tokio::test]
async fn nothing_is_remembered_before_it_is_stored() {
    let server = Server::start(|_| Reply::ok("text").header("ETag", "\"a\"")).await;
    let (memory, url) = (Memory::default(), server.url("/"));
    get(&memory, &url).await.unwrap();
    get(&memory, &url).await.unwrap();
    assert_eq!(server.requests()[1].header("if-none-match"), None);
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_an_error() {
    let server = Server::start(|_| Reply::new(304)).await;
    let got = get(&Memory::default(), &server.url("/")).await.unwrap().fetched;
    assert!(matches!(got, Fetched::Status(304)), "{got:?}");
}

#[tokio::test]
async fn moves_for_good_are_remembered_and_others_are_not() {
    let server = Server::start(|request| match request.path.as_str() {
        "/301" => Reply::new(301).header("Location", "/308"),
        "/308" => Reply::new(308).header("Location", "/new#part"),
        "/302" => Reply::new(302).header("Location", "/301"),
        "/303" => Reply::new(303).header("Location", "/new"),
        "/307" => Reply::new(307).header("Location", "/new"),
        "/mixed" => Reply::new(301).header("Location", "/302"),
        _ => Reply::ok(request.path.clone()),
    })
    .await;
    let memory = Memory::default();
    let moved = get(&memory, &server.url("/301")).await.unwrap().moved;
    assert_eq!(moved, Some(server.url("/new").to_string()));
    assert_eq!(memory.of(&server.url("/301")).moved_to, moved);
    let again = get(&memory, &server.url("/301")).await.unwrap();
    assert_eq!(again.moved, None, "news only once");
    assert_eq!(server.paths(), ["/301", "/308", "/new", "/new"]);

    for temporary in ["/302", "/303", "/307"] {
        assert_eq!(get(&memory, &server.url(temporary)).await.unwrap().moved, None);
        assert_eq!(memory.of(&server.url(temporary)).moved_to, None, "{temporary}");
    }
    // Only as far as every step was for good.
    let moved = get(&memory, &server.url("/mixed")).await.unwrap().moved;
    assert_eq!(moved, Some(server.url("/302").to_string()));
}

#[tokio::test]
async fn a_move_into_nothing_is_forgotten() {
    let server = Server::start(
        |request| match (request.path.as_str(), request.header("if-none-match")) {
            ("/old", _) => Reply::new(301).header("Location", "/new"),
            (_, None) => Reply::ok("text").header("ETag", "\"a\""),
            _ => Reply::new(404),
        },
    )
    .await;
    let (memory, old) = (Memory::default(), server.url("/old"));
    document(&memory, &old).await;
    assert!(memory.of(&old).moved_to.is_some());
    assert!(matches!(
        get(&memory, &old).await.unwrap().fetched,
        Fetched::Status(404)
    ));
    assert_eq!(memory.of(&old).moved_to, None);
}

#[tokio::test]
async fn redirects_have_an_end() {
    let server = Server::start(|request| {
        let n: usize = request
            .path
            .trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap_or(0);
        match request.path.as_str() {
            "/loop" => Reply::new(301).header("Location", "/loop"),
            "/step0" => Reply::ok("arrived"),
            _ if n > 0 => Reply::new(302).header("Location", &format!("/step{}", n - 1)),
            _ => Reply::new(301),
        }
    })
    .await;
    let memory = Memory::default();
    let url = server.url("/loop");
    let message = error(&memory, &url).await;
    assert!(
        message.starts_with(&format!("{url}: more than 5 redirects, the last to {url}")),
        "{message}"
    );
    assert_eq!(server.paths().len(), 6);
    assert_eq!(memory.of(&url).moved_to, None);
    assert_eq!(document(&memory, &server.url("/step5")).await.body, b"arrived");
    assert!(
        error(&memory, &server.url("/step6"))
            .await
            .contains("more than 5 redirects")
    );
    let message = error(&memory, &server.url("/nowhere")).await;
    assert!(
        message.contains("answered 301 Moved Permanently with no usable address"),
        "{message}"
    );
}

#[tokio::test]
async fn gone_is_gone_and_not_asked_again() {
    let server = Server::start(|request| match request.path.as_str() {
        "/for-now" => Reply::new(302).header("Location", "/"),
        _ => Reply::new(410),
    })
    .await;
    let (memory, url) = (Memory::default(), server.url("/"));
    for _ in 0..3 {
        assert!(matches!(get(&memory, &url).await.unwrap().fetched, Fetched::Gone));
    }
    assert_eq!(server.paths().len(), 1);
    assert!(memory.of(&url).gone);
    // A redirect for the time being may lead elsewhere tomorrow.
    let got = get(&memory, &server.url("/for-now")).await.unwrap().fetched;
    assert!(matches!(got, Fetched::Status(410)), "{got:?}");
    assert!(!memory.of(&server.url("/for-now")).gone);
}

#[tokio::test]
async fn retry_after_is_kept() {
    let server = Server::start(|request| match request.path.as_str() {
        "/seconds" => Reply::new(429).header("Retry-After", "60"),
        "/date" => Reply::new(503).header("Retry-After", "Sun, 13 Sep 2020 12:27:40 GMT"),
        _ => Reply::new(503),
    })
    .await;
    let memory = Memory::default();
    let minute = NOW.plus(Duration::from_secs(60));
    for path in ["/seconds", "/date"] {
        let url = server.url(path);
        for now in [NOW, Timestamp(minute.0 - 1)] {
            let got = get_at(&fetcher(), &memory, &url, now).await.unwrap().fetched;
            assert!(
                matches!(got, Fetched::NotYet(until) if until == minute),
                "{got:?}"
            );
        }
    }
    assert_eq!(server.paths().len(), 2, "not asked before its time");
    get_at(&fetcher(), &memory, &server.url("/seconds"), minute)
        .await
        .unwrap();
    assert_eq!(server.paths().len(), 3, "asked again when the time has come");
    let got = get(&memory, &server.url("/plain")).await.unwrap().fetched;
    assert!(matches!(got, Fetched::Status(503)), "{got:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::BrotliCompress(
        &mut &bytes[..],
        &mut packed,
        &brotli::enc::BrotliEncoderParams::default(),
    )
    .unwrap();
    packed
}

#[tokio::test]
async fn compressed_bodies_are_unpacked_and_counted_unpacked() {
    let server = Server::start(|request| {
        let accepted = request.header("accept-encoding").unwrap_or_default().to_owned();
        assert!(accepted.contains("gzip") && accepted.contains("br"), "{accepted}");
        match request.path.as_str() {
            "/gzip" => Reply::ok(gzip(b"text")).header("Content-Encoding", "gzip"),
            "/br" => Reply::ok(brotli(b"text")).header("Content-Encoding", "br"),
            "/gzip-bomb" => Reply::ok(gzip(&vec![b' '; 20_000_000])).header("Content-Encoding", "gzip"),
            "/br-bomb" => Reply::ok(brotli(&vec![b' '; 20_000_000])).header("Content-Encoding", "br"),
            "/just-right" => Reply::ok(gzip(&[b' '; 100_000])).header("Content-Encoding", "gzip"),
            _ => Reply::ok("?").header("Content-Encoding", "zstd"),
        }
    })
    .await;
    let memory = Memory::default();
    assert_eq!(document(&memory, &server.url("/gzip")).await.body, b"text");
    assert_eq!(document(&memory, &server.url("/br")).await.body, b"text");
    assert_eq!(
        document(&memory, &server.url("/just-right")).await.body.len(),
        100_000
    );
    for bomb in ["/gzip-bomb", "/br-bomb"] {
        let message = error(&memory, &server.url(bomb)).await;
        assert!(message.contains(": larger than 100000 bytes"), "{message}");
    }
    assert!(server.sent() < 100_000, "the bombs are small on the wire");
    assert!(
        error(&memory, &server.url("/zstd"))
            .await
            .contains("not asked for: \"zstd\"")
    );
}

#[tokio::test]
async fn two_hundred_megabytes_are_cut_off() {
    let server = Server::start(|_| Reply::ok("").body(Body::Repeated(vec![b'x'; 100_000], 2_000))).await;
    let fetcher = Fetcher::new(Limits::default(), anywhere()).unwrap();
    let url = server.url("/");
    let message = get_at(&fetcher, &Memory::default(), &url, NOW)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!("{url}: larger than 10000000 bytes")),
        "{message}"
    );
    assert!(server.sent() < 60_000_000, "{} bytes were taken", server.sent());
}

#[tokio::test]
async fn a_slow_body_ends_with_the_time() {
    let server = Server::start(|_| Reply::ok("").body(Body::Hanging(b"begun".to_vec()))).await;
    let limits = Limits {
        time: Duration::from_millis(300),
        ..small()
    };
    let fetcher = Fetcher::new(limits, anywhere()).unwrap();
    let url = server.url("/");
    let message = get_at(&fetcher, &Memory::default(), &url, NOW)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(&format!("{url}: no whole answer within 0.3 s")),
        "{message}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let server = Server::start(|_| {
        Reply::ok("")
            .header("Content-Length", "10")
            .body(Body::Repeated(vec![b'x'; 4], 1))
    })
    .await;
    assert!(
        error(&Memory::default(), &server.url("/"))
            .await
            .contains(": the answer broke off")
    );
}
