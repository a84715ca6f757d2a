//! Notices: mails to a single reader, beside the editions of digests.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::address::FullAddress;
use super::clock::Timestamp;
use super::problem::{Problem, Result};
use super::slug::Slug;

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

/// What the templates of a notice need beside its subscriber: no secret, and no link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeData {
    /// See [`NoticeKind::Confirm`].
    Confirm {
        /// The row of the sign-up.
        sign_up: i64,
        /// The digests that were chosen, by name.
        digests: Vec<Slug>,
        /// The categories that were chosen.
        categories: Vec<Slug>,
        /// When the link ends.
        #[serde(with = "millis")]
        expires: Timestamp,
    },
    /// See [`NoticeKind::Welcome`].
    Welcome {
        /// The digest that was subscribed to.
        digest: Slug,
    },
    /// See [`NoticeKind::PreferencesLink`].
    PreferencesLink {
        /// The digest that the link is for.
        digest: Slug,
    },
    /// See [`NoticeKind::AccountLink`].
    AccountLink {},
    /// See [`NoticeKind::NewAddress`].
    NewAddress {
        /// The row of the change.
        change: i64,
        /// When the link ends.
        #[serde(with = "millis")]
        expires: Timestamp,
    },
    /// See [`NoticeKind::AddressChanged`].
    AddressChanged {},
    /// See [`NoticeKind::SignIn`].
    SignIn {
        /// The row of the sign-in.
        sign_in: i64,
    },
    /// See [`NoticeKind::Contact`].
    Contact {
        /// The visitor's address: where answers go.
        from: FullAddress,
        /// How the visitor calls themselves.
        name: Option<String>,
        /// What they wrote.
        text: String,
    },
}

impl NoticeData {
    /// What the notice is for.
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::Confirm { .. } => NoticeKind::Confirm,
            Self::Welcome { .. } => NoticeKind::Welcome,
            Self::PreferencesLink { .. } => NoticeKind::PreferencesLink,
            Self::AccountLink {} => NoticeKind::AccountLink,
            Self::NewAddress { .. } => NoticeKind::NewAddress,
            Self::AddressChanged {} => NoticeKind::AddressChanged,
            Self::SignIn { .. } => NoticeKind::SignIn,
            Self::Contact { .. } => NoticeKind::Contact,
        }
    }

    /// When the link of a notice that was written at `created` ends; none for a link that does not, and
    /// for a notice without one.
    pub fn link_end(&self, created: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Confirm { expires, .. } | Self::NewAddress { expires, .. } => Some(*expires),
            Self::AccountLink {} => Some(created.plus(HOUR / 2)),
            Self::SignIn { .. } => Some(created.plus(HOUR / 4)),
            Self::Welcome { .. }
            | Self::PreferencesLink { .. }
            | Self::AddressChanged {}
            | Self::Contact { .. } => None,
        }
    }

    /// The JSON object that the store keeps beside the kind.
    ///
    /// # Errors
    /// Never for what this type can hold.
    pub fn to_json(&self) -> Result<String> {
        let unwritable = || Problem::failed(format!("the data of a {} notice", self.kind().as_str()));
        let whole = serde_json::to_value(self).map_err(|error| unwritable().because(error))?;
        let inner = whole.get(self.kind().as_str()).ok_or_else(unwritable)?;
        Ok(inner.to_string())
    }

    /// Reads back what [`NoticeData::to_json`] wrote for `kind`.
    ///
    /// # Errors
    /// When it is something else; the message does not repeat it, because it may name a reader.
    pub fn from_json(kind: NoticeKind, json: &str) -> Result<Self> {
        let whole = format!("{{\"{}\":{json}}}", kind.as_str());
        serde_json::from_str(&whole).map_err(|error| {
            Problem::failed(format!(
                "the data of a {} notice can't be read (line {}, column {})",
                kind.as_str(),
                error.line(),
                error.column()
            ))
        })
    }
}

/// Instants as whole milliseconds: the links that they end are compared to the millisecond.
mod millis {
    use super::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_and_read_back_as_its_kind() -> Result<()> {
        let weekly = Slug::parse("weekly")?;
        for (data, json) in [
            (
                NoticeData::Confirm {
                    sign_up: 7,
                    digests: vec![weekly.clone()],
                    categories: vec![],
                    expires: Timestamp(86_400_001),
                },
                r#"{"categories":[],"digests":["weekly"],"expires":86400001,"sign_up":7}"#,
            ),
            (NoticeData::Welcome { digest: weekly }, r#"{"digest":"weekly"}"#),
            (NoticeData::AccountLink {}, "{}"),
            (
                NoticeData::Contact {
                    from: "ann@example.org".into(),
                    name: None,
                    text: "Hello".to_owned(),
                },
                r#"{"from":"ann@example.org","name":null,"text":"Hello"}"#,
            ),
        ] {
            assert_eq!(data.to_json()?, json);
            assert_eq!(NoticeData::from_json(data.kind(), json)?, data);
        }
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
        }
        let wrong = NoticeData::from_json(NoticeKind::Contact, r#"{"from":"ann@example.org"}"#);
        assert!(wrong.is_err_and(|problem| !problem.to_string().contains("ann@")));
        Ok(())
    }
}
