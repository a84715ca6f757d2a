//! "Was this summary helpful?", and the form that mails the admins.

use crate::in_process::InProcess;
use crate::sign_up::{attributes, filled, heading, stamp, texts};
use crate::site::{Server, Site};
use crate::wait_for;
use crate::wire::{Answer, ask, get, post_with, send};
use serde_json::Value;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn site() -> Site {
    let site = Site::new();
    site.summary("plain", "urology");
    site.run(&["gather"]).expect_code(0);
    site
}

fn votes(site: &Site) -> Value {
    site.run(&["summaries", "--json"]).expect_code(0).json()[0]["helpful"].clone()
}

fn answer(server: &Server, program: &str, body: &str) -> Answer {
    let headers = [FORM, ("User-Agent", program)];
    send(
        server,
        "POST",
        "/research/plain/helpful",
        &headers,
        body.as_bytes(),
    )
}

#[test]
fn an_answer_counts_once_and_only_by_a_button() {
    let site = site();
    let server = site.serve(&[]);
    for path in [
        "/research/plain/helpful?answer=yes",
        "/research/plain/helpful?answer=no",
        "/research/plain/helpful?answer=%3Cscript%3E",
        "/research/plain/helpful",
    ] {
        for method in ["GET", "HEAD"] {
            assert_eq!(ask(&server, method, path, &[]).status, 200, "{path}");
        }
    }
    let asked = get(&server, "/research/plain/helpful?answer=no").text();
    assert!(asked.contains("name=\"answer\" value=\"no\"") && asked.contains("noindex"));
    assert_eq!(votes(&site), serde_json::json!({"yes": 0, "no": 0}));
    for (program, body, status) in [
        ("one", "answer=yes", 200),
        ("one", "answer=yes", 200),
        ("one", "answer=no", 200),
        ("two", "answer=no", 200),
        ("three", "answer=perhaps", 400),
        ("three", "", 400),
    ] {
        let answer = answer(&server, program, body);
        assert_eq!(answer.status, status, "{program} {body}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(votes(&site), serde_json::json!({"yes": 1, "no": 1}));
    // A form on somebody else's page.
    for foreign in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://example.com"),
    ] {
        let headers = [FORM, ("User-Agent", "four"), foreign];
        let path = "/research/plain/helpful";
        assert_eq!(send(&server, "POST", path, &headers, b"answer=yes").status, 403);
    }
    assert_eq!(votes(&site), serde_json::json!({"yes": 1, "no": 1}));
    let shown = site.run(&["summaries", "show", "plain"]).expect_code(0).out;
    assert!(shown.contains("helpful: 1 yes, 1 no"), "{shown}");
    assert_eq!(get(&server, "/research/none/helpful").status, 404);
}

#[test]
fn everybody_is_told_whether_the_answer_counts() {
    let site = site();
    let server = site.serve(&[]);
    let counted = "It tells us which summaries help. We count answers only; we do not keep who gave them.";
    let not_counted = "This one was not counted: for each summary we count one answer a day from the same browser, \
                       and a few from the same network. If you gave one before, that one stays.";
    for (program, body, words, votes_now) in [
        ("one", "answer=yes", counted, (1, 0)),
        ("one", "answer=yes", not_counted, (1, 0)),
        // A changed mind: which answer was theirs is not kept, so the first one stays.
        ("one", "answer=no", not_counted, (1, 0)),
        ("two", "answer=no", counted, (1, 1)),
        ("two", "answer=yes", not_counted, (1, 1)),
        ("three", "answer=no", counted, (1, 2)),
        ("four", "answer=no", counted, (1, 3)),
        ("five", "answer=no", counted, (1, 4)),
        // The sixth of a network, who gave none before.
        ("six", "answer=no", not_counted, (1, 4)),
    ] {
        let page = answer(&server, program, body);
        assert_eq!(
            (page.status, heading(&page).as_str()),
            (200, "Thank you for your answer"),
            "{program} {body}"
        );
        assert_eq!(texts(&page, "main p")[0], words, "{program} {body}");
        let (yes, no) = votes_now;
        assert_eq!(
            votes(&site),
            serde_json::json!({"yes": yes, "no": no}),
            "{program} {body}"
        );
    }
}

#[test]
fn a_message_goes_to_every_admin_or_comes_back_with_reasons() {
    let site = site();
    let server = site.serve(&["--no-schedule"]);
    let post = |body: &str| send(&server, "POST", "/contact", &[FORM], body.as_bytes());
    for (body, reason) in [
        ("", "Please give your email address"),
        ("email=ann&message=Hello", "This is no email address"),
        (
            "email=ann%40example.org&message=%20%0D%0A",
            "Please write a message.",
        ),
        (
            &format!("email=ann%40example.org&message={}", "a".repeat(5001)),
            "Your message has 5001 characters",
        ),
        (
            &format!("email=ann%40example.org&message=a&name={}", "b".repeat(101)),
            "Your name has 101 characters",
        ),
    ] {
        let answer = post(body);
        let text = answer.text();
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(
            text.matches(reason).count(),
            2,
            "at the top and at the field: {text}"
        );
        assert!(text.contains("role=\"alert\"") && text.contains("aria-invalid=\"true\""));
    }
    let kept = post("email=ann&name=%3Cb%3E&message=%3C%2Ftextarea%3E%22%0Amore").text();
    assert!(
        kept.contains("&lt;/textarea&gt;&quot;\nmore</textarea>"),
        "{kept}"
    );
    assert!(kept.contains("value=\"&lt;b&gt;\""), "{kept}");
    // Without the time at which the form was shown, one more button.
    let asked = post("email=ann%40example.org&name=Ann%0D%0ABcc%3A+x&message=Hello%0D%0A%00there");
    assert_eq!((asked.status, heading(&asked).as_str()), (200, "One more step"));
    let field = |name: &str| attributes(&asked, &format!("input[name={name}]"), "value").remove(0);
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(["name", "email", "message", "person"].map(|name| (name, field(name))))
        .finish();
    let sent = post(&body);
    assert_eq!(sent.status, 200);
    assert!(sent.text().contains("Your message is on its way"));
    wait_for("the message", || (site.outbox().len() == 1).then_some(()));
}

#[test]
fn a_message_is_asked_about_and_counted_as_other_forms_are() {
    let site = Site::new();
    site.configure(
        "",
        "[serve]\ntrusted_proxies = [\"127.0.0.1\"]\n[subscribe]\nper_network_per_hour = 2\ntotal_per_hour = 3\n",
    );
    let server = InProcess::serve(&site);
    let shown = get(&server, "/contact");
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let stamp = stamp(&server, "/contact");
    let write = |homepage: &str, from: &str| {
        let fields = [
            ("email", "ann@example.org"),
            ("message", "Hello"),
            ("stamp", stamp.as_str()),
            ("homepage", homepage),
        ];
        post_with(&server, "/contact", &[("X-Forwarded-For", from)], &fields)
    };
    assert_eq!(heading(&write("", "192.0.2.1")), "One more step", "too soon");
    server.pass(3_000);
    let filled = write("https://example.com", "192.0.2.1");
    assert_eq!(heading(&filled), "One more step");
    let notices = || server.number("SELECT COUNT(*) FROM notice");
    assert_eq!(notices(), 0);
    for (from, status) in [
        ("192.0.2.1", 200),
        ("192.0.2.2", 200),
        ("192.0.2.3", 429),
        ("192.0.3.1", 200),
        ("192.0.4.1", 429),
    ] {
        let answer = write("", from);
        assert_eq!(answer.status, status, "{from}");
        if status == 429 {
            assert_eq!(answer.header("retry-after"), Some("3600"));
        }
    }
    assert_eq!(notices(), 3);
}

#[test]
fn the_admins_get_sixty_messages_an_hour_and_sign_ups_go_on() {
    let site = Site::new();
    site.configure("", "[serve]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let server = InProcess::serve(&site);
    let form = stamp(&server, "/contact");
    server.pass(3_000);
    let message = [
        ("email", "ann@example.org"),
        ("message", "Hello"),
        ("stamp", form.as_str()),
    ];
    for number in 0..63 {
        let from = format!("192.0.{number}.1");
        let answer = post_with(&server, "/contact", &[("X-Forwarded-For", &from)], &message);
        assert_eq!(answer.status, if number < 60 { 200 } else { 429 }, "{number}");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), 60);
    let sign_up = filled("ann@example.org", &form);
    let answer = post_with(
        &server,
        "/subscribe",
        &[("X-Forwarded-For", "192.0.2.1")],
        &sign_up,
    );
    assert_eq!(heading(&answer), "Check your inbox");
}
