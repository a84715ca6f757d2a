//! The rules of imported lists, each on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "import/asked_for.rs"]
mod asked_for;
#[path = "support/database.rs"]
mod database;
#[path = "import/exports.rs"]
mod exports;
#[path = "import/files.rs"]
mod files;
#[path = "import/moves.rs"]
mod moves;
#[path = "import/moving.rs"]
mod moving;
#[path = "support/seed.rs"]
mod seed;
#[path = "support/site.rs"]
mod site;

use database::Database;
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{State, Suppression};
use postrider::domain::{EmailAddress, LocalPartRule, Result};
use postrider::store::Store;
use postrider::subscriptions::import::{ImportReport, ImportSettings, address_hash, import};
use seed::{NOW, address, at, list, reader, readers, settings, suppress};

on_both! {
    adds_readers, imports_again_without_a_change, updates_name_digests_and_categories, states_of_readers_stay,
    a_list_ends_and_suppresses, nobody_is_resurrected, the_erased_are_not_written_down,
    a_pending_line_does_not_demote, a_confirmed_line_confirms, a_digest_that_a_reader_left_stays_left,
    spelling_is_compared_by_rule,
}

/// Imports `text`, a minute later than the readers of `seed`.
async fn take(store: &Store, text: &str, settings: &ImportSettings) -> Result<ImportReport> {
    import(store, text.as_bytes(), settings, at(60)).await
}

fn hash_of(text: &str) -> String {
    let settings = settings();
    address_hash(&address(text).key(settings.local_part), &settings.salt)
}

/// Whether `text` is kept from being mailed for `reason`.
async fn suppressed(db: &Database, text: &str, reason: &str) -> bool {
    let hash = hash_of(text);
    let sql =
        format!("SELECT COUNT(*) FROM suppression WHERE address_hash = '{hash}' AND reason = '{reason}'");
    db.number(&sql).await == 1
}

async fn adds_readers(db: Database) {
    let store = db.open().await;
    let text = "\u{FEFF}status,email,Name,digest,categories,consent_at,consent_source\r\n\
        confirmed,Ann@Readers.net,\" Ann\r\nB. \",monthly;weekly,urology;oncology,2025-01-02,form\r\n\
        \r\n,,,,,,\r\n\
        pending,bob@example.org,,,,,\r\n\
        bounced,cid@readers.net,,weekly,,,\r\n\
        unsubscribed,dee@readers.net,,,,,";
    let report = take(&store, text, &settings()).await.unwrap();
    assert_eq!(
        report,
        ImportReport {
            rows: 4,
            added: 4,
            states: [
                ("bounced", 1),
                ("confirmed", 1),
                ("pending", 1),
                ("unsubscribed", 1)
            ]
            .into(),
            ..ImportReport::default()
        }
    );
    let ann = reader(&store, "ann@readers.net").await;
    assert_eq!(ann.address.as_str(), "Ann@readers.net");
    assert_eq!(ann.name.as_deref(), Some("Ann B."));
    assert_eq!(ann.digests.join(";"), "monthly;weekly");
    assert_eq!(ann.categories.to_string(), "oncology;urology");
    assert_eq!(ann.state, State::Confirmed);
    assert_eq!(ann.consent_at.unwrap().rfc3339(), "2025-01-02T00:00:00Z");
    assert_eq!(ann.consent_source.as_deref(), Some("form"));
    assert_eq!(
        reader(&store, "bob@example.org").await.digests.join(";"),
        "weekly"
    );
    assert_eq!(reader(&store, "dee@readers.net").await.digests.join(";"), "");
    assert!(suppressed(&db, "cid@readers.net", "bounced").await);
    assert!(suppressed(&db, "dee@readers.net", "unsubscribed").await);
    assert_eq!(db.number("SELECT COUNT(*) FROM suppression").await, 2);
    assert_eq!(
        db.number("SELECT COUNT(*) FROM subscriber WHERE reserved = 1")
            .await,
        1
    );
}

async fn imports_again_without_a_change(db: Database) {
    let store = db.open().await;
    let lines = [
        "a@readers.net,Ann,weekly;monthly,oncology,confirmed",
        "b@readers.net,,,,pending",
        "c@readers.net,,,,unsubscribed",
        "d@readers.net,,weekly,,bounced",
    ];
    assert_eq!(readers(&store, &lines).await.added, 4);
    let before = files::exported(&store).await;
    let report = readers(&store, &lines).await;
    assert_eq!(
        (report.unchanged, report.added, report.updated, report.kept),
        (4, 0, 0, 0)
    );
    assert_eq!(files::exported(&store).await, before);
}

async fn updates_name_digests_and_categories(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,Ann,weekly,oncology,confirmed"]).await;
    let report = readers(&store, &["a@readers.net,Anna,monthly,urology;surgery,confirmed"]).await;
    assert_eq!((report.updated, report.unchanged), (1, 0));
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(ann.name.as_deref(), Some("Anna"));
    assert_eq!(
        (
            ann.digests.join(";").as_str(),
            ann.categories.to_string().as_str()
        ),
        ("monthly", "surgery;urology")
    );
    // A list without names takes none away, and a digest that a list ended can come back by a list.
    let report = readers(&store, &["a@readers.net,,weekly,urology;surgery,confirmed"]).await;
    assert_eq!(report.updated, 1);
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(
        (ann.name.as_deref(), ann.digests.join(";").as_str()),
        (Some("Anna"), "weekly")
    );
}

async fn states_of_readers_stay(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,,,confirmed"]).await;
    let id = reader(&store, "a@readers.net").await.id;
    store
        .end_subscription(id, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    let report = readers(&store, &["a@readers.net,Ann,weekly;monthly,,confirmed"]).await;
    assert_eq!((report.kept, report.updated), (1, 0));
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(
        (ann.state, ann.digests.join(";").as_str()),
        (State::Unsubscribed, "")
    );
    assert_eq!(ann.name.as_deref(), Some("Ann"));
    db.execute("UPDATE subscriber SET state = 'paused', cause = 'reader'")
        .await;
    assert_eq!(readers(&store, &["a@readers.net,,,,confirmed"]).await.kept, 1);
    assert_eq!(reader(&store, "a@readers.net").await.state, State::Paused);
}

async fn a_list_ends_and_suppresses(db: Database) {
    let store = db.open().await;
    let people = ["a@readers.net", "b@readers.net", "c@readers.net"];
    let lines: Vec<_> = people
        .iter()
        .map(|who| format!("{who},,weekly;monthly,,confirmed"))
        .collect();
    readers(&store, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (who, status) in people.into_iter().zip(["unsubscribed", "bounced", "complained"]) {
        let report = readers(&store, &[&format!("{who},,weekly,,{status}")]).await;
        assert_eq!((report.updated, report.kept), (1, 0), "{status}");
        assert_eq!(reader(&store, who).await.state.as_str(), status);
        assert!(suppressed(&db, who, status).await, "{status}");
    }
    assert_eq!(reader(&store, "a@readers.net").await.digests.join(";"), "");
    // A harder word replaces a softer one, never the other way round.
    readers(&store, &["a@readers.net,,,,bounced"]).await;
    assert!(suppressed(&db, "a@readers.net", "bounced").await);
    readers(&store, &["a@readers.net,,,,complained"]).await;
    assert!(suppressed(&db, "a@readers.net", "complained").await);
    assert_eq!(readers(&store, &["a@readers.net,,,,unsubscribed"]).await.kept, 1);
    assert!(suppressed(&db, "a@readers.net", "complained").await);
    assert_eq!(reader(&store, "a@readers.net").await.state, State::Complained);
}

async fn nobody_is_resurrected(db: Database) {
    let store = db.open().await;
    for status in ["unsubscribed", "bounced", "complained"] {
        let who = format!("{status}@readers.net");
        readers(&store, &[&format!("{who},,,,{status}")]).await;
        for wish in ["pending", "confirmed", "paused"] {
            let report = readers(&store, &[&format!("{who},,weekly,,{wish}")]).await;
            assert_eq!((report.kept, report.added), (1, 0), "{status} {wish}");
            assert_eq!(reader(&store, &who).await.state.as_str(), status);
            assert_eq!(
                reader(&store, &who).await.digests.join(";"),
                "",
                "{status} {wish}"
            );
        }
    }
    // A suppression counts without a row, and against one that is pending.
    for (who, reason) in [
        ("u@readers.net", Suppression::Unsubscribed),
        ("b@readers.net", Suppression::Bounced),
    ] {
        suppress(&store, &hash_of(who), reason).await;
        let report = readers(&store, &[&format!("{who},,,,confirmed")]).await;
        assert_eq!(report.refused.get(reason.as_str()), Some(&1));
        assert_eq!(report.added, 0);
        assert_eq!(store.subscriber(who).await.unwrap(), None);
    }
    readers(&store, &["p@readers.net,,,,pending"]).await;
    suppress(&store, &hash_of("p@readers.net"), Suppression::Unsubscribed).await;
    assert_eq!(readers(&store, &["p@readers.net,,,,confirmed"]).await.kept, 1);
    assert_eq!(reader(&store, "p@readers.net").await.state, State::Pending);
}

async fn the_erased_are_not_written_down(db: Database) {
    let store = db.open().await;
    suppress(&store, &hash_of("a@readers.net"), Suppression::Erased).await;
    for (status, reason) in [
        ("confirmed", "erased"),
        ("unsubscribed", "erased"),
        ("bounced", "bounced"),
    ] {
        let report = readers(&store, &[&format!("A@readers.net,Ann,,,{status}")]).await;
        assert_eq!(
            (report.added, report.refused.get("erased")),
            (0, Some(&1)),
            "{status}"
        );
        assert!(suppressed(&db, "a@readers.net", reason).await, "{status}");
    }
    assert_eq!(store.count_subscribers().await.unwrap(), []);
}

async fn a_pending_line_does_not_demote(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,,,confirmed"]).await;
    let report = readers(&store, &["a@readers.net,Ann,monthly,,pending"]).await;
    assert_eq!(report.kept, 1);
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(
        (ann.state, ann.digests.join(";").as_str()),
        (State::Confirmed, "monthly")
    );
    assert_eq!(ann.name.as_deref(), Some("Ann"));
}

async fn a_confirmed_line_confirms(db: Database) {
    let store = db.open().await;
    take(&store, "email,status\na@readers.net,pending\n", &settings())
        .await
        .unwrap();
    let report = readers(&store, &["a@readers.net,,,,confirmed"]).await;
    assert_eq!(report.updated, 1);
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(
        (ann.state, ann.consent_source.as_deref()),
        (State::Confirmed, Some("form"))
    );
}

async fn a_digest_that_a_reader_left_stays_left(db: Database) {
    let store = db.open().await;
    let line = "a@readers.net,,weekly;monthly,,confirmed";
    readers(&store, &[line]).await;
    let id = reader(&store, "a@readers.net").await.id;
    store
        .end_subscription(id, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    assert_eq!(readers(&store, &[line]).await.unchanged, 1);
    assert_eq!(reader(&store, "a@readers.net").await.digests.join(";"), "monthly");
    // A list of only what they left does not take the rest away either.
    readers(&store, &["a@readers.net,,weekly,,confirmed"]).await;
    assert_eq!(reader(&store, "a@readers.net").await.digests.join(";"), "monthly");
    // Nor may it come back where a list had ended it before the reader did.
    readers(&store, &["b@readers.net,,weekly;monthly,,confirmed"]).await;
    readers(&store, &["b@readers.net,,monthly,,confirmed"]).await;
    let id = reader(&store, "b@readers.net").await.id;
    store
        .end_subscription(id, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    readers(&store, &["b@readers.net,,weekly;monthly,,confirmed"]).await;
    assert_eq!(reader(&store, "b@readers.net").await.digests.join(";"), "monthly");
}

async fn spelling_is_compared_by_rule(db: Database) {
    let store = db.open().await;
    let exact = ImportSettings {
        local_part: LocalPartRule::Exact,
        ..settings()
    };
    let text = list(&["ann@readers.net,,,,confirmed", "Ann@READERS.net,,,,confirmed"]);
    assert_eq!(take(&store, &text, &exact).await.unwrap().added, 2);
    assert!(take(&store, &text, &settings()).await.is_err());
    let key = EmailAddress::parse("Ann@readers.net")
        .unwrap()
        .key(LocalPartRule::Exact);
    assert_eq!(
        store.subscriber(&key).await.unwrap().unwrap().address.as_str(),
        "Ann@readers.net"
    );
}
