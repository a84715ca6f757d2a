//! The pages of the site: each has a template below `templates/web` and a context that it is checked with.

use serde::Serialize;
use serde_json::Value;

use super::context::admin::{
    CancelPage, DeliveriesPage, DigestPage, DraftPage, EditionsPage, LedgerPage, LinkUsedPage, SendPage,
    SessionPage, SignInPage, SignInSentPage, StartPage, TroublePage,
};
use super::context::{
    AccountLinkPage, AccountPage, AddressChangedPage, ArchivePage, AskPersonPage, CategoriesPage,
    CategoryPage, CheckInboxPage, ConfirmPage, ConfirmedPage, ContactPage, ContactSentPage, EditionPage,
    ErasePage, ErasedPage, HelpfulPage, HomePage, LinkExpiredPage, LinkInvalidPage, LinkSentPage,
    LostLinkPage, NewAddressPage, NotFoundPage, PreferencesPage, RefusePage, RefusedPage, RemovedPage,
    ResearchPage, SubscribePage, SummaryPage, TextPage, TooManyPage, UnsubscribePage, UnsubscribedPage,
    to_data,
};
use crate::domain::Result;

/// What the template of a page sees.
pub trait Page: Serialize + Sized {
    /// The file is `templates/web/<TEMPLATE>.hbs`.
    const TEMPLATE: &'static str;

    /// Made-up contexts, the fullest first; between them they take every branch of the template.
    fn samples() -> Vec<Self>;
}

/// A page's template, and its samples as data.
type Entry = (&'static str, fn() -> Result<Vec<Value>>);

/// Every page.
const PAGES: &[Entry] = &[
    entry::<CancelPage>(),
    entry::<DeliveriesPage>(),
    entry::<DigestPage>(),
    entry::<DraftPage>(),
    entry::<EditionsPage>(),
    entry::<LedgerPage>(),
    entry::<LinkUsedPage>(),
    entry::<SendPage>(),
    entry::<SessionPage>(),
    entry::<SignInPage>(),
    entry::<SignInSentPage>(),
    entry::<StartPage>(),
    entry::<TroublePage>(),
    entry::<AccountLinkPage>(),
    entry::<AccountPage>(),
    entry::<AddressChangedPage>(),
    entry::<ArchivePage>(),
    entry::<AskPersonPage>(),
    entry::<CategoriesPage>(),
    entry::<CategoryPage>(),
    entry::<CheckInboxPage>(),
    entry::<ConfirmPage>(),
    entry::<ConfirmedPage>(),
    entry::<ContactPage>(),
    entry::<ContactSentPage>(),
    entry::<EditionPage>(),
    entry::<ErasePage>(),
    entry::<ErasedPage>(),
    entry::<HelpfulPage>(),
    entry::<HomePage>(),
    entry::<LinkExpiredPage>(),
    entry::<NotFoundPage>(),
    entry::<RemovedPage>(),
    entry::<ResearchPage>(),
    entry::<SummaryPage>(),
    entry::<TextPage>(),
    entry::<LinkInvalidPage>(),
    entry::<LinkSentPage>(),
    entry::<LostLinkPage>(),
    entry::<NewAddressPage>(),
    entry::<PreferencesPage>(),
    entry::<RefusePage>(),
    entry::<RefusedPage>(),
    entry::<SubscribePage>(),
    entry::<TooManyPage>(),
    entry::<UnsubscribePage>(),
    entry::<UnsubscribedPage>(),
];

const fn entry<P: Page>() -> Entry {
    (P::TEMPLATE, samples::<P>)
}

fn samples<P: Page>() -> Result<Vec<Value>> {
    P::samples().iter().map(to_data).collect()
}

/// The template of the file at this path below `templates/`, when it is a page's.
pub(super) fn template_of(name: &str) -> Option<&'static str> {
    let template = name.strip_prefix("web/")?.strip_suffix(".hbs")?;
    let mut known = PAGES.iter().map(|(known, _)| *known);
    known.find(|known| *known == template)
}

/// The samples of the page with this template.
pub(super) fn samples_of(template: &str) -> Result<Vec<Value>> {
    let entry = PAGES.iter().find(|(known, _)| *known == template);
    entry.map_or_else(|| Ok(Vec::new()), |(_, samples)| samples())
}
