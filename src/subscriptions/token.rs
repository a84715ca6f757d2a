//! Signed links: a token names a reader and a digest, for one purpose, and can't be made by others.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

use super::subkeys::{Named, Subkeys, Use};
use super::token_text::{put_varint, take_varint};
use crate::domain::{Problem, Result, Timestamp};

/// Bytes of a link's signature: 96 bits.
const MAC: usize = 12;
/// Milliseconds.
const MINUTE: i64 = 60_000;

/// A secret of the operator. Keys are never taken out, only revoked: old links name them.
#[derive(Clone)]
pub struct Key {
    /// Stands in every token; unique.
    pub id: u8,
    /// The secret itself.
    pub bytes: [u8; 32],
    /// Whether what it signed is refused, because it leaked.
    pub revoked: bool,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key {{ id: {}, revoked: {} }}", self.id, self.revoked)
    }
}

/// What a link lets its bearer do; a token of one purpose is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// End one subscription.
    Unsubscribe,
    /// See and change what was chosen.
    Preferences,
    /// Confirm a sign-up.
    Confirm,
    /// Never be written to again by whoever types the address into a form.
    Refuse,
    /// For a short time: change the address, download what is kept, be forgotten.
    Account,
    /// Confirm a new address.
    NewAddress,
    /// Sign in as an admin.
    SignIn,
    /// Show when a form was shown; no link.
    Form,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::Unsubscribe,
        Self::Preferences,
        Self::Confirm,
        Self::Refuse,
        Self::Account,
        Self::NewAddress,
        Self::SignIn,
        Self::Form,
    ];

    /// What its subkey is derived from; never changed, or links stop working.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Unsubscribe => "unsubscribe",
            Self::Preferences => "preferences",
            Self::Confirm => "confirm",
            Self::Refuse => "refuse",
            Self::Account => "account",
            Self::NewAddress => "new address",
            Self::SignIn => "sign in",
            Self::Form => "form",
        }
    }
}

/// Whom a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReaderRef {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The number that stands for the digest (`Store::digest_number`).
    pub digest_number: i64,
    /// How often the reader had changed their address when the link was made; known of links to their
    /// choices alone, and 0 of all others.
    pub generation: i64,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenFault {
    /// It is no token of ours at all.
    Malformed,
    /// Its signature does not fit: changed, invented, or signed for another purpose.
    Forged,
    /// It was signed by a key that was revoked since.
    Revoked,
    /// It is ours, and its time is up.
    Expired,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is cut short or misspelled",
            Self::Forged => "its signature does not fit",
            Self::Revoked => "the key that signed it was revoked",
            Self::Expired => "its time is up",
        })
    }
}

impl std::error::Error for TokenFault {}

/// The whole minute in which `end` is over.
fn minute_of(end: Timestamp) -> i64 {
    end.0.div_euclid(MINUTE) + i64::from(end.0.rem_euclid(MINUTE) > 0)
}

/// Makes and reads tokens. `Debug` shows no secret.
pub struct Signer {
    keys: Vec<Subkeys>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| key.id))
            .finish()
    }
}

impl Signer {
    /// A signer that signs with the newest key that is not revoked; `keys` holds the newest first.
    ///
    /// # Errors
    /// When no key is left to sign with, or two have one number.
    pub fn new(keys: &[Key]) -> Result<Self> {
        for (n, key) in keys.iter().enumerate() {
            if keys.iter().take(n).any(|other| other.id == key.id) {
                return Err(
                    Problem::configuration(format!("two token secrets have the number {}", key.id))
                        .hint("give every line of the secret file a number of its own"),
                );
            }
        }
        if keys.iter().all(|key| key.revoked) {
            return Err(
                Problem::configuration("there is no token secret that is not revoked")
                    .hint("add a new one as the first line of the secret file"),
            );
        }
        Ok(Self {
            keys: keys.iter().map(Subkeys::new).collect(),
        })
    }

    /// The token of a reader's link, at most 30 characters for subscribers below 2^49 and digests below 2^14.
    /// It does not run out.
    pub fn reader_token(&self, purpose: Purpose, subscriber: i64, digest_number: i64) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(Use::Link(purpose), &[subscriber, digest_number], MAC))
    }

    /// The token of the link to a reader's choices: that of [`Signer::reader_token`] until they change their
    /// address, then one or two characters longer.
    pub fn preferences_token(&self, subscriber: i64, digest_number: i64, generation: i64) -> String {
        if generation == 0 {
            return self.reader_token(Purpose::Preferences, subscriber, digest_number);
        }
        let numbers = [subscriber, digest_number, generation];
        URL_SAFE_NO_PAD.encode(self.sign(Use::Link(Purpose::Preferences), &numbers, MAC))
    }

    /// Whom `token` is for.
    ///
    /// # Errors
    /// When it was not made by [`Signer::reader_token`] or [`Signer::preferences_token`] for `purpose`, or
    /// its key is revoked.
    pub fn read_reader_token(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> std::result::Result<ReaderRef, TokenFault> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenFault::Malformed)?;
        let (subscriber, digest_number, third) = self.verified(Use::Link(purpose), &bytes, MAC)?;
        let generation = match third {
            None => 0,
            Some(generation) if generation > 0 && purpose == Purpose::Preferences => generation,
            Some(_) => return Err(TokenFault::Malformed),
        };
        Ok(ReaderRef {
            subscriber,
            digest_number,
            generation,
        })
    }

    /// The token of a link for `purpose` about the row `id`, good until `end`; it is told in whole minutes,
    /// rounded up.
    pub fn short_lived_token(&self, purpose: Purpose, id: i64, end: Timestamp) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(Use::Link(purpose), &[id, minute_of(end)], MAC))
    }

    /// The token of the link to a reader's data, good until `end` and as long as they keep their address; as
    /// [`Signer::short_lived_token`] until they change it.
    pub fn account_token(&self, subscriber: i64, generation: i64, end: Timestamp) -> String {
        if generation == 0 {
            return self.short_lived_token(Purpose::Account, subscriber, end);
        }
        let numbers = [subscriber, minute_of(end), generation];
        URL_SAFE_NO_PAD.encode(self.sign(Use::Link(Purpose::Account), &numbers, MAC))
    }

    /// The reader of a link to their data, and the generation of their links when it was made.
    ///
    /// # Errors
    /// When it was not made by [`Signer::account_token`], its key is revoked, or its time is up.
    pub fn read_account_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> std::result::Result<(i64, i64), TokenFault> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenFault::Malformed)?;
        let (subscriber, minute, third) = self.verified(Use::Link(Purpose::Account), &bytes, MAC)?;
        if third == Some(0) {
            return Err(TokenFault::Malformed);
        }
        if now.0 > minute.saturating_mul(MINUTE) {
            return Err(TokenFault::Expired);
        }
        Ok((subscriber, third.unwrap_or(0)))
    }

    /// The row that `token` is about.
    ///
    /// # Errors
    /// When it was not made by [`Signer::short_lived_token`] for `purpose`, its key is revoked, or its time is up.
    pub fn read_short_lived(
        &self,
        purpose: Purpose,
        token: &str,
        now: Timestamp,
    ) -> std::result::Result<i64, TokenFault> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenFault::Malformed)?;
        let (id, minute) = self.verify(Use::Link(purpose), &bytes, MAC)?;
        if now.0 > minute.saturating_mul(MINUTE) {
            return Err(TokenFault::Expired);
        }
        Ok(id)
    }

    /// Key number, `numbers` as varints, and `mac` bytes of signature over them.
    pub(super) fn sign(&self, use_of: Use, numbers: &[i64], mac: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        // `new` made sure that there is one.
        if let Some(key) = self.keys.iter().find(|key| !key.revoked) {
            bytes.push(key.id);
            for &number in numbers {
                put_varint(&mut bytes, number);
            }
            let tag = hmac::sign(key.of(use_of), &bytes);
            bytes.extend(tag.as_ref().iter().take(mac));
        }
        bytes
    }

    /// Reads the two numbers that [`Signer::sign`] wrote.
    pub(super) fn verify(
        &self,
        use_of: Use,
        bytes: &[u8],
        mac: usize,
    ) -> std::result::Result<(i64, i64), TokenFault> {
        match self.verified(use_of, bytes, mac)? {
            (first, second, None) => Ok((first, second)),
            (.., Some(_)) => Err(TokenFault::Malformed),
        }
    }

    /// Reads the two or three numbers that [`Signer::sign`] wrote.
    fn verified(
        &self,
        use_of: Use,
        bytes: &[u8],
        mac: usize,
    ) -> std::result::Result<(i64, i64, Option<i64>), TokenFault> {
        let split = bytes.len().checked_sub(mac).ok_or(TokenFault::Malformed)?;
        let (body, given) = bytes.split_at(split);
        let (&id, mut numbers) = body.split_first().ok_or(TokenFault::Malformed)?;
        let first = take_varint(&mut numbers).ok_or(TokenFault::Malformed)?;
        let second = take_varint(&mut numbers).ok_or(TokenFault::Malformed)?;
        let third = if numbers.is_empty() {
            None
        } else {
            Some(take_varint(&mut numbers).ok_or(TokenFault::Malformed)?)
        };
        if !numbers.is_empty() {
            return Err(TokenFault::Malformed);
        }
        let key = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or(TokenFault::Forged)?;
        let tag = hmac::sign(key.of(use_of), body);
        let right = tag.as_ref().get(..mac).ok_or(TokenFault::Malformed)?;
        constant_time::verify_slices_are_equal(right, given).map_err(|_| TokenFault::Forged)?;
        if key.revoked {
            return Err(TokenFault::Revoked);
        }
        Ok((first, second, third))
    }

    /// What visitors' networks and answers are hashed with, the same after keys were added or revoked.
    pub fn visitors_salt(&self) -> &str {
        self.keys.last().map_or("", |key| key.visitors.as_str())
    }

    /// A value that only this signer can foretell, the same after keys were added or revoked.
    ///
    /// It comes from the oldest key: a delivery that is tried again after a rotation keeps its name.
    pub(super) fn name(&self, named: Named, first: i64, second: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20);
        put_varint(&mut bytes, first);
        put_varint(&mut bytes, second);
        self.keys
            .last()
            .map(|key| {
                let subkey = match named {
                    Named::Delivery => &key.message_id,
                    Named::Notice => &key.notice_message_id,
                };
                hmac::sign(subkey, &bytes).as_ref().to_vec()
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
