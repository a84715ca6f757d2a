//! A row whose text names a person, and what becomes of it.

use super::fault::db;
use super::spellings::Spellings;
use crate::domain::Result;
use sqlx::AnyPool;

/// A row that names a person, by its key, with the text that does so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// What a relay said of a delivery.
    Delivery {
        /// The edition's number.
        edition: i64,
        /// The subscriber's number.
        subscriber: i64,
        /// What it said.
        text: String,
    },
    /// What a relay said of a notice.
    Notice {
        /// Its number.
        id: i64,
        /// What it said.
        text: String,
    },
    /// A notice that is theirs, or what they wrote to the admins.
    Message {
        /// Its number.
        id: i64,
    },
    /// Why an edition stands still.
    Edition {
        /// Its number.
        id: i64,
        /// What is told of it.
        text: String,
    },
    /// Why a relay is left alone.
    Relay {
        /// Its name.
        relay: String,
        /// The process that does so.
        node: String,
        /// What the relay said.
        text: String,
    },
}

impl Mention {
    /// Whether the text holds a spelling to the letter.
    pub(super) fn is_sure(&self, spellings: &Spellings) -> bool {
        match self {
            Self::Delivery { text, .. }
            | Self::Notice { text, .. }
            | Self::Edition { text, .. }
            | Self::Relay { text, .. } => spellings.stand_in(text),
            // Looked at when it was read.
            Self::Message { .. } => true,
        }
    }

    /// Takes the text away, or the row that is theirs; not when it has changed meanwhile.
    pub(super) async fn take_away(&self, pool: &AnyPool) -> Result<()> {
        let query = match self {
            Self::Delivery {
                edition,
                subscriber,
                text,
            } => sqlx::query(
                "UPDATE delivery SET text = NULL WHERE edition_id = $1 AND subscriber_id = $2 AND text = $3",
            )
            .bind(*edition)
            .bind(*subscriber)
            .bind(text.as_str()),
            Self::Notice { id, text } => {
                sqlx::query("UPDATE notice SET text = NULL WHERE id = $1 AND text = $2")
                    .bind(*id)
                    .bind(text.as_str())
            }
            Self::Message { id } => sqlx::query("DELETE FROM notice WHERE id = $1").bind(*id),
            Self::Edition { id, text } => {
                sqlx::query("UPDATE edition SET trouble = NULL WHERE id = $1 AND trouble = $2")
                    .bind(*id)
                    .bind(text.as_str())
            }
            Self::Relay { relay, node, text } => {
                sqlx::query("UPDATE relay_state SET why = NULL WHERE relay = $1 AND node = $2 AND why = $3")
                    .bind(relay.as_str())
                    .bind(node.as_str())
                    .bind(text.as_str())
            }
        };
        query.execute(pool).await.map_err(db)?;
        Ok(())
    }
}
