//! The sentences that readers agree to; each is recorded as it was shown.

use super::App;

impl App {
    /// What whoever signs up agrees to.
    pub fn consent_to_sign_up(&self) -> String {
        format!(
            "I agree that {} stores my mail address and my choices, which may say something about my health, \
             and sends me what I chose. I can change my mind at any time.",
            self.config.site.name
        )
    }

    /// What a reader agrees to by saving other choices.
    pub(super) fn consent_to_choices(&self) -> String {
        format!(
            "By saving, you agree that {} stores your choices, which may say something about your health, and \
             sends you what you chose. You can change your mind at any time.",
            self.config.site.name
        )
    }
}
