//! One reader at a time, by an admin: add, remove, show. The rules are those of lists.

use super::addressing::Known;
use super::fate::{Fate, has_left};
use super::group::{Candidate, Voice, apply, identify};
use super::import::{ImportReport, ImportSettings};
use super::line::{Line, known_categories, text};
use super::sign_up::{about, no_wish};
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{Cause, Choice, State, Suppression};
use crate::domain::{EmailAddress, Problem, Result, Slug, Timestamp};
use crate::store::Store;
use crate::store::reader_events::ReaderEvent;
use crate::store::sign_ups::{RequestKind, Wish};
use crate::store::standings::Sought;
use crate::store::subscribers::Subscriber;

/// A reader whom an admin adds.
#[derive(Debug, Clone)]
pub struct NewReader {
    /// The reader's address.
    pub address: EmailAddress,
    /// Whether the reader agreed already; else they are pending.
    pub confirmed: bool,
    /// The reader's name.
    pub name: Option<String>,
    /// The digests; none stands for the first that there is. Those that the reader has besides stay.
    pub digests: Vec<Slug>,
    /// The chosen categories; `None` leaves those of a reader who is there already.
    pub categories: Option<Choice>,
    /// The sentence that a pending one agrees to by confirming.
    pub wording: String,
}

/// Adds a reader, or adds to what one has, and gives back how they stand now.
/// A confirmed one agreed `now`, with the source `admin`. A pending one is written down to be asked by mail,
/// as whoever signs up by the form is, and within the same limits.
///
/// # Errors
/// When a digest or category is unknown, or the reader or their mail server does not want it.
pub async fn add(
    store: &Store,
    reader: &NewReader,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<Subscriber> {
    let address = &reader.address;
    let known = identify(address, settings);
    let key = known.key.clone();
    let before = store.subscriber(&key).await?;
    let line = line(reader, before.as_ref(), settings, now)?;
    let candidate = Candidate::new(line, settings);
    let voice = Voice {
        way: Way::Cli,
        describes: true,
        subscribes: true,
        ends_others: false,
    };
    let mut import = store.begin_import(now).await?;
    let sought = Sought {
        key: &known.key,
        hash: &known.hash,
        mailbox: &known.mailbox,
    };
    let blocked = import
        .standings(&[sought])
        .await?
        .get(&key)
        .and_then(|standing| standing.suppressed);
    let group = [candidate];
    let fates = apply(&mut import, &group, voice, &mut ImportReport::default()).await?;
    let digests = import.digests_of(&key).await?;
    let refused = match (fates.first(), before.as_ref().map(|reader| reader.state)) {
        (Some(Fate::Refuse(reason)), _) => Some(reason.as_str()),
        (Some(Fate::Keep), Some(state)) if has_left(state) => Some(state.as_str()),
        // A reader who is confirmed already is more than pending; nothing is taken from them.
        (Some(Fate::Keep), Some(State::Confirmed | State::Paused)) if !reader.confirmed => None,
        (Some(Fate::Keep), _) => Some("not to be mailed"),
        _ => blocked
            .filter(|reason| reason.blocks_everything())
            .map(Suppression::as_str),
    };
    if let Some(reason) = refused {
        import.abandon().await?;
        return Err(Problem::failed(format!("{address} is not added: the address is {reason}"))
            .hint(if reason == Suppression::Refused.as_str() {
                "they said that nobody is to write there; when they ask for it, `postrider subscribers allow ADDRESS` lifts that"
            } else {
                "only the reader can undo this, by signing up again; nobody can for a dead address or a complaint"
            }));
    }
    let left = group
        .iter()
        .flat_map(|candidate| &candidate.line.digests)
        .find(|digest| !digests.iter().any(|has| has == digest.as_str()));
    if let Some(digest) = left {
        let digest = digest.to_string();
        import.abandon().await?;
        return Err(
            Problem::failed(format!("{address} is not added: the reader has left {digest:?}"))
                .hint("only the reader can come back to it, by signing up again"),
        );
    }
    let becomes = before.map_or(State::Pending, |before| before.state);
    if !reader.confirmed && becomes == State::Pending {
        let wish = Wish {
            digests: digests
                .iter()
                .map(|digest| Slug::parse(digest))
                .collect::<Result<_>>()?,
            categories: group
                .into_iter()
                .map(|candidate| candidate.line.categories)
                .next()
                .unwrap_or_default(),
            wording: reader.wording.clone(),
            ..no_wish(Way::Cli)
        };
        let request = about(address, RequestKind::SignUp, wish, known);
        import.queue_request(&request).await?;
    }
    import.commit().await?;
    show(store, address, settings).await
}

fn line(
    reader: &NewReader,
    before: Option<&Subscriber>,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<Line> {
    let wrong = |reason: String| Problem::configuration(reason).hint("the configuration lists them");
    let mut digests = reader.digests.clone();
    if let Some(unknown) = digests.iter().find(|digest| !settings.digests.contains(digest)) {
        return Err(wrong(format!("there is no digest {:?}", unknown.as_str())));
    }
    if digests.is_empty() && before.is_none_or(|before| before.digests.is_empty()) {
        let first = settings.digests.first();
        digests.push(
            first
                .cloned()
                .ok_or_else(|| wrong("there is no digest".to_owned()))?,
        );
    }
    let chosen = reader.categories.as_ref();
    let categories = chosen.or(before.map(|before| &before.categories));
    if let Some(chosen) = chosen {
        known_categories(chosen, settings).map_err(wrong)?;
    }
    Ok(Line {
        address: reader.address.clone(),
        name: text("name", reader.name.as_deref().unwrap_or_default()).map_err(Problem::configuration)?,
        digests,
        categories: categories.cloned().unwrap_or_default(),
        state: if reader.confirmed {
            State::Confirmed
        } else {
            State::Pending
        },
        consent_at: reader.confirmed.then_some(now),
        consent_source: reader.confirmed.then(|| Cause::Admin.as_str().to_owned()),
    })
}

/// Unsubscribes a reader from everything. Doing it again changes nothing.
///
/// # Errors
/// When there is no such reader.
pub async fn remove(
    store: &Store,
    address: &EmailAddress,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<()> {
    let reader = show(store, address, settings).await?;
    store.end_all_subscriptions(reader.id, Way::Cli, now).await
}

/// Lets an address, and its mailbox, be written to again whose owner had said never to, or had kept a reader from
/// asking for it; false when nobody had. It gets nothing by that: they sign up as anybody else.
///
/// # Errors
/// When the database does not answer.
pub async fn allow(
    store: &Store,
    address: &EmailAddress,
    settings: &ImportSettings,
    now: Timestamp,
) -> Result<bool> {
    let Known { key, hash, mailbox } = identify(address, settings);
    let mut change = store.begin_change(now).await?;
    let was_kept = change.lift_refusals(&mailbox).await?;
    let was_refused = change.lift(&hash, Suppression::Refused).await?;
    let was_mailbox_refused = change.allow_mailbox(&mailbox).await?;
    if was_refused && let Some(reader) = change.reader_of(&key).await? {
        // They had left as well; lists must not bring them back.
        change.suppress(&hash, Suppression::Unsubscribed).await?;
        let event = ReaderEvent {
            what: Happening::Allowed,
            way: Way::Cli,
            wording: None,
            detail: None,
        };
        change.record(reader.id, event).await?;
    }
    change.commit().await?;
    Ok(was_refused || was_mailbox_refused || was_kept)
}

/// How a reader stands.
///
/// # Errors
/// When there is no such reader.
pub async fn show(store: &Store, address: &EmailAddress, settings: &ImportSettings) -> Result<Subscriber> {
    let key = identify(address, settings).key;
    store.subscriber(&key).await?.ok_or_else(|| {
        Problem::not_found(format!("there is no subscriber {address}"))
            .hint("`postrider subscribers export` lists them")
    })
}
