//! What is kept of an edition when its time is over: its counts, and who is told of a correction.

use crate::account::{counts, json, only_edition, publish, site_on};
use crate::database::Database;
use crate::mail::who_got_what;
use serde_json::json;

on_both! { an_old_edition_keeps_its_counts_and_its_correction_reaches_those_it_concerns }

async fn an_old_edition_keeps_its_counts_and_its_correction_reaches_those_it_concerns(database: Database) {
    let site = site_on(&database);
    site.summary("old", "urology");
    site.readers(&[
        ("ann@example.org", "urology"),
        ("bea@example.org", ""),
        ("dee@example.org", "oncology"),
    ]);
    let before = only_edition(&publish(&site, 0));
    assert_eq!(counts(&before), [2, 0, 0, 1]);
    let shown = site
        .run(&["editions", "show", "1", "--deliveries"])
        .expect_code(0);
    assert!(
        shown.out.contains("ann@example.org") && !shown.out.contains("was deleted"),
        "{shown:?}"
    );
    json(&site, &["subscribers", "add", "cy@example.org", "--confirmed"], 0);
    // A year and more goes by.
    database
        .execute("UPDATE edition SET finished = finished - 401 * CAST(86400000 AS BIGINT)")
        .await;
    publish(&site, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM delivery").await, 0);
    let after = json(&site, &["editions", "show", "1", "--deliveries"], 0);
    for key in ["audience", "sent", "waiting", "failed", "excluded", "excluded_by"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(after["deliveries"], json!([]));
    assert!(
        before["pruned"].is_null() && after["pruned"].is_string(),
        "{after}"
    );
    let shown = site
        .run(&["editions", "show", "1", "--deliveries"])
        .expect_code(0);
    assert!(
        shown.out.contains("who received it was deleted on 20"),
        "{shown:?}"
    );
    site.empty_outbox();
    json(
        &site,
        &["summaries", "correct", "old", "--note", "Twice as high."],
        0,
    );
    let told = only_edition(&publish(&site, 0));
    assert_eq!(counts(&told), [3, 0, 0, 1]);
    assert_eq!(
        who_got_what(&site, &["old"]),
        [
            "ann@example.org: old",
            "bea@example.org: old",
            "cy@example.org: old"
        ]
    );
}
