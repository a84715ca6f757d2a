//! From data to text and HTML: the only Handlebars and MJML.
//!
//! [`Templates`] are compiled and checked once, then shared. A mail is rendered once for all readers
//! who get the same items; what differs from reader to reader is left as [`Slot`]s. A mail whose
//! templates do more with a reader's values than print them is rendered for each reader.

mod built_in;
mod check;
mod context;
mod engine;
mod kind;
mod logic;
mod mail;
mod mjml;
mod notice;
mod pages;
mod partials;
mod scopes;
mod slots;
mod sources;
mod templates;
mod text;
mod texts;
mod woven;

#[cfg(test)]
mod logic_tests;
#[cfg(test)]
mod tests;

pub use context::admin;
pub use context::{
    AccountLinkPage, AccountPage, AddressChangedPage, ArchivePage, ArchivedContext, ArchivedDigest,
    AskPersonPage, CategoriesPage, CategoryContext, CategoryLink, CategoryPage, ChannelContext,
    CheckInboxPage, ChoicesContext, ConfirmPage, ConfirmedPage, ContactPage, ContactSentPage, Crumb,
    DigestContext, EditionContext, EditionPage, EntryContext, ErasePage, ErasedPage, FaultContext, FeedLink,
    FieldContext, Frame, Head, HelpfulPage, HiddenContext, HomePage, ImplicationContext, ItemContext,
    LatestContext, LinkExpiredPage, LinkInvalidPage, LinkSentPage, LostLinkPage, NewAddressPage,
    NotFoundPage, NoticeBody, NoticeContext, NoticeFrame, OptionContext, Pager, PointContext,
    PreferencesPage, PublicationContext, RefusePage, RefusedPage, RemovedPage, ResearchPage, SubscribePage,
    SummaryContext, SummaryPage, TextPage, TooManyPage, UnsubscribePage, UnsubscribedPage, day,
};
pub use logic::LogicUse;
pub use mail::{PersonalMail, Reader, ReaderShape, RenderedMail};
pub use notice::RenderedNotice;
pub use pages::Page;
pub use slots::{Piece, Slot};
pub use templates::{ChannelText, EntryText, Templates, Verdicts};
pub use texts::{Text, Texts};
