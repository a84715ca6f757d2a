//! What whoever signs up does on the pages.

use crate::browser::{Reader, View};

/// Fills in the form of the site called `site`, without a category that is not in `categories`.
#[track_caller]
pub fn fill(reader: &Reader, site: &str, address: &str, categories: &[&str]) {
    reader.open("/subscribe");
    reader.fill("Your mail address", address);
    for category in categories {
        reader.tick(category);
    }
    reader.tick(&consent(site));
}

/// The sentence that one agrees to.
fn consent(site: &str) -> String {
    format!(
        "I agree that {site} stores my mail address and my choices, which may say something about my health, \
         and sends me what I chose. I can change my mind at any time."
    )
}

/// Signs up, up to the point where a mail is on its way.
#[track_caller]
pub fn sign_up(reader: &Reader, site: &str, address: &str, categories: &[&str]) -> View {
    fill(reader, site, address, categories);
    let page = reader.press("Subscribe me");
    assert_eq!(
        (page.status, page.heading()),
        (200, "Check your inbox"),
        "{page:#?}"
    );
    page
}

/// Opens the link of a confirmation mail, and presses the button there.
#[track_caller]
pub fn confirm(reader: &Reader, link: &str) -> View {
    reader.open(link);
    let page = reader.press("Yes, subscribe me");
    assert_eq!(
        (page.status, page.heading()),
        (200, "You are subscribed"),
        "{page:#?}"
    );
    page
}
