//! What a reader chose, seen and changed by the link of their mails.

use super::link::{Opened, is_of_old_address, read_reader};
use super::token::{Purpose, ReaderRef, Signer};
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{Cause, Choice, State, may_change};
use crate::domain::{Problem, Result, Slug, Timestamp};
use crate::store::Store;
use crate::store::changes::Change;
use crate::store::reader_events::ReaderEvent;
use crate::store::subscribers::Subscriber;
use std::time::Duration;

/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(366 * 24 * 3600);

/// How a reader stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The digest whose mail held the link, when it is known.
    pub digest: Option<String>,
    /// The digests they receive, sorted.
    pub digests: Vec<String>,
    /// The categories they chose.
    pub categories: Choice,
    /// Their name.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
    /// When a pause ends.
    pub paused_until: Option<Timestamp>,
    /// Where they stand. Only confirmed and paused ones can change anything; others sign up again.
    pub state: State,
}

/// What a reader wants from now on; all of it replaces what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChoices {
    /// The digests; none means to leave.
    pub digests: Vec<Slug>,
    /// The categories.
    pub categories: Choice,
    /// Their name.
    pub name: Option<String>,
    /// Whether mails come as text only.
    pub text_only: bool,
}

/// How the reader of `token` (`Purpose::Preferences`) stands; changes nothing.
///
/// # Errors
/// Of the kind `NotFound` when the token is not one of ours; or when the database does not answer.
pub async fn peek(store: &Store, signer: &Signer, token: &str) -> Result<Opened<Choices>> {
    let link = read_reader(signer, Purpose::Preferences, token)?;
    choices(store, link).await
}

/// Changes what a confirmed or paused reader chose; of others nothing changes. How they stand then.
/// `wording` is the sentence about categories that they agreed to, as it was shown.
///
/// # Errors
/// As [`peek`].
pub async fn change(
    store: &Store,
    signer: &Signer,
    token: &str,
    new: &NewChoices,
    wording: &str,
    now: Timestamp,
) -> Result<Opened<Choices>> {
    if new.digests.is_empty() {
        return leave(store, signer, token, now).await;
    }
    let link = read_reader(signer, Purpose::Preferences, token)?;
    let Some((mut change, reader)) = begin(store, link, now).await? else {
        return choices(store, link).await;
    };
    if !has_say(&reader) {
        change.abandon().await?;
        return choices(store, link).await;
    }
    change
        .set_choices(reader.id, new.name.as_deref(), &new.categories, new.text_only)
        .await?;
    change.set_digests(reader.id, &new.digests).await?;
    let digests = differences(&reader.digests, &new.digests);
    let categories = new.categories.to_string();
    let text_only = if new.text_only { "yes" } else { "no" };
    for (changed, what, wording, detail) in [
        (
            !digests.is_empty(),
            Happening::Digests,
            None,
            Some(digests.as_str()),
        ),
        (
            new.categories != reader.categories,
            Happening::Categories,
            Some(wording),
            Some(categories.as_str()),
        ),
        (new.name != reader.name, Happening::Name, None, None),
        (
            new.text_only != reader.text_only,
            Happening::TextOnly,
            None,
            Some(text_only),
        ),
    ] {
        if changed {
            let event = ReaderEvent {
                what,
                way: Way::Link,
                wording,
                detail,
            };
            change.record(reader.id, event).await?;
        }
    }
    change.commit().await?;
    choices(store, link).await
}

/// Sends nothing to a confirmed or paused reader before `until`, at most a year from now.
///
/// # Errors
/// As [`peek`]; and when `until` has passed or is too far.
pub async fn pause(
    store: &Store,
    signer: &Signer,
    token: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<Opened<Choices>> {
    let link = read_reader(signer, Purpose::Preferences, token)?;
    if until <= now || until > now.plus(LONGEST_PAUSE) {
        return Err(
            Problem::failed(format!("a pause can't last until {until}")).hint("choose a date within a year")
        );
    }
    let detail = until.rfc3339();
    let event = ReaderEvent {
        what: Happening::Became(State::Paused),
        way: Way::Link,
        wording: None,
        detail: Some(&detail),
    };
    move_to(store, link, State::Paused, Some(until), event, now).await
}

/// Ends the pause of a reader.
///
/// # Errors
/// As [`peek`].
pub async fn resume(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Choices>> {
    let link = read_reader(signer, Purpose::Preferences, token)?;
    let event = ReaderEvent {
        what: Happening::Resumed,
        way: Way::Link,
        wording: None,
        detail: None,
    };
    move_to(store, link, State::Confirmed, None, event, now).await
}

/// Ends every subscription of a reader.
///
/// # Errors
/// As [`peek`].
pub async fn leave(store: &Store, signer: &Signer, token: &str, now: Timestamp) -> Result<Opened<Choices>> {
    let link = read_reader(signer, Purpose::Preferences, token)?;
    let Some((mut change, reader)) = begin(store, link, now).await? else {
        return choices(store, link).await;
    };
    change.end_all(&reader, Way::Link).await?;
    change.commit().await?;
    choices(store, link).await
}

/// Whether the reader can change anything by the link of a mail. Others sign up again: a forwarded mail
/// must not bring anybody back.
fn has_say(reader: &Subscriber) -> bool {
    matches!(reader.state, State::Confirmed | State::Paused)
}

/// Begins a change to the reader of `link`; `None` where it opens nothing, as [`choices`] then says.
async fn begin(store: &Store, link: ReaderRef, now: Timestamp) -> Result<Option<(Change, Subscriber)>> {
    let mut change = store.begin_change(now).await?;
    match change.reader(link.subscriber).await? {
        Some(reader) if !is_of_old_address(link, &reader) => Ok(Some((change, reader))),
        _ => {
            change.abandon().await?;
            Ok(None)
        }
    }
}

async fn move_to(
    store: &Store,
    link: ReaderRef,
    state: State,
    until: Option<Timestamp>,
    event: ReaderEvent<'_>,
    now: Timestamp,
) -> Result<Opened<Choices>> {
    let Some((mut change, reader)) = begin(store, link, now).await? else {
        return choices(store, link).await;
    };
    let same = reader.state == state && reader.paused_until == until;
    if same || !has_say(&reader) || !may_change(reader.state, state, Cause::Reader) {
        change.abandon().await?;
    } else {
        change
            .set_state(reader.id, state, until, Cause::Reader, event)
            .await?;
        change.commit().await?;
    }
    choices(store, link).await
}

async fn choices(store: &Store, link: ReaderRef) -> Result<Opened<Choices>> {
    let Some(reader) = store.subscriber_by_id(link.subscriber).await? else {
        return Ok(Opened::Gone);
    };
    if is_of_old_address(link, &reader) {
        return Ok(Opened::Expired);
    }
    Ok(Opened::Good(Choices {
        subscriber: reader.id,
        digest: store.digest_of_number(link.digest_number).await?,
        digests: reader.digests,
        categories: reader.categories,
        name: reader.name,
        text_only: reader.text_only,
        paused_until: reader.paused_until,
        state: reader.state,
    }))
}

/// `+` what is new and `-` what is no more, joined by `;`.
fn differences(old: &[String], new: &[Slug]) -> String {
    let came = new
        .iter()
        .filter(|digest| !old.iter().any(|had| had == digest.as_str()))
        .map(|digest| format!("+{digest}"));
    let went = old
        .iter()
        .filter(|had| !new.iter().any(|digest| digest.as_str() == had.as_str()))
        .map(|had| format!("-{had}"));
    came.chain(went).collect::<Vec<_>>().join(";")
}
