//! Erasing, and showing all that is kept: for readers by their link, for admins by address.

use serde_json::Value;

use super::addressing::Addressing;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::store::Store;
use crate::store::erasure::Person;
use crate::store::subscribers::Subscriber;

/// By what a person is found, in the database and outside of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Traces {
    subscriber: Option<i64>,
    /// The full address, as it is known or was typed.
    address: String,
    hash: String,
    mailbox: String,
    /// The hashes of addresses that they gave up for another one.
    former: Vec<String>,
}

impl Traces {
    /// Whether `address` is, or was, this person's.
    pub fn is_theirs(&self, address: &EmailAddress, addressing: &Addressing) -> bool {
        let hash = addressing.known(address).hash;
        self.hash == hash || self.former.contains(&hash)
    }

    /// Whether `text` names the address, in whatever case.
    pub fn stand_in(&self, text: &[u8]) -> bool {
        let address = self.address.as_bytes();
        !address.is_empty()
            && text
                .windows(address.len())
                .any(|part| part.eq_ignore_ascii_case(address))
    }
}

/// By what `reader` is found.
///
/// # Errors
/// When the database does not answer.
pub async fn traces_of(store: &Store, reader: &Subscriber, addressing: &Addressing) -> Result<Traces> {
    let address = EmailAddress::parse(reader.address.as_str());
    // One that another version of the program took for an address has no mailbox that we know of.
    let mailbox = address.map_or_else(
        |_| reader.address_hash.clone(),
        |address| addressing.known(&address).mailbox,
    );
    Ok(Traces {
        subscriber: Some(reader.id),
        address: reader.address.as_str().to_owned(),
        hash: reader.address_hash.clone(),
        mailbox,
        former: store.former_addresses(reader.id).await?,
    })
}

/// By what whoever has `address` is found, reader or not.
///
/// # Errors
/// When the database does not answer.
pub async fn traces(store: &Store, address: &EmailAddress, addressing: &Addressing) -> Result<Traces> {
    let known = addressing.known(address);
    match store.subscriber(&known.key).await? {
        Some(reader) => traces_of(store, &reader, addressing).await,
        None => Ok(Traces {
            subscriber: None,
            address: address.full(),
            hash: known.hash,
            mailbox: known.mailbox,
            former: Vec::new(),
        }),
    }
}

/// Erases a person from the database; whether they were a subscriber. What stays is the salted hash by which
/// no list brings them back. They can sign up again. What is left in the files a sweep overwrites, which is
/// due from now on: `sweep.rs`.
///
/// # Errors
/// When the database does not answer.
pub async fn erase(store: &Store, traces: &Traces, now: Timestamp) -> Result<bool> {
    let person = Person {
        subscriber: traces.subscriber,
        address: &traces.address,
        hash: &traces.hash,
        mailbox: &traces.mailbox,
    };
    store.erase_person(&person, now).await
}

/// Everything that the database keeps about a person; `None` when that is nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn data(store: &Store, traces: &Traces) -> Result<Option<Value>> {
    let person = Person {
        subscriber: traces.subscriber,
        address: &traces.address,
        hash: &traces.hash,
        mailbox: &traces.mailbox,
    };
    store.reader_data(&person).await
}

/// [`data`] of whoever has `address`.
///
/// # Errors
/// When nothing is kept about them.
pub async fn data_by_address(
    store: &Store,
    address: &EmailAddress,
    addressing: &Addressing,
) -> Result<Value> {
    let found = data(store, &traces(store, address, addressing).await?).await?;
    found.ok_or_else(|| {
        Problem::not_found(format!("nothing is kept about {address}"))
            .hint("`postrider subscribers export` lists the readers")
    })
}
