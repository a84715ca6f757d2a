//! The states of a subscriber, and who may change which into which.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::slug::Slug;

/// Where an address stands with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Asked for, not confirmed by the reader; gets nothing but a confirmation.
    Pending,
    /// Receives digests.
    Confirmed,
    /// Receives nothing until a date.
    Paused,
    /// Left.
    Unsubscribed,
    /// The address is dead.
    Bounced,
    /// The reader called us spam.
    Complained,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Confirmed,
        Self::Paused,
        Self::Unsubscribed,
        Self::Bounced,
        Self::Complained,
    ];

    /// The word that the store and lists use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Paused => "paused",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Who asks for a change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The reader, by a signed link or a form.
    Reader,
    /// A list that was imported.
    Import,
    /// An admin.
    Admin,
    /// The reader's mail server.
    Server,
}

impl Cause {
    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Import => "import",
            Self::Admin => "admin",
            Self::Server => "server",
        }
    }
}

/// Whether `cause` may bring a subscriber from `from` to `to`.
///
/// A state that the reader or their server caused is never undone by an import or an admin;
/// a reader who confirms again comes back from `unsubscribed`, nobody from `bounced` or `complained`.
pub fn may_change(from: State, to: State, cause: Cause) -> bool {
    use State::{Bounced, Complained, Confirmed, Paused, Pending, Unsubscribed};
    if from == to {
        return true;
    }
    match (from, to) {
        (Complained, _) => false,
        (Bounced, _) => to == Complained,
        (_, Bounced | Complained) => cause != Cause::Reader,
        (Unsubscribed, Pending | Confirmed) => cause == Cause::Reader,
        (Unsubscribed, Paused) => false,
        (_, Unsubscribed) => true,
        (Pending, Confirmed) => cause != Cause::Server,
        (Confirmed, Paused) | (Paused, Confirmed) => cause == Cause::Reader || cause == Cause::Admin,
        (Pending, Paused) | (Confirmed | Paused, Pending) => false,
        (Pending, Pending) | (Confirmed, Confirmed) | (Paused, Paused) => true,
    }
}

/// Why an address is not mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suppression {
    /// The address is dead; blocks everything.
    Bounced,
    /// The reader called us spam; blocks everything.
    Complained,
    /// The reader left; blocks imports and admins.
    Unsubscribed,
    /// The reader asked to be forgotten; blocks imports and admins.
    Erased,
    /// The owner of the address says: it was not me, never write again. Blocks everything; only an admin lifts it.
    Refused,
}

impl Suppression {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Bounced,
        Self::Complained,
        Self::Unsubscribed,
        Self::Erased,
        Self::Refused,
    ];

    /// Whether nothing at all is mailed, and no sign-up taken. Else a sign-up that the reader confirms lifts it.
    pub fn blocks_everything(self) -> bool {
        match self {
            Self::Bounced | Self::Complained | Self::Refused => true,
            Self::Unsubscribed | Self::Erased => false,
        }
    }

    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
            Self::Erased => "erased",
            Self::Refused => "refused",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The categories a reader chose; empty means no choice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Choice(BTreeSet<Slug>);

impl Choice {
    /// Reads slugs that are joined by `;`; blanks are skipped.
    ///
    /// # Errors
    /// When one of them is no slug.
    pub fn parse(text: &str) -> super::Result<Self> {
        text.split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(Slug::parse)
            .collect::<super::Result<BTreeSet<_>>>()
            .map(Self)
    }

    /// The chosen slugs, sorted.
    pub fn slugs(&self) -> impl Iterator<Item = &Slug> {
        self.0.iter()
    }

    /// Whether no category was chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `slug` was chosen.
    pub fn contains(&self, slug: &Slug) -> bool {
        self.0.contains(slug)
    }
}

impl FromIterator<Slug> for Choice {
    fn from_iter<I: IntoIterator<Item = Slug>>(slugs: I) -> Self {
        Self(slugs.into_iter().collect())
    }
}

impl std::fmt::Display for Choice {
    /// The form in which it is stored and grouped: sorted slugs joined by `;`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, slug) in self.0.iter().enumerate() {
            write!(f, "{}{slug}", if n == 0 { "" } else { ";" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_resurrected_by_an_import_or_an_admin() {
        for cause in [Cause::Import, Cause::Admin, Cause::Server] {
            for from in [State::Unsubscribed, State::Bounced, State::Complained] {
                for to in [State::Pending, State::Confirmed, State::Paused] {
                    assert!(!may_change(from, to, cause), "{from:?} {to:?} {cause:?}");
                }
            }
        }
        assert!(may_change(State::Unsubscribed, State::Confirmed, Cause::Reader));
    }

    #[test]
    fn a_state_changes_for_those_who_have_the_say() {
        use State::{Bounced, Complained, Confirmed, Paused, Pending, Unsubscribed};
        const NOBODY: &[Cause] = &[];
        const ALL: &[Cause] = &[Cause::Reader, Cause::Import, Cause::Admin, Cause::Server];
        const PEOPLE: &[Cause] = &[Cause::Reader, Cause::Import, Cause::Admin];
        const READER: &[Cause] = &[Cause::Reader];
        const ADMIN_TOO: &[Cause] = &[Cause::Reader, Cause::Admin];
        const NOT_READER: &[Cause] = &[Cause::Import, Cause::Admin, Cause::Server];
        for (from, may) in [
            (Pending, [ALL, PEOPLE, NOBODY, ALL, NOT_READER, NOT_READER]),
            (Confirmed, [NOBODY, ALL, ADMIN_TOO, ALL, NOT_READER, NOT_READER]),
            (Paused, [NOBODY, ADMIN_TOO, ALL, ALL, NOT_READER, NOT_READER]),
            (
                Unsubscribed,
                [READER, READER, NOBODY, ALL, NOT_READER, NOT_READER],
            ),
            (Bounced, [NOBODY, NOBODY, NOBODY, NOBODY, ALL, ALL]),
            (Complained, [NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, ALL]),
        ] {
            for (to, causes) in State::ALL.into_iter().zip(may) {
                for &cause in ALL {
                    let allowed = may_change(from, to, cause);
                    assert_eq!(allowed, causes.contains(&cause), "{from:?} {to:?} {cause:?}");
                }
            }
        }
    }

    #[test]
    fn every_reason_is_read_back_and_knows_what_it_blocks() {
        for (reason, everything) in Suppression::ALL.into_iter().zip([true, true, false, false, true]) {
            assert_eq!(Suppression::parse(reason.as_str()), Some(reason));
            assert_eq!(reason.blocks_everything(), everything, "{reason:?}");
        }
    }

    #[test]
    fn a_choice_is_sorted_and_without_doubles() -> super::super::Result<()> {
        assert_eq!(
            Choice::parse(" urology;oncology; urology ;")?.to_string(),
            "oncology;urology"
        );
        assert!(Choice::parse("Urology").is_err());
        Ok(())
    }
}
