//! Subscribers by hand and by list.

use crate::account::{counts, json, only_edition, publish, site_on};
use crate::database::Database;
use crate::mail::who_got_what;
use crate::site::Site;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

on_both! { lists_are_read_again_when_they_change, who_was_removed_stays_out_whatever_a_list_says, an_export_imports_elsewhere }

const HEAD: &str = "email,name,digest,categories,status,consent_at,consent_source\n";

async fn lists_are_read_again_when_they_change(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "urology")]);
    publish(&site, 0);
    site.readers(&[("ann@example.org", "oncology"), ("bea@example.org", "")]);
    // Another name, and what is no list.
    site.write(
        "subscribers/more.csv",
        &format!("{HEAD}cy@example.org,Cy,weekly,,pending,,\n"),
    );
    site.write("subscribers/README.md", "No list.");
    site.write("subscribers/.hidden.csv", "no list");
    site.summary("two", "urology");
    site.empty_outbox();
    let said = publish(&site, 0);
    let lists: Vec<_> = said["lists"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["added"].clone(), l["updated"].clone()))
        .collect();
    assert_eq!(lists, [(json!(1), json!(1)), (json!(1), json!(0))]);
    let made = only_edition(&said);
    assert_eq!(
        counts(&made),
        [1, 0, 0, 1],
        "the pending reader is outside the audience"
    );
    assert_eq!(who_got_what(&site, &["one", "two"]), ["bea@example.org: two"]);

    let added = json(
        &site,
        &[
            "subscribers",
            "add",
            "dee@example.org",
            "--name",
            "Dee",
            "--categories",
            "urology",
        ],
        0,
    );
    assert_eq!(
        (&added["state"], &added["digests"]),
        (&json!("pending"), &json!(["weekly"]))
    );
    assert_eq!(added["confirmation_queued"], true);
    site.empty_outbox();
    publish(&site, 0);
    let asked = site.outbox();
    assert!(
        asked.len() == 1 && asked[0].contains("To: dee@example.org") && asked[0].contains("/confirm/"),
        "{asked:?}"
    );
    let confirmed = json(
        &site,
        &["subscribers", "add", "dee@example.org", "--confirmed"],
        0,
    );
    assert_eq!(
        (&confirmed["state"], &confirmed["consent_source"]),
        (&json!("confirmed"), &json!("admin"))
    );
    assert_eq!(confirmed["confirmation_queued"], false);
    assert!(confirmed["consent_at"].as_str().unwrap().ends_with('Z'));
    let status = json(&site, &["status"], 0);
    assert_eq!(
        (
            &status["subscribers"]["confirmed"],
            &status["subscribers"]["pending"]
        ),
        (&json!(3), &json!(1))
    );
    for (wrong, code) in [
        (&["subscribers", "show", "nobody@example.org"][..], 1),
        (&["subscribers", "remove", "nobody@example.org"], 1),
        (&["subscribers", "show", "not an address"], 2),
        (&["subscribers", "add", "x@example.org", "--digest", "dayly"], 2),
        (&["subscribers", "import", "/nowhere.csv"], 1),
    ] {
        site.run(wrong).expect_code(code);
    }
    let wrong = site.run(&["subscribers", "add", "x@example.org", "--categories", "urologie"]);
    assert!(wrong.code != 0 && wrong.err.contains("urologie"), "{wrong:?}");
}

async fn who_was_removed_stays_out_whatever_a_list_says(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "")]);
    publish(&site, 0);
    site.empty_outbox();
    let removed = json(&site, &["subscribers", "remove", "ann@example.org"], 0);
    assert_eq!(removed["state"], "unsubscribed");
    site.readers(&[
        ("Ann@Example.org", "urology"),
        ("bea@example.org", ""),
        ("cy@example.org", ""),
    ]);
    site.summary("two", "urology");
    let said = publish(&site, 0);
    assert_eq!(
        (&said["lists"][0]["kept"], &said["lists"][0]["added"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(counts(&only_edition(&said)), [2, 0, 0, 0]);
    assert_eq!(
        who_got_what(&site, &["two"]),
        ["bea@example.org: two", "cy@example.org: two"]
    );
    let again = site
        .run(&["subscribers", "add", "ann@example.org", "--confirmed"])
        .expect_code(1);
    assert!(again.err.contains("unsubscribed"), "{again:?}");

    // A list may end a subscription; another list does not bring it back.
    site.write(
        "subscribers/list.csv",
        &format!("{HEAD}bea@example.org,,weekly,,complained,,\n"),
    );
    publish(&site, 0);
    site.readers(&[("bea@example.org", "")]);
    site.summary("three", "urology");
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [1, 0, 0, 0]);
    assert_eq!(
        json(&site, &["subscribers", "show", "bea@example.org"], 0)["state"],
        "complained"
    );
}

async fn an_export_imports_elsewhere(database: Database) {
    let site = site_on(&database);
    site.summary("one", "urology");
    site.write(
        "subscribers/list.csv",
        &format!(
            "{HEAD}ann@example.org,\"Ann, =x\",weekly,urology;oncology,confirmed,2026-01-01T10:00:00Z,form\n\
             bea@example.org,,,,pending,,\ncy@example.org,,weekly,,unsubscribed,,\n"
        ),
    );
    publish(&site, 0);
    let file = site.path("all.csv");
    let said = json(&site, &["subscribers", "export", file.to_str().unwrap()], 0);
    assert_eq!(said["subscribers"], 3);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let exported = fs::read_to_string(&file).unwrap();
    assert_eq!(site.run(&["subscribers", "export"]).expect_code(0).out, exported);
    assert!(exported.starts_with(HEAD));
    // The list itself is no JSON.
    assert!(
        json(&site, &["subscribers", "export"], 2)["error"]
            .as_str()
            .unwrap()
            .contains("export")
    );

    let other = Site::new();
    let taken = json(&other, &["subscribers", "import", file.to_str().unwrap()], 0);
    assert_eq!(taken["added"], 3);
    assert_eq!(other.run(&["subscribers", "export"]).expect_code(0).out, exported);
}
