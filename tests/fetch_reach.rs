//! Where the HTTP client goes, and where it does not, over real TCP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use postrider::domain::{Result, Timestamp};
use postrider::gather::fetch::{Answer, Ask, Fetcher, Limits};
use postrider::gather::reach::{anywhere, public_only};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use support::http::{Memory, NOW, Reply, Server};
use url::Url;

fn small() -> Limits {
    Limits {
        bytes: 100_000,
        ..Limits::default()
    }
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
    get_at(&Fetcher::new(small(), anywhere()).unwrap(), memory, address, NOW).await
}

async fn error(memory: &Memory, address: &Url) -> String {
    get(memory, address).await.unwrap_err().to_string()
}

#[tokio::test]
async fn private_addresses_are_refused() {
    let server = Server::start(|_| Reply::ok("secret")).await;
    let fetcher = Fetcher::new(small(), public_only()).unwrap();
    for (host, reason) in [
        ("127.0.0.1", "not a public address: 127.0.0.1"),
        ("localhost", "localhost leads to an address that is not public: "),
        ("[::ffff:127.0.0.1]", "not a public address: ::ffff:127.0.0.1"),
    ] {
        let url = Url::parse(&format!("http://{host}:{}/", server.port())).unwrap();
        let message = get_at(&fetcher, &Memory::default(), &url, NOW)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(reason) && message.contains("hint: set allow_private = true"),
            "{message}"
        );
    }
    assert!(server.paths().is_empty());
}

#[tokio::test]
async fn a_redirect_can_not_lead_to_a_refused_address() {
    let inner = Server::start(|_| Reply::ok("secret")).await;
    let port = inner.port();
    let outer_ip = IpAddr::from(Ipv4Addr::new(127, 0, 0, 2));
    let outer = Server::start_at(outer_ip, move |request| match request.path.as_str() {
        "/literal" => Reply::new(302).header("Location", &format!("http://127.0.0.1:{port}/")),
        "/name" => Reply::new(301).header("Location", &format!("http://localhost:{port}/")),
        "/file" => Reply::new(301).header("Location", "file:///etc/hostname"),
        _ => Reply::ok("open"),
    })
    .await;
    let fetcher = Fetcher::new(small(), Arc::new(move |ip| ip == outer_ip)).unwrap();
    let memory = Memory::default();
    assert!(get_at(&fetcher, &memory, &outer.url("/"), NOW).await.is_ok());
    for (path, reason) in [
        ("/literal", ": not a public address: 127.0.0.1"),
        ("/name", ": localhost leads to an address that is not public: "),
        ("/file", ": not an http or https address: file:///etc/hostname"),
    ] {
        let message = get_at(&fetcher, &memory, &outer.url(path), NOW)
            .await
            .unwrap_err()
            .to_string();
        assert!(message.contains(reason), "{message}");
        assert_eq!(memory.of(&outer.url(path)).moved_to, None);
    }
    assert!(inner.paths().is_empty());
}

#[tokio::test]
async fn other_schemes_and_dead_servers_are_named_without_passwords() {
    let memory = Memory::default();
    for address in ["file:///etc/hostname", "ftp://example.org/", "data:text/plain,x"] {
        let url = Url::parse(address).unwrap();
        assert!(
            error(&memory, &url)
                .await
                .contains("not an http or https address"),
            "{address}"
        );
    }
    let server = Server::start(|_| Reply::new(404)).await;
    let url = Url::parse(&format!("http://user:word@127.0.0.1:{}/x#y", server.port())).unwrap();
    get(&memory, &url).await.unwrap();
    assert!(server.requests()[0].header("authorization").is_some());
    // Port 1 is reserved, and nobody listens there.
    let message = error(&memory, &Url::parse("http://user:word@127.0.0.1:1/").unwrap()).await;
    assert!(
        message.starts_with("http://127.0.0.1:1/: can't be fetched") && !message.contains("word"),
        "{message}"
    );
}
