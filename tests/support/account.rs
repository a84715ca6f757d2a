//! What a command says as JSON; every account in it must add up.

use crate::database::Database;
use crate::site::{Said, Site};
use serde_json::Value;
use std::collections::BTreeMap;

/// A site whose commands use this database.
pub fn site_on(database: &Database) -> Site {
    let mut site = Site::new();
    site.environment
        .push(("POSTRIDER_DATABASE".to_owned(), database.url.clone()));
    site
}

/// Runs a command with `--json`: one document, the exit code as given, and accounts that add up.
pub fn json(site: &Site, arguments: &[&str], code: i32) -> Value {
    document(site.run(&[arguments, &["--json"]].concat()), code)
}

/// The one document that a command said.
pub fn document(said: Said, code: i32) -> Value {
    let said = said.expect_code(code);
    let value = said.json();
    check_accounts(&value);
    value
}

/// `publish`, which ends with `code`.
pub fn publish(site: &Site, code: i32) -> Value {
    json(site, &["publish"], code)
}

/// The only edition that a publish or send was about.
pub fn only_edition(said: &Value) -> Value {
    let editions = said["editions"].as_array().unwrap();
    assert_eq!(editions.len(), 1, "{said:#}");
    editions[0].clone()
}

/// The account of edition `number` with its deliveries.
pub fn edition(site: &Site, number: i64) -> Value {
    json(
        site,
        &["editions", "show", &number.to_string(), "--deliveries"],
        0,
    )
}

/// Sent, waiting, failed and excluded of an edition.
pub fn counts(edition: &Value) -> [i64; 4] {
    ["sent", "waiting", "failed", "excluded"].map(|key| edition[key].as_i64().unwrap())
}

/// The texts of a list in JSON.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// The delivery to `address`.
pub fn delivery<'a>(edition: &'a Value, address: &str) -> &'a Value {
    let deliveries = edition["deliveries"].as_array().unwrap();
    deliveries
        .iter()
        .find(|delivery| delivery["address"] == address)
        .unwrap_or_else(|| panic!("no delivery to {address}: {edition:#}"))
}

/// Fails the test unless every account within `value` adds up.
pub fn check_accounts(value: &Value) {
    match value {
        Value::Array(values) => values.iter().for_each(check_accounts),
        Value::Object(fields) => {
            if fields.contains_key("audience") {
                check_account(value);
            }
            fields.values().for_each(check_accounts);
        }
        _ => {}
    }
}

fn check_account(edition: &Value) {
    let [sent, waiting, failed, excluded] = counts(edition);
    assert_eq!(
        edition["audience"],
        sent + waiting + failed + excluded,
        "{edition:#}"
    );
    let reasons = edition["excluded_by"].as_object().unwrap();
    let by_reason: i64 = reasons.values().map(|count| count.as_i64().unwrap()).sum();
    assert_eq!(by_reason, excluded, "{edition:#}");
    assert!(
        edition["id"].is_i64() && edition["digest"].is_string(),
        "{edition:#}"
    );
    let state = edition["state"].as_str().unwrap();
    let states = [
        "draft",
        "planned",
        "sending",
        "waiting",
        "paused",
        "finished",
        "cancelled",
    ];
    assert!(states.contains(&state), "{edition:#}");
    assert_eq!(
        waiting == 0 && !matches!(state, "draft" | "cancelled"),
        state == "finished",
        "{edition:#}"
    );
    assert!(edition["held"].as_i64().unwrap() <= waiting, "{edition:#}");
    // An edition whose time is over has its counts alone.
    if let Some(deliveries) = edition.get("deliveries").filter(|_| edition["pruned"].is_null()) {
        check_deliveries(edition, deliveries.as_array().unwrap());
    }
}

/// The rows of the ledger give the same counts; readers that were excluded at planning have no row.
fn check_deliveries(edition: &Value, deliveries: &[Value]) {
    let mut by_state: BTreeMap<&str, i64> = BTreeMap::new();
    let mut held = 0;
    for delivery in deliveries {
        let state = delivery["state"].as_str().unwrap();
        *by_state.entry(state).or_default() += 1;
        let open = matches!(state, "waiting" | "uncertain");
        let has_time = delivery["next_attempt"].is_string();
        held += i64::from(state == "uncertain" && !has_time);
        assert!(has_time == open || state == "uncertain", "{delivery:#}");
        let keys: Vec<&str> = delivery.as_object().unwrap().keys().map(String::as_str).collect();
        for key in ["address", "attempts", "code", "text", "message_id", "relay"] {
            assert!(keys.contains(&key), "{key} is missing: {delivery:#}");
        }
    }
    let count = |states: &[&str]| -> i64 { states.iter().filter_map(|state| by_state.get(state)).sum() };
    assert_eq!(
        [
            count(&["sent"]),
            count(&["waiting", "uncertain"]),
            count(&["failed", "expired"])
        ],
        [0, 1, 2].map(|n| counts(edition)[n]),
        "{edition:#}"
    );
    assert_eq!(edition["held"], held, "{edition:#}");
    assert!(count(&["excluded"]) <= counts(edition)[3], "{edition:#}");
}
