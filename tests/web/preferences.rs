//! What a reader receives, changed by the link of their mails.

use crate::in_process::{DAY, InProcess};
use crate::sign_up::{attributes, heading, texts};
use crate::site::Site;
use crate::wire::{get, post};
use postrider::subscriptions::token::Purpose;

pub const ANN: &str = "ann@example.org";

/// A site with two digests, whose only reader is Ann, confirmed for `weekly`.
pub fn site() -> Site {
    let site = Site::new();
    site.configure(
        "",
        "[[digest]]\nname = \"monthly\"\ntitle = \"Monthly digest\"\nschedule = \"0 8 1 * *\"\n",
    );
    site.run(&["subscribers", "add", ANN, "--confirmed", "--digest", "weekly"])
        .expect_code(0);
    site
}

/// The path of Ann's page.
pub fn link(server: &InProcess) -> String {
    let number = server.number("SELECT id FROM digest_number WHERE name = 'weekly'");
    format!(
        "/p/{}",
        server.signer.reader_token(Purpose::Preferences, 1, number)
    )
}

fn state(server: &InProcess) -> (String, String, String) {
    let digests = "SELECT COALESCE(GROUP_CONCAT(digest, ';'), '') FROM
                   (SELECT digest FROM subscription WHERE active = 1 ORDER BY digest)";
    (
        server.text("SELECT state FROM subscriber"),
        server.text(digests),
        server.text("SELECT categories FROM subscriber"),
    )
}

fn three(state: &str, digests: &str, categories: &str) -> (String, String, String) {
    (state.to_owned(), digests.to_owned(), categories.to_owned())
}

#[test]
fn choices_are_saved_with_one_button() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = link(&server);
    let page = get(&server, &path);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "What you receive from Test Site")
    );
    assert_eq!(attributes(&page, "input[checked]", "value"), ["weekly"]);
    assert_eq!(attributes(&page, "option[selected]", "value"), ["as-usual"]);
    assert!(
        texts(&page, "main p").contains(&"once a month".to_owned()),
        "{}",
        page.text()
    );
    let form = [
        ("digest", "weekly"),
        ("digest", "monthly"),
        ("category", "oncology"),
        ("name", "Ann"),
        ("text_only", "yes"),
        ("pause", "as-usual"),
    ];
    let saved = post(&server, &path, &form);
    assert_eq!(saved.status, 303);
    assert_eq!(saved.header("cache-control"), Some("no-store"));
    let next = saved
        .header("location")
        .unwrap()
        .strip_prefix("..")
        .unwrap()
        .to_owned();
    assert_eq!(next, format!("{path}?saved"));
    let page = get(&server, &next);
    assert_eq!(texts(&page, "[role=status]"), ["Your choices are saved."]);
    assert_eq!(
        attributes(&page, "input[checked]", "value"),
        ["weekly", "monthly", "oncology", "yes"]
    );
    assert_eq!(attributes(&page, "input#name", "value"), ["Ann"]);
    assert_eq!(state(&server), three("confirmed", "monthly;weekly", "oncology"));
    // The sentence that was shown is recorded with the change of categories.
    let consent = texts(&page, "#consent").remove(0);
    let recorded =
        format!("SELECT COUNT(*) FROM reader_event WHERE what = 'categories' AND wording = '{consent}'");
    assert_eq!(server.number(&recorded), 1);
    assert!(
        get(&server, &path)
            .text()
            .find("Your choices are saved.")
            .is_none()
    );
}

#[test]
fn a_pause_begins_and_ends_on_the_page() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = link(&server);
    let save = |pause: &str| {
        let answer = post(&server, &path, &[("digest", "weekly"), ("pause", pause)]);
        assert_eq!(answer.status, 303, "{pause}");
        server.text("SELECT state FROM subscriber")
    };
    let until = || server.number("SELECT paused_until FROM subscriber") - server.now().0;
    for (pause, days) in [
        ("two-weeks", 14),
        ("one-month", 30),
        ("three-months", 91),
        ("six-months", 182),
    ] {
        assert_eq!(save(pause), "paused");
        assert_eq!(until(), days * DAY, "{pause}");
    }
    save("two-weeks");
    let page = get(&server, &path);
    assert_eq!(
        texts(&page, ".notice"),
        ["You receive no mails until 19 January 2026."]
    );
    assert_eq!(attributes(&page, "option[selected]", "value"), ["as-it-is"]);
    server.pass(DAY);
    // Saving something else leaves the pause as it is, and so does a form without it.
    assert_eq!(save("as-it-is"), "paused");
    assert_eq!(save(""), "paused");
    assert_eq!(until(), 13 * DAY);
    assert_eq!(save("as-usual"), "confirmed");
    assert_eq!(
        attributes(&get(&server, &path), "option[selected]", "value"),
        ["as-usual"]
    );
}

#[test]
fn faults_are_told_and_nothing_is_saved() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = link(&server);
    let before = server.contents();
    let long = "n".repeat(101);
    for (name, value, control) in [
        ("name", "Ann\r\nBcc: x", "name"),
        ("name", "Ann\0", "name"),
        ("name", "\u{202E}", "name"),
        ("name", &long, "name"),
        ("digest", "daily", "digest-weekly"),
        ("digest", "w\u{435}ekly", "digest-weekly"),
        ("category", "urology\r\n", "category-urology"),
        ("category", "\0", "category-urology"),
        ("category", &long, "category-urology"),
        ("pause", "for ever", "pause"),
        ("pause", "two-weeks\0", "pause"),
        ("pause", "two\u{2010}weeks", "pause"),
        ("pause", &long, "pause"),
    ] {
        let page = post(&server, &path, &[("digest", "weekly"), (name, value)]);
        assert_eq!(page.status, 422, "{name} {value:?}");
        assert_eq!(
            attributes(&page, "[role=alert] a", "href"),
            [format!("#{control}")],
            "{name} {value:?}"
        );
        assert_eq!(texts(&page, "[role=status]"), Vec::<String>::new());
    }
    assert_eq!(server.contents(), before);
}

#[test]
fn whoever_wants_no_digest_has_left() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = link(&server);
    let saved = post(&server, &path, &[("pause", "two-weeks"), ("category", "urology")]);
    assert_eq!(saved.status, 303);
    assert_eq!(state(&server).0, "unsubscribed");
    let page = get(&server, &path);
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("You do not receive Weekly digest."),
        "{}",
        page.text()
    );
    assert_eq!(attributes(&page, "main form", "action"), Vec::<String>::new());
    // Who has left comes back by signing up, which asks for their consent anew.
    let before = server.contents();
    let page = post(&server, &path, &[("digest", "weekly")]);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "What you receive from Test Site")
    );
    assert_eq!(server.contents(), before);
}

#[test]
fn the_page_leads_out_and_to_what_needs_a_fresh_link() {
    let site = site();
    let server = InProcess::serve(&site);
    let path = link(&server);
    let links = attributes(&get(&server, &path), "main a", "href");
    let unsubscribe = links[0].strip_prefix("..").unwrap();
    let page = get(&server, unsubscribe);
    assert_eq!(heading(&page), "Unsubscribe from Weekly digest?");
    // Others read the headers of mails, where this page's address is.
    assert_eq!(attributes(&page, "main a", "href"), ["../lost-link"]);
    assert!(!page.text().contains("/p/"), "{}", page.text());
    assert_eq!(links[1].strip_prefix("..").unwrap(), format!("{path}/account"));
}
