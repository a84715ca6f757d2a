//! How much an edition holds.

use crate::account::{counts, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use serde_json::json;

on_both! { the_first_edition_skips_the_old_and_later_ones_leave_the_rest_waiting, too_few_wait }

async fn the_first_edition_skips_the_old_and_later_ones_leave_the_rest_waiting(database: Database) {
    let site = site_on(&database);
    site.configure("first_edition_items = 2\nmax_items = 3", "");
    site.readers(&[("ann@example.org", "")]);
    let dated = |slug: &str, day: u32| {
        site.summary(slug, "urology");
        let path = format!("content/{slug}.md");
        let text = std::fs::read_to_string(site.path(&path)).unwrap();
        site.write(&path, &text.replace("2026-01-02", &format!("2025-01-{day:02}")));
    };
    dated("oldest", 1);
    dated("newest", 9);
    dated("middle", 5);
    assert_eq!(
        texts(&only_edition(&publish(&site, 0))["summaries"]),
        ["newest", "middle"]
    );
    assert_eq!(
        publish(&site, 0)["editions"],
        json!([]),
        "what the first edition left out comes no more"
    );

    for (slug, day) in [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)] {
        dated(slug, day);
    }
    let second = only_edition(&publish(&site, 0));
    let third = only_edition(&publish(&site, 0));
    assert_eq!(
        [
            texts(&second["summaries"]).len(),
            texts(&third["summaries"]).len()
        ],
        [3, 2]
    );
    assert_eq!(publish(&site, 0)["editions"], json!([]));
    assert_eq!(site.outbox().len(), 3);
}

async fn too_few_wait(database: Database) {
    let site = site_on(&database);
    site.configure("min_items = 2", "");
    site.readers(&[("ann@example.org", "")]);
    site.summary("one", "urology");
    let said = publish(&site, 0);
    assert_eq!(
        (
            &said["digests"][0]["outcome"],
            &said["digests"][0]["waiting_summaries"]
        ),
        (&json!("nothing"), &json!(1))
    );
    assert_eq!(json(&site, &["status"], 0)["digests"][0]["waiting_summaries"], 1);
    site.summary("two", "urology");
    let made = only_edition(&publish(&site, 0));
    assert_eq!(
        (texts(&made["summaries"]).len(), counts(&made)),
        (2, [1, 0, 0, 0])
    );
}
