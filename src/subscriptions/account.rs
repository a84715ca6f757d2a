//! What would harm a reader in other hands: it needs a fresh link, mailed to the registered address.

use serde_json::Value;
use std::time::Duration;

use super::addressing::Addressing;
use super::erase::{self, Traces};
use super::link::{Opened, is_of_old_address, number, read_reader};
use super::sign_up::{day_before, is_seldom, may_go};
use super::token::{Purpose, Signer};
use crate::domain::address::FullAddress;
use crate::domain::notice::{NoticeData, NoticeKind};
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{State, Suppression};
use crate::domain::{EmailAddress, Result, Timestamp};
use crate::store::Store;
use crate::store::address_changes::{AddressChange as Row, NewAddress};
use crate::store::changes::Change;
use crate::store::notices::NewNotice;
use crate::store::reader_events::ReaderEvent;

/// How long the link is good.
pub const LINK_LASTS: Duration = Duration::from_secs(30 * 60);

/// The most new addresses that a reader can ask for in 24 hours.
const MOST_ADDRESSES: i64 = 3;

/// Who opened a link of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The registered address.
    pub address: FullAddress,
}

/// What became of a new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressChange {
    /// Mails go there from now on, or did already.
    Changed,
    /// It can't be done: the reader has to write to the admins.
    Impossible,
}

/// Mails the link to the address of the reader of `token` (`Purpose::Preferences`), unless enough of them
/// went there lately; nothing tells the difference.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn request_link(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<()>> {
    let link = read_reader(signer, Purpose::Preferences, token)?;
    let mut change = store.begin_change(now).await?;
    let Some(reader) = change.reader(link.subscriber).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    if is_of_old_address(link, &reader) {
        change.abandon().await?;
        return Ok(Opened::Expired);
    }
    let hash = reader.address_hash;
    let kinds = [NoticeKind::AccountLink];
    let sent = change.notices_to(&hash, &kinds, day_before(now)).await?;
    if !is_blocked(&mut change, &hash).await? && is_seldom(sent, now) {
        change
            .notify(&NewNotice {
                subscriber: Some(reader.id),
                address: None,
                address_hash: hash,
                mailbox_hash: None,
                data: NoticeData::AccountLink {},
            })
            .await?;
    }
    change.commit().await?;
    Ok(Opened::Good(()))
}

/// Whose link `token` (`Purpose::Account`) is; changes nothing.
///
/// # Errors
/// As [`request_link`].
pub async fn peek(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Account>> {
    let Some(id) = number(signer.read_short_lived(Purpose::Account, token, now))? else {
        return Ok(Opened::Expired);
    };
    let reader = store.subscriber_by_id(id).await?;
    Ok(Opened::or_gone(reader.map(|reader| Account {
        subscriber: reader.id,
        address: reader.address,
    })))
}

/// Asks the owner of `address` by mail whether they want the reader's mails there, unless enough such mails
/// were asked for lately. What is known of the address makes no difference to the answer.
///
/// # Errors
/// As [`request_link`].
pub async fn request_address(
    store: &Store,
    signer: &Signer,
    token: &str,
    address: &EmailAddress,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<Opened<()>> {
    let Some(id) = number(signer.read_short_lived(Purpose::Account, token, now))? else {
        return Ok(Opened::Expired);
    };
    let known = addressing.known(address);
    let mut change = store.begin_change(now).await?;
    change.take_turn(&known.mailbox).await?;
    let Some(reader) = change.reader(id).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    // Else whoever has a link could have us write to one stranger after the other.
    let asked = change
        .notices_about(id, NoticeKind::NewAddress, day_before(now))
        .await?;
    if asked < MOST_ADDRESSES
        && !is_blocked(&mut change, &known.hash).await?
        && may_go(&mut change, &known.mailbox, now).await?
    {
        let expires = now.plus(NoticeKind::NewAddress.lifetime());
        let row = Row {
            subscriber: reader.id,
            address: address.full().into(),
            address_hash: known.hash.clone(),
            expires,
        };
        let number = change.add_address_change(&row).await?;
        change
            .notify(&NewNotice {
                subscriber: Some(reader.id),
                address: Some(address.full()),
                address_hash: known.hash,
                mailbox_hash: Some(known.mailbox),
                data: NoticeData::NewAddress {
                    change: number,
                    expires,
                },
            })
            .await?;
    }
    change.commit().await?;
    Ok(Opened::Good(()))
}

/// Whether `token` (`Purpose::NewAddress`) is good; changes nothing.
///
/// # Errors
/// As [`request_link`].
pub async fn peek_address(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<()>> {
    let Some(id) = number(signer.read_short_lived(Purpose::NewAddress, token, now))? else {
        return Ok(Opened::Expired);
    };
    Ok(Opened::or_gone(store.address_change(id).await?.map(|_| ())))
}

/// Mails go to the new address from now on; the old one is told so, and no list brings it back. Again is
/// fine; the reader's other links of this kind end.
///
/// # Errors
/// As [`request_link`].
pub async fn confirm_address(
    store: &Store,
    signer: &Signer,
    token: &str,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<Opened<AddressChange>> {
    let Some(id) = number(signer.read_short_lived(Purpose::NewAddress, token, now))? else {
        return Ok(Opened::Expired);
    };
    let mut change = store.begin_change(now).await?;
    let outcome = match change.address_change(id).await? {
        Some(wanted) => move_reader(&mut change, id, &wanted, addressing).await?,
        None => None,
    };
    if outcome == Some(AddressChange::Changed) {
        change.commit().await?;
    } else {
        change.abandon().await?;
    }
    Ok(Opened::or_gone(outcome))
}

async fn move_reader(
    change: &mut Change,
    id: i64,
    wanted: &Row,
    addressing: &Addressing,
) -> Result<Option<AddressChange>> {
    let Some(reader) = change.reader(wanted.subscriber).await? else {
        return Ok(None);
    };
    if reader.address == wanted.address {
        return Ok(Some(AddressChange::Changed));
    }
    let Ok(address) = EmailAddress::parse(wanted.address.as_str()) else {
        return Ok(Some(AddressChange::Impossible));
    };
    let known = addressing.known(&address);
    // Another spelling of the same address is no way around what its owner said.
    if is_blocked(change, &known.hash).await?
        || change.is_refused(&known.mailbox).await?
        || is_blocked(change, &reader.address_hash).await?
    {
        return Ok(Some(AddressChange::Impossible));
    }
    let new = NewAddress {
        address: wanted.address.as_str(),
        key: &known.key,
        hash: &known.hash,
        reserved: address.is_reserved(),
    };
    // The owner of the address has just spoken; what a list or a form says of it is worth less.
    if let Some(other) = change.reader_of(&known.key).await?
        && other.id != reader.id
    {
        change.forget_inactive(other.id).await?;
    }
    if !change.set_address(reader.id, &new).await? {
        return Ok(Some(AddressChange::Impossible));
    }
    change
        .give_up_address(reader.id, reader.address.as_str(), &reader.address_hash)
        .await?;
    // Its owner asks for mail by confirming; that is more than an earlier goodbye.
    if matches!(reader.state, State::Confirmed | State::Paused) {
        for reason in [Suppression::Unsubscribed, Suppression::Erased] {
            change.lift(&known.hash, reason).await?;
        }
    }
    if reader.address_hash != known.hash {
        change
            .suppress(&reader.address_hash, Suppression::Unsubscribed)
            .await?;
    }
    change.drop_other_address_changes(reader.id, id).await?;
    // Their links went to the old address, and lead to the choices of whoever confirms again.
    change.drop_sign_ups(reader.id).await?;
    let event = ReaderEvent {
        what: Happening::Address,
        way: Way::Link,
        wording: None,
        detail: None,
    };
    change.record(reader.id, event).await?;
    change
        .notify(&NewNotice {
            subscriber: Some(reader.id),
            address: Some(reader.address.as_str().to_owned()),
            address_hash: reader.address_hash,
            mailbox_hash: None,
            data: NoticeData::AddressChanged {},
        })
        .await?;
    Ok(Some(AddressChange::Changed))
}

async fn is_blocked(change: &mut Change, address_hash: &str) -> Result<bool> {
    let reason = change.suppression(address_hash).await?;
    Ok(reason.is_some_and(|reason| reason.blocks_everything()))
}

/// Everything that is kept about the reader of `token` (`Purpose::Account`).
///
/// # Errors
/// As [`request_link`].
pub async fn export(
    store: &Store,
    signer: &Signer,
    token: &str,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<Opened<Value>> {
    Ok(match traces(store, signer, token, addressing, now).await? {
        Opened::Good(traces) => Opened::or_gone(erase::data(store, &traces).await?),
        Opened::Expired => Opened::Expired,
        Opened::Gone => Opened::Gone,
    })
}

/// By what the reader of `token` (`Purpose::Account`) is found, for [`erase::erase`].
///
/// # Errors
/// As [`request_link`].
pub async fn traces(
    store: &Store,
    signer: &Signer,
    token: &str,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<Opened<Traces>> {
    let Some(id) = number(signer.read_short_lived(Purpose::Account, token, now))? else {
        return Ok(Opened::Expired);
    };
    match store.subscriber_by_id(id).await? {
        Some(reader) => Ok(Opened::Good(erase::traces_of(store, &reader, addressing).await?)),
        None => Ok(Opened::Gone),
    }
}
