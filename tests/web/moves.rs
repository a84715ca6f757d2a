//! A reader whose mails go to another address: what the mails in the old mailbox are still good for.

use crate::in_process::InProcess;
use crate::preferences::{ANN, site};
use crate::sign_up::{attributes, heading};
use crate::site::Site;
use crate::wire::{Answer, get, post};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

const NEW: &str = "new@example.org";
const HALF_HOUR: Duration = Duration::from_secs(1800);

/// The paths of the newest mail to `address`: to leave, and to the choices.
fn links(site: &Site, address: &str) -> (String, String) {
    let mail = site
        .outbox()
        .into_iter()
        .rfind(|mail| {
            mail.contains("List-Unsubscribe:")
                && [format!("To: {address}\r\n"), format!("<{address}>\r\n")]
                    .iter()
                    .any(|to| mail.contains(to))
        })
        .unwrap();
    let mail = mail_parser::MessageParser::default().parse(&mail).unwrap();
    let text = mail.body_text(0).unwrap().into_owned();
    let path = |prefix: &str| {
        let start = format!("https://site.example.org{prefix}");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        line.strip_prefix("https://site.example.org").unwrap().to_owned()
    };
    (path("/u/"), path("/p/"))
}

fn publish(site: &Site, slug: &str) {
    site.empty_outbox();
    site.summary(slug, "urology");
    site.run(&["publish", "weekly", "--wait"]).expect_code(0);
}

/// Gives Ann her new address, as the pages do.
fn change_address(server: &InProcess) {
    let fresh = |purpose, id| {
        server
            .signer
            .short_lived_token(purpose, id, server.end(HALF_HOUR))
    };
    let account = format!("/account/{}", fresh(Purpose::Account, 1));
    let asked = post(server, &account, &[("do", "address"), ("address", NEW)]);
    assert_eq!(asked.status, 303);
    server.process();
    let change = server.number("SELECT id FROM address_change");
    let button = format!("/address/{}", fresh(Purpose::NewAddress, change));
    assert_eq!(heading(&post(server, &button, &[])), "Your address is changed");
    // Whoever reads the old mailbox has that link still.
    for (path, form) in [("", "download"), ("/delete", "")] {
        let late = post(server, &format!("{account}{path}"), &[("do", form)]);
        assert_eq!(
            (late.status, heading(&late).as_str()),
            (404, "This link has run out")
        );
    }
    assert_eq!(get(server, &account).status, 404);
}

fn says_nothing(page: &Answer, path: &str) {
    assert_eq!(
        (page.status, heading(page).as_str()),
        (404, "This link has run out"),
        "{path}"
    );
    let text = page.text();
    for known in [ANN, NEW, "Ann", "urology", "Urology", "Weekly digest"] {
        assert!(!text.contains(known), "{path} names {known}: {text}");
    }
    assert!(
        attributes(page, "main a", "href")[0].ends_with("../lost-link"),
        "{path}"
    );
}

#[test]
fn the_old_mail_shows_nothing_and_still_unsubscribes() {
    let site = site();
    site.run(&[
        "subscribers",
        "add",
        ANN,
        "--confirmed",
        "--name",
        "Ann",
        "--categories",
        "urology",
    ])
    .expect_code(0);
    publish(&site, "first");
    let (leave, choices) = links(&site, ANN);
    let server = InProcess::serve(&site);
    let before = get(&server, &choices);
    assert_eq!(heading(&before), "What you receive from Test Site");
    assert_eq!(attributes(&before, "input#name", "value"), ["Ann"]);
    change_address(&server);

    let contents = server.contents();
    let account = format!("{choices}/account");
    for path in [&choices, &account] {
        for page in [
            get(&server, path),
            post(&server, path, &[("digest", "weekly"), ("category", "oncology")]),
            post(&server, path, &[("pause", "two-weeks"), ("digest", "weekly")]),
            post(&server, path, &[]),
        ] {
            says_nothing(&page, path);
        }
    }
    says_nothing(&get(&server, &format!("{choices}?saved")), &choices);
    assert_eq!(server.contents(), contents);
    drop(server);

    publish(&site, "second");
    let (_, new) = links(&site, NEW);
    assert_ne!(new, choices);
    let server = InProcess::serve(&site);
    assert_eq!(
        attributes(&get(&server, &new), "input#name", "value"),
        ["Ann"],
        "the mail to the new address has the link that works"
    );
    assert_eq!(heading(&get(&server, &leave)), "Unsubscribe from Weekly digest?");
    assert_eq!(heading(&post(&server, &leave, &[])), "You are unsubscribed");
    assert_eq!(server.text("SELECT state FROM subscriber"), "unsubscribed");
}
