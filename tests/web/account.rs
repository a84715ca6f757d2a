//! What needs a fresh link: another address, a copy of the data, and being forgotten.

use crate::in_process::{InProcess, MINUTE};
use crate::preferences::{ANN, link, site};
use crate::sign_up::{attributes, heading, texts};
use crate::wire::{Answer, get, post, send};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

const HALF_HOUR: Duration = Duration::from_secs(1800);

/// The path of Ann's fresh link, which is made now.
fn fresh(server: &InProcess) -> String {
    let token = server
        .signer
        .short_lived_token(Purpose::Account, 1, server.end(HALF_HOUR));
    format!("/account/{token}")
}

fn head(page: &Answer) -> (u16, String) {
    (page.status, heading(page))
}

#[test]
fn a_fresh_link_is_mailed_to_the_registered_address() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = format!("{}/account", link(&server));
    let page = get(&server, &path);
    assert_eq!(head(&page), (200, "Your address and your data".to_owned()));
    assert_eq!(texts(&page, "main button"), ["Mail me the link"]);
    assert_eq!(
        attributes(&page, "link[rel=stylesheet]", "href"),
        ["../../assets/site.css"]
    );
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), 0);
    for _ in 0..2 {
        let sent = post(&server, &path, &[]);
        assert_eq!(head(&sent), (200, "Check your inbox".to_owned()));
        assert!(!sent.text().contains(ANN), "the page may be in other hands");
    }
    // The second one came too soon after the first, and nothing tells.
    let kinds = "SELECT kind || ' ' || subscriber_id || ' ' || COALESCE(address, 'registered') FROM notice";
    assert_eq!(server.text(kinds), "account_link 1 registered");
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), 1);
}

#[test]
fn an_address_is_changed_by_the_owner_of_both() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = fresh(&server);
    let page = get(&server, &path);
    assert_eq!(head(&page), (200, "Your address and your data".to_owned()));
    assert!(page.text().contains(&format!("<strong>{ANN}</strong>")));
    let before = server.contents();
    for wrong in [
        "",
        "ann",
        "new@example.org\r\nBcc: x@example.org",
        "n\0w@example.org",
        "n\u{435}w@example.org",
        &"n".repeat(300),
    ] {
        let page = post(&server, &path, &[("do", "address"), ("address", wrong)]);
        assert_eq!(
            head(&page),
            (422, "Your address and your data".to_owned()),
            "{wrong:?}"
        );
        assert_eq!(attributes(&page, "[role=alert] a", "href"), ["#address"]);
        assert_eq!(attributes(&page, "[aria-invalid=true]", "id"), ["address"]);
    }
    assert_eq!(server.contents(), before);
    let asked = post(
        &server,
        &path,
        &[("do", "address"), ("address", "new@example.org")],
    );
    assert_eq!(
        (asked.status, asked.header("location")),
        (303, Some(&*format!("..{path}?asked")))
    );
    let page = get(&server, &format!("{path}?asked"));
    assert!(texts(&page, "[role=status]")[0].contains("sending a mail to the new address"));
    assert!(
        !page.text().contains("new@example.org"),
        "the new address is nobody's yet"
    );
    let address = || server.text("SELECT address FROM subscriber WHERE id = 1");
    assert_eq!(address(), ANN);
    assert_eq!(
        server.number("SELECT COUNT(*) FROM notice"),
        0,
        "it is decided later"
    );
    server.process();
    assert_eq!(server.number("SELECT COUNT(*) FROM notice"), 1);

    let change = server.number("SELECT id FROM address_change");
    let token = server
        .signer
        .short_lived_token(Purpose::NewAddress, change, server.end(HALF_HOUR));
    let path = format!("/address/{token}");
    assert_eq!(head(&get(&server, &path)), (200, "Use this address?".to_owned()));
    assert_eq!(address(), ANN);
    for _ in 0..2 {
        assert_eq!(
            head(&post(&server, &path, &[])),
            (200, "Your address is changed".to_owned())
        );
        assert_eq!(address(), "new@example.org");
    }
}

#[test]
fn everything_that_is_kept_comes_as_a_file() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = fresh(&server);
    let file = post(&server, &path, &[("do", "download")]);
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("application/json"));
    assert_eq!(file.header("cache-control"), Some("no-store"));
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"my-data.json\"")
    );
    let data: serde_json::Value = serde_json::from_str(&file.text()).unwrap();
    assert!(data.to_string().contains(ANN), "{data}");
}

#[test]
fn a_reader_is_forgotten_after_a_second_look() {
    let site = site();
    let server = InProcess::serve(&site);
    let preferences = link(&server);
    let path = fresh(&server);
    let page = get(&server, &path);
    let delete = attributes(&page, "main a", "href").remove(0);
    let delete = delete.strip_prefix("..").unwrap();
    let page = get(&server, delete);
    assert_eq!(head(&page), (200, "Delete everything about you?".to_owned()));
    assert_eq!(attributes(&page, "main a", "href"), [format!("../..{path}")]);
    let readers = || server.number("SELECT COUNT(*) FROM subscriber");
    assert_eq!(readers(), 1);
    for _ in 0..2 {
        assert_eq!(
            head(&post(&server, delete, &[])),
            (200, "Everything is deleted".to_owned())
        );
        assert_eq!(readers(), 0);
    }
    assert_eq!(
        head(&get(&server, &path)),
        (404, "This link has run out".to_owned())
    );
    let page = get(&server, &preferences);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("You do not receive Weekly digest."));
}

#[test]
fn after_half_an_hour_the_link_is_worth_nothing() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = fresh(&server);
    server.pass(30 * MINUTE);
    assert_eq!(get(&server, &path).status, 200);
    server.pass(1);
    let before = server.contents();
    for path in [path.clone(), format!("{path}/delete")] {
        let form: &[u8] = b"do=address&address=new%40example.org";
        for page in [
            get(&server, &path),
            post(&server, &path, &[("do", "download")]),
            send(&server, "POST", &path, &[], form),
        ] {
            assert_eq!(head(&page), (404, "This link has run out".to_owned()), "{path}");
            assert!(attributes(&page, "main a", "href")[0].ends_with("/lost-link"));
            assert!(!page.text().contains(ANN));
        }
    }
    assert_eq!(server.contents(), before);
}
