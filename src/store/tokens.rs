//! Bearer tokens of the API, the numbers of digests in links, and settings the program makes for itself.

use super::Store;
use super::fault::db;
use crate::domain::{Problem, Result, Timestamp};
use sqlx::Row;

impl Store {
    /// Keeps the hash of a new API token under `name`.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn add_api_token(&self, name: &str, hash: &str, now: Timestamp) -> Result<()> {
        let done = sqlx::query(
            "INSERT INTO api_token (name, hash, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(hash)
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        if done.rows_affected() == 0 {
            return Err(
                Problem::failed(format!("there is a token named {name:?} already"))
                    .hint("choose another name"),
            );
        }
        Ok(())
    }

    /// Forgets the API token called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_api_token(&self, name: &str) -> Result<()> {
        let done = sqlx::query("DELETE FROM api_token WHERE name = $1")
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        if done.rows_affected() == 0 {
            return Err(Problem::not_found(format!("there is no token named {name:?}"))
                .hint("`postrider token list` shows their names"));
        }
        Ok(())
    }

    /// The hashes of all API tokens, with their names.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_token_hashes(&self) -> Result<Vec<(String, String)>> {
        sqlx::query("SELECT name, hash FROM api_token ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(db)?
            .iter()
            .map(|row| Ok((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?)))
            .collect()
    }

    /// The number that stands for `digest` in signed links; made when it is first asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn digest_number(&self, digest: &str) -> Result<i64> {
        sqlx::query("INSERT INTO digest_number (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
            .bind(digest)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        let row = sqlx::query("SELECT id FROM digest_number WHERE name = $1")
            .bind(digest)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// The digest behind a number of a signed link.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn digest_of_number(&self, number: i64) -> Result<Option<String>> {
        sqlx::query("SELECT name FROM digest_number WHERE id = $1")
            .bind(number)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?
            .map(|row| row.try_get(0).map_err(db))
            .transpose()
    }

    /// The setting `name`; `initial` is kept when there is none yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setting(&self, name: &str, initial: &str) -> Result<String> {
        sqlx::query("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(initial)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        sqlx::query("SELECT value FROM setting WHERE name = $1")
            .bind(name)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?
            .try_get(0)
            .map_err(db)
    }
}
