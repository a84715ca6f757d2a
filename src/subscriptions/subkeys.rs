//! What the operator's secrets are used for: a key of its own for each use.

use aws_lc_rs::hmac;

use super::token::{Key, Purpose};
use crate::domain::text::hex;

/// The subkeys of one key: what one of them signs, no other accepts.
pub(super) struct Subkeys {
    pub(super) id: u8,
    pub(super) revoked: bool,
    /// In the order of [`Purpose::ALL`].
    pub(super) links: [hmac::Key; Purpose::ALL.len()],
    pub(super) return_path: hmac::Key,
    pub(super) notice_return_path: hmac::Key,
    pub(super) message_id: hmac::Key,
    pub(super) notice_message_id: hmac::Key,
    pub(super) visitors: String,
}

impl Subkeys {
    pub(super) fn new(key: &Key) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &key.bytes);
        let sub = |label: &str| {
            let tag = hmac::sign(&master, format!("postrider {label}").as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
        };
        Self {
            id: key.id,
            revoked: key.revoked,
            links: Purpose::ALL.map(|purpose| sub(purpose.label())),
            return_path: sub("return path"),
            notice_return_path: sub("notice return path"),
            message_id: sub("message id"),
            notice_message_id: sub("notice message id"),
            visitors: hex(hmac::sign(&master, b"postrider visitors").as_ref()),
        }
    }

    pub(super) fn of(&self, use_of: Use) -> &hmac::Key {
        match use_of {
            Use::Link(purpose) => {
                let [
                    unsubscribe,
                    preferences,
                    confirm,
                    refuse,
                    account,
                    new_address,
                    sign_in,
                    form,
                ] = &self.links;
                match purpose {
                    Purpose::Unsubscribe => unsubscribe,
                    Purpose::Preferences => preferences,
                    Purpose::Confirm => confirm,
                    Purpose::Refuse => refuse,
                    Purpose::Account => account,
                    Purpose::NewAddress => new_address,
                    Purpose::SignIn => sign_in,
                    Purpose::Form => form,
                }
            }
            Use::ReturnPath => &self.return_path,
            Use::NoticeReturnPath => &self.notice_return_path,
        }
    }
}

/// What a signed pair of numbers is used for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    Link(Purpose),
    ReturnPath,
    NoticeReturnPath,
}

/// What a name in a Message-ID is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    Delivery,
    Notice,
}
