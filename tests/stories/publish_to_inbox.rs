//! From a summary to an inbox, twice over.

use crate::account::{counts, edition, json, only_edition, publish, site_on, texts};
use crate::database::Database;
use crate::mail::{take_outbox, who_got_what};
use serde_json::json;
use std::fs;
use std::path::Path;

on_both! {
    everyone_gets_one_mail_and_a_second_run_does_nothing, a_new_summary_goes_to_those_it_concerns,
    two_runs_of_one_name_each_digest_named,
}

/// Every file below `folder` with its bytes, but for the database, whose file a mere look may touch.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}

async fn everyone_gets_one_mail_and_a_second_run_does_nothing(database: Database) {
    let site = site_on(&database);
    site.summary("bladder", "urology");
    site.summary("tumour", "oncology");
    site.readers(&[
        ("ann@example.org", "urology"),
        ("bea@example.org", ""),
        ("cy@example.com", "oncology;urology"),
    ]);
    let said = publish(&site, 0);
    assert_eq!(said["sources"][0]["new"], 2);
    assert_eq!(said["lists"][0]["added"], 3);
    let made = only_edition(&said);
    assert_eq!(
        (&made["digest"], &made["state"]),
        (&json!("weekly"), &json!("finished"))
    );
    assert_eq!(counts(&made), [3, 0, 0, 0]);
    let account = edition(&site, 1);
    let mails = take_outbox(&site);
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        let row = crate::account::delivery(&account, &mail.to);
        assert_eq!(row["state"], "sent");
        assert_eq!(row["relay"], "outbox");
        assert_eq!(row["attempts"], 1);
        let id = row["message_id"].as_str().unwrap();
        assert_eq!(id.trim_matches(['<', '>']), mail.message_id);
    }
    assert_eq!(mails[0].slugs(&["bladder", "tumour"]), ["bladder"]);
    assert_eq!(mails[1].slugs(&["bladder", "tumour"]), ["bladder", "tumour"]);

    let before = contents(site.root());
    let said = publish(&site, 0);
    assert_eq!(said["editions"], json!([]));
    assert_eq!(
        said["lists"],
        json!([]),
        "a list that did not change is not read again"
    );
    assert_eq!(
        (&said["sources"][0]["new"], &said["sources"][0]["unchanged"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(contents(site.root()), before, "the second run wrote something");
    let editions = json(&site, &["editions"], 0);
    assert_eq!(editions.as_array().unwrap().len(), 1);

    let said = site.run(&["publish"]).expect_code(0);
    assert!(said.out.contains("weekly: nothing new"), "{said:?}");
}

async fn a_new_summary_goes_to_those_it_concerns(database: Database) {
    let site = site_on(&database);
    site.summary("bladder", "urology");
    site.readers(&[
        ("ann@example.org", "urology"),
        ("bea@example.org", ""),
        ("cy@example.org", "oncology"),
    ]);
    let first = only_edition(&publish(&site, 0));
    assert_eq!(counts(&first), [2, 0, 0, 1]);
    assert_eq!(first["excluded_by"], json!({"nothing_for_them": 1}));
    site.empty_outbox();

    site.summary("tumour", "oncology");
    let second = only_edition(&publish(&site, 0));
    assert_eq!(texts(&second["summaries"]), ["tumour"]);
    assert_eq!(counts(&second), [2, 0, 0, 1]);
    assert_eq!(
        who_got_what(&site, &["bladder", "tumour"]),
        ["bea@example.org: tumour", "cy@example.org: tumour"]
    );
    let editions = json(&site, &["editions"], 0);
    let ids: Vec<_> = editions
        .as_array()
        .unwrap()
        .iter()
        .map(|edition| edition["id"].clone())
        .collect();
    assert_eq!(ids, [2, 1], "newest first");
}

/// A reader of two digests gets a mail of each; `publish DIGEST` leaves the others alone.
async fn two_runs_of_one_name_each_digest_named(database: Database) {
    let site = site_on(&database);
    site.configure(
        "",
        "[[digest]]\nname = \"monthly\"\ntitle = \"Monthly digest\"\nschedule = \"\"\nunchosen = \"none\"\n",
    );
    site.summary("bladder", "urology");
    site.write(
        "subscribers/list.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         ann@example.org,,weekly;monthly,urology,confirmed,2026-01-01,test\n\
         bea@example.org,,monthly,,confirmed,2026-01-01,test\n\
         cy@example.org,,,,confirmed,2026-01-01,test\n",
    );
    let monthly = json(&site, &["publish", "monthly"], 0);
    let made = only_edition(&monthly);
    assert_eq!(made["digest"], "monthly");
    assert_eq!(
        made["excluded_by"],
        json!({"nothing_for_them": 1}),
        "unchosen = none"
    );
    assert_eq!(who_got_what(&site, &["bladder"]), ["ann@example.org: bladder"]);

    let weekly = only_edition(&publish(&site, 0));
    assert_eq!((&weekly["digest"], &weekly["id"]), (&json!("weekly"), &json!(2)));
    assert_eq!(
        who_got_what(&site, &["bladder"]),
        ["ann@example.org: bladder", "cy@example.org: bladder"]
    );
    let show = json(&site, &["subscribers", "show", "ANN@example.org"], 0);
    assert_eq!(show["digests"], json!(["monthly", "weekly"]));
    let said = site.run(&["publish", "dayly"]).expect_code(2);
    assert!(
        said.err.contains("\"dayly\"") && said.err.contains("weekly, monthly"),
        "{said:?}"
    );
}
