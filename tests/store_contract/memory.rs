//! What the program remembers between two runs: fetches, feeds, lists, tokens, settings, runs.

use crate::database::Database;
use crate::seed::{NOW, at};
use postrider::domain::{FetchState, Random, SystemRandom};
use postrider::subscriptions::api_token::{matches, new_api_token};
use std::collections::HashSet;

crate::on_both! {
    fetch_state_is_kept_to_the_letter, a_feed_changes_when_its_bytes_do, lists_are_remembered,
    api_tokens_are_kept_as_hashes, digests_have_numbers, settings_are_made_once, a_run_is_claimed_once,
}

async fn fetch_state_is_kept_to_the_letter(db: Database) {
    let store = db.open().await;
    let (source, address) = ("site", "https://example.org/feed?a=1");
    assert_eq!(
        store.fetch_state(source, address).await.unwrap(),
        FetchState::default()
    );
    let state = FetchState {
        etag: Some("W/\"a'b\"\"c—é\"".to_owned()),
        last_modified: Some("Thu,  01 Jan 2026 00:00:00 gmt ".to_owned()),
        moved_to: Some("https://example.com/feed".to_owned()),
        not_before: Some(at(3600)),
        gone: true,
        resume: Some("https://example.com/next".to_owned()),
    };
    store.set_fetch_state(source, address, &state).await.unwrap();
    assert_eq!(store.fetch_state(source, address).await.unwrap(), state);
    assert_eq!(
        store.fetch_state("other", address).await.unwrap(),
        FetchState::default()
    );
    store
        .set_fetch_state(source, address, &FetchState::default())
        .await
        .unwrap();
    assert_eq!(
        store.fetch_state(source, address).await.unwrap(),
        FetchState::default()
    );
}

async fn a_feed_changes_when_its_bytes_do(db: Database) {
    let store = db.open().await;
    for (etag, now, modified) in [
        ("a", at(10), at(10)),
        ("a", at(20), at(10)),
        ("b", at(30), at(30)),
        // A clock that was set back gives no earlier date for later bytes.
        ("c", at(25), at(30)),
        ("a", at(40), at(40)),
    ] {
        assert_eq!(
            store.feed_modified("all", etag, now).await.unwrap(),
            modified,
            "{etag} {now}"
        );
    }
    assert_eq!(store.feed_modified("urology", "a", at(50)).await.unwrap(), at(50));
}

async fn lists_are_remembered(db: Database) {
    let store = db.open().await;
    assert_eq!(store.list_hash("a.csv").await.unwrap(), None);
    for hash in ["one", "two"] {
        store.set_list_hash("a.csv", hash, NOW).await.unwrap();
        assert_eq!(store.list_hash("a.csv").await.unwrap().as_deref(), Some(hash));
    }
    assert_eq!(store.list_hash("b.csv").await.unwrap(), None);
}

async fn api_tokens_are_kept_as_hashes(db: Database) {
    let store = db.open().await;
    let (token, hash) = new_api_token(&SystemRandom::default()).unwrap();
    store.add_api_token("ci", &hash, NOW).await.unwrap();
    let problem = store.add_api_token("ci", "other", NOW).await.unwrap_err();
    assert_eq!(problem.message(), "there is a token named \"ci\" already");
    let (_, other) = new_api_token(&SystemRandom::default()).unwrap();
    store.add_api_token("admin", &other, NOW).await.unwrap();
    let kept = store.api_token_hashes().await.unwrap();
    assert_eq!(
        kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["admin", "ci"]
    );
    let found: Vec<_> = kept.iter().filter(|(_, hash)| matches(hash, &token)).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "ci");
    store.remove_api_token("ci").await.unwrap();
    assert_eq!(store.api_token_hashes().await.unwrap().len(), 1);
    let problem = store.remove_api_token("ci").await.unwrap_err();
    assert_eq!(problem.message(), "there is no token named \"ci\"");
}

async fn digests_have_numbers(db: Database) {
    let store = db.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.digest_number(["weekly", "monthly"][n % 2]).await.unwrap() })
        })
        .collect();
    let mut numbers = HashSet::new();
    for task in tasks {
        numbers.insert(task.await.unwrap());
    }
    assert_eq!(numbers.len(), 2);
    let weekly = store.digest_number("weekly").await.unwrap();
    assert_eq!(
        store.digest_of_number(weekly).await.unwrap().as_deref(),
        Some("weekly")
    );
    assert_eq!(store.digest_of_number(1 << 40).await.unwrap(), None);
    // Numbers stand in signed links for years: they stay small, so that the links stay short.
    assert!(
        numbers.iter().all(|number| (1..100).contains(number)),
        "{numbers:?}"
    );
}

async fn settings_are_made_once(db: Database) {
    let store = db.open().await;
    let mut bytes = [0; 8];
    SystemRandom::default().fill(&mut bytes).unwrap();
    let first = format!("{bytes:?}");
    assert_eq!(store.setting("suppression_salt", &first).await.unwrap(), first);
    assert_eq!(store.setting("suppression_salt", "later").await.unwrap(), first);
    assert_eq!(store.setting("other", "later").await.unwrap(), "later");
}

async fn a_run_is_claimed_once(db: Database) {
    let store = db.open().await;
    assert_eq!(store.last_run("weekly", NOW).await.unwrap(), NOW);
    assert_eq!(store.last_run("weekly", at(99)).await.unwrap(), NOW);
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.claim_run("weekly", at(60)).await.unwrap() })
        })
        .collect();
    let mut claims = 0;
    for task in tasks {
        claims += i32::from(task.await.unwrap());
    }
    assert_eq!(claims, 1);
    assert_eq!(store.last_run("weekly", NOW).await.unwrap(), at(60));
    assert!(!store.claim_run("weekly", at(30)).await.unwrap());
    assert!(store.claim_run("weekly", at(120)).await.unwrap());
    assert!(!store.claim_run("monthly", at(120)).await.unwrap());
}
