//! What happens to a reader, and by which way: the words of the record that is kept of it.

use serde::{Deserialize, Serialize};

use super::subscriber::{Cause, State};

/// By which way something came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The form of the site.
    Form,
    /// The API.
    Api,
    /// A list.
    Import,
    /// The command line.
    Cli,
    /// A link of a mail, and the button of the page behind it.
    Link,
    /// The button of a mail program (RFC 8058).
    OneClick,
    /// The reader's mail server.
    Server,
    /// The pages of the admins.
    Admin,
    /// A date that had come.
    Time,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 9] = [
        Self::Form,
        Self::Api,
        Self::Import,
        Self::Cli,
        Self::Link,
        Self::OneClick,
        Self::Server,
        Self::Admin,
        Self::Time,
    ];

    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Api => "api",
            Self::Import => "import",
            Self::Cli => "cli",
            Self::Link => "link",
            Self::OneClick => "one_click",
            Self::Server => "server",
            Self::Admin => "admin",
            Self::Time => "time",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }

    /// Whose word it is that comes by this way.
    pub fn cause(self) -> Cause {
        match self {
            Self::Form | Self::Api | Self::Link | Self::OneClick | Self::Time => Cause::Reader,
            Self::Import => Cause::Import,
            Self::Cli | Self::Admin => Cause::Admin,
            Self::Server => Cause::Server,
        }
    }
}

/// What happened to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A new state.
    Became(State),
    /// A pause is over.
    Resumed,
    /// Other digests.
    Digests,
    /// Other categories.
    Categories,
    /// Another name.
    Name,
    /// Another address.
    Address,
    /// Mails as text only, or not any more.
    TextOnly,
    /// An admin lets the address be written to again.
    Allowed,
}

impl Happening {
    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Became(state) => state.as_str(),
            Self::Resumed => "resumed",
            Self::Digests => "digests",
            Self::Categories => "categories",
            Self::Name => "name",
            Self::Address => "address",
            Self::TextOnly => "text_only",
            Self::Allowed => "allowed",
        }
    }
}
