//! How many sign-ups are taken, from one network and in all, and who counts as whom behind a proxy.

use crate::in_process::{InProcess, MINUTE};
use crate::sign_up::{filled, heading, stamp};
use crate::site::Site;
use crate::wire::{Answer, get, post_with, send};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

fn serve(rest: &str) -> (Site, InProcess, String) {
    let site = Site::new();
    site.configure("", rest);
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(3_000);
    (site, server, stamp)
}

fn sign_up(server: &InProcess, stamp: &str, from: &str) -> Answer {
    post_with(
        server,
        "/subscribe",
        &[("X-Forwarded-For", from)],
        &filled("ann@example.org", stamp),
    )
}

const PROXY: &str = "[serve]\ntrusted_proxies = [\"127.0.0.1\"]\n";

#[test]
fn one_network_is_asked_to_wait_and_others_are_not() {
    let (site, server, stamp) = serve(&format!("{PROXY}[subscribe]\nper_network_per_hour = 3\n"));
    site.run(&[
        "subscribers",
        "add",
        "bob@example.org",
        "--confirmed",
        "--digest",
        "weekly",
    ])
    .expect_code(0);
    for from in ["192.0.2.1", "192.0.2.1, 192.0.2.200", "192.0.2.77:4711"] {
        assert_eq!(sign_up(&server, &stamp, from).status, 200, "{from}");
    }
    for from in ["192.0.2.9", "198.51.100.1, 192.0.2.9", "::ffff:192.0.2.9"] {
        let answer = sign_up(&server, &stamp, from);
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, Some("3600")),
            "{from}"
        );
        assert_eq!(heading(&answer), "Please try again later");
    }
    // The same for the other form, and for the API.
    let from = [("X-Forwarded-For", "192.0.2.9")];
    let answer = post_with(&server, "/lost-link", &from, &filled("ann@example.org", &stamp));
    assert_eq!(
        (answer.status, heading(&answer).as_str()),
        (429, "Please try again later")
    );
    let token = server
        .signer
        .short_lived_token(Purpose::Account, 1, server.end(Duration::from_secs(1800)));
    let path = format!("/account/{token}");
    let form = [("do", "address"), ("address", "new@example.org")];
    for (from, status) in [("192.0.2.9", 429), ("203.0.113.9", 303)] {
        let answer = post_with(&server, &path, &[("X-Forwarded-For", from)], &form);
        assert_eq!(answer.status, status, "{from}");
    }
    let asked = "SELECT COUNT(*) FROM sign_up_request WHERE kind = 'new_address'";
    assert_eq!(server.number(asked), 1);
    let json = [
        ("X-Forwarded-For", "192.0.2.9"),
        ("Content-Type", "application/json"),
    ];
    let body = b"{\"email\": \"ann@example.org\", \"consent\": \"Yes.\"}";
    let answer = send(&server, "POST", "/api/subscribe", &json, body);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3600")));
    assert_eq!(
        server.number("SELECT COUNT(*) FROM sign_up_request WHERE kind = 'sign_up'"),
        3
    );
    assert_eq!(sign_up(&server, &stamp, "192.0.3.9").status, 200);
    for (n, from) in [
        "2001:db8:1:1::1",
        "2001:db8:1:2::1",
        "2001:db8:1:3::1",
        "2001:db8:1:4::1",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            sign_up(&server, &stamp, from).status,
            if n < 3 { 200 } else { 429 }
        );
    }
    server.pass(71 * MINUTE);
    assert_eq!(sign_up(&server, &stamp, "192.0.2.1").status, 200);
    // Networks are kept as hashes.
    assert!(!server.contents().values().any(|rows| rows.contains("192.0.2")));
}

#[test]
fn there_is_an_end_in_all() {
    let (_site, server, stamp) = serve(&format!("{PROXY}[subscribe]\ntotal_per_hour = 5\n"));
    for n in 0..8 {
        let answer = sign_up(&server, &stamp, &format!("192.0.{n}.1"));
        assert_eq!(answer.status, if n < 5 { 200 } else { 429 }, "{n}");
    }
    assert_eq!(get(&server, "/subscribe").status, 200);
}

/// A post to `path` from the network `n` until `most` were taken, and two more.
fn flood(server: &InProcess, path: &str, form: &[(&str, &str)], most: usize) {
    for n in 0..most + 2 {
        let from = format!("192.0.{n}.1");
        let answer = post_with(server, path, &[("X-Forwarded-For", &from)], form);
        let taken = if n < most { [200, 303] } else { [429; 2] };
        assert!(taken.contains(&answer.status), "{path} {n}: {}", answer.status);
    }
}

#[test]
fn a_flood_of_one_form_shuts_none_of_the_others() {
    let (site, server, stamp) = serve(&format!("{PROXY}[subscribe]\ntotal_per_hour = 3\n"));
    site.run(&["subscribers", "add", "bob@example.org", "--confirmed"])
        .expect_code(0);
    let token = server
        .signer
        .short_lived_token(Purpose::Account, 1, server.end(Duration::from_secs(1800)));
    let account = format!("/account/{token}");
    let message = [
        ("name", ""),
        ("email", "ann@example.org"),
        ("message", "Hello"),
        ("homepage", ""),
        ("stamp", &stamp),
    ];
    let address = [("do", "address"), ("address", "new@example.org")];
    let sign_up = filled("ann@example.org", &stamp);
    for (path, form) in [
        ("/subscribe", &sign_up[..]),
        ("/lost-link", &sign_up),
        ("/contact", &message),
        (&account, &address),
    ] {
        flood(&server, path, form, 3);
    }
    let json = [
        ("X-Forwarded-For", "192.0.200.1"),
        ("Content-Type", "application/json"),
    ];
    let body = b"{\"email\": \"ann@example.org\", \"consent\": \"Yes.\"}";
    // The API takes sign-ups, of which there were enough.
    assert_eq!(send(&server, "POST", "/api/subscribe", &json, body).status, 429);
    server.pass(71 * MINUTE);
    assert_eq!(send(&server, "POST", "/api/subscribe", &json, body).status, 202);
}

#[test]
fn a_visitor_who_names_another_address_is_not_believed() {
    let (_site, server, stamp) = serve("[subscribe]\nper_network_per_hour = 2\n");
    for n in 0..4 {
        let answer = sign_up(&server, &stamp, &format!("192.0.{n}.1"));
        assert_eq!(answer.status, if n < 2 { 200 } else { 429 }, "{n}");
    }
}

#[test]
fn signing_up_can_be_turned_off() {
    let site = Site::new();
    site.configure("", "[subscribe]\nenabled = false\n");
    let server = InProcess::serve(&site);
    assert_eq!(get(&server, "/subscribe").status, 404);
    assert_eq!(sign_up(&server, "", "192.0.2.1").status, 404);
    let json = [("Content-Type", "application/json")];
    let body = b"{\"email\": \"ann@example.org\", \"consent\": \"Yes.\"}";
    assert_eq!(send(&server, "POST", "/api/subscribe", &json, body).status, 404);
    // No page leads there.
    for page in [
        "/",
        "/research",
        "/categories",
        "/archive",
        "/lost-link",
        "/about",
    ] {
        let page = get(&server, page);
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("href=\"subscribe") && !page.text().contains("/subscribe\""));
    }
    // Whoever reads already keeps their links.
    assert_eq!(get(&server, "/lost-link").status, 200);
}
