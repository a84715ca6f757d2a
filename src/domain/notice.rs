//! Notices: mails to a single reader, beside the editions of digests.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a notice is for; its templates are in `templates/email/<name>/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Asks whether the owner of the address wants to subscribe.
    Confirm,
    /// Says that the subscription has begun, and offers the latest edition.
    Welcome,
    /// The link to the reader's choices, asked for.
    PreferencesLink,
    /// The link that is good for a short time, for what would harm the reader in other hands.
    AccountLink,
    /// Asks whether the owner of a new address wants their digests there.
    NewAddress,
    /// Tells the old address that mails go elsewhere now.
    AddressChanged,
    /// The link with which an admin signs in.
    SignIn,
    /// What a visitor wrote to the admins.
    Contact,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Confirm,
        Self::Welcome,
        Self::PreferencesLink,
        Self::AccountLink,
        Self::NewAddress,
        Self::AddressChanged,
        Self::SignIn,
        Self::Contact,
    ];

    /// The word that the store uses, and the folder of its templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Welcome => "welcome",
            Self::PreferencesLink => "preferences_link",
            Self::AccountLink => "account_link",
            Self::NewAddress => "new_address",
            Self::AddressChanged => "address_changed",
            Self::SignIn => "sign_in",
            Self::Contact => "contact",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// How long it is worth sending: a link that has run out helps nobody.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::AccountLink | Self::SignIn => HOUR / 2,
            Self::Confirm | Self::NewAddress => DAY,
            Self::Welcome | Self::PreferencesLink | Self::AddressChanged | Self::Contact => 3 * DAY,
        }
    }
}
