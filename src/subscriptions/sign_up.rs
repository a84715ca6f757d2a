//! Signing up: what the form and the API write down, and what becomes of it later.

use super::account;
use super::addressing::{Addressing, Known};
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
    let wish = Wish {
        name: request.name.clone(),
        digests: request.digests.clone(),
        categories: request.categories.clone(),
        text_only: request.text_only,
        wording: request.wording.clone(),
        way: request.way,
    };
    let queued = QueuedRequest {
        network: request.network.clone(),
        ..about(
            &request.address,
            RequestKind::SignUp,
            wish,
            addressing.known(&request.address),
        )
    };
    store.queue_request(&queued, now).await
}

/// A request about `address` from nobody in particular.
pub(super) fn about(address: &EmailAddress, kind: RequestKind, wish: Wish, known: Known) -> QueuedRequest {
    QueuedRequest {
        address: address.full().into(),
        address_hash: known.hash,
        mailbox_hash: known.mailbox,
        kind,
        subscriber: None,
        wish,
        network: String::new(),
    }
}

/// Nothing that would be begun.
pub(super) fn no_wish(way: Way) -> Wish {
    Wish {
        name: None,
        digests: Vec::new(),
        categories: Choice::default(),
        text_only: false,
        wording: String::new(),
        way,
    }
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
    let known = addressing.known(address);
    let queued = QueuedRequest {
        network: network.to_owned(),
        ..about(address, RequestKind::LostLink, no_wish(Way::Form), known)
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
        change.take_turn(&request.mailbox_hash).await?;
        done += match decide(&mut change, &request, addressing, now).await? {
            After::Open => 0,
            After::QuietAddress => change.drop_requests(&request.address_hash).await?,
            After::QuietMailbox => change.drop_requests_of_mailbox(&request.mailbox_hash).await?,
        };
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

/// Whether another mail that anybody can cause may go to a mailbox: whoever writes `ann+1@` and `ann+2@` into
/// a form means one person. Call [`Change::take_turn`] before.
pub(super) async fn may_go(change: &mut Change, mailbox_hash: &str, now: Timestamp) -> Result<bool> {
    if change.is_refused(mailbox_hash).await? {
        return Ok(false);
    }
    let sent = change
        .notices_into(mailbox_hash, &CAUSED_BY_ANYBODY, day_before(now))
        .await?;
    Ok(is_seldom(sent, now))
}

/// Since when mails are counted.
pub(super) fn day_before(now: Timestamp) -> Timestamp {
    now.minus(Duration::from_secs(24 * 3_600))
}

/// At most three mails in 24 hours, and ten minutes apart. `sent` is how many there were in that time, and
/// when the last was written.
pub(super) fn is_seldom(sent: (i64, Option<Timestamp>), now: Timestamp) -> bool {
    const APART: Duration = Duration::from_secs(10 * 60);
    let (count, last) = sent;
    count < 3 && last.is_none_or(|last| last.plus(APART) <= now)
}

/// What becomes of other requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The next one may cause a mail.
    Open,
    /// Nothing goes to this address: a flood of them costs no more than one.
    QuietAddress,
    /// Nothing goes to any address of this mailbox for the next minutes.
    QuietMailbox,
}

async fn decide(
    change: &mut Change,
    request: &QueuedRequest,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<After> {
    let (hash, mailbox) = (&request.address_hash, &request.mailbox_hash);
    // Nothing is to be done about an address that another version of the program took for one.
    let Ok(address) = EmailAddress::parse(request.address.as_str()) else {
        return Ok(After::Open);
    };
    if request.kind == RequestKind::NewAddress {
        let asked = account::ask_owner(change, request, now).await?;
        return Ok(if asked { After::QuietMailbox } else { After::Open });
    }
    if change
        .suppression(hash)
        .await?
        .is_some_and(|reason| reason.blocks_everything())
    {
        return Ok(After::QuietAddress);
    }
    if !may_go(change, mailbox, now).await? {
        return Ok(After::QuietMailbox);
    }
    let known = addressing.known(&address);
    if request.kind == RequestKind::LostLink {
        return match change.reader_of(&known.key).await? {
            Some(reader) => send_link(change, &reader, mailbox, &[]).await,
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
        State::Confirmed | State::Paused => send_link(change, &reader, mailbox, &request.wish.digests).await,
        State::Pending | State::Unsubscribed => ask(change, &reader, mailbox, &request.wish, now).await,
        State::Bounced | State::Complained => Ok(After::Open),
    }
}

/// Asks the owner of the address whether they want this.
async fn ask(
    change: &mut Change,
    reader: &Subscriber,
    mailbox_hash: &str,
    wish: &Wish,
    now: Timestamp,
) -> Result<After> {
    let expires = now.plus(CONFIRM_WITHIN);
    let sign_up = change.add_sign_up(reader.id, wish, expires).await?;
    change
        .notify(&NewNotice {
            subscriber: Some(reader.id),
            address: None,
            address_hash: reader.address_hash.clone(),
            mailbox_hash: Some(mailbox_hash.to_owned()),
            data: NoticeData::Confirm {
                sign_up,
                digests: wish.digests.clone(),
                categories: wish.categories.slugs().cloned().collect(),
                expires,
            },
        })
        .await?;
    Ok(After::QuietMailbox)
}

/// Mails the link to their choices to a reader who has some; it is for a digest that they have, or had, or
/// else for the first of `others`.
async fn send_link(
    change: &mut Change,
    reader: &Subscriber,
    mailbox_hash: &str,
    others: &[Slug],
) -> Result<After> {
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
            mailbox_hash: Some(mailbox_hash.to_owned()),
            data: NoticeData::PreferencesLink { digest },
        })
        .await?;
    Ok(After::QuietMailbox)
}
