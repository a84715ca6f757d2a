//! An edition that was approved in the browser: its account, what can be done to it, and who got what.

use crate::admin::{ANN, BOB, delivered, prepared, state, value, with_readers};
use crate::desk::{Desk, all, change, site};
use crate::wait_for;
use serde_json::Value;

/// The account's numbers as the page shows them: sent, waiting, failed, left out.
fn counts(desk: &Desk<'_>) -> Vec<String> {
    all(&desk.get("/admin/editions/1"), ".counts dd")
}

#[test]
fn an_edition_under_way_is_paused_goes_on_and_is_cancelled() {
    let site = with_readers();
    let server = site.serve(&[]);
    let cookie = Desk::open(&site, &server).cookie;
    drop(server);
    // Nobody listens on port 1.
    let server = site.serve(&["--relay", "smtp://127.0.0.1:1"]);
    let desk = Desk::with(&server, &cookie);
    prepared(&desk);
    let print = value(&desk.get("/admin/editions/1/send"), "print");
    desk.act("/admin/editions/1/send", &[("count", "3"), ("print", &print)]);
    wait_for("the trouble", || {
        site.edition(1)["trouble"].is_string().then_some(())
    });
    let page = desk.get("/admin/editions/1?watch=1");
    assert_eq!(
        page.header("refresh"),
        Some("5; url=../../admin/editions/1?watch=1")
    );
    assert_eq!(all(&page, "main .alert h2"), ["There is trouble"]);
    assert_eq!(desk.get("/admin/editions/1").header("refresh"), None);
    assert!(!desk.get("/admin").text().contains("Nothing is being sent now"));
    assert_eq!(counts(&desk), ["0", "3", "0", "0"]);

    let to = desk.act("/admin/editions/1/pause", &[]);
    assert_eq!(state(&site, 1), "paused");
    assert_eq!(
        all(&desk.get(&to), "main .buttons button, main .buttons a"),
        ["Go on sending", "Cancel…"]
    );
    let to = desk.act("/admin/editions/1/resume", &[]);
    assert_eq!(to, "/admin/editions/1?said=resumed");
    assert_ne!(state(&site, 1), "paused");
    assert_eq!(
        desk.act("/admin/editions/1/retry", &[]),
        "/admin/editions/1?said=nothing-failed"
    );

    // What failed comes first, and can be sent again.
    desk.act("/admin/editions/1/pause", &[]);
    change(
        &site,
        "UPDATE delivery SET state = 'failed', attempts = 1, code = 550, text = '5.7.1 no', next_attempt = NULL
         WHERE subscriber_id = (SELECT id FROM subscriber WHERE address = 'bob@example.org')",
    );
    change(&site, "UPDATE batch SET counted = 0");
    let rows = |path: &str| all(&desk.get(path), "tbody tr");
    let every = rows("/admin/editions/1/deliveries");
    assert_eq!(every.len(), 3);
    assert_eq!(every[0], format!("{BOB} failed 1 550 5.7.1 no"));
    assert!(every[1].starts_with(&format!("{ANN} waiting 0")), "{every:?}");
    assert_eq!(rows("/admin/editions/1/deliveries?state=failed"), every[..1]);
    assert_eq!(rows("/admin/editions/1/deliveries?state=waiting"), every[1..]);
    assert_eq!(rows("/admin/editions/1/deliveries?from=failed.2"), every[1..]);
    assert_eq!(
        rows("/admin/editions/1/deliveries?state=sent"),
        Vec::<String>::new()
    );
    for wrong in ["state=x", "from=x", "from=sent.x"] {
        let path = format!("/admin/editions/1/deliveries?{wrong}");
        assert_eq!(desk.ask("GET", &path).status, 404, "{wrong}");
    }
    assert_eq!(
        desk.act("/admin/editions/1/retry", &[]),
        "/admin/editions/1?said=retried"
    );
    assert_eq!(counts(&desk), ["0", "3", "0", "0"]);

    let look = desk.get("/admin/editions/1/cancel");
    assert!(
        look.text()
            .contains("3 readers would not receive this edition any more")
    );
    assert_ne!(state(&site, 1), "cancelled");
    assert_eq!(
        desk.act("/admin/editions/1/cancel", &[("seen", "approved")]),
        "/admin/editions/1?said=cancelled"
    );
    wait_for("the end", || {
        (counts(&desk) == ["0", "0", "0", "3"]).then_some(())
    });
    assert_eq!(state(&site, 1), "cancelled");
    assert_eq!(delivered(&site), 0);
    let listed: Value = site.run(&["editions", "--json"]).json();
    assert_eq!(
        all(&desk.get("/admin/editions"), "tbody tr").len(),
        listed.as_array().unwrap().len()
    );
}

#[test]
fn long_lists_come_page_by_page() {
    let site = site();
    site.summary("first", "urology");
    site.many_readers(205);
    site.run(&["publish", "--wait"]).expect_code(0);
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    let mut path = "/admin/editions/1/deliveries".to_owned();
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = desk.get(&path);
        let rows = all(&page, "tbody th");
        sizes.push(rows.len());
        seen.extend(rows);
        let html = scraper::Html::parse_document(&page.text());
        let next = scraper::Selector::parse("a[rel=next]").unwrap();
        let Some(next) = html.select(&next).next() else {
            break;
        };
        path = format!("/admin/editions/1/{}", next.value().attr("href").unwrap());
    }
    assert_eq!(sizes, [100, 100, 5]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 205);
}
