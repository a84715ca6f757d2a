//! `/metrics`, as Prometheus reads it.

use crate::relay::{Script, ScriptedRelay, say};
use crate::site::{Server, Site};
use crate::wait_for;
use crate::wire::{Answer, get, send};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Every sample as a line: type, name, labels and value.
fn samples(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let python = std::env::var("POSTRIDER_TEST_PYTHON")
        .expect("POSTRIDER_TEST_PYTHON names no Python with prometheus_client: run scripts/test.sh");
    let mut parser = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/metrics_check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(&answer.body).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", answer.text());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn assert_holds(samples: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(
            samples.iter().any(|sample| sample == line),
            "{line} is not in {samples:#?}"
        );
    }
}

#[test]
fn a_server_counts_what_it_delivers() {
    let site = Site::new();
    site.summary("first", "urology");
    site.readers(&[("ann@example.org", ""), ("ben@example.org", "")]);
    let token = site.run(&["token", "create", "site"]).expect_code(0).out;
    let server = site.serve(&[]);
    assert_holds(
        &samples(&get(&server, "/metrics")),
        &[
            "info postrider_build_info{version=0.1.0} 1.0",
            "counter postrider_deliveries_total{outcome=sent,relay=outbox} 0.0",
            "gauge postrider_deliveries_waiting{digest=weekly} 0.0",
            "gauge postrider_notices{kind=confirm,state=waiting} 0.0",
            "gauge postrider_queue_age_seconds{} 0.0",
            "gauge postrider_relay_circuit_state{relay=outbox,state=ready} 1.0",
            "gauge postrider_relay_down{relay=outbox} 0.0",
            "histogram postrider_relay_reply_seconds_count{relay=outbox} 0.0",
        ],
    );
    let bearer = format!("Bearer {}", token.trim());
    let sent = send(
        &server,
        "POST",
        "/api/digests/weekly/send",
        &[("Authorization", &bearer)],
        b"",
    );
    assert_eq!(sent.status, 202);
    let after = wait_for("both mails", || {
        let samples = samples(&get(&server, "/metrics"));
        let both = "counter postrider_deliveries_total{outcome=sent,relay=outbox} 2.0";
        samples.iter().any(|sample| sample == both).then_some(samples)
    });
    assert_holds(
        &after,
        &[
            "histogram postrider_relay_reply_seconds_count{relay=outbox} 2.0",
            "histogram postrider_relay_reply_seconds_bucket{le=+Inf,relay=outbox} 2.0",
            "counter postrider_deliveries_total{outcome=failed,relay=outbox} 0.0",
        ],
    );
    // Nothing tells of readers.
    assert!(
        !after
            .iter()
            .any(|sample| sample.contains('@') || sample.contains("example"))
    );
}

/// A site whose edition waits for a relay that nobody answers for.
fn waiting_for_its_relay() -> Site {
    let mut site = Site::new();
    site.summary("first", "urology");
    site.readers(&[("ann@example.org", ""), ("ben@example.org", "")]);
    let unused = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    site.environment
        .push(("POSTRIDER_RELAY".into(), format!("smtp://{unused}")));
    site.run(&["send", "weekly", "--yes"]).expect_code(3);
    site
}

/// A worker of `site` that can be asked.
fn worker(site: &Site) -> Server {
    let mut child = site
        .command(&["worker", "--metrics", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    Server::of(child, url)
}

/// Asks until one answer holds all `wanted`.
fn assert_shows(server: &Server, wanted: &[&str]) -> Vec<String> {
    wait_for(&format!("{wanted:#?}"), || {
        let samples = samples(&get(server, "/metrics"));
        let all = wanted
            .iter()
            .all(|line| samples.iter().any(|sample| sample == line));
        all.then_some(samples)
    })
}

/// A relay that nobody answers for, and what waits for it.
#[test]
fn a_worker_shows_what_waits_and_which_relay_is_down() {
    let site = waiting_for_its_relay();
    let server = worker(&site);
    let shown = assert_shows(
        &server,
        &[
            "gauge postrider_relay_down{relay=relay} 1.0",
            "gauge postrider_relay_circuit_state{relay=relay,state=open} 1.0",
            "gauge postrider_relay_circuit_state{relay=relay,state=probing} 0.0",
            "gauge postrider_relay_circuit_state{relay=relay,state=ready} 0.0",
        ],
    );
    assert_holds(
        &shown,
        &[
            "gauge postrider_deliveries_waiting{digest=weekly} 2.0",
            "gauge postrider_relay_connections{relay=relay} 0.0",
            "gauge postrider_relay_pause_seconds{relay=relay} 0.0",
            "counter postrider_deliveries_total{outcome=sent,relay=relay} 0.0",
        ],
    );
    // A relay that is down is no fault of a delivery, and nothing but this is served.
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(get(&server, "/readyz").status, 200);
    assert_eq!(get(&server, "/feeds/all.rss").status, 404);
    assert_eq!(server.stop(), 0);
}

/// A relay that says 421 once gets half of the connections, or a pause where there is one alone.
#[test]
fn a_worker_shows_how_far_a_relay_is_slowed() {
    for (connections, allowed, pause) in [("4", "2.0", "0.0"), ("1", "1.0", "0.5")] {
        let relay = ScriptedRelay::start(Script::default().on("DOT", say("421 4.7.0 too much at once")));
        let mut site = waiting_for_its_relay();
        site.environment = vec![
            (
                "POSTRIDER_RELAY".to_owned(),
                format!("smtp://127.0.0.1:{}", relay.port),
            ),
            (
                "POSTRIDER_DELIVERY__CONNECTIONS".to_owned(),
                connections.to_owned(),
            ),
        ];
        let server = worker(&site);
        assert_shows(
            &server,
            &[
                "counter postrider_deliveries_total{outcome=deferred,relay=relay} 1.0",
                &format!("gauge postrider_relay_connections_allowed{{relay=relay}} {allowed}"),
                &format!("gauge postrider_relay_pause_seconds{{relay=relay}} {pause}"),
                "gauge postrider_relay_circuit_state{relay=relay,state=ready} 1.0",
                "gauge postrider_relay_circuit_state{relay=relay,state=open} 0.0",
            ],
        );
        assert_eq!(server.stop(), 0);
    }
}
