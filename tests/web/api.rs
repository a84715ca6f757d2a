//! The API, health, and what every unknown address answers.

use crate::bridge::Bridge;
use crate::database::Database;
use crate::site::Site;
use crate::wait_for;
use crate::wire::{ask, get, send};
use std::fs;
use std::time::{Duration, Instant};

fn site() -> Site {
    let site = Site::new();
    site.summary("first", "urology");
    site.readers(&[("ann@example.org", "")]);
    site
}

#[test]
fn a_send_needs_a_token_and_makes_one_edition() {
    let site = site();
    let token = site
        .run(&["token", "create", "site"])
        .expect_code(0)
        .out
        .trim()
        .to_owned();
    let server = site.serve(&[]);
    let post = |digest: &str, authorization: &str| {
        let path = format!("/api/digests/{digest}/send");
        send(&server, "POST", &path, &[("Authorization", authorization)], b"")
    };
    let path = "/api/digests/weekly/send";
    let wrong = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer wrong".to_owned(),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {token}x"),
        format!("Bearer {token} {token}"),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {}", "x".repeat(30_000)),
        "Bearer \u{e9}".to_owned(),
    ];
    for answer in
        wrong
            .iter()
            .map(|wrong| post("weekly", wrong))
            .chain([send(&server, "POST", path, &[], b"")])
    {
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some("Bearer")),
            "{answer:?}"
        );
        assert!(!answer.text().contains(&token));
    }
    // Without a good token nobody learns which digests there are.
    assert_eq!(post("unknown", "Bearer wrong").status, 401);
    assert_eq!(
        site.run(&["editions", "--json"]).expect_code(0).json(),
        serde_json::json!([])
    );

    let good = format!("bearer {token}");
    let unknown = post("unknown", &good);
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.text().contains("unknown") && unknown.text().contains("weekly"),
        "{unknown:?}"
    );
    let answer = post("weekly", &good);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (202, Some("application/json"))
    );
    let edition: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(edition, serde_json::json!({"edition": 1, "created": true}));
    // The process that took the order delivers it.
    let mails = wait_for("the mail", || {
        Some(site.outbox()).filter(|mails| mails.len() == 1)
    });
    assert!(mails[0].contains("To: ann@example.org"), "{}", mails[0]);
    wait_for("the end of the edition", || {
        (site.edition(1)["state"] == "finished").then_some(())
    });
    let again: serde_json::Value = serde_json::from_str(&post("weekly", &good).text()).unwrap();
    assert_eq!(again, serde_json::json!({"edition": null, "created": false}));
    assert_eq!(site.outbox().len(), 1);
    for method in ["GET", "HEAD", "PUT"] {
        let answer = ask(&server, method, path, &[("Authorization", &good)]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    }
}

#[test]
fn the_database_may_keep_only_hashes_of_tokens() {
    let site = site();
    let token = site
        .run(&["token", "create", "site"])
        .expect_code(0)
        .out
        .trim()
        .to_owned();
    for file in fs::read_dir(site.path("data")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes())
        );
    }
}

#[test]
fn ready_as_long_as_the_database_is_there() {
    let site = site();
    let server = site.serve(&[]);
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = get(&server, path);
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "a probe is never answered from a cache"
        );
    }
    fs::rename(site.path("data/postrider.db"), site.path("data/elsewhere.db")).unwrap();
    let answer = get(&server, "/readyz");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.text().contains("data/"), "{answer:?}");
    assert_eq!(get(&server, "/healthz").status, 200);
    fs::rename(site.path("data/elsewhere.db"), site.path("data/postrider.db")).unwrap();
    assert_eq!(get(&server, "/readyz").status, 200);
}

/// A database server that is cut off and comes back: a probe is told at once, and nothing has to be restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_again_once_postgresql_is_back() {
    let cut_off = |database: Database| async move {
        let url = url::Url::parse(&database.url).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let bridge = Bridge::to(target);
        let mut through = url.clone();
        through.set_port(Some(bridge.port)).unwrap();
        let mut site = site();
        site.environment
            .push(("POSTRIDER_DATABASE".to_owned(), through.to_string()));
        tokio::task::spawn_blocking(move || {
            let server = site.serve(&[]);
            assert_eq!(get(&server, "/readyz").status, 200);
            bridge.cut();
            let begun = Instant::now();
            let answer = get(&server, "/readyz");
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
            assert_eq!(get(&server, "/healthz").status, 200);
            bridge.mend();
            wait_for("the database", || {
                (get(&server, "/readyz").status == 200).then_some(())
            });
        })
        .await
        .unwrap();
    };
    Database::postgres().await.run(cut_off).await;
}

#[test]
fn an_address_that_is_nobodys_says_so() {
    let site = site();
    let server = site.serve(&[]);
    for path in [
        "/index.html",
        "/nothing",
        "/u",
        "/u/",
        "/u/a/b",
        "/api",
        "/healthz/",
        "/%00",
        "/%",
        "/assets/../config.toml",
        "/.git/config",
        "/data/secret",
    ] {
        for method in ["GET", "HEAD", "POST"] {
            let answer = ask(&server, method, path, &[]);
            assert_eq!(answer.status, 404, "{method} {path} {answer:?}");
        }
    }
    for (path, allow) in [
        ("/healthz", "GET,HEAD"),
        ("/assets/site.css", "GET,HEAD"),
        ("/p/x", "GET,HEAD,POST"),
        ("/u/x", "GET,HEAD,POST"),
    ] {
        let answer = ask(&server, "DELETE", path, &[]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some(allow)),
            "{path}"
        );
    }
    let style = get(&server, "/assets/site.css");
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
}
