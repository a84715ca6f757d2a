//! Erasing, and showing all that is kept: by address, for those who may ask for any.

use serde_json::Value;

use super::addressing::Addressing;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::store::Store;
use crate::store::erasure::Person;

/// Erases whoever has `address`; whether there was a subscriber. What stays is the salted hash by which no
/// list brings them back. They can sign up again.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(
    store: &Store,
    address: &EmailAddress,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<bool> {
    let known = addressing.known(address);
    let subscriber = store.subscriber(&known.key).await?;
    let full = address.full();
    let person = Person {
        subscriber: subscriber.as_ref().map(|reader| reader.id),
        // As it is written in what relays said.
        address: subscriber
            .as_ref()
            .map_or(full.as_str(), |reader| reader.address.as_str()),
        hash: &known.hash,
    };
    store.erase_person(&person, now).await
}

/// Everything that is kept about the reader with `address`.
///
/// # Errors
/// When there is no such reader.
pub async fn data(store: &Store, address: &EmailAddress, addressing: &Addressing) -> Result<Value> {
    let found = match store.subscriber(&addressing.known(address).key).await? {
        Some(reader) => store.reader_data(reader.id).await?,
        None => None,
    };
    found.ok_or_else(|| {
        Problem::not_found(format!("there is no subscriber {address}"))
            .hint("`postrider subscribers export` lists them")
    })
}
