//! Signing up: what the form and the API write down, and what becomes of it later.

use super::addressing::Addressing;
use crate::domain::notice::{NoticeData, NoticeKind};
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{Choice, State};
use crate::domain::{EmailAddress, Result, Slug, Timestamp};
use crate::store::Store;
use crate::store::changes::Change;
use crate::store::notices::NewNotice;
use crate::store::reader_events::ReaderEvent;
use crate::store::reader_upkeep::CONFIRM_WITHIN;
use crate::store::sign_ups::{NewPending, QueuedRequest, RequestKind, Wish};
use crate::store::subscribers::Subscriber;
use std::time::Duration;

/// What somebody typed into the form, or sent to the API; nobody knows yet whether the address is theirs.
#[derive(Debug, Clone)]
pub struct SignUpRequest {
    /// The address that they say is theirs.
    pub address: EmailAddress,
    /// How they call themselves; no mail shows it before they have confirmed.
    pub name: Option<String>,
    /// The chosen digests; at least one.
    pub digests: Vec<Slug>,
    /// The chosen categories.
    pub categories: Choice,
    /// Whether they want mails as text only.
    pub text_only: bool,
    /// The sentence they agreed to, as it was shown; without the address.
    pub wording: String,
    /// The form or the API.
    pub way: Way,
    /// [`Addressing::network`] of the client.
    pub network: String,
}

/// Writes a sign-up down. Nothing is looked up: this takes the same steps whatever is known of the address.
///
/// # Errors
/// When the database does not answer.
pub async fn request(
    store: &Store,
    request: &SignUpRequest,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<()> {
    let queued = QueuedRequest {
        address: request.address.full().into(),
        address_hash: addressing.known(&request.address).hash,
        kind: RequestKind::SignUp,
        wish: Wish {
            name: request.name.clone(),
            digests: request.digests.clone(),
            categories: request.categories.clone(),
            text_only: request.text_only,
            wording: request.wording.clone(),
            way: request.way,
        },
        network: request.network.clone(),
    };
    store.queue_request(&queued, now).await
}

/// Writes down that the owner of `address` asks for the link to their choices; otherwise as [`request`].
///
/// # Errors
/// When the database does not answer.
pub async fn request_link(
    store: &Store,
    address: &EmailAddress,
    network: &str,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<()> {
    let queued = QueuedRequest {
        address: address.full().into(),
        address_hash: addressing.known(address).hash,
        kind: RequestKind::LostLink,
        wish: Wish {
            name: None,
            digests: Vec::new(),
            categories: Choice::default(),
            text_only: false,
            wording: String::new(),
            way: Way::Form,
        },
        network: network.to_owned(),
    };
    store.queue_request(&queued, now).await
}

/// Takes what was written down off the queue, each in a transaction with what it changes and the mail it
/// causes; how many there were. What can't be read is left out. Several processes may do this at once.
///
/// # Errors
/// When the database does not answer; what is left stays on the queue.
pub async fn process(store: &Store, addressing: &Addressing, now: Timestamp) -> Result<u64> {
    let mut done = 0;
    // Asked first, so that an empty queue costs no lock.
    if !store.has_requests().await? {
        return Ok(0);
    }
    loop {
        let mut change = store.begin_change(now).await?;
        let Some(request) = change.next_request().await? else {
            // Others are at what is left.
            change.abandon().await?;
            break;
        };
        done += 1;
        let Ok(request) = request else {
            // What it holds is somebody's address.
            tracing::error!("a sign-up or a request for a link can't be read; it is left out");
            change.commit().await?;
            continue;
        };
        change.take_turn(&request.address_hash).await?;
        if decide(&mut change, &request, addressing, now).await? == After::Quiet {
            done += change.drop_requests(&request.address_hash).await?;
        }
        change.commit().await?;
    }
    Ok(done)
}

/// The mails that anybody can cause by typing an address into a form.
const CAUSED_BY_ANYBODY: [NoticeKind; 3] = [
    NoticeKind::Confirm,
    NoticeKind::PreferencesLink,
    NoticeKind::NewAddress,
];

/// Whether another mail that anybody can cause may go to an address.
pub(super) async fn may_go(change: &mut Change, address_hash: &str, now: Timestamp) -> Result<bool> {
    is_seldom(change, address_hash, &CAUSED_BY_ANYBODY, now).await
}

/// At most three mails of these kinds in 24 hours, and ten minutes apart.
pub(super) async fn is_seldom(
    change: &mut Change,
    address_hash: &str,
    kinds: &[NoticeKind],
    now: Timestamp,
) -> Result<bool> {
    const DAY: i64 = 24 * 3_600_000;
    const APART: Duration = Duration::from_secs(10 * 60);
    let (count, last) = change
        .notices_to(address_hash, kinds, Timestamp(now.0 - DAY))
        .await?;
    Ok(count < 3 && last.is_none_or(|last| last.plus(APART) <= now))
}

/// What becomes of other requests about the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The next one may cause a mail.
    Open,
    /// Nothing goes there for the next minutes: a flood of them costs no more than one.
    Quiet,
}

async fn decide(
    change: &mut Change,
    request: &QueuedRequest,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<After> {
    let hash = &request.address_hash;
    // Nothing is to be done about an address that another version of the program took for one.
    let Ok(address) = EmailAddress::parse(request.address.as_str()) else {
        return Ok(After::Open);
    };
    if change
        .suppression(hash)
        .await?
        .is_some_and(|reason| reason.blocks_everything())
        || !may_go(change, hash, now).await?
    {
        return Ok(After::Quiet);
    }
    let known = addressing.known(&address);
    if request.kind == RequestKind::LostLink {
        return match change.reader_of(&known.key).await? {
            Some(reader) => send_link(change, &reader, &[]).await,
            None => Ok(After::Open),
        };
    }
    let pending = NewPending {
        address: request.address.as_str(),
        key: &known.key,
        hash,
        reserved: address.is_reserved(),
    };
    let mut is_new = change.add_pending(&pending).await?;
    let mut reader = change.reader_of(&known.key).await?;
    if reader.is_none() {
        // Somebody was there, and was forgotten at this moment.
        is_new = change.add_pending(&pending).await?;
        reader = change.reader_of(&known.key).await?;
    }
    let Some(reader) = reader else {
        return Ok(After::Open);
    };
    if is_new {
        let event = ReaderEvent {
            what: Happening::Became(State::Pending),
            way: request.wish.way,
            wording: Some(&request.wish.wording),
            detail: None,
        };
        change.record(reader.id, event).await?;
    }
    match reader.state {
        State::Confirmed | State::Paused => send_link(change, &reader, &request.wish.digests).await,
        State::Pending | State::Unsubscribed => ask(change, &reader, &request.wish, now).await,
        State::Bounced | State::Complained => Ok(After::Open),
    }
}

/// Asks the owner of the address whether they want this.
async fn ask(change: &mut Change, reader: &Subscriber, wish: &Wish, now: Timestamp) -> Result<After> {
    let expires = now.plus(CONFIRM_WITHIN);
    let sign_up = change.add_sign_up(reader.id, wish, expires).await?;
    change
        .notify(&NewNotice {
            subscriber: Some(reader.id),
            address: None,
            address_hash: reader.address_hash.clone(),
            data: NoticeData::Confirm {
                sign_up,
                digests: wish.digests.clone(),
                categories: wish.categories.slugs().cloned().collect(),
                expires,
            },
        })
        .await?;
    Ok(After::Quiet)
}

/// Mails the link to their choices to a reader who has some; it is for a digest that they have, or had, or
/// else for the first of `others`.
async fn send_link(change: &mut Change, reader: &Subscriber, others: &[Slug]) -> Result<After> {
    if !matches!(
        reader.state,
        State::Confirmed | State::Paused | State::Unsubscribed
    ) {
        return Ok(After::Open);
    }
    let had = change.some_digest_of(reader.id).await?;
    let Some(digest) = had.or_else(|| others.first().cloned()) else {
        return Ok(After::Open);
    };
    change
        .notify(&NewNotice {
            subscriber: Some(reader.id),
            address: None,
            address_hash: reader.address_hash.clone(),
            data: NoticeData::PreferencesLink { digest },
        })
        .await?;
    Ok(After::Quiet)
}
