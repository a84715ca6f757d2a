//! Being forgotten: nothing stays, not even in the bytes of the file.

use crate::database::Database;
use crate::links::{addressing, ask_for, link, preferences_link, sign_up, signer, wish};
use crate::seed::{NOW, address, at, reader, readers};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use postrider::domain::Timestamp;
use postrider::domain::subscriber::{State, Suppression};
use postrider::store::Store;
use postrider::subscriptions::erase::Traces;
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::token::Purpose;
use postrider::subscriptions::{account, confirm, erase, preferences, sign_up as sign_ups, sweep};
use std::path::Path;

crate::on_both! {
    nothing_of_a_reader_stays, an_address_without_a_reader_is_forgotten_too,
    an_address_that_was_given_up_goes_with_its_reader, whoever_signs_up_meanwhile_is_erased,
    a_stranger_who_was_asked_can_still_refuse, an_address_that_somebody_else_has_now_is_left_to_them,
}

pub const ADDRESS: &str = "Ann.B+x@Readers.net";

/// Where a spelling of the address stands in the files of a SQLite database.
pub fn found(db: &Database) -> Vec<String> {
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

/// Erases, and sweeps at once: whether there was a subscriber.
async fn forget(store: &Store, traces: &Traces, now: Timestamp) -> bool {
    let was_there = erase::erase(store, traces, now).await.unwrap();
    sweep::at_once(store, now).await.unwrap();
    was_there
}

/// Who asked for a stranger's address, and goes, does not take along what protects the stranger.
async fn a_stranger_who_was_asked_can_still_refuse(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    ask_for(&store, id, "stranger@readers.net", NOW).await;
    let mail = db
        .number("SELECT id FROM notice WHERE kind = 'new_address'")
        .await;
    let traces = erase::traces(&store, &address("a@readers.net"), &addressing())
        .await
        .unwrap();
    assert!(forget(&store, &traces, at(1)).await);
    let left = "SELECT COUNT(*) FROM notice WHERE subscriber_id IS NULL AND address IS NULL AND data = '{}'
        AND text IS NULL AND next_attempt IS NULL AND state = 'excluded'";
    assert_eq!(
        (
            db.number(left).await,
            db.number("SELECT COUNT(*) FROM notice").await
        ),
        (1, 1)
    );
    // Another reader's wish is within the ten minutes of the first.
    readers(&store, &["b@readers.net,,weekly,,confirmed"]).await;
    ask_for(
        &store,
        reader(&store, "b@readers.net").await.id,
        "stranger@readers.net",
        at(60),
    )
    .await;
    assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 1);
    let token = signer().short_lived_token(Purpose::Refuse, mail, at(600));
    let refused = confirm::refuse(&store, &signer(), &token, at(61)).await.unwrap();
    assert!(refused.good().is_some_and(|refusal| refusal.new_address));
    assert_eq!(db.number("SELECT COUNT(*) FROM refused_mailbox").await, 1);
}

async fn whoever_signs_up_meanwhile_is_erased(db: Database) {
    let store = db.open().await;
    let ann = "ann@readers.net";
    let traces = erase::traces(&store, &address(ann), &addressing()).await.unwrap();
    sign_up(&store, ann, NOW).await;
    assert!(forget(&store, &traces, at(1)).await);
    assert_eq!(db.number("SELECT COUNT(*) FROM subscriber").await, 0);
    // No list brings back whoever moves meanwhile, by neither address.
    readers(&store, &["bob@readers.net,,weekly,,confirmed"]).await;
    let traces = erase::traces(&store, &address("bob@readers.net"), &addressing())
        .await
        .unwrap();
    let hash = addressing().known(&address("robert@readers.net")).hash;
    db.execute(&format!(
        "UPDATE subscriber SET address = 'robert@readers.net', address_key = 'robert@readers.net',
             address_hash = '{hash}'"
    ))
    .await;
    assert!(forget(&store, &traces, at(2)).await);
    for who in ["bob@readers.net", "robert@readers.net"] {
        let hash = addressing().known(&address(who)).hash;
        assert_eq!(
            store.suppression(&hash).await.unwrap(),
            Some(Suppression::Erased),
            "{who}"
        );
    }
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
    ask_for(&store, id, "other@readers.net", NOW).await;
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
    let traces = account::traces(&store, &signer(), &fresh, &addressing(), at(1))
        .await
        .unwrap();
    let traces = traces.good().unwrap();
    assert!(forget(&store, &traces, at(1)).await);
    assert_eq!(found(&db), Vec::<String>::new());
    for table in ["sign_up_request", "sign_up", "address_change", "address_turn"] {
        let left = db.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        // The turn of the other address is a hash that time tidies away.
        assert_eq!(left, i64::from(table == "address_turn"), "{table}");
    }
    // The mail to the other address, which nobody is named in any more.
    let kept = "SELECT COUNT(*) FROM notice WHERE kind = 'new_address' AND subscriber_id IS NULL
        AND address IS NULL AND data = '{}' AND text IS NULL";
    assert_eq!(db.number(kept).await, 1);
    for sql in [
        "SELECT COUNT(*) FROM notice WHERE kind <> 'new_address'".to_owned(),
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
    let again = account::traces(&store, &signer(), &fresh, &addressing(), at(2))
        .await
        .unwrap();
    assert!(matches!(again, Opened::Gone));
    assert!(!forget(&store, &traces, at(2)).await);
    let line = format!("{ADDRESS},,weekly,,confirmed");
    assert_eq!(readers(&store, &[&line]).await.added, 0);
    sign_up(&store, ADDRESS, at(3)).await;
    assert_eq!(reader(&store, &key).await.state, State::Pending);
}

async fn an_address_without_a_reader_is_forgotten_too(db: Database) {
    let store = db.open().await;
    let missing = erase::data_by_address(&store, &address(ADDRESS), &addressing()).await;
    assert!(missing.is_err_and(|problem| !problem.to_string().contains("Ann.B")));
    sign_ups::request(&store, &wish(ADDRESS), &addressing(), NOW)
        .await
        .unwrap();
    db.execute(&format!(
        "INSERT INTO notice (kind, address, address_hash, data, created, expires, state)
         VALUES ('contact', 'admin@example.org', 'hash', '{{\"from\":\"{ADDRESS}\"}}', 1, 1, 'sent')"
    ))
    .await;
    let asked = erase::data_by_address(&store, &address(ADDRESS), &addressing()).await;
    let asked = asked.unwrap();
    assert_eq!(asked["requests"][0]["address"], "Ann.B+x@readers.net");
    assert_eq!(asked["notices"][0]["kind"], "contact");
    for _ in 0..2 {
        let traces = erase::traces(&store, &address(ADDRESS), &addressing())
            .await
            .unwrap();
        assert!(!forget(&store, &traces, NOW).await);
        assert_eq!(found(&db), Vec::<String>::new());
        assert_eq!(db.number("SELECT COUNT(*) FROM sign_up_request").await, 0);
        assert_eq!(db.number("SELECT COUNT(*) FROM notice").await, 0);
    }
    let left = erase::data_by_address(&store, &address(ADDRESS), &addressing())
        .await
        .unwrap();
    assert_eq!(left["suppression"]["reason"], "erased", "{left}");
}

async fn an_address_that_was_given_up_goes_with_its_reader(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            &format!("{ADDRESS},Ann,weekly,,confirmed"),
            "b@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let id = reader(&store, ADDRESS).await.id;
    let bob = reader(&store, "b@readers.net").await.id;
    db.execute(&format!(
        "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state, code, text)
         VALUES (1, {id}, 1, 0, 'failed', 550, '<{ADDRESS}> is full'),
             (1, {bob}, 1, 0, 'failed', 550, 'as ann.b%2Bx%40readers.net')"
    ))
    .await;
    let new = address("new@readers.net");
    ask_for(&store, id, "new@readers.net", NOW).await;
    let change = db.number("SELECT MAX(id) FROM address_change").await;
    let confirm = link(Purpose::NewAddress, change);
    let done = account::confirm_address(&store, &signer(), &confirm, &addressing(), NOW).await;
    assert_eq!(done.unwrap(), Opened::Good(account::AddressChange::Changed));
    // What relays said of it goes at once; the mail that tells the old address of the change waits.
    let texts = "SELECT COUNT(*) FROM delivery WHERE text IS NOT NULL";
    assert_eq!(db.number(texts).await, 0);
    let waits = "SELECT COUNT(*) FROM notice WHERE kind = 'address_changed' AND address IS NOT NULL";
    assert_eq!(db.number(waits).await, 1);
    let traces = erase::traces(&store, &new, &addressing()).await.unwrap();
    for theirs in [ADDRESS, "new@readers.net"] {
        assert!(traces.is_theirs(&address(theirs), &addressing()), "{theirs}");
    }
    assert!(!traces.is_theirs(&address("b@readers.net"), &addressing()));
    assert!(forget(&store, &traces, at(1)).await);
    assert_eq!(found(&db), Vec::<String>::new());
    assert_eq!(db.number("SELECT COUNT(*) FROM former_address").await, 0);
    let line = format!("{ADDRESS},,weekly,,confirmed");
    assert_eq!(
        readers(&store, &[&line]).await.added,
        0,
        "nor does a list bring it back"
    );
}

async fn an_address_that_somebody_else_has_now_is_left_to_them(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "old@readers.net,,weekly,,confirmed",
            "other@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let old = reader(&store, "old@readers.net").await;
    let other = reader(&store, "other@readers.net").await;
    let mut change = store.begin_change(NOW).await.unwrap();
    change
        .give_up_address(other.id, "old@readers.net", &old.address_hash)
        .await
        .unwrap();
    change.commit().await.unwrap();
    let traces = erase::traces(&store, &address("other@readers.net"), &addressing())
        .await
        .unwrap();
    assert!(!traces.is_theirs(&address("old@readers.net"), &addressing()));
    assert!(forget(&store, &traces, NOW).await);
    assert_eq!(store.suppression(&old.address_hash).await.unwrap(), None);
    assert_eq!(reader(&store, "old@readers.net").await, old);
}
