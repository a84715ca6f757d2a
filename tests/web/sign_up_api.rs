//! Signing up by the API: the same path as the form's.

use crate::in_process::InProcess;
use crate::site::Site;
use crate::wire::{Answer, ask, send};
use serde_json::{Value, json};

fn post(server: &InProcess, kind: &str, body: &str) -> Answer {
    send(
        server,
        "POST",
        "/api/subscribe",
        &[("Content-Type", kind)],
        body.as_bytes(),
    )
}

#[test]
fn the_api_takes_what_the_form_takes() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let whole = json!({
        "email": "ann@example.org", "name": "Ann", "digests": ["weekly"], "categories": ["urology"],
        "text_only": true, "consent": "I agree to what was  said.",
    });
    for body in [whole, json!({"email": "ann@example.org", "consent": "Yes."})] {
        for _ in 0..2 {
            let answer = post(&server, "application/json; charset=utf-8", &body.to_string());
            assert_eq!(answer.status, 202, "{answer:?}");
            assert_eq!(answer.text(), "{\"accepted\":true}");
        }
    }
    assert_eq!(
        server.number("SELECT COUNT(*) FROM sign_up_request WHERE way = 'api'"),
        4
    );
    let first = "FROM sign_up_request ORDER BY id LIMIT 1";
    assert_eq!(
        server.text(&format!("SELECT wording {first}")),
        "I agree to what was said."
    );
    assert_eq!(server.text(&format!("SELECT categories {first}")), "urology");
    assert_eq!(
        server.text("SELECT digests FROM sign_up_request ORDER BY id DESC LIMIT 1"),
        "weekly"
    );
    assert_eq!(server.process(), 4);
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), 1);
    for method in ["GET", "HEAD", "PUT"] {
        let answer = ask(&server, method, "/api/subscribe", &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    }
}

#[test]
fn each_fault_is_told_with_its_field() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let good = json!({"email": "ann@example.org", "consent": "Yes."});
    for (field, value) in [
        ("email", json!("ann")),
        ("email", json!("ann@example.org\r\nBcc: bob@example.org")),
        ("email", json!("a\u{0}nn@example.org")),
        ("email", json!("\u{430}nn@example.org")),
        ("name", json!("Ann\r\nX: y")),
        ("name", json!("n".repeat(101))),
        ("digests", json!(["daily"])),
        ("categories", json!(["urology", "ur\u{43e}logy"])),
        ("consent", json!(" \n")),
        ("consent", json!("y".repeat(1001))),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(&server, "application/json", &body.to_string());
        assert_eq!(answer.status, 422, "{field} {value}");
        let said: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(said["errors"].as_array().unwrap().len(), 1, "{said}");
        assert_eq!(said["errors"][0]["field"], field, "{said}");
    }
    for body in [
        "",
        "{",
        "[]",
        "{\"email\": 1}",
        "{\"email\": \"ann@example.org\"}",
        "{\"email\": \"a@example.org\", \"consent\": \"y\", \"x\": 1}",
    ] {
        let answer = post(&server, "application/json", body);
        assert_eq!(answer.status, 400, "{body}");
        // What was sent may hold an address.
        assert!(!answer.text().contains("example.org"), "{answer:?}");
    }
    // A form of another site could send these without asking.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/jsonx",
    ] {
        assert_eq!(post(&server, kind, &good.to_string()).status, 415, "{kind}");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM sign_up_request"), 0);
}
