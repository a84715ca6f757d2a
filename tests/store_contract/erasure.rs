//! Being forgotten: nothing stays, not even in the bytes of the file.

use crate::database::Database;
use crate::links::{addressing, link, preferences_link, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use postrider::domain::subscriber::{State, Suppression};
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{account, erase, preferences, sign_up as sign_ups};
use std::path::Path;

crate::on_both! {
    nothing_of_a_reader_stays, an_address_without_a_reader_is_forgotten_too,
}

const ADDRESS: &str = "Ann.B+x@Readers.net";

/// Where a spelling of the address stands in the files of a SQLite database.
fn found(db: &Database) -> Vec<String> {
    let Some(path) = db.url.strip_prefix("sqlite:") else {
        return Vec::new();
    };
    let lower = ADDRESS.to_lowercase();
    let mut forms: Vec<String> = [ADDRESS, &lower]
        .into_iter()
        .flat_map(|form| {
            let percent = form.replace('+', "%2B").replace('@', "%40");
            [
                form.to_owned(),
                form.replace('@', "%40"),
                percent.to_lowercase(),
                percent,
                STANDARD.encode(form),
                STANDARD_NO_PAD.encode(form),
            ]
        })
        .collect();
    // Within a longer text, base64 begins at any of three places.
    for lead in ["x", "xx"] {
        let whole = STANDARD.encode(format!("{lead}{lower}"));
        forms.push(whole[4..whole.len() - 4].to_owned());
    }
    let folder = Path::new(path).parent().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        for form in &forms {
            if bytes.windows(form.len()).any(|window| window == form.as_bytes()) {
                found.push(format!("{form} in {}", file.display()));
            }
        }
    }
    found
}

async fn nothing_of_a_reader_stays(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            &format!("{ADDRESS},Ann,weekly,,confirmed"),
            "b@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let key = ADDRESS.to_lowercase();
    let id = reader(&store, &key).await.id;
    let bob = reader(&store, "b@readers.net").await;
    sign_up(&store, ADDRESS, NOW).await;
    let token = preferences_link(&store, id).await;
    preferences::pause(&store, &signer(), &token, at(86_400), NOW)
        .await
        .unwrap();
    account::request_link(&store, &signer(), &token, NOW)
        .await
        .unwrap();
    let fresh = link(Purpose::Account, id);
    account::request_address(
        &store,
        &signer(),
        &fresh,
        &address("other@readers.net"),
        &addressing(),
        NOW,
    )
    .await
    .unwrap();
    sign_ups::request(&store, &wish(ADDRESS), &addressing(), NOW)
        .await
        .unwrap();
    let bob_id = bob.id;
    for sql in [
        format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, code, text)
             VALUES (1, {id}, 1, 0, 'failed', 550, '550 <{ADDRESS}> unknown'),
                 (1, {bob_id}, 1, 0, 'failed', 550, 'see https://relay.example.org/?who=ann.b%2Bx%40readers.net'),
                 (2, {id}, 1, 0, 'excluded', NULL, 'erased'), (2, {bob_id}, 1, 0, 'sent', 250, 'queued')"
        ),
        format!("UPDATE notice SET text = 'for {key}'"),
        format!(
            "INSERT INTO edition (digest, state, regular, created, trouble)
             VALUES ('weekly', 'paused', 1, 1, '{key} was refused')"
        ),
        format!(
            "INSERT INTO relay_state (relay, node, state, since, failures, why, connections, seen)
             VALUES ('main', 'one', 'open', 1, 1, '{ADDRESS} was refused', 0, 1)"
        ),
    ] {
        db.execute(&sql).await;
    }
    assert!(!db.url.starts_with("sqlite") || !found(&db).is_empty());
    let erased = account::erase(&store, &signer(), &fresh, at(1)).await.unwrap();
    assert_eq!(erased, Opened::Good(()));
    assert_eq!(found(&db), Vec::<String>::new());
    for table in [
        "sign_up_request",
        "sign_up",
        "address_change",
        "address_turn",
        "notice",
    ] {
        let left = db.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        // The turn of the other address is a hash that time tidies away.
        assert_eq!(left, i64::from(table == "address_turn"), "{table}");
    }
    for sql in [
        format!("SELECT COUNT(*) FROM subscription WHERE subscriber_id = {id}"),
        format!("SELECT COUNT(*) FROM reader_event WHERE subscriber_id = {id}"),
        "SELECT COUNT(*) FROM delivery WHERE text LIKE '%readers%'".to_owned(),
        "SELECT COUNT(*) FROM edition WHERE trouble IS NOT NULL".to_owned(),
        "SELECT COUNT(*) FROM relay_state WHERE why IS NOT NULL".to_owned(),
    ] {
        assert_eq!(db.number(&sql).await, 0, "{sql}");
    }
    // The accounts still add up.
    assert_eq!(db.number("SELECT COUNT(*) FROM delivery").await, 4);
    let kept = "SELECT COUNT(*) FROM delivery WHERE text IN ('erased', 'queued')";
    assert_eq!(db.number(kept).await, 2);
    assert_eq!(reader(&store, "b@readers.net").await, bob);
    let hash = addressing().known(&address(ADDRESS)).hash;
    assert_eq!(store.suppression(&hash).await.unwrap(), Some(Suppression::Erased));
    let again = account::erase(&store, &signer(), &fresh, at(2)).await.unwrap();
    assert_eq!(again, Opened::Gone);
    let line = format!("{ADDRESS},,weekly,,confirmed");
    assert_eq!(readers(&store, &[&line]).await.added, 0);
    sign_up(&store, ADDRESS, at(3)).await;
    assert_eq!(reader(&store, &key).await.state, State::Pending);
}

async fn an_address_without_a_reader_is_forgotten_too(db: Database) {
    let store = db.open().await;
    sign_ups::request(&store, &wish(ADDRESS), &addressing(), NOW)
        .await
        .unwrap();
    db.execute(&format!(
        "INSERT INTO notice (kind, address, address_hash, data, created, expires, state)
         VALUES ('contact', 'admin@example.org', 'hash', '{{\"from\":\"{ADDRESS}\"}}', 1, 1, 'sent')"
    ))
    .await;
    for _ in 0..2 {
        let was_there = erase::forget(&store, &address(ADDRESS), &addressing(), NOW)
            .await
            .unwrap();
        assert!(!was_there);
        assert_eq!(found(&db), Vec::<String>::new());
        assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
        assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 0);
    }
    let missing = erase::data(&store, &address(ADDRESS), &addressing()).await;
    assert!(missing.is_err_and(|problem| !problem.to_string().contains("Ann.B")));
}
