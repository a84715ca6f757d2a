//! Requests that are too large or too slow, and the end of the server.

use crate::site::Site;
use crate::wire::{answer, connect, get, head, send};
use crate::{wait_for, wire};
use postrider::app::{App, Options};
use postrider::web::router;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_body_has_a_limit() {
    let site = Site::new();
    let server = site.serve(&[]);
    for path in ["/u/token", "/api/digests/weekly/send"] {
        let answer = send(&server, "POST", path, &[], &vec![b'x'; 64 * 1024 + 1]);
        assert_eq!(answer.status, 413, "{path}");
    }
    assert_eq!(
        send(&server, "POST", "/u/token", &[], &vec![b'x'; 64 * 1024]).status,
        404
    );
    // A body that does not say its length is counted as it comes.
    let mut stream = connect(&server);
    stream
        .write_all(&head("POST", "/u/token", &[("Transfer-Encoding", "chunked")]))
        .unwrap();
    for _ in 0..65 {
        let _ = stream.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes());
    }
    assert_eq!(answer(&mut stream, "POST").status, 413);
}

#[test]
fn slow_clients_hold_up_nobody() {
    let site = Site::new();
    let server = site.serve(&[]);
    let begun: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut stream = connect(&server);
            let bytes: &[u8] = if n % 2 == 0 {
                b"GET /healthz HTTP/1.1\r\nHost: s"
            } else {
                b""
            };
            stream.write_all(bytes).unwrap();
            stream
        })
        .collect();
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(get(&server, "/feeds/all.rss").status, 200);
    drop(begun);
}

#[test]
fn a_stop_lets_a_request_under_way_end() {
    let site = Site::new();
    let server = site.serve(&[]);
    let mut under_way = connect(&server);
    under_way
        .write_all(&head("POST", "/u/token", &[("Content-Length", "26")]))
        .unwrap();
    under_way.write_all(b"List-Unsub").unwrap();
    let mut idle = connect(&server);
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: s\r\n\r\n")
        .unwrap();
    let mut some = [0; 8];
    idle.read_exact(&mut some).unwrap();
    // Once this is answered, the server has taken the connections before it.
    assert_eq!(get(&server, "/healthz").status, 200);
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let stopping = std::thread::spawn(move || (Instant::now(), server.stop(), Instant::now()));
    wait_for("the end of listening", || {
        TcpStream::connect(&address).is_err().then_some(())
    });
    under_way.write_all(b"scribe=One-Click").unwrap();
    assert_eq!(answer(&mut under_way, "POST").status, 404);
    let (asked, code, ended) = stopping.join().unwrap();
    assert_eq!(code, 0);
    assert!(ended - asked < Duration::from_secs(10));
}

#[test]
fn a_stop_waits_for_no_dawdler() {
    let site = Site::new();
    let server = site.serve(&[]);
    let dawdlers: Vec<TcpStream> = [
        "",
        "GET /heal",
        "POST /u/token HTTP/1.1\r\nHost: s\r\nContent-Length: 9\r\n\r\nx",
    ]
    .into_iter()
    .map(|bytes| {
        let mut stream = connect(&server);
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
    })
    .collect();
    assert_eq!(wire::get(&server, "/healthz").status, 200);
    let asked = Instant::now();
    assert_eq!(server.stop(), 0);
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    drop(dawdlers);
}

/// Gathering the pages of a site takes longer than any other request may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_send_has_no_time_limit() {
    let site = Site::new();
    let options = Options {
        config: Some(site.path("config.toml")),
        ..Options::default()
    };
    let app = Arc::new(App::open(&options).await.unwrap());
    let token = app.create_api_token("test").await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Whatever has to wait for the database takes too long.
    let routes = router(app, Duration::ZERO);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let client = reqwest::Client::new();
    let feed = client.get(format!("{url}/feeds/all.rss")).send().await.unwrap();
    assert_eq!(feed.status(), 503);
    let send = client
        .post(format!("{url}/api/digests/weekly/send"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(send.status(), 202);
}
