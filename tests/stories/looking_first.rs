//! Looking at an edition without sending it.

use crate::account::{json, publish, site_on, texts};
use crate::database::Database;
use crate::site::Site;
use serde_json::{Value, json};
use std::fs;

on_both! { a_dry_run_tells_who_would_get_what, a_preview_shows_each_segment, samples_never_reach_a_real_relay }

/// Two summaries, and readers of each, of both and of nothing.
fn site(database: &Database) -> Site {
    let site = site_on(database);
    site.summary("one", "urology");
    site.summary("two", "oncology");
    site.readers(&[
        ("ann@example.org", ""),
        ("bea@example.org", "urology;oncology"),
        ("cy@example.org", "oncology"),
    ]);
    site
}

async fn a_dry_run_tells_who_would_get_what(database: Database) {
    let site = site(&database);
    let said = json(&site, &["send", "weekly", "--dry-run"], 0);
    let rows = |said: &Value| -> Vec<(i64, usize)> {
        let segments = said["segments"].as_array().unwrap();
        let row = |s: &Value| (s["readers"].as_i64().unwrap(), texts(&s["summaries"]).len());
        let mut rows: Vec<_> = segments.iter().map(row).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(rows(&said), [(1, 1), (2, 2)]);
    let said = json(&site, &["send", "weekly", "--dry-run", "--only", "one"], 0);
    assert_eq!(rows(&said), [(1, 0), (2, 1)]);
    assert_eq!(said["segments"][1]["excluded"], "nothing_for_them");
    assert!(site.outbox().is_empty());
    assert_eq!(json(&site, &["editions"], 0), json!([]));
    publish(&site, 0);
    let said = site.run(&["send", "weekly", "--dry-run"]).expect_code(0);
    assert!(said.out.contains("nothing new"), "{said:?}");
}

async fn a_preview_shows_each_segment(database: Database) {
    let site = site(&database);
    let out = site.path("looked/at");
    let folder = out.to_str().unwrap();
    let segments = json(&site, &["preview", "weekly", "--out", folder], 0);
    let segments = segments.as_array().unwrap();
    let readers: i64 = segments
        .iter()
        .map(|segment| segment["readers"].as_i64().unwrap())
        .sum();
    assert_eq!((segments.len(), readers), (2, 3), "the lists are read first");
    let both = segments.iter().find(|segment| segment["readers"] == 2).unwrap();
    for file in texts(&both["files"]) {
        let text = fs::read_to_string(file).unwrap();
        assert!(
            file.ends_with("subject.txt") || text.contains("Sample Reader"),
            "{file}: {text}"
        );
        assert_eq!(
            !file.ends_with("subject.txt"),
            text.contains("About one") && text.contains("About two")
        );
    }
    let chosen = json(
        &site,
        &["preview", "weekly", "--categories", "urology", "--out", folder],
        0,
    );
    assert_eq!(texts(&chosen[0]["summaries"]), ["one"]);
    let text = fs::read_to_string(out.join("urology.body.txt")).unwrap();
    assert!(text.contains("About one") && !text.contains("About two"));
    let wrong = site.run(&["preview", "weekly", "--categories", "urologie", "--out", folder]);
    assert!(wrong.code != 0 && wrong.err.contains("\"urologie\""), "{wrong:?}");
    assert!(site.outbox().is_empty());
    assert_eq!(json(&site, &["editions"], 0), json!([]));
}

/// Nothing connects: a dry run only plans.
async fn samples_never_reach_a_real_relay(database: Database) {
    let mut site = site(&database);
    site.write(
        "subscribers/real.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         ann@readers.net,,weekly,,confirmed,2026-01-01,test\n",
    );
    for (relay, expected) in [
        (
            "smtp://192.0.2.1:25?tls=required",
            vec![(json!("reserved_domain"), 3), (json!(null), 1)],
        ),
        ("smtp://127.0.0.1:1", vec![(json!(null), 3), (json!(null), 1)]),
        ("outbox:elsewhere", vec![(json!(null), 3), (json!(null), 1)]),
    ] {
        site.environment.retain(|(name, _)| name != "POSTRIDER_RELAY");
        site.environment
            .push(("POSTRIDER_RELAY".to_owned(), relay.to_owned()));
        let said = json(&site, &["send", "weekly", "--dry-run"], 0);
        let segments = said["segments"].as_array().unwrap();
        let mut got: Vec<_> = segments
            .iter()
            .map(|s| (s["excluded"].clone(), s["readers"].as_i64().unwrap()))
            .collect();
        got.sort_by_key(|(_, readers)| std::cmp::Reverse(*readers));
        assert_eq!(got, expected, "{relay}: {said:#}");
    }
}
