//! The links in a reader's mail: one-click unsubscribing (RFC 8058), and the page of what they receive.

use crate::site::{Server, Site};
use crate::wire::{Answer, answer, ask, connect, get, head, send};
use mail_parser::MessageParser;
use scraper::{Html, Selector};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Headers and body of a request to unsubscribe, and the way that is recorded of it.
type Form<'a> = (&'a [(&'a str, &'a str)], &'a [u8], &'a str);

/// A site that has sent its first edition to Ann and Bob.
fn site() -> Site {
    let site = Site::new();
    site.summary("first", "urology");
    site.readers(&[(ANN, "urology"), (BOB, "")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    assert_eq!(site.outbox().len(), 2);
    site
}

/// The paths of a reader's links: to unsubscribe, and to their preferences.
fn links(site: &Site, address: &str) -> (String, String) {
    let message = mail_to(site, address).expect("no mail");
    let mail = MessageParser::default().parse(&message).unwrap();
    let text = mail.body_text(0).unwrap().into_owned();
    let path = |prefix: &str| {
        let start = format!("https://site.example.org{prefix}");
        let line = text
            .lines()
            .find(|line| line.starts_with(&start))
            .expect("no link");
        line.strip_prefix("https://site.example.org").unwrap().to_owned()
    };
    let (leave, preferences) = (path("/u/"), path("/p/"));
    let header = message.replace("\r\n ", " ");
    assert!(
        header.contains(&format!("<https://site.example.org{leave}>")),
        "the header names another link"
    );
    (leave, preferences)
}

fn mail_to(site: &Site, address: &str) -> Option<String> {
    site.outbox().into_iter().rfind(|message| {
        message.contains(&format!("To: {address}")) || message.contains(&format!("<{address}>\r\n"))
    })
}

fn reader(site: &Site, address: &str) -> Value {
    site.run(&["subscribers", "show", address, "--json"])
        .expect_code(0)
        .json()
}

fn state(site: &Site, address: &str) -> String {
    reader(site, address)["state"].as_str().unwrap().to_owned()
}

/// What happened to a reader last, and by which way, as they are told when they ask for their data.
fn last_event(site: &Site, address: &str) -> (String, String) {
    let data = site.run(&["subscribers", "data", address]).expect_code(0).json();
    let last = data["events"].as_array().unwrap().last().unwrap();
    let word = |key: &str| last[key].as_str().unwrap().to_owned();
    (word("what"), word("way"))
}

/// Sends a further edition and says who received it.
fn next_edition(site: &Site, slug: &str) -> Vec<&'static str> {
    site.empty_outbox();
    site.summary(slug, "urology");
    site.run(&["publish", "--wait"]).expect_code(0);
    [ANN, BOB]
        .into_iter()
        .filter(|address| mail_to(site, address).is_some())
        .collect()
}

/// The one heading of a page that is whole: language, title, landmark, style sheet, nothing that runs.
fn heading(page: &Answer) -> String {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let html = Html::parse_document(&page.text());
    let all = |selector: &str| {
        html.select(&Selector::parse(selector).unwrap())
            .map(|one| one.text().collect::<String>())
            .collect::<Vec<_>>()
    };
    assert_eq!(html.errors, Vec::<String>::new());
    assert_eq!(
        (all("html[lang=en]").len(), all("main").len(), all("h1").len()),
        (1, 1, 1),
        "{}",
        page.text()
    );
    assert!(all("title")[0].ends_with("Test Site"));
    assert_eq!(all("script:not([type]), style, [style], img, iframe").len(), 0);
    assert_eq!(all("link[rel=stylesheet][href='../assets/site.css']").len(), 1);
    all("h1").remove(0)
}

/// Whether a page of preferences has the box of `category` ticked.
fn receives(page: &Answer, category: &str) -> bool {
    let html = Html::parse_document(&page.text());
    let ticked = format!("input[name=category][value='{category}'][checked]");
    html.select(&Selector::parse(&ticked).unwrap()).next().is_some()
}

#[test]
fn looking_changes_nothing() {
    let site = site();
    let server = site.serve(&[]);
    let (leave, preferences) = links(&site, ANN);
    let before = reader(&site, ANN);
    assert_eq!(before["state"], "confirmed");
    let page = get(&server, &leave);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "Unsubscribe from Weekly digest?")
    );
    let html = Html::parse_document(&page.text());
    let form = html.select(&Selector::parse("form").unwrap()).next().unwrap();
    assert_eq!(form.value().attr("method"), Some("post"));
    assert_eq!(form.value().attr("action"), Some(&*format!("..{leave}")));
    let page = get(&server, &preferences);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "What you receive from Test Site")
    );
    assert!(receives(&page, "urology") && page.text().contains(&format!("href=\"..{leave}\"")));
    for path in [&leave, &preferences] {
        for suffix in ["", "?List-Unsubscribe=One-Click", "?confirm=1&action=unsubscribe"] {
            let path = format!("{path}{suffix}");
            let got = get(&server, &path);
            let head = ask(&server, "HEAD", &path, &[]);
            assert_eq!((got.status, got.lasting_headers()), (200, head.lasting_headers()));
        }
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(
            send(&server, method, &leave, &[FORM], ONE_CLICK).status,
            405,
            "{method}"
        );
    }
    assert_eq!(reader(&site, ANN), before);
    assert_eq!(next_edition(&site, "second"), [ANN, BOB]);
}

#[test]
fn one_click_ends_the_subscription_whatever_the_form() {
    let multipart = ("Content-Type", "multipart/form-data; boundary=b");
    let parts =
        b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    let foreign = [
        FORM,
        ("Origin", "https://mail.example.com"),
        ("Cookie", "a=b; session=\"x"),
        ("Referer", "null"),
    ];
    let requests: [Form; 6] = [
        (&[], b"", "link"),
        (&[FORM], ONE_CLICK, "one_click"),
        (&[multipart], parts, "one_click"),
        (&[FORM], b"", "link"),
        (&foreign, ONE_CLICK, "one_click"),
        (
            &[
                ("Content-Type", "text; ?"),
                ("Origin", "null"),
                ("Sec-Fetch-Site", "cross-site"),
            ],
            b"\xff\x00",
            "link",
        ),
    ];
    let site = site();
    let server = site.serve(&[]);
    for (headers, body, way) in requests {
        let reader = format!("reader{}@example.org", body.len() + headers.len());
        site.run(&["subscribers", "add", &reader, "--confirmed", "--digest", "weekly"])
            .expect_code(0);
        site.empty_outbox();
        site.summary(&format!("for-{}", body.len() + headers.len()), "urology");
        site.run(&["publish", "--wait"]).expect_code(0);
        let (leave, preferences) = links(&site, &reader);
        assert_eq!(state(&site, &reader), "confirmed");
        for repeat in 0..2 {
            let done = send(&server, "POST", &leave, headers, body);
            assert_eq!(
                (done.status, heading(&done).as_str()),
                (200, "You are unsubscribed"),
                "{repeat} {headers:?}"
            );
            assert_eq!(state(&site, &reader), "unsubscribed", "{headers:?}");
        }
        assert_eq!(
            last_event(&site, &reader),
            ("unsubscribed".to_owned(), way.to_owned())
        );
        let page = get(&server, &preferences);
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("You do not receive Weekly digest."),
            "{}",
            page.text()
        );
        assert_eq!(get(&server, &leave).status, 200);
    }
    let (leave, _) = links(&site, ANN);
    assert_eq!(send(&server, "POST", &leave, &[FORM], ONE_CLICK).status, 200);
    assert_eq!(next_edition(&site, "second"), [BOB]);
}

#[test]
fn a_body_that_comes_late_is_waited_for() {
    let site = site();
    let server = site.serve(&[]);
    let (leave, _) = links(&site, ANN);
    let mut stream = connect(&server);
    stream
        .write_all(&head("POST", &leave, &[FORM, ("Content-Length", "26")]))
        .unwrap();
    stream.write_all(&ONE_CLICK[..10]).unwrap();
    // Another request goes through meanwhile, and nothing has happened yet.
    assert_eq!(get(&server, &leave).status, 200);
    assert_eq!(state(&site, ANN), "confirmed");
    stream.write_all(&ONE_CLICK[10..]).unwrap();
    assert_eq!(answer(&mut stream, "POST").status, 200);
    assert_eq!(state(&site, ANN), "unsubscribed");
}

#[test]
fn a_reader_who_is_gone_may_leave_again() {
    let site = site();
    let (leave, preferences) = links(&site, ANN);
    let python = std::env::var("POSTRIDER_TEST_PYTHON").expect("POSTRIDER_TEST_PYTHON: run scripts/test.sh");
    let erase = "import sqlite3, sys; base = sqlite3.connect(sys.argv[1])\n\
                 for table, key in ('subscription', 'subscriber_id'), ('delivery', 'subscriber_id'), ('subscriber', 'id'):\n\
                 \x20base.execute(f'DELETE FROM {table} WHERE {key} IN (SELECT id FROM subscriber WHERE address = ?)', (sys.argv[2],))\n\
                 base.commit()";
    let erased = Command::new(python)
        .args(["-c", erase])
        .arg(site.path("data/postrider.db"))
        .arg(ANN)
        .status();
    assert!(erased.unwrap().success());
    site.run(&["subscribers", "show", ANN]).expect_code(1);
    let server = site.serve(&[]);
    assert_eq!(heading(&get(&server, &leave)), "Unsubscribe from Weekly digest?");
    for _ in 0..2 {
        let done = send(&server, "POST", &leave, &[FORM], ONE_CLICK);
        assert_eq!(
            (done.status, heading(&done).as_str()),
            (200, "You are unsubscribed")
        );
    }
    let page = get(&server, &preferences);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "What you receive from Test Site")
    );
    assert!(page.text().contains("You do not receive Weekly digest."));
    assert_eq!(state(&site, BOB), "confirmed");
}

/// Asserts that `path` is refused in every way, with a page that offers a new link.
fn refused(server: &Server, path: &str) {
    for page in [get(server, path), send(server, "POST", path, &[FORM], ONE_CLICK)] {
        assert_eq!(
            (page.status, heading(&page).as_str()),
            (404, "This link does not work"),
            "{path}"
        );
        assert!(page.text().contains("href=\"../lost-link\""), "{}", page.text());
    }
}

#[test]
fn a_link_that_is_not_ours_is_refused_and_a_new_one_offered() {
    let site = site();
    let server = site.serve(&[]);
    let (leave, preferences) = links(&site, ANN);
    let token = leave.strip_prefix("/u/").unwrap();
    let swapped = |n: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut bad: Vec<String> = (0..token.len() - 1).map(swapped).collect();
    bad.extend((1..token.len()).map(|n| token[..n].to_owned()));
    bad.extend([
        format!("{token}A"),
        format!("{token}="),
        format!("{token}%0A"),
        format!("%20{token}"),
        token.to_lowercase(),
        "A".repeat(20_000),
        "%F0%9F%A7%A0".to_owned(),
        "..".repeat(3),
        "-1".to_owned(),
        preferences.strip_prefix("/p/").unwrap().to_owned(),
    ]);
    for token in bad {
        refused(&server, &format!("/u/{token}"));
    }
    refused(&server, &format!("/p/{token}"));
    refused(&server, "/p/garbage");
    assert_eq!(state(&site, ANN), "confirmed");
    assert_eq!(state(&site, BOB), "confirmed");
}

#[test]
fn a_rotated_key_still_counts_and_a_revoked_one_does_not() {
    let site = site();
    let (leave, preferences) = links(&site, ANN);
    let secret = site.path("data/secret");
    let old = fs::read_to_string(&secret).unwrap();
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let fresh = format!("2 {}\n", "5a".repeat(32));
    fs::write(&secret, format!("{fresh}{old}")).unwrap();
    assert_eq!(next_edition(&site, "second"), [ANN, BOB]);
    let (new_leave, _) = links(&site, ANN);
    assert_ne!(new_leave, leave);
    let server = site.serve(&[]);
    assert_eq!(get(&server, &preferences).status, 200);
    assert_eq!(send(&server, "POST", &leave, &[FORM], ONE_CLICK).status, 200);
    assert_eq!(state(&site, ANN), "unsubscribed");
    assert_eq!(server.stop(), 0);

    fs::write(&secret, format!("{fresh}{} revoked\n", old.trim())).unwrap();
    let server = site.serve(&[]);
    refused(&server, &leave);
    refused(&server, &preferences);
    assert_eq!(send(&server, "POST", &new_leave, &[FORM], ONE_CLICK).status, 200);
}

#[test]
fn links_outlive_a_change_of_how_addresses_are_compared() {
    let site = Site::new();
    site.configure("", "[subscribers]\nlocal_part = \"exact\"\n");
    site.summary("first", "urology");
    site.readers(&[("Ann@example.org", "urology")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    let (leave, preferences) = links(&site, "Ann@example.org");
    site.configure("", "");
    let server = site.serve(&[]);
    let page = get(&server, &preferences);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(receives(&page, "urology"));
    let gone = "You do not receive Weekly digest at present";
    assert!(!get(&server, &leave).text().contains(gone));
    assert_eq!(send(&server, "POST", &leave, &[FORM], ONE_CLICK).status, 200);
    // Whoever has left is told so, and may still say it again.
    let page = get(&server, &leave).text();
    assert!(page.contains(gone) && page.contains("<form"), "{page}");
}
