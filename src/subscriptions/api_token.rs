//! Bearer tokens of the API: shown once, kept as a hash.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::text::hex;
use crate::domain::{Random, Result};

/// What every token begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "pr_";

/// A new token: the text that is shown once, and the hash that the store keeps.
///
/// # Errors
/// When there is no randomness.
pub fn new_api_token(random: &dyn Random) -> Result<(String, String)> {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash(&token);
    Ok((token, hash))
}

/// Whether `presented` is the token whose hash is `kept`; takes the same time wherever they differ.
pub fn matches(kept: &str, presented: &str) -> bool {
    constant_time::verify_slices_are_equal(kept.as_bytes(), hash(presented).as_bytes()).is_ok()
}

/// The token holds 256 random bits, so a plain hash can't be searched and needs no salt.
fn hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.iter_mut().zip(self.0..).for_each(|(byte, n)| *byte = n);
            Ok(())
        }
    }

    #[test]
    fn only_the_token_itself_matches() -> Result<()> {
        let (token, kept) = new_api_token(&Counting(1))?;
        let (other, other_kept) = new_api_token(&Counting(2))?;
        assert!(token.starts_with("pr_") && token.len() == 46, "{token}");
        assert!(matches(&kept, &token) && matches(&other_kept, &other));
        for wrong in [other.as_str(), "", &token[1..], &format!("{token} "), &kept] {
            assert!(!matches(&kept, wrong), "{wrong}");
        }
        assert!(!kept.contains(&token));
        assert!(!matches("", "") && !matches("", &token));
        Ok(())
    }
}
