//! What the templates of notices see. A mail to an address that nobody has confirmed holds nothing that
//! somebody typed into a form.

use serde::Serialize;

use super::{PublicationContext, sample_site};
use crate::domain::Site;
use crate::domain::notice::NoticeKind;

/// What every notice tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeFrame {
    /// Who publishes.
    pub site: Site,
    /// The address to write to.
    pub contact: String,
}

/// The latest edition that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LatestContext {
    /// Where it can be read.
    pub url: String,
    /// Its day, such as `2 January 2026`.
    pub date: String,
}

/// What one notice tells. In data, its fields stand beside those of the frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NoticeBody {
    /// See [`NoticeKind::Confirm`].
    Confirm {
        /// The digests that were chosen.
        digests: Vec<PublicationContext>,
        /// The names of the categories that were chosen; empty for none.
        categories: Vec<String>,
        /// Begins the subscription.
        confirm_url: String,
        /// Keeps this address from getting such mail again.
        refuse_url: String,
        /// How long the first link works, such as `24 hours`.
        good_for: String,
    },
    /// See [`NoticeKind::Welcome`].
    Welcome {
        /// What the reader is called, or null.
        name: Option<String>,
        /// What was subscribed to.
        digest: PublicationContext,
        /// The names of the chosen categories; empty for none.
        categories: Vec<String>,
        /// Whether a reader who chose no category gets the summaries of all.
        all_categories: bool,
        /// The day on which the next edition is planned, such as `Monday, 5 January 2026`, or null.
        next_edition: Option<String>,
        /// The latest edition, or null.
        latest: Option<LatestContext>,
        /// Where the reader sees and changes what they get.
        preferences_url: String,
        /// Where the reader leaves.
        unsubscribe_url: String,
    },
    /// See [`NoticeKind::PreferencesLink`].
    PreferencesLink {
        /// What the reader is called, or null.
        name: Option<String>,
        /// The digest that the link is for.
        digest: PublicationContext,
        /// Where the reader sees and changes what they get.
        preferences_url: String,
    },
    /// See [`NoticeKind::AccountLink`].
    AccountLink {
        /// What the reader is called, or null.
        name: Option<String>,
        /// Where the reader changes the address, downloads what is kept, or is forgotten.
        account_url: String,
        /// How long the link works, such as `30 minutes`.
        good_for: String,
    },
    /// See [`NoticeKind::NewAddress`].
    NewAddress {
        /// Confirms the new address.
        confirm_url: String,
        /// Has us never write to the address again.
        refuse_url: String,
        /// How long the link works, such as `24 hours`.
        good_for: String,
    },
    /// See [`NoticeKind::AddressChanged`].
    AddressChanged {
        /// What the reader is called, or null.
        name: Option<String>,
    },
    /// See [`NoticeKind::SignIn`].
    SignIn {
        /// Signs the admin in.
        sign_in_url: String,
        /// How long the link works, such as `15 minutes`.
        good_for: String,
    },
    /// See [`NoticeKind::Contact`].
    Contact {
        /// The visitor's address.
        from: String,
        /// How the visitor calls themselves, or null.
        name: Option<String>,
        /// What they wrote, line by line.
        lines: Vec<String>,
    },
}

/// What the templates of a notice see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeContext {
    /// What every notice tells.
    #[serde(flatten)]
    pub frame: NoticeFrame,
    /// What this one tells.
    #[serde(flatten)]
    pub body: NoticeBody,
}

impl NoticeContext {
    /// What the notice is for.
    pub fn kind(&self) -> NoticeKind {
        match self.body {
            NoticeBody::Confirm { .. } => NoticeKind::Confirm,
            NoticeBody::Welcome { .. } => NoticeKind::Welcome,
            NoticeBody::PreferencesLink { .. } => NoticeKind::PreferencesLink,
            NoticeBody::AccountLink { .. } => NoticeKind::AccountLink,
            NoticeBody::NewAddress { .. } => NoticeKind::NewAddress,
            NoticeBody::AddressChanged { .. } => NoticeKind::AddressChanged,
            NoticeBody::SignIn { .. } => NoticeKind::SignIn,
            NoticeBody::Contact { .. } => NoticeKind::Contact,
        }
    }

    /// The links without which the mail is of no use, by the names that templates know them by.
    pub(in crate::render) fn links(&self) -> Vec<(&'static str, &str)> {
        match &self.body {
            NoticeBody::Confirm {
                confirm_url,
                refuse_url,
                ..
            } => vec![("confirm_url", confirm_url), ("refuse_url", refuse_url)],
            NoticeBody::Welcome {
                preferences_url,
                unsubscribe_url,
                ..
            } => vec![
                ("preferences_url", preferences_url),
                ("unsubscribe_url", unsubscribe_url),
            ],
            NoticeBody::PreferencesLink { preferences_url, .. } => vec![("preferences_url", preferences_url)],
            NoticeBody::AccountLink { account_url, .. } => vec![("account_url", account_url)],
            NoticeBody::NewAddress {
                confirm_url,
                refuse_url,
                ..
            } => vec![("confirm_url", confirm_url), ("refuse_url", refuse_url)],
            NoticeBody::SignIn { sign_in_url, .. } => vec![("sign_in_url", sign_in_url)],
            NoticeBody::AddressChanged { .. } | NoticeBody::Contact { .. } => Vec::new(),
        }
    }

    /// Made-up contexts of a kind, the fullest first.
    pub fn samples(kind: NoticeKind) -> Vec<Self> {
        let full = NoticeBody::sample(kind);
        let bare = full.bare();
        let mut bodies = vec![full];
        bodies.extend(bare);
        bodies
            .into_iter()
            .map(|body| Self {
                frame: NoticeFrame {
                    site: sample_site(),
                    contact: "mail@example.org".to_owned(),
                },
                body,
            })
            .collect()
    }
}

impl NoticeBody {
    /// Every value present.
    fn sample(kind: NoticeKind) -> Self {
        let link = |path: &str| format!("https://www.example.org/{path}/sample-token");
        let digest = PublicationContext {
            name: "weekly".to_owned(),
            title: "Weekly research digest".to_owned(),
        };
        let categories = || vec!["First Category".to_owned(), "Second Category".to_owned()];
        let name = Some("Sample Reader".to_owned());
        match kind {
            NoticeKind::Confirm => Self::Confirm {
                digests: vec![digest],
                categories: categories(),
                confirm_url: link("confirm"),
                refuse_url: link("refuse"),
                good_for: "24 hours".to_owned(),
            },
            NoticeKind::Welcome => Self::Welcome {
                name,
                digest,
                categories: categories(),
                all_categories: true,
                next_edition: Some("Monday, 5 January 2026".to_owned()),
                latest: Some(LatestContext {
                    url: "https://www.example.org/archive/7".to_owned(),
                    date: "2 January 2026".to_owned(),
                }),
                preferences_url: link("p"),
                unsubscribe_url: link("u"),
            },
            NoticeKind::PreferencesLink => Self::PreferencesLink {
                name,
                digest,
                preferences_url: link("p"),
            },
            NoticeKind::AccountLink => Self::AccountLink {
                name,
                account_url: link("account"),
                good_for: "30 minutes".to_owned(),
            },
            NoticeKind::NewAddress => Self::NewAddress {
                confirm_url: link("address"),
                refuse_url: link("refuse"),
                good_for: "24 hours".to_owned(),
            },
            NoticeKind::AddressChanged => Self::AddressChanged { name },
            NoticeKind::SignIn => Self::SignIn {
                sign_in_url: link("admin/session"),
                good_for: "15 minutes".to_owned(),
            },
            NoticeKind::Contact => Self::Contact {
                from: "visitor@example.com".to_owned(),
                name: Some("Sample Visitor".to_owned()),
                lines: vec!["What the visitor wrote,".to_owned(), "line by line.".to_owned()],
            },
        }
    }

    /// The same with every value missing that may be missing; `None` when none may.
    fn bare(&self) -> Option<Self> {
        let mut bare = self.clone();
        match &mut bare {
            Self::Confirm { categories, .. } => categories.clear(),
            Self::Welcome {
                name,
                categories,
                all_categories,
                next_edition,
                latest,
                ..
            } => {
                (*name, *next_edition, *latest) = (None, None, None);
                *all_categories = false;
                categories.clear();
            }
            Self::PreferencesLink { name, .. }
            | Self::AccountLink { name, .. }
            | Self::AddressChanged { name }
            | Self::Contact { name, .. } => *name = None,
            Self::NewAddress { .. } | Self::SignIn { .. } => return None,
        }
        Some(bare)
    }
}
