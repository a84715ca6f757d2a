//! A move of files into a site, and what must hold whatever they are.

use crate::database::Database;
use crate::exports::{Fate, Made};
use crate::site::Site;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

/// A site with the digests `weekly` and `monthly` on `db`, and a reader who left.
pub fn moved_from(db: &Database) -> Site {
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

/// A count of a report.
pub fn number(report: &Value, field: &str) -> u64 {
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
pub async fn moves_in(db: &Database, site: &Site, files: &[Made], options: &[&str]) -> Value {
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
pub fn shown(site: &Site, address: &str) -> String {
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
