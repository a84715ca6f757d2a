//! What would harm a reader in other hands: it needs a fresh link, mailed to the registered address.

use serde_json::Value;
use std::time::Duration;

use super::addressing::Addressing;
use super::erase::{self, Traces};
use super::link::{Opened, is_of_old_address, number, opened, read_reader};
use super::sign_up::{about, day_before, is_seldom, may_go, no_wish};
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
use crate::store::sign_ups::{QueuedRequest, RequestKind};
use crate::store::spellings::Spellings;
use crate::store::subscribers::Subscriber;

/// How long the link is good.
pub const LINK_LASTS: Duration = Duration::from_secs(30 * 60);

/// The most mailboxes that a reader can ask for in 24 hours.
const MOST_MAILBOXES: i64 = 3;

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
    Ok(match reader_of(store, signer, token, now).await? {
        Opened::Good(reader) => Opened::Good(Account {
            subscriber: reader.id,
            address: reader.address,
        }),
        Opened::Expired => Opened::Expired,
        Opened::Gone => Opened::Gone,
    })
}

/// The reader of `token` (`Purpose::Account`), unless it went to an address that they gave up since.
async fn reader_of(
    store: &Store,
    signer: &Signer,
    token: &str,
    now: Timestamp,
) -> Result<Opened<Subscriber>> {
    let Some((id, generation)) = opened(signer.read_account_token(token, now))? else {
        return Ok(Opened::Expired);
    };
    Ok(match store.subscriber_by_id(id).await? {
        Some(reader) if generation < reader.link_generation => Opened::Expired,
        found => Opened::or_gone(found),
    })
}

/// Writes down that the reader of `token` (`Purpose::Account`) wants their mails at `address`. Nothing is looked
/// up about it: this takes the same steps whatever is known of the address. The rest is [`ask_owner`]'s.
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
    let id = match reader_of(store, signer, token, now).await? {
        Opened::Good(reader) => reader.id,
        Opened::Expired => return Ok(Opened::Expired),
        Opened::Gone => return Ok(Opened::Gone),
    };
    let wish = no_wish(Way::Link);
    let queued = QueuedRequest {
        subscriber: Some(id),
        ..about(address, RequestKind::NewAddress, wish, addressing.known(address))
    };
    store.queue_request(&queued, now).await?;
    Ok(Opened::Good(()))
}

/// Asks the owner of the address by mail whether they want the reader's mails there, unless enough such mails
/// were asked for lately, or went there; whether a mail was written.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn ask_owner(change: &mut Change, request: &QueuedRequest, now: Timestamp) -> Result<bool> {
    let (hash, mailbox) = (&request.address_hash, &request.mailbox_hash);
    let reader = match request.subscriber {
        Some(id) => change.reader(id).await?,
        None => None,
    };
    let Some(reader) = reader else {
        return Ok(false);
    };
    // Else whoever has a link could have us write to one stranger after the other.
    let others = change
        .mailboxes_asked_for(reader.id, mailbox, day_before(now))
        .await?;
    if others >= MOST_MAILBOXES {
        return Ok(false);
    }
    let expires = now.plus(NoticeKind::NewAddress.lifetime());
    let row = Row {
        subscriber: reader.id,
        address: request.address.clone(),
        address_hash: hash.clone(),
        mailbox_hash: mailbox.clone(),
        expires,
    };
    // Also where no mail goes: how many more they can ask for says nothing about the address.
    let number = change.add_address_change(&row).await?;
    if is_blocked(change, hash).await?
        || change.has_refused(mailbox, reader.id).await?
        || !may_go(change, mailbox, now).await?
    {
        return Ok(false);
    }
    change
        .notify(&NewNotice {
            subscriber: Some(reader.id),
            address: Some(request.address.as_str().to_owned()),
            address_hash: hash.clone(),
            mailbox_hash: Some(mailbox.clone()),
            data: NoticeData::NewAddress {
                change: number,
                expires,
            },
        })
        .await?;
    Ok(true)
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
    let old = address_to_give_up(store, id).await?;
    let mut change = store.begin_change(now).await?;
    let outcome = match change.address_change(id).await? {
        Some(wanted) => move_reader(&mut change, id, &wanted, addressing).await?,
        None => None,
    };
    if outcome == Some(AddressChange::Changed) {
        change.commit().await?;
        // Beside the reader's own deliveries; outside of the change, for which others wait.
        if let Some(old) = &old {
            store.scrub(old).await?;
        }
    } else {
        change.abandon().await?;
    }
    Ok(Opened::or_gone(outcome))
}

/// The address that the change `id` is to replace, when it is not the new one already.
async fn address_to_give_up(store: &Store, id: i64) -> Result<Option<Spellings>> {
    let Some(wanted) = store.address_change(id).await? else {
        return Ok(None);
    };
    let reader = store.subscriber_by_id(wanted.subscriber).await?;
    Ok(reader
        .filter(|reader| reader.address != wanted.address)
        .map(|reader| Spellings::given_up(reader.address.as_str())))
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
    change.end_other_address_changes(reader.id, id).await?;
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
    Ok(match reader_of(store, signer, token, now).await? {
        Opened::Good(reader) => Opened::Good(erase::traces_of(store, &reader, addressing).await?),
        Opened::Expired => Opened::Expired,
        Opened::Gone => Opened::Gone,
    })
}
