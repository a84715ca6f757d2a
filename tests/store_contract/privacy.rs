//! What is kept about readers: all of it is handed out, and all of it is named in docs/privacy.md.

use crate::database::Database;
use crate::links::{addressing, sign_up, wish};
use crate::seed::{NOW, address, reader, readers, suppress};
use postrider::domain::subscriber::Suppression;
use postrider::subscriptions::{erase, sign_up as sign_ups};
use serde_json::Value;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

crate::on_both! { all_that_is_kept_is_handed_out, every_table_is_accounted_for_in_the_docs }

const ADDRESS: &str = "ann.b@readers.net";

/// Every table with its columns.
async fn schema(db: &Database) -> BTreeMap<String, BTreeSet<String>> {
    let sql = if db.url.starts_with("sqlite") {
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
    } else {
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
         WHERE table_schema = 'public'"
    };
    let mut connection = db.connect().await;
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in sqlx::query(sql).fetch_all(&mut connection).await.unwrap() {
        tables.entry(row.get(0)).or_default().insert(row.get(1));
    }
    assert!(tables.len() > 20, "{tables:?}");
    tables
}

/// Tables about single readers: the part of the answer, and the columns that need not stand in it.
const HANDED_OUT: [(&str, &str, &[&str]); 13] = [
    ("subscriber", "subscriber", &[]),
    // The number of the reader, or of the row's reader, which the part `subscriber` gives.
    ("subscription", "subscriptions", &["subscriber_id"]),
    ("reader_event", "events", &["subscriber_id"]),
    ("delivery", "deliveries", &["subscriber_id"]),
    ("notice", "notices", &["subscriber_id"]),
    ("sign_up", "sign_ups", &["subscriber_id"]),
    // Who asked for this address is none of its owner's business.
    ("sign_up_request", "requests", &["subscriber_id"]),
    ("address_change", "address_changes", &["subscriber_id"]),
    // Another reader, who is none of their business.
    ("address_refusal", "refusals", &["subscriber_id"]),
    ("former_address", "former_addresses", &["subscriber_id"]),
    ("suppression", "suppression", &[]),
    ("refused_mailbox", "refused_mailbox", &[]),
    ("address_turn", "turn", &[]),
];

async fn all_that_is_kept_is_handed_out(db: Database) {
    let store = db.open().await;
    readers(&store, &[&format!("{ADDRESS},Ann,weekly,,confirmed")]).await;
    let id = reader(&store, ADDRESS).await.id;
    let hash = addressing().known(&address(ADDRESS)).hash;
    suppress(&store, &hash, Suppression::Unsubscribed).await;
    sign_up(&store, ADDRESS, NOW).await;
    sign_ups::request(&store, &wish(ADDRESS), &addressing(), NOW)
        .await
        .unwrap();
    for sql in [
        format!("INSERT INTO reader_event (subscriber_id, at, what, way) VALUES ({id}, 5, 'paused', 'link')"),
        format!(
            "INSERT INTO sign_up (subscriber_id, digests, categories, text_only, wording, way, created, expires)
             VALUES ({id}, 'weekly', '', 0, 'yes', 'form', 5, 6)"
        ),
        format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state)
             VALUES (1, {id}, 1, 0, 'sent')"
        ),
        format!(
            "INSERT INTO notice (kind, subscriber_id, address_hash, data, created, expires, state)
             VALUES ('welcome', {id}, '{hash}', '{{}}', 1, 1, 'sent')"
        ),
        "INSERT INTO notice (kind, address_hash, data, created, expires, state)
         VALUES ('contact', 'other', '{\"from\":\"Ann.B@readers.net\",\"text\":\"Hello\"}', 1, 1, 'waiting')"
            .to_owned(),
        format!(
            "INSERT INTO address_change (subscriber_id, address, address_hash, created, expires)
             VALUES ({id}, 'x@readers.net', 'x', 1, 1)"
        ),
        format!("INSERT INTO refused_mailbox (mailbox_hash, created) VALUES ('{hash}', 1)"),
        format!("INSERT INTO former_address (subscriber_id, address_hash, given_up) VALUES ({id}, 'old', 1)"),
        format!("INSERT INTO address_refusal (subscriber_id, mailbox_hash, refused) VALUES ({id}, '{hash}', 1)"),
        // What became of what others were asked is theirs alone.
        format!("INSERT INTO address_refusal (subscriber_id, mailbox_hash, refused) VALUES ({id}, 'other', 1)"),
        format!(
            "INSERT INTO notice (kind, subscriber_id, address_hash, data, created, expires, state)
             VALUES ('new_address', {id}, 'other', '{{}}', 1, 1, 'failed')"
        ),
        "INSERT INTO notice (kind, address_hash, data, created, expires, state)
         VALUES ('contact', 'other', '{\"from\":\"nann.b@readers.net\"}', 1, 1, 'waiting')"
            .to_owned(),
    ] {
        db.execute(&sql).await;
    }
    let data = erase::data_by_address(&store, &address(ADDRESS), &addressing())
        .await
        .unwrap();
    let schema = schema(&db).await;
    for (table, part, left_out) in HANDED_OUT {
        let object = match &data[part] {
            Value::Array(rows) => rows.first(),
            one => Some(one),
        };
        let object = object.and_then(Value::as_object);
        let object = object.unwrap_or_else(|| panic!("nothing in {part}: {data:#}"));
        for column in &schema[table] {
            let named = object.contains_key(column) != left_out.contains(&column.as_str());
            assert!(named, "{table}.{column}");
        }
    }
    assert_eq!(data["notices"].as_array().unwrap().len(), 3, "{data:#}");
    assert_eq!(data["refusals"].as_array().unwrap().len(), 1, "{data:#}");
    assert_eq!(data["subscriber"]["address"], ADDRESS);
    // Whatever else names a reader by number or address is in the list above.
    for (table, columns) in &schema {
        let about = [
            "subscriber_id",
            "address",
            "address_key",
            "address_hash",
            "mailbox_hash",
        ];
        let is_about = columns.iter().any(|column| about.contains(&column.as_str()));
        let is_known =
            HANDED_OUT.iter().any(|(known, ..)| known == table) || NOT_OF_READERS.contains(&table.as_str());
        assert!(!is_about || is_known, "{table} is not handed out");
    }
}

/// Tables whose addresses are not readers': pages that are fetched, and admins.
const NOT_OF_READERS: [&str; 3] = ["fetch_state", "sign_in", "admin_session"];

/// Tables that hold nothing of persons, with the reason.
const IMPERSONAL: [(&str, &str); 26] = [
    ("_sqlx_migrations", "the schema's versions"),
    ("lease", "which process does what"),
    ("summary", "what is published"),
    ("summary_category", "what is published"),
    ("summary_source", "where it was found"),
    ("fetch_state", "where it was found"),
    ("edition", "one issue, with counts"),
    ("edition_item", "what it holds"),
    ("batch_exclusion", "counts"),
    ("edition_exclusion", "counts"),
    ("digest_item", "what a digest has carried"),
    ("segment", "numbers"),
    ("segment_item", "which summaries went together"),
    ("segment_key", "which choices occur, without who made them"),
    ("batch", "counts"),
    ("list_file", "names and hashes of files"),
    ("schedule_run", "times of runs"),
    ("api_token", "names that operators give to programs"),
    ("digest_number", "numbers of digests"),
    ("counter", "counts"),
    ("setting", "values of the program"),
    ("feed_state", "times of feeds"),
    ("relay_rate", "times of relays"),
    ("relay_hour", "counts of relays"),
    ("vote", "counts"),
    ("sweep", "times and a count"),
];

async fn every_table_is_accounted_for_in_the_docs(db: Database) {
    db.open().await;
    let page = include_str!("../../docs/privacy.md");
    let mut named = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let table = cells
            .iter()
            .find_map(|cell| cell.split("table `").nth(1)?.split('`').next());
        if let Some(table) = table {
            assert!(
                cells.len() == 4 && cells.iter().all(|cell| !cell.trim().is_empty()),
                "{row}"
            );
            named.insert(table.to_owned());
        }
    }
    let schema = schema(&db).await;
    for table in &named {
        assert!(
            schema.contains_key(table),
            "docs/privacy.md names {table}, which does not exist"
        );
    }
    for (table, columns) in &schema {
        let is_impersonal = IMPERSONAL.iter().any(|(known, _)| known == table);
        assert!(
            named.contains(table) != is_impersonal,
            "docs/privacy.md and the list of tables that hold nothing personal: {table}"
        );
        let personal = [
            "subscriber_id",
            "address_hash",
            "mailbox_hash",
            "network",
            "address_key",
        ];
        let is_personal = columns.iter().any(|column| personal.contains(&column.as_str()));
        assert!(!(is_impersonal && is_personal), "{table} is personal");
    }
}
