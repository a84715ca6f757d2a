//! Sign-ups, and the links of the mails that they cause.

#![allow(dead_code, reason = "each test file uses its part")]

use crate::database::Database;
use crate::seed::{NOW, address, slug};
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::Choice;
use postrider::domain::{LocalPartRule, Timestamp};
use postrider::store::Store;
use postrider::subscriptions::account;
use postrider::subscriptions::addressing::Addressing;
use postrider::subscriptions::link::Opened;
use postrider::subscriptions::sign_up::{self, SignUpRequest};
use postrider::subscriptions::token::{Key, Purpose, Signer};

/// What `seed::settings` has readers looked up by.
pub fn addressing() -> Addressing {
    Addressing {
        local_part: LocalPartRule::Insensitive,
        salt: "pepper".to_owned(),
        network_salt: "thyme".to_owned(),
    }
}

pub fn signer() -> Signer {
    let key = Key {
        id: 1,
        bytes: [7; 32],
        revoked: false,
    };
    Signer::new(&[key]).unwrap()
}

/// A sign-up for `monthly` and oncology.
pub fn wish(who: &str) -> SignUpRequest {
    SignUpRequest {
        address: address(who),
        name: Some("Ann".to_owned()),
        digests: vec![slug("monthly")],
        categories: Choice::parse("oncology").unwrap(),
        text_only: true,
        wording: "I agree to receive mails about oncology.".to_owned(),
        way: Way::Form,
        network: "network".to_owned(),
    }
}

/// Signs `who` up and has it decided on.
pub async fn sign_up(store: &Store, who: &str, now: Timestamp) {
    sign_up::request(store, &wish(who), &addressing(), now)
        .await
        .unwrap();
    sign_up::process(store, &addressing(), now).await.unwrap();
}

/// Has reader `id` ask for `who` as their new address, and decided on.
pub async fn ask_for(store: &Store, id: i64, who: &str, now: Timestamp) {
    let end = Timestamp(now.0 + 1_800_000);
    let reader = store.subscriber_by_id(id).await.unwrap();
    let generation = reader.map_or(0, |reader| reader.link_generation);
    let token = signer().account_token(id, generation, end);
    let asked = account::request_address(store, &signer(), &token, &address(who), &addressing(), now).await;
    assert_eq!(asked.unwrap(), Opened::Good(()));
    sign_up::process(store, &addressing(), now).await.unwrap();
}

/// How many mails of this kind there are.
pub async fn notices(db: &Database, kind: &str) -> i64 {
    db.number(&format!("SELECT COUNT(*) FROM notice WHERE kind = '{kind}'"))
        .await
}

/// How often this was recorded of anybody.
pub async fn events(db: &Database, what: &str) -> i64 {
    db.number(&format!(
        "SELECT COUNT(*) FROM reader_event WHERE what = '{what}'"
    ))
    .await
}

/// The link of the newest confirmation mail.
pub async fn confirm_link(db: &Database) -> String {
    let id = db.number("SELECT MAX(id) FROM sign_up").await;
    let end = db.number("SELECT MAX(expires) FROM sign_up").await;
    signer().short_lived_token(Purpose::Confirm, id, Timestamp(end))
}

/// A link of `purpose` about the row `id` that is good for a day.
pub fn link(purpose: Purpose, id: i64) -> String {
    signer().short_lived_token(purpose, id, Timestamp(NOW.0 + 86_400_000))
}

/// The link to the choices of a reader, of a mail of `weekly`.
pub async fn preferences_link(store: &Store, subscriber: i64) -> String {
    let digest = store.digest_number("weekly").await.unwrap();
    signer().reader_token(Purpose::Preferences, subscriber, digest)
}
