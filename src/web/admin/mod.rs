//! The admins' pages: the same calls as the command line, behind a sign-in.

mod change_draft;
mod guard;
mod intervene;
mod list_deliveries;
mod open_session;
mod prepare_edition;
mod preview_edition;
mod respond;
mod send_edition;
mod show_editions;
mod show_overview;
mod sign_in;
mod sign_out;

pub(super) use guard::is_from_here;

use crate::app::App;
use crate::domain::{Problem, Result};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;

/// The routes that answer with pages; to a stranger all but the first two lead to the first.
pub(super) fn pages() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/admin/sign-in", get(sign_in::page).post(sign_in::ask)),
        (
            "/admin/session/{token}",
            get(open_session::page).post(open_session::open),
        ),
        ("/admin", get(show_overview::overview)),
        ("/admin/digests/{name}", get(show_overview::digest)),
        ("/admin/editions", get(show_editions::list)),
        ("/admin/editions/{number}", get(show_editions::page)),
        ("/admin/editions/{number}/preview", get(preview_edition::preview)),
        (
            "/admin/editions/{number}/send",
            get(send_edition::second_look).post(send_edition::send),
        ),
        (
            "/admin/editions/{number}/cancel",
            get(intervene::second_look).post(intervene::cancel),
        ),
        ("/admin/editions/{number}/deliveries", get(list_deliveries::page)),
    ]
}

/// The routes that only do something, and lead to a page.
pub(super) fn actions() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/admin/sign-out", post(sign_out::sign_out)),
        ("/admin/editions/{number}/drop", post(change_draft::drop_summary)),
        ("/admin/editions/{number}/note", post(change_draft::set_note)),
        ("/admin/editions/{number}/test", post(change_draft::send_test)),
        ("/admin/editions/{number}/pause", post(intervene::pause)),
        ("/admin/editions/{number}/resume", post(intervene::resume)),
        ("/admin/editions/{number}/retry", post(intervene::retry)),
    ]
}

/// The route of an action that gathers, which takes as long as the sources do.
pub(super) const PREPARE: &str = "/admin/digests/{name}/prepare";

/// What stands behind it.
pub(super) fn prepare() -> MethodRouter<Arc<App>> {
    post(prepare_edition::prepare)
}

/// The number of an edition in an address.
fn number(text: &str) -> Result<i64> {
    text.parse()
        .map_err(|_| Problem::not_found(format!("there is no edition {text:?}")))
}

/// Goes on with `work` when the browser leaves or loses its patience.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|error| Err(Problem::failed("the work ended by itself").because(error)))
}
