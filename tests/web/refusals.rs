//! "It was not me": whoever never asked for mail is left alone, and a reader whom others ask for stays one.

use crate::in_process::{DAY, InProcess};
use crate::sign_up::{WEEK, attributes, filled, heading, stamp, texts};
use crate::site::Site;
use crate::wire::{get, post};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

#[test]
fn somebody_elses_address_can_be_closed_to_the_form() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(3_000);
    post(&server, "/subscribe", &filled("ann@example.org", &stamp));
    server.process();
    let notice = server.number("SELECT id FROM notice");
    let token = server
        .signer
        .short_lived_token(Purpose::Refuse, notice, server.end(WEEK));
    let path = format!("/refuse/{token}");
    let page = get(&server, &path);
    assert_eq!((page.status, heading(&page).as_str()), (200, "It was not you?"));
    assert!(page.text().contains("Somebody gave us your address."));
    assert_eq!(texts(&page, "main button"), ["It was not me, never write again"]);
    assert_eq!(server.number("SELECT COUNT(*) FROM suppression"), 0);
    for _ in 0..2 {
        let done = post(&server, &path, &[]);
        assert_eq!(
            (done.status, heading(&done).as_str()),
            (200, "We will not write again")
        );
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM suppression"), 1);
    server.pass(DAY);
    let again = crate::sign_up::stamp(&server, "/subscribe");
    server.pass(3_000);
    let sent = post(&server, "/subscribe", &filled("ann@example.org", &again));
    assert_eq!((sent.status, heading(&sent).as_str()), (200, "Check your inbox"));
    let before = server.number("SELECT COUNT(*) FROM notice");
    server.process();
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), before);
    // A link that has run out, or whose mail nobody knows any more, offers no subscription.
    let ended = server
        .signer
        .short_lived_token(Purpose::Refuse, notice, server.end(Duration::ZERO));
    server.pass(60_000);
    let unknown = server
        .signer
        .short_lived_token(Purpose::Refuse, 4711, server.end(WEEK));
    for token in [ended, unknown] {
        let path = format!("/refuse/{token}");
        for page in [get(&server, &path), post(&server, &path, &[])] {
            assert_eq!(
                (page.status, heading(&page).as_str()),
                (404, "This link has run out")
            );
            let links = attributes(&page, "main a", "href");
            assert!(links.len() == 1 && links[0].starts_with("mailto:"), "{links:?}");
        }
    }
}

#[test]
fn a_reader_refuses_what_another_one_asked_for_and_stays() {
    let site = Site::new();
    for who in ["asks@example.org", "owner@example.org"] {
        site.run(&["subscribers", "add", who, "--confirmed", "--digest", "weekly"])
            .expect_code(0);
    }
    let server = InProcess::serve(&site);
    let token = server
        .signer
        .short_lived_token(Purpose::Account, 1, server.end(WEEK));
    let form = [("do", "address"), ("address", "owner@example.org")];
    assert_eq!(post(&server, &format!("/account/{token}"), &form).status, 303);
    server.process();
    let notice = server.number("SELECT id FROM notice WHERE kind = 'new_address'");
    let token = server
        .signer
        .short_lived_token(Purpose::Refuse, notice, server.end(WEEK));
    let path = format!("/refuse/{token}");
    let page = get(&server, &path);
    assert_eq!((page.status, heading(&page).as_str()), (200, "It was not you?"));
    assert_eq!(texts(&page, "main button"), ["It was not me, never ask again"]);
    assert!(
        page.text().contains("your own mails go on as they are"),
        "{}",
        page.text()
    );
    for _ in 0..2 {
        let done = post(&server, &path, &[]);
        assert_eq!(
            (done.status, heading(&done).as_str()),
            (200, "That reader can't ask again")
        );
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM suppression"), 0);
    let stay = "SELECT COUNT(*) FROM subscriber WHERE state = 'confirmed'";
    assert_eq!(server.number(stay), 2);
}
