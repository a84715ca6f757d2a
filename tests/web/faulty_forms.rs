//! Forms that come back to be put right: what a screen reader says first is that there is an error.

use crate::admin::{prepared, with_readers};
use crate::desk::{Desk, ask_for_link};
use crate::in_process::InProcess;
use crate::preferences::{link, site};
use crate::sign_up::{filled, stamp, texts};
use crate::wire::{Answer, get, post};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

/// The template of each form that is judged here and not by the browser.
const FORMS: [&str; 7] = [
    "account.hbs",
    "admin/draft.hbs",
    "admin/sign_in.hbs",
    "contact.hbs",
    "lost_link.hbs",
    "preferences.hbs",
    "subscribe.hbs",
];

fn title(page: &Answer) -> String {
    texts(page, "title").remove(0)
}

/// `fresh` is the page before anything was sent.
fn assert_told(path: &str, fresh: &Answer, faulty: &Answer) {
    assert_eq!((fresh.status, faulty.status), (200, 422), "{path}");
    assert!(!title(fresh).contains("Error"), "{path}: {}", title(fresh));
    assert_eq!(title(faulty), format!("Error: {}", title(fresh)), "{path}");
    assert_eq!(texts(faulty, "[role=alert]").len(), 1, "{path}");
}

#[test]
fn the_title_of_a_readers_form_says_so_first() {
    let site = site();
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(3_000);
    let account = Purpose::Account;
    let end = server.end(Duration::from_secs(1800));
    let account = format!("/account/{}", server.signer.short_lived_token(account, 1, end));
    let preferences = link(&server);
    let mut several = filled("ann", &stamp);
    several.retain(|(name, _)| *name != "agreed");
    let forms: [(&str, &[(&str, &str)]); 7] = [
        ("/subscribe", &several),
        ("/subscribe", &[]),
        ("/lost-link", &[("address", "ann")]),
        ("/contact", &[("email", "ann")]),
        (&account, &[("do", "address"), ("address", "")]),
        (&preferences, &[("digest", "daily"), ("pause", "as-usual")]),
        (&preferences, &[("digest", "weekly"), ("pause", "for-ever")]),
    ];
    for (path, form) in forms {
        assert_told(path, &get(&server, path), &post(&server, path, form));
    }
}

#[test]
fn the_title_of_an_admins_form_says_so_first() {
    let site = with_readers();
    let server = site.serve(&["--no-schedule"]);
    let desk = Desk::open(&site, &server);
    let faulty = ask_for_link(&server, "editor");
    assert_told("/admin/sign-in", &get(&server, "/admin/sign-in"), &faulty);
    prepared(&desk);
    let draft = "/admin/editions/1";
    let faulty = desk.post("/admin/editions/1/note", &[("note", &"x".repeat(2_001))]);
    assert_told(draft, &desk.get(draft), &faulty);
}

/// A form that is new stands in the lists above, or this fails.
#[test]
fn no_form_is_forgotten() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/web");
    let mut found = Vec::new();
    for folder in ["", "admin/"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() && std::fs::read_to_string(&path).unwrap().contains("novalidate") {
                found.push(format!("{folder}{}", path.file_name().unwrap().to_str().unwrap()));
            }
        }
    }
    found.sort();
    assert_eq!(found, FORMS);
}
