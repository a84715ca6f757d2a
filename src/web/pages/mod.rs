//! The pages on which readers sign up, choose and leave. GET and HEAD change nothing.

mod change_address;
mod change_preferences;
mod confirm_sign_up;
mod erase_reader;
mod find_link;
mod form;
mod mail_account_link;
mod refuse_mails;
mod respond;
mod sign_up;
mod unsubscribe;
mod use_account;

pub(super) use form::{Form, visitor};
pub(super) use respond::{NEVER_KEPT, respond};

use crate::app::App;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;

/// The routes, with their pages.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/subscribe", get(sign_up::page).post(sign_up::sign_up)),
        (
            "/confirm/{token}",
            get(confirm_sign_up::page).post(confirm_sign_up::confirm),
        ),
        (
            "/refuse/{token}",
            get(refuse_mails::page).post(refuse_mails::refuse),
        ),
        (
            "/p/{token}",
            get(change_preferences::page).post(change_preferences::save),
        ),
        (
            "/p/{token}/account",
            get(mail_account_link::page).post(mail_account_link::mail),
        ),
        (
            "/u/{token}",
            get(unsubscribe::page).post(unsubscribe::unsubscribe),
        ),
        ("/account/{token}", get(use_account::page).post(use_account::act)),
        (
            "/account/{token}/delete",
            get(erase_reader::page).post(erase_reader::erase),
        ),
        (
            "/address/{token}",
            get(change_address::page).post(change_address::confirm),
        ),
        ("/lost-link", get(find_link::page).post(find_link::ask)),
    ]
}
