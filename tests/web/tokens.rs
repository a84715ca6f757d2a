//! Tokens that are not good, at every page that takes one; and looking, which never changes anything.

use crate::in_process::InProcess;
use crate::preferences::site;
use crate::sign_up::{attributes, heading};
use crate::wire::{ask, get, post};
use postrider::subscriptions::token::Purpose;
use std::time::Duration;

const HALF_HOUR: Duration = Duration::from_secs(1800);

/// A path that takes a token, the token's purpose, and the form that would do something there.
type Place = (&'static str, Purpose, &'static [(&'static str, &'static str)]);

const PLACES: [Place; 8] = [
    ("/u/{}", Purpose::Unsubscribe, &[]),
    ("/p/{}", Purpose::Preferences, &[("category", "urology")]),
    ("/p/{}/account", Purpose::Preferences, &[]),
    ("/confirm/{}", Purpose::Confirm, &[]),
    ("/refuse/{}", Purpose::Refuse, &[]),
    (
        "/account/{}",
        Purpose::Account,
        &[("do", "address"), ("address", "new@example.org")],
    ),
    ("/account/{}/delete", Purpose::Account, &[]),
    ("/address/{}", Purpose::NewAddress, &[]),
];

fn is_lasting(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Unsubscribe | Purpose::Preferences)
}

/// A good token for `purpose` about the rows that [`seed`] made.
fn good(server: &InProcess, purpose: Purpose) -> String {
    if is_lasting(purpose) {
        let number = server.number("SELECT id FROM digest_number WHERE name = 'weekly'");
        return server.signer.reader_token(purpose, 1, number);
    }
    server.signer.short_lived_token(purpose, 1, server.end(HALF_HOUR))
}

/// Rows with the number 1 for everything that a token may be about.
fn seed(server: &InProcess) {
    let now = server.now().0;
    let end = now + 7 * 24 * 3_600_000;
    server.execute(&format!(
        "INSERT INTO subscriber (address, address_key, address_hash, reserved, state, cause, categories, created, changed)
         VALUES ('bob@example.org', 'bob@example.org', 'hash of bob', 1, 'pending', 'reader', '', {now}, {now})"
    ));
    server.execute(&format!(
        "INSERT INTO sign_up (subscriber_id, digests, categories, text_only, wording, way, created, expires)
         VALUES (2, 'weekly', '', 0, 'I agree.', 'form', {now}, {end})"
    ));
    server.execute(&format!(
        "INSERT INTO notice (kind, subscriber_id, address_hash, data, created, expires, state)
         VALUES ('confirm', 2, 'hash of bob', '{{}}', {now}, {end}, 'sent')"
    ));
    server.execute(&format!(
        "INSERT INTO address_change (subscriber_id, address, address_hash, created, expires)
         VALUES (1, 'new@example.org', 'hash of new', {now}, {end})"
    ));
}

#[test]
fn each_bad_token_gets_a_page_that_offers_a_new_link() {
    let site = site();
    let server = InProcess::serve(&site);
    seed(&server);
    let before = server.contents();
    for (place, purpose, form) in PLACES {
        let token = good(&server, purpose);
        let flipped = |n: usize| {
            let mut bytes = token.clone().into_bytes();
            bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        };
        let mut bad: Vec<String> = [0, 1, 2, token.len() / 2, token.len() - 2].map(flipped).into();
        bad.extend([1, 8, token.len() - 1].map(|end| token[..end].to_owned()));
        bad.extend([
            format!("{token}A"),
            format!("{token}="),
            format!("{token}%0D%0AX: y").replace(' ', "%20"),
            format!("{token}%00"),
            "%D0%B0".repeat(10),
            "A".repeat(5_000),
            "-1".to_owned(),
        ]);
        // A token of another purpose, signed by us.
        bad.extend(
            Purpose::ALL
                .into_iter()
                .filter(|other| *other != purpose)
                .map(|other| good(&server, other)),
        );
        for token in bad {
            let path = place.replace("{}", &token);
            for page in [get(&server, &path), post(&server, &path, form)] {
                assert_eq!(
                    (page.status, heading(&page).as_str()),
                    (404, "This link does not work"),
                    "{path}"
                );
                let offered = attributes(&page, "main a", "href").remove(0);
                assert!(offered.ends_with("../lost-link"), "{offered}");
            }
        }
    }
    assert_eq!(server.contents(), before);
}

#[test]
fn a_link_whose_time_is_up_says_so() {
    let site = site();
    let server = InProcess::serve(&site);
    seed(&server);
    let tokens = PLACES.map(|(_, purpose, _)| good(&server, purpose));
    server.pass(31 * 60_000);
    let before = server.contents();
    for ((place, purpose, form), token) in PLACES.into_iter().zip(tokens) {
        let path = place.replace("{}", &token);
        if is_lasting(purpose) {
            assert_eq!(get(&server, &path).status, 200, "{path}");
            continue;
        }
        for page in [get(&server, &path), post(&server, &path, form)] {
            assert_eq!(
                (page.status, heading(&page).as_str()),
                (404, "This link has run out"),
                "{path}"
            );
            let offered = attributes(&page, "main a", "href").remove(0);
            let expected = match purpose {
                Purpose::Confirm => "../subscribe",
                // Whoever wants no mail is offered none.
                Purpose::Refuse => "mailto:news@example.org?",
                _ => "../lost-link",
            };
            assert!(offered.contains(expected), "{offered}");
        }
    }
    assert_eq!(server.contents(), before);
}

#[test]
fn a_revoked_key_opens_nothing_and_a_rotated_one_everything() {
    let site = site();
    let server = InProcess::serve(&site);
    seed(&server);
    // Short-lived ones end by the clock, which starts anew with the server.
    let paths = PLACES.map(|(place, purpose, _)| place.replace("{}", &good(&server, purpose)));
    drop(server);
    let secret = site.path("data/secret");
    let old = std::fs::read_to_string(&secret).unwrap();
    for (line, status) in [(old.clone(), 200), (format!("{} revoked\n", old.trim()), 404)] {
        std::fs::write(&secret, format!("2 {}\n{line}", "5a".repeat(32))).unwrap();
        let server = InProcess::serve(&site);
        for path in &paths {
            let page = get(&server, path);
            assert_eq!(page.status, status, "{path}");
            if status == 404 {
                assert_eq!(heading(&page), "This link does not work", "{path}");
            }
        }
    }
}

/// Scanners open every link of a mail, and some ask with HEAD.
#[test]
fn looking_changes_nothing() {
    let site = site();
    let server = InProcess::serve(&site);
    seed(&server);
    let before = server.contents();
    let mut paths: Vec<String> = ["/subscribe", "/lost-link"].map(str::to_owned).into();
    paths.extend(PLACES.map(|(place, purpose, _)| place.replace("{}", &good(&server, purpose))));
    let known = postrider::web::page_paths();
    for ours in ["/subscribe", "/lost-link"]
        .into_iter()
        .chain(PLACES.map(|(place, ..)| place))
    {
        let route = ours.replace("{}", "{token}");
        assert!(known.contains(&route.as_str()), "{route}");
    }
    for path in &paths {
        for query in [
            "",
            "?saved",
            "?asked",
            "?do=download&digest=monthly&pause=two-weeks",
            "?List-Unsubscribe=One-Click",
        ] {
            let path = format!("{path}{query}");
            let got = get(&server, &path);
            let head = ask(&server, "HEAD", &path, &[]);
            assert_eq!(got.status, 200, "{path}");
            assert_eq!(head.status, 200, "{path}");
        }
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer = ask(&server, method, path, &[]);
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("GET,HEAD,POST")),
                "{path}"
            );
        }
    }
    assert_eq!(server.contents(), before);
}
