//! Moving in: exports of other programs, by the real program, into both databases.

use crate::database::Database;
use crate::exports::{Fate, Made, listmonk, mailchimp, substack};
use crate::site::Site;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

crate::on_both! { mailchimp_moves_in, listmonk_moves_in, substack_moves_in, an_export_has_no_say_in_what_it_does_not_name }

/// A site with the digests `weekly` and `monthly` on `db`, and a reader who left.
fn moved_from(db: &Database) -> Site {
    let mut site = Site::new();
    site.configure(
        "",
        "[[digest]]\nname = \"monthly\"\ntitle = \"Monthly\"\nschedule = \"\"",
    );
    site.environment
        .push(("POSTRIDER_DATABASE".to_owned(), db.url.clone()));
    site.run(&["subscribers", "add", "left@readers.net", "--confirmed"])
        .expect_code(0);
    site.run(&["subscribers", "remove", "left@readers.net"])
        .expect_code(0);
    site
}

/// Every row of every table, as text.
async fn dump(db: &Database) -> BTreeMap<String, Vec<String>> {
    let mut connection = db.connect().await;
    let (tables, columns, cell) = if db.url.starts_with("sqlite") {
        (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            "SELECT name FROM pragma_table_info('TABLE') ORDER BY name",
            "QUOTE(\"NAME\")",
        )
    } else {
        (
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'",
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_name = 'TABLE' ORDER BY 1",
            "COALESCE(CAST(\"NAME\" AS TEXT), '-')",
        )
    };
    let mut texts = async |sql: String| -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.iter().map(|row| row.try_get(0).unwrap()).collect()
    };
    let mut all = BTreeMap::new();
    for table in texts(tables.to_owned()).await {
        let names = texts(columns.replace("TABLE", &table)).await;
        let cells: Vec<_> = names.iter().map(|name| cell.replace("NAME", name)).collect();
        let rows = texts(format!(
            "SELECT {} FROM \"{table}\" ORDER BY 1",
            cells.join(" || '|' || ")
        ))
        .await;
        all.insert(table, rows);
    }
    assert!(
        all["subscriber"]
            .iter()
            .any(|row| row.contains("left@readers.net"))
    );
    all
}

/// Fails when a table does not hold what it held; the tables are long, so only their names are told.
fn unchanged(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) {
    let differ: Vec<_> = before
        .keys()
        .filter(|table| before.get(*table) != after.get(*table))
        .collect();
    assert!(
        differ.is_empty() && before.len() == after.len(),
        "changed: {differ:?}"
    );
}

fn number(report: &Value, field: &str) -> u64 {
    report[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} of {report}"))
}

fn sum(report: &Value, field: &str) -> u64 {
    report[field]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum()
}

/// Fails unless the counts of a report add up to its rows, and those of its states to its readers.
fn adds_up(report: &Value) {
    let readers = ["added", "updated", "unchanged", "kept"].map(|field| number(report, field));
    let readers: u64 = readers.iter().sum();
    let others = sum(report, "refused") + sum(report, "skipped") + number(report, "invalid_count");
    assert_eq!(readers + others, number(report, "rows"), "{report:#}");
    assert_eq!(sum(report, "states"), readers, "{report:#}");
    assert!(number(report, "heeded") <= number(report, "invalid_count"));
}

/// Moves `files` in: a dry run, a refusal, the import, and the import again.
async fn moves_in(db: &Database, site: &Site, files: &[Made], options: &[&str]) -> Value {
    let mut command = vec!["subscribers".to_owned(), "import".to_owned()];
    for file in files {
        site.write(&file.name, &file.text);
        command.push(site.path(&file.name).to_str().unwrap().to_owned());
    }
    command.extend(options.iter().map(|option| (*option).to_owned()));
    let run = |more: &[&str], code| {
        let arguments: Vec<_> = command
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        site.run(&arguments).expect_code(code)
    };
    let before = dump(db).await;
    let refused = run(&[], 1);
    assert!(refused.err.contains("nothing was imported"), "{refused:?}");
    assert!(!refused.err.contains("@readers.net"), "{refused:?}");
    let forecast = run(&["--skip-invalid", "--dry-run", "--json"], 0);
    unchanged(&before, &dump(db).await);
    let mut forecast = forecast.json();
    assert_eq!(forecast["dry_run"], true);
    forecast["dry_run"] = false.into();
    let said = run(&["--skip-invalid", "--json"], 0);
    assert!(
        !said.out.contains("@readers.net") && !said.err.contains("@readers.net"),
        "an address is told"
    );
    let said = said.json();
    assert_eq!(said, forecast);

    for (file, report) in files.iter().zip(said["files"].as_array().unwrap()) {
        adds_up(report);
        assert!(report["file"].as_str().unwrap().ends_with(&file.name));
        assert_eq!(number(report, "rows"), file.fates.len() as u64);
        assert_eq!(
            number(report, "added"),
            file.states().values().sum::<u64>(),
            "{}",
            file.name
        );
        assert_eq!(number(report, "kept"), file.count(Fate::Kept), "{}", file.name);
        assert_eq!(sum(report, "skipped"), file.count(Fate::Skipped), "{}", file.name);
        let wrong: Vec<_> = report["invalid"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| number(line, "line"))
            .collect();
        assert_eq!(wrong, file.wrong(), "{}", file.name);
    }
    let total = &said["total"];
    adds_up(total);
    assert_eq!(number(total, "rows"), 10_000);
    in_the_database(db, files).await;

    let after = dump(db).await;
    let again = run(&["--skip-invalid", "--json"], 0).json();
    unchanged(&after, &dump(db).await);
    adds_up(&again["total"]);
    let again = &again["total"];
    assert_eq!((number(again, "added"), number(again, "updated")), (0, 0));
    assert_eq!(number(again, "unchanged"), number(total, "added"));
    assert_eq!(again["states"], total["states"]);
    said
}

/// Holds the database to what the rows say: states, suppressions, consent, and the reader who left.
async fn in_the_database(db: &Database, files: &[Made]) {
    let mut expected = BTreeMap::from([("unsubscribed", 1)]);
    for (_, fate) in files.iter().flat_map(|file| &file.fates) {
        if let Fate::Reader(state) | Fate::Heeded(state) = fate {
            *expected.entry(*state).or_default() += 1;
        }
    }
    for state in [
        "pending",
        "confirmed",
        "paused",
        "unsubscribed",
        "bounced",
        "complained",
    ] {
        let expected = expected.get(state).copied().unwrap_or(0);
        let sql = format!("SELECT COUNT(*) FROM subscriber WHERE state = '{state}'");
        assert_eq!(db.number(&sql).await, expected, "{state}");
        if ["unsubscribed", "bounced", "complained"].contains(&state) {
            let sql = format!("SELECT COUNT(*) FROM suppression WHERE reason = '{state}'");
            assert_eq!(db.number(&sql).await, expected, "suppressed: {state}");
        }
    }
    for none in [
        "subscriber WHERE state = 'confirmed' AND (consent_at IS NULL OR consent_source IS NULL)",
        "subscriber WHERE state = 'confirmed' AND NOT EXISTS
            (SELECT 1 FROM subscription WHERE subscriber_id = subscriber.id AND active = 1)",
        "subscriber JOIN subscription ON subscriber_id = subscriber.id
            WHERE active = 1 AND state IN ('unsubscribed')",
        "subscriber WHERE address = 'left@readers.net' AND state <> 'unsubscribed'",
    ] {
        assert_eq!(
            db.number(&format!("SELECT COUNT(*) FROM {none}")).await,
            0,
            "{none}"
        );
    }
}

/// What `subscribers show` says: name, state, digests, categories, when and where they agreed.
fn shown(site: &Site, address: &str) -> String {
    let said = site
        .run(&["subscribers", "show", address, "--json"])
        .expect_code(0)
        .json();
    let digests: Vec<_> = said["digests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_str().unwrap())
        .collect();
    let categories: Vec<_> = said["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_str().unwrap())
        .collect();
    let text = |field: &str| said[field].as_str().unwrap_or("-").to_owned();
    [
        text("name"),
        text("state"),
        digests.join("+"),
        categories.join("+"),
        text("consent_at"),
        text("consent_source"),
    ]
    .join("|")
}

async fn mailchimp_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "mailchimp",
        "--map",
        "Interests=categories",
        "--map",
        "tags=categories",
        "--category",
        "bladder health=urology",
        "--digest",
        "monthly",
    ];
    let said = moves_in(&db, &site, &mailchimp(), &options).await;
    let at = "2024-03-04T05:06:07Z|mailchimp";
    for (address, expected) in [
        (
            "mc0@readers.net",
            format!("Ann B. Tee|confirmed|monthly|urology|{at}"),
        ),
        ("mc1@readers.net", format!("Bo Tee|confirmed|monthly||{at}")),
        ("mc2@readers.net", format!("Tee|confirmed|monthly|oncology|{at}")),
        ("gone0@readers.net", format!("-|unsubscribed|||{at}")),
        ("gone3@readers.net", format!("-|complained|monthly||{at}")),
        ("gone130@readers.net", "-|unsubscribed|||-|mailchimp".to_owned()),
        ("dead0@readers.net", "-|bounced|monthly||-|mailchimp".to_owned()),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
    site.run(&["subscribers", "show", "buyer0@readers.net"])
        .expect_code(1);
    // What no --category names is counted, not guessed.
    let unmapped = &said["total"]["unmapped"];
    assert_eq!(unmapped["\"vip\""], unmapped["\"Old, list\""]);
    assert!(unmapped["\"Heart, lungs\""].as_u64().unwrap() > 1700);
    assert_eq!(unmapped.as_object().unwrap().len(), 3);
}

async fn listmonk_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "listmonk",
        "--as",
        "confirmed",
        "--consent-source",
        "old letter",
        "--digest",
        "Weekly News=weekly",
        "--digest",
        "Monthly letter=monthly",
    ];
    let said = moves_in(&db, &site, &[listmonk()], &options).await;
    let at = "2024-03-04T05:06:07Z|old letter";
    for (address, expected) in [
        (
            "lm0@readers.net",
            format!("Ann B.|confirmed|monthly+weekly||{at}"),
        ),
        ("lm1@readers.net", format!("Ann B.|confirmed|weekly||{at}")),
        ("lm15@readers.net", format!("Ann B.|pending|monthly+weekly||{at}")),
        ("lm6@readers.net", format!("Ann B.|unsubscribed|||{at}")),
        ("lm7@readers.net", format!("Ann B.|unsubscribed|||{at}")),
        ("lm8@readers.net", format!("Ann B.|complained|||{at}")),
        ("lm19@readers.net", format!("Ann B.|confirmed|weekly||{at}")),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
    site.run(&["subscribers", "show", "lm2@readers.net"])
        .expect_code(1);
    assert!(said["total"]["unmapped"]["\"Staff\""].as_u64().unwrap() > 3000);
}

async fn substack_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "substack",
        "--as",
        "confirmed",
        "--consent-at",
        "2023-05-06",
    ];
    moves_in(&db, &site, &[substack()], &options).await;
    for (address, expected) in [
        (
            "ss0@readers.net",
            "-|confirmed|weekly||2023-05-06T00:00:00Z|substack",
        ),
        (
            "ss2@readers.net",
            "-|confirmed|weekly||2024-03-04T05:06:07Z|substack",
        ),
        (
            "ss7@readers.net",
            "-|unsubscribed|||2024-03-04T05:06:07Z|substack",
        ),
        ("ss18@readers.net", "-|bounced|||2024-03-04T05:06:07Z|substack"),
        ("ss9@readers.net", "-|complained|||2024-03-04T05:06:07Z|substack"),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
}

async fn an_export_has_no_say_in_what_it_does_not_name(db: Database) {
    let site = moved_from(&db);
    let add = [
        "subscribers",
        "add",
        "ann@readers.net",
        "--confirmed",
        "--name",
        "Ann",
    ];
    site.run(&[&add[..], &["--digest", "monthly", "--categories", "urology"]].concat())
        .expect_code(0);
    let before = shown(&site, "ann@readers.net");
    site.write(
        "subscribed_a.csv",
        "Email Address,First Name,TAGS,OPTIN_TIME\nANN@readers.net,Anna,vip,2024-01-01 00:00:00\n",
    );
    let file = site.path("subscribed_a.csv");
    let import = [
        "subscribers",
        "import",
        file.to_str().unwrap(),
        "--from",
        "mailchimp",
        "--json",
    ];
    let said = site.run(&import).expect_code(0).json();
    assert_eq!(number(&said["total"], "unchanged"), 1);
    assert_eq!(shown(&site, "ann@readers.net"), before);
    // What is named for it, it has.
    let named = [
        "--map",
        "TAGS=categories",
        "--category",
        "VIP=oncology",
        "--digest",
        "weekly",
    ];
    let said = site
        .run(&[&import[..], &named[..]].concat())
        .expect_code(0)
        .json();
    assert_eq!(number(&said["total"], "updated"), 1);
    let now = shown(&site, "ann@readers.net");
    assert!(
        now.starts_with("Anna|confirmed|monthly+weekly|oncology|"),
        "{now}"
    );
}

/// Runs `subscribers import NAME` with `options` on a file that holds `text`.
fn refused(name: &str, text: &str, options: &[&str], code: i32) -> String {
    let site = Site::new();
    site.write(name, text);
    let file = site.path(name);
    let said = site
        .run(&[&["subscribers", "import", file.to_str().unwrap()], options].concat())
        .expect_code(code);
    assert!(!said.err.contains("ann@readers.net"), "{said:?}");
    said.err.replace(&format!("{}: ", file.display()), "")
}

#[test]
fn what_a_file_does_not_say_is_asked_for() {
    let mailchimp = "Email Address,OPTIN_TIME\nann@readers.net,\n";
    let listmonk =
        "uuid,email,name,attributes,status,created_at,updated_at\n1,ann@readers.net,A,{},enabled,,\n";
    let substack = "email,active_subscription,email_disabled,created_at\nann@readers.net,false,false,\n";
    for (name, text, options, code, said) in [
        (
            "a.csv",
            mailchimp,
            &["--from", "mailchimp"][..],
            2,
            "the file's name does not say how its readers stand",
        ),
        (
            "unsubscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--as", "confirmed"],
            2,
            "begins with \"unsubscribed\": these readers don't become confirmed",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp"],
            1,
            "line 2: does not say when the reader agreed: add --consent-at DATE --consent-source TEXT",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--consent-at", "May"],
            2,
            "--consent-at: consent_at \"May\" is neither a date such as 2026-01-31 nor a time",
        ),
        (
            "a.csv",
            listmonk,
            &["--from", "listmonk"],
            2,
            "hint: add --as confirmed if all of them did",
        ),
        (
            "a.csv",
            listmonk,
            &["--from", "listmonk", "--as", "confirmed"],
            1,
            "line 2: does not say when the reader agreed: add --consent-at DATE",
        ),
        (
            "a.csv",
            listmonk,
            &["--from", "listmonk", "--as", "pending", "--digest", "News=weekly"],
            1,
            "no column holds the lists of --digest",
        ),
        (
            "a.csv",
            substack,
            &["--from", "substack"],
            2,
            "hint: add --as confirmed if all of them agreed",
        ),
        (
            "a.csv",
            "email,name\nann@readers.net,Ann\n",
            &["--from", "substack", "--as", "pending"],
            1,
            "there is no column \"email_disabled\", which says who has left; the first line has \"email\", \"name\"",
        ),
        (
            "subscribed_a.csv",
            "Mail,Name\nann@readers.net,Ann\n",
            &["--from", "mailchimp"],
            1,
            "there is no column of addresses; the first line has \"Mail\", \"Name\"",
        ),
        (
            "subscribed_a.csv",
            "Email Address;First Name\nann@readers.net;Ann\n",
            &["--from", "mailchimp"],
            1,
            "the cells are separated by semicolons, not by commas",
        ),
        (
            "subscribed_a.csv",
            "PK\u{3}\u{4}rest",
            &["--from", "mailchimp"],
            1,
            "this is a ZIP archive",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--map", "Work=email"],
            1,
            "there is no column \"Work\"; the first line has \"Email Address\", \"OPTIN_TIME\"",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--map", "Work=mail"],
            2,
            "there is no field \"mail\"",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--category", "VIP=urology"],
            2,
            "no column holds the values of --category",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &[
                "--from",
                "mailchimp",
                "--map",
                "OPTIN_TIME=categories",
                "--category",
                "VIP=cardiology",
            ],
            2,
            "there is no category \"cardiology\"",
        ),
        (
            "subscribed_a.csv",
            mailchimp,
            &["--from", "mailchimp", "--digest", "daily"],
            2,
            "there is no digest \"daily\"",
        ),
        ("a.csv", mailchimp, &["--as", "confirmed"], 2, "--from <PROGRAM>"),
        (
            "a.csv",
            mailchimp,
            &["--from", "mailchimp", "--as", "paused"],
            2,
            "possible values",
        ),
    ] {
        let err = refused(name, text, options, code);
        assert!(err.contains(said), "{options:?}: {err}");
    }
}
