//! The links of the confirmation mail: yes, or never again.

use super::link::{Opened, number};
use super::token::{Purpose, Signer};
use crate::domain::notice::{NoticeData, NoticeKind};
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{Cause, Choice, State, Suppression, may_change};
use crate::domain::{Result, Slug, Timestamp};
use crate::store::Store;
use crate::store::notices::NewNotice;
use crate::store::reader_events::ReaderEvent;
use crate::store::sign_ups::SignUp;
use crate::store::subscribers::Subscriber;
use crate::store::unconfirmed::Receiver;

/// What a link of the confirmation mail would begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The generation of links to the reader's choices that holds now.
    pub link_generation: i64,
    /// Whether this was done already, by this link or another one: confirming again changes nothing.
    pub confirmed: bool,
    /// The digests.
    pub digests: Vec<Slug>,
    /// The categories; none stands for no choice.
    pub categories: Choice,
    /// The name in their mails: what was typed in is no reason to change one that they have.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// The sentence agreed to.
    pub wording: String,
    /// The form or the API.
    pub way: Way,
}

/// What `token` (`Purpose::Confirm`) would begin; changes nothing.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn peek(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Offer>> {
    let Some(id) = number(signer.read_short_lived(Purpose::Confirm, token, now))? else {
        return Ok(Opened::Expired);
    };
    let Some(sign_up) = store.sign_up(id).await? else {
        return Ok(Opened::Gone);
    };
    let Some(reader) = store.subscriber_by_id(sign_up.subscriber).await? else {
        return Ok(Opened::Gone);
    };
    let suppressed = store.suppression(&reader.address_hash).await?;
    Ok(offer(sign_up, &reader, suppressed))
}

/// Begins the subscription; again is fine. The offer says with `confirmed` whether it had begun before.
///
/// # Errors
/// As [`peek`].
pub async fn confirm(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Offer>> {
    let Some(id) = number(signer.read_short_lived(Purpose::Confirm, token, now))? else {
        return Ok(Opened::Expired);
    };
    let mut change = store.begin_change(now).await?;
    let Some(seen) = change.sign_up(id).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    let Some(reader) = change.reader(seen.subscriber).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    // Again: only now does nobody else confirm it.
    let Some(sign_up) = change.sign_up(id).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    let suppressed = change.suppression(&reader.address_hash).await?;
    let offer = match offer(sign_up, &reader, suppressed) {
        Opened::Good(offer) if !offer.confirmed => offer,
        nothing_to_do => {
            change.abandon().await?;
            return Ok(nothing_to_do);
        }
    };
    for reason in [Suppression::Unsubscribed, Suppression::Erased] {
        change.lift(&reader.address_hash, reason).await?;
    }
    change
        .set_choices(
            reader.id,
            offer.name.as_deref(),
            &offer.categories,
            offer.text_only,
        )
        .await?;
    change.set_digests(reader.id, &offer.digests).await?;
    // Whoever was added on the command line agrees by this very link.
    let agreed_by = Some(offer.way)
        .filter(|way| *way != Way::Cli)
        .unwrap_or(Way::Link);
    change.set_consent(reader.id, agreed_by.as_str()).await?;
    let chosen = format!("{}|{}", join(&offer.digests), offer.categories);
    let event = ReaderEvent {
        what: Happening::Became(State::Confirmed),
        way: Way::Link,
        wording: Some(&offer.wording),
        detail: Some(&chosen),
    };
    change
        .set_state(reader.id, State::Confirmed, None, Cause::Reader, event)
        .await?;
    change.close_sign_ups(reader.id).await?;
    if let Some(digest) = offer.digests.first().cloned() {
        change
            .notify(&NewNotice {
                subscriber: Some(reader.id),
                address: None,
                address_hash: reader.address_hash,
                mailbox_hash: None,
                data: NoticeData::Welcome { digest },
            })
            .await?;
    }
    change.commit().await?;
    Ok(Opened::Good(offer))
}

/// What a sign-up is worth for `reader`.
fn offer(sign_up: SignUp, reader: &Subscriber, suppressed: Option<Suppression>) -> Opened<Offer> {
    let state = reader.state;
    // A goodbye is worth more than what was asked for before it.
    if state == State::Unsubscribed && reader.since > sign_up.created {
        return Opened::Gone;
    }
    // Whoever is confirmed changes their choices on the page for that: an older mail, or one that somebody
    // else caused, must not.
    let confirmed = sign_up.confirmed.is_some() || matches!(state, State::Confirmed | State::Paused);
    let blocked = suppressed.is_some_and(Suppression::blocks_everything);
    if !confirmed && (blocked || !may_change(state, State::Confirmed, Cause::Reader)) {
        return Opened::Gone;
    }
    let mut wish = sign_up.wish;
    if confirmed {
        // What they have is told, not what was asked for then: it may have been another mail that they followed.
        wish.digests = reader
            .digests
            .iter()
            .filter_map(|name| Slug::parse(name).ok())
            .collect();
        wish.categories = reader.categories.clone();
        wish.text_only = reader.text_only;
    }
    Opened::Good(Offer {
        subscriber: sign_up.subscriber,
        link_generation: reader.link_generation,
        confirmed,
        digests: wish.digests,
        categories: wish.categories,
        name: reader.name.clone().or(wish.name),
        text_only: wish.text_only,
        wording: wish.wording,
        way: wish.way,
    })
}

fn join(digests: &[Slug]) -> String {
    digests.iter().map(Slug::as_str).collect::<Vec<_>>().join(";")
}

/// What "it was not me" does, or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Whether the mail asked if a reader's mails should come to this address; else if it should subscribe.
    pub new_address: bool,
    /// Whether mails come to the address now.
    pub receives: bool,
    /// Whether these go on: the owner reads with us, and refuses what another reader asked for. Else nobody
    /// can have anything sent to the address any more.
    pub keeps: bool,
}

impl Refusal {
    fn of(mail: &Receiver, owner: Option<&Subscriber>) -> Self {
        let new_address = mail.kind == NoticeKind::NewAddress;
        let reader = owner.filter(|owner| matches!(owner.state, State::Confirmed | State::Paused));
        Self {
            new_address,
            receives: reader.is_some(),
            keeps: new_address && reader.is_some_and(|reader| mail.subscriber != Some(reader.id)),
        }
    }
}

/// What [`refuse`] with `token` (`Purpose::Refuse`) would do; changes nothing.
///
/// # Errors
/// As [`peek`].
pub async fn peek_refusal(
    store: &Store,
    signer: &Signer,
    token: &str,
    now: Timestamp,
) -> Result<Opened<Refusal>> {
    let Some(notice) = number(signer.read_short_lived(Purpose::Refuse, token, now))? else {
        return Ok(Opened::Expired);
    };
    let Some(mail) = store.receiver_of(notice).await? else {
        return Ok(Opened::Gone);
    };
    let mut owner = store.subscriber_at(&mail.address_hash).await?;
    if owner.is_none() && mail.kind == NoticeKind::NewAddress {
        owner = store.subscriber_at(&mail.mailbox_hash).await?;
    }
    Ok(Opened::Good(Refusal::of(&mail, owner.as_ref())))
}

/// Nobody is to write to this mailbox again, whichever of its addresses is typed into a form. The address of
/// the mail leaves; whoever waits to be confirmed in the mailbox is forgotten; who had subscribed with another
/// address of it goes on receiving what they asked for. But an owner who reads with us at the address of the
/// mail loses nothing by what another reader asked for, who can't ask for it again. Again is fine. `Gone` when
/// the mail is not known any more, and nothing could be done.
///
/// # Errors
/// As [`peek`].
pub async fn refuse(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Refusal>> {
    let Some(notice) = number(signer.read_short_lived(Purpose::Refuse, token, now))? else {
        return Ok(Opened::Expired);
    };
    let mut change = store.begin_change(now).await?;
    let Some(mail) = change.receiver_of(notice).await? else {
        change.abandon().await?;
        return Ok(Opened::Gone);
    };
    change.take_turn(&mail.mailbox_hash).await?;
    // Whoever asked comes first, as where an address moves: two that wait for each other would never end.
    let asked = match mail.subscriber {
        Some(id) => change.reader(id).await?,
        None => None,
    };
    let owner = change.reader_at(&mail.address_hash).await?;
    let refusal = match &owner {
        // They may read with us at the address without what follows the +.
        None if mail.kind == NoticeKind::NewAddress => {
            Refusal::of(&mail, change.reader_at(&mail.mailbox_hash).await?.as_ref())
        }
        owner => Refusal::of(&mail, owner.as_ref()),
    };
    if refusal.new_address
        && let Some(asked) = &asked
    {
        change.end_address_changes(asked.id, &mail.mailbox_hash).await?;
        if refusal.keeps {
            change.refuse_reader(asked.id, &mail.mailbox_hash).await?;
        }
    }
    if refusal.keeps {
        change.commit().await?;
        return Ok(Opened::Good(refusal));
    }
    if let Some(owner) = owner {
        if owner.state == State::Pending {
            change.forget_pending(owner.id).await?;
        } else {
            change.end_all(&owner, Way::Link).await?;
        }
    }
    for id in change.asked_in(&mail.mailbox_hash).await? {
        match change.reader(id).await?.map(|reader| reader.state) {
            Some(State::Pending) => change.forget_pending(id).await?,
            Some(State::Unsubscribed) => change.drop_sign_ups(id).await?,
            _ => {}
        }
    }
    change.suppress(&mail.address_hash, Suppression::Refused).await?;
    change.refuse_mailbox(&mail.mailbox_hash).await?;
    change.commit().await?;
    Ok(Opened::Good(refusal))
}
