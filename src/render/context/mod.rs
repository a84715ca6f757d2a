//! What templates see. Every context has a `sample`, with every value present, and a `bare_sample`,
//! with every value missing that may be missing; templates are checked against both.

pub mod admin;
mod archive;
mod digest;
mod feed;
mod form;
mod frame;
mod item;
mod links;
mod notice;
mod sign_up;
mod site;
mod site_pages;
mod site_texts;
mod web;

pub use archive::{ArchivePage, ArchivedContext, ArchivedDigest, EditionPage};
pub use digest::{DigestContext, EditionContext, PublicationContext};
pub use feed::{ChannelContext, EntryContext};
pub use form::{ChoicesContext, FaultContext, FieldContext, HiddenContext, OptionContext};
pub use frame::{FeedLink, Frame, Head};
pub use item::{ImplicationContext, ItemContext, PointContext};
pub use links::{
    AccountLinkPage, AccountPage, AddressChangedPage, ErasePage, ErasedPage, LinkExpiredPage, LinkSentPage,
    LostLinkPage, NewAddressPage, PreferencesPage,
};
pub use notice::{LatestContext, NoticeBody, NoticeContext, NoticeFrame};
pub use sign_up::{
    AskPersonPage, CheckInboxPage, ConfirmPage, ConfirmedPage, RefusePage, RefusedPage, SubscribePage,
    TooManyPage,
};
pub use site::{CategoryContext, CategoryLink, Crumb, Pager, SummaryContext};
pub use site_pages::{CategoriesPage, CategoryPage, HelpfulPage, HomePage, ResearchPage, SummaryPage};
pub use site_texts::{ContactPage, ContactSentPage, NotFoundPage, RemovedPage, TextPage};
pub use web::{LinkInvalidPage, UnsubscribePage, UnsubscribedPage};

pub(super) use digest::Level;
use digest::paragraphs;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;

use crate::domain::{Problem, Result, Site, text};

/// The site as templates see it: `name`, `url`, `language`, `tagline`, `copyright`, `postal_address`, `pages`.
pub(super) fn sample_site() -> Site {
    Site {
        name: "Sample Site".to_owned(),
        url: "https://www.example.org".to_owned(),
        language: "en".to_owned(),
        tagline: "Research in plain words.".to_owned(),
        copyright: "© Sample Site".to_owned(),
        postal_address: "Sample Site, 1 Example Street, Example Town".to_owned(),
        pages: true,
    }
}

/// A day such as `2 January 2026`.
pub fn day(date: NaiveDate) -> String {
    format!("{} {} {}", date.day(), date.format("%B"), date.year())
}

fn local_day(time: crate::domain::Timestamp, zone: Tz) -> NaiveDate {
    let local: DateTime<Tz> = time.utc().with_timezone(&zone);
    local.date_naive()
}

/// A context as data: no string in it holds a character that must not travel.
pub(super) fn to_data(context: &impl Serialize) -> Result<Value> {
    let mut data = serde_json::to_value(context)
        .map_err(|error| Problem::failed("a template's context can't be written as data").because(error))?;
    strip(&mut data);
    Ok(data)
}

fn strip(value: &mut Value) {
    match value {
        Value::String(string) if !string.chars().all(text::is_allowed) => {
            *string = text::strip_illegal(string);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        Value::Object(values) => values.values_mut().for_each(strip),
        _ => {}
    }
}
