//! Looking for an address in texts that are not ours: nobody waits for it, and nothing slips through.

use crate::database::Database;
use crate::links::addressing;
use crate::seed::{NOW, address, reader, readers};
use postrider::store::spellings::Spellings;
use postrider::store::{Opening, Store};
use postrider::subscriptions::erase;
use sqlx::{AnyConnection, AssertSqlSafe, Executor};
use std::time::Duration;

crate::on_both! {
    a_writer_commits_within_the_look, every_table_is_looked_through_and_only_what_names_them_goes,
    what_is_said_between_look_and_change_goes_too, what_fails_in_between_loses_nothing,
}

const ADDRESS: &str = "ann.b+x@readers.net";
const TEXTS: &str = "SELECT COUNT(*) FROM delivery WHERE text IS NOT NULL";

/// Whoever waits for a lock in it gives up soon.
async fn impatient(db: &Database) -> Store {
    let opening = Opening {
        patience: Duration::from_millis(200),
        ..Opening::with(2)
    };
    db.open_with(opening).await.unwrap()
}

/// Deliveries 1 to `count` of edition 1; each has its number in what the relay said.
async fn deliveries(db: &Database, count: i64) {
    for n in 1..=count {
        db.execute(&format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, code, text)
             VALUES (1, {n}, 1, 0, 'failed', 550, '550 {n} is not <{ADDRESS}>')"
        ))
        .await;
    }
}

async fn run(connection: &mut AnyConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

async fn a_writer_commits_within_the_look(db: Database) {
    let store = impatient(&db).await;
    deliveries(&db, 3).await;
    let begin = if db.url.starts_with("sqlite") {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    };
    let mut writer = db.connect().await;
    let spellings = Spellings::of_person([ADDRESS]);
    let mut look = store.look_for(&spellings);
    let mut pieces = Vec::new();
    for n in 0.. {
        // It has the lock while the piece is read, and commits before the look is over.
        run(&mut writer, begin).await;
        let said = format!("UPDATE delivery SET text = '550 {n} <{ADDRESS}>' WHERE subscriber_id = 2");
        run(&mut writer, &said).await;
        let piece = look.next_piece().await.unwrap();
        run(&mut writer, "COMMIT").await;
        match piece {
            Some(piece) => pieces.push(piece),
            None => break,
        }
    }
    let found: Vec<usize> = pieces.iter().map(Vec::len).collect();
    assert_eq!(found, [3, 0, 0, 0]);
    // What was said since then is not what was found.
    store.take_away(&pieces[0]).await.unwrap();
    assert_eq!(db.number(TEXTS).await, 1);
    assert_eq!(store.scrub(&spellings).await.unwrap(), 1);
    assert_eq!(db.number(TEXTS).await, 0);
}

async fn every_table_is_looked_through_and_only_what_names_them_goes(db: Database) {
    let store = db.open().await;
    let notice = "INSERT INTO notice (kind, address, address_hash, data, created, expires, state, text)
         VALUES ('contact', 'admin@example.org', 'hash',";
    for sql in [
        format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, text)
             VALUES (1, 1, 1, 0, 'failed', 'for ANN.b%2Bx%40readers%2Enet'),
                 (1, 2, 1, 0, 'failed', 'ann b x at readers dot net'), (9, 1, 1, 0, 'sent', '{ADDRESS}'),
                 (9, 2, 1, 0, 'excluded', 'unsubscribed')"
        ),
        format!("{notice} '{{\"from\":\"{ADDRESS}\"}}', 1, 1, 'sent', NULL)"),
        format!("{notice} '{{\"from\":\"jo{ADDRESS}\"}}', 1, 1, 'sent', '250 {ADDRESS}')"),
        format!("{notice} '{{\"from\":\"jo@readers.net\"}}', 1, 1, 'sent', '250 jo@readers.net')"),
        format!(
            "INSERT INTO edition (digest, state, regular, created, trouble)
             VALUES ('weekly', 'paused', 1, 1, '{ADDRESS} was refused'), ('weekly', 'paused', 1, 1, 'too many')"
        ),
        format!(
            "INSERT INTO relay_state (relay, node, state, since, failures, why, connections, seen)
             VALUES ('main', 'one', 'open', 1, 1, '<{ADDRESS}>', 0, 1),
                 ('main', 'two', 'open', 1, 1, 'no room', 0, 1)"
        ),
    ] {
        db.execute(&sql).await;
    }
    let spellings = Spellings::of_person([ADDRESS]);
    assert_eq!(store.scrub(&spellings).await.unwrap(), 6);
    for (left, count) in [
        (TEXTS, 2),
        ("SELECT COUNT(*) FROM notice", 2),
        ("SELECT COUNT(*) FROM notice WHERE text IS NOT NULL", 1),
        ("SELECT COUNT(*) FROM edition WHERE trouble = 'too many'", 1),
        ("SELECT COUNT(*) FROM edition WHERE trouble IS NOT NULL", 1),
        ("SELECT COUNT(*) FROM relay_state WHERE why = 'no room'", 1),
        ("SELECT COUNT(*) FROM relay_state WHERE why IS NOT NULL", 1),
    ] {
        assert_eq!(db.number(left).await, count, "{left}");
    }
    assert_eq!(store.scrub(&spellings).await.unwrap(), 0);
}

/// Has `sql` run within the transaction that deletes a subscriber.
async fn at_deletion(db: &Database, sql: &str) {
    let sql = if db.url.starts_with("sqlite") {
        format!("CREATE TRIGGER late BEFORE DELETE ON subscriber BEGIN {sql}; END")
    } else {
        format!("CREATE RULE late AS ON DELETE TO subscriber DO ALSO {sql}")
    };
    db.execute(&sql).await;
}

/// A reader, somebody whose mail server names them, and what was said of either.
async fn two_readers(db: &Database) -> (Store, erase::Traces) {
    let store = db.open().await;
    let line = format!("{ADDRESS},Ann,weekly,,confirmed");
    readers(&store, &[&line, "b@readers.net,,weekly,,confirmed"]).await;
    let (ann, bob) = (
        reader(&store, ADDRESS).await.id,
        reader(&store, "b@readers.net").await.id,
    );
    db.execute(&format!(
        "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, text)
         VALUES (1, {ann}, 1, 0, 'failed', '550 no such user'), (1, {bob}, 1, 0, 'failed', '<{ADDRESS}>'),
             (2, {bob}, 1, 0, 'failed', '550 no such user')"
    ))
    .await;
    let traces = erase::traces(&store, &address(ADDRESS), &addressing())
        .await
        .unwrap();
    (store, traces)
}

async fn what_is_said_between_look_and_change_goes_too(db: Database) {
    let (store, traces) = two_readers(&db).await;
    at_deletion(
        &db,
        &format!("UPDATE delivery SET text = '550 <{ADDRESS}>, again' WHERE edition_id = 2"),
    )
    .await;
    assert!(erase::erase(&store, &traces, NOW).await.unwrap());
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 1);
    // What was said of their own went whether it names them or not.
    assert_eq!(db.number(TEXTS).await, 0);
}

async fn what_fails_in_between_loses_nothing(db: Database) {
    let (store, traces) = two_readers(&db).await;
    at_deletion(
        &db,
        "INSERT INTO lease (name, owner, until) VALUES ('late', NULL, 1)",
    )
    .await;
    assert!(erase::erase(&store, &traces, NOW).await.is_err());
    // Of the texts of others only this call knew; everything else is found again by the reader.
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 2);
    let named = "SELECT COUNT(*) FROM delivery WHERE text LIKE '%readers%'";
    assert_eq!(db.number(named).await, 0);
    assert_eq!(store.sweep_due().await.unwrap(), None);
}
