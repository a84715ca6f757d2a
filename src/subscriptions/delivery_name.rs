//! The names of a delivery in a message: its Message-ID and its return path.

use super::subkeys::{Named, Use};
use super::token::{Signer, TokenFault};
use super::token_text::{base32, from_base32};

/// Bytes of a return path's signature: 80 bits.
const MAC: usize = 10;

/// Bytes of a Message-ID's left side: 120 bits.
const NAME: usize = 15;

impl Signer {
    /// The Message-ID (RFC 5322 3.6.4) of the message of `edition` to `subscriber`, with its angle brackets:
    /// the same for every attempt, also after a change of keys, and nobody else's to guess.
    pub fn message_id(&self, edition: i64, subscriber: i64, domain: &str) -> String {
        angled(&self.name(Named::Delivery, edition, subscriber), domain)
    }

    /// [`Signer::message_id`] of a notice; no edition's message has the same.
    pub fn notice_message_id(&self, notice: i64, domain: &str) -> String {
        angled(&self.name(Named::Notice, notice, 0), domain)
    }

    /// What stands for `{token}` in the return path of that message: lower-case letters and digits,
    /// because mail servers may fold the case; 29 characters for a million editions of 2^28 subscribers.
    pub fn return_path_token(&self, edition: i64, subscriber: i64) -> String {
        base32(&self.sign(Use::ReturnPath, &[edition, subscriber], MAC))
    }

    /// The edition and the subscriber that `token` of a return path names, in either case.
    ///
    /// # Errors
    /// When it was not made by [`Signer::return_path_token`], or its key is revoked.
    pub fn read_return_path(&self, token: &str) -> Result<(i64, i64), TokenFault> {
        let bytes = from_base32(token).ok_or(TokenFault::Malformed)?;
        self.verify(Use::ReturnPath, &bytes, MAC)
    }

    /// [`Signer::return_path_token`] of a notice; it can't be taken for an edition's.
    pub fn notice_return_path_token(&self, notice: i64) -> String {
        base32(&self.sign(Use::NoticeReturnPath, &[notice, 0], MAC))
    }

    /// The notice that `token` of a return path names, in either case.
    ///
    /// # Errors
    /// When it was not made by [`Signer::notice_return_path_token`], or its key is revoked.
    pub fn read_notice_return_path(&self, token: &str) -> Result<i64, TokenFault> {
        let bytes = from_base32(token).ok_or(TokenFault::Malformed)?;
        self.verify(Use::NoticeReturnPath, &bytes, MAC)
            .map(|(notice, _)| notice)
    }
}

fn angled(name: &[u8], domain: &str) -> String {
    format!("<{}@{domain}>", base32(name.get(..NAME).unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::token::Key;
    use super::*;

    fn key(id: u8, revoked: bool) -> Key {
        Key {
            id,
            bytes: [id; 32],
            revoked,
        }
    }

    fn signer(keys: &[Key]) -> Signer {
        Signer::new(keys).unwrap()
    }

    #[test]
    fn a_message_keeps_its_name_when_keys_change() {
        let before = signer(&[key(1, false)]);
        let name = before.message_id(7, 1203, "example.org");
        assert!(name.starts_with('<') && name.ends_with("@example.org>"), "{name}");
        for after in [
            signer(&[key(2, false), key(1, false)]),
            signer(&[key(2, false), key(1, true)]),
        ] {
            assert_eq!(after.message_id(7, 1203, "example.org"), name);
        }
        let others = [
            before.message_id(1203, 7, "example.org"),
            before.message_id(7, 1204, "example.org"),
            before.message_id(8, 1203, "example.org"),
            signer(&[key(3, false)]).message_id(7, 1203, "example.org"),
        ];
        assert!(!others.contains(&name), "{name} {others:?}");
    }

    #[test]
    fn a_notice_is_no_delivery_of_an_edition() {
        let us = signer(&[key(2, false), key(1, false)]);
        let token = us.notice_return_path_token(7);
        assert_eq!(us.read_notice_return_path(&token.to_uppercase()), Ok(7));
        assert_eq!(us.read_return_path(&token), Err(TokenFault::Forged));
        let edition = us.return_path_token(7, 0);
        assert_eq!(us.read_notice_return_path(&edition), Err(TokenFault::Forged));
        let name = us.notice_message_id(7, "example.org");
        assert_ne!(name, us.message_id(7, 0, "example.org"));
        assert_ne!(name, us.notice_message_id(8, "example.org"));
        let before = signer(&[key(1, false)]);
        assert_eq!(name, before.notice_message_id(7, "example.org"), "a new key");
    }

    #[test]
    fn a_return_path_survives_folding_and_nothing_else() {
        let us = signer(&[key(2, false), key(1, false)]);
        let token = us.return_path_token(1_000_000, (1 << 28) - 1);
        assert!(token.len() <= 29, "{token}");
        let back = Ok((1_000_000, (1 << 28) - 1));
        assert_eq!(us.read_return_path(&token), back);
        assert_eq!(us.read_return_path(&token.to_uppercase()), back);
        for (n, old) in token.char_indices() {
            for new in "abcdefghijklmnopqrstuvwxyz234567"
                .chars()
                .filter(|&new| new != old)
            {
                let mut changed = token.clone();
                changed.replace_range(n..=n, &new.to_string());
                assert!(us.read_return_path(&changed).is_err(), "{token} {changed}");
            }
        }
        assert_eq!(
            signer(&[key(3, false), key(2, true)]).read_return_path(&token),
            Err(TokenFault::Revoked)
        );
    }
}
