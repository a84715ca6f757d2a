//! The secrets of an admin's session: what the browser holds, what the store keeps, what a form must bring.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::text::hex;
use crate::domain::{Random, Result};

/// A new token of 256 random bits, for a cookie.
///
/// # Errors
/// When there is no randomness.
pub fn new_session(random: &dyn Random) -> Result<String> {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the store keeps of `token`. It can't be searched, so it needs no salt.
pub fn kept(token: &str) -> String {
    derived("session", token)
}

/// What every form of the session of `token` carries, so that no other site can send one.
pub fn form_token(token: &str) -> String {
    derived("form", token)
}

/// Whether a form of the session of `token` carries `presented`; takes the same time wherever they differ.
pub fn is_form_token(token: &str, presented: &str) -> bool {
    constant_time::verify_slices_are_equal(form_token(token).as_bytes(), presented.as_bytes()).is_ok()
}

fn derived(label: &str, token: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in ["postrider ", label, " ", token] {
        context.update(part.as_bytes());
    }
    hex(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_says_nothing_of_the_form_and_the_other_way_round() {
        let (token, other) = ("a-token", "another-token");
        assert!(is_form_token(token, &form_token(token)));
        for wrong in [&form_token(other), &kept(token), "", token] {
            assert!(!is_form_token(token, wrong), "{wrong}");
        }
        assert_ne!(kept(token), kept(other));
        assert!(!kept(token).contains(token));
    }
}
