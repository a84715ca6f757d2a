//! Sending from the browser: the draft, the second look, the ledger; and forms that do nothing.

use crate::desk::{Desk, EDITOR, all, heading, left_out_by, one, request, site};
use crate::sign_up::attributes;
use crate::site::Site;
use crate::wait_for;
use crate::wire::{Answer, connect, head, read};
use mail_parser::MessageParser;
use postrider::web::page_paths;
use std::io::Write;

pub const ANN: &str = "ann@example.org";
pub const BOB: &str = "bob@example.org";
const CID: &str = "cid@example.org";

/// A site with two new summaries and three readers, one of whom chose something else.
pub fn with_readers() -> Site {
    let site = site();
    site.summary("first", "urology");
    site.summary("second", "oncology");
    site.readers(&[(ANN, "urology"), (BOB, ""), (CID, "oncology")]);
    site
}

/// What readers received; mails to the editor are tests and links.
pub fn delivered(site: &Site) -> usize {
    let outbox = site.outbox();
    outbox.iter().filter(|message| !message.contains(EDITOR)).count()
}

pub fn state(site: &Site, number: i64) -> String {
    site.edition(number)["state"].as_str().unwrap().to_owned()
}

/// A draft of everything, by the browser.
pub fn prepared(desk: &Desk<'_>) {
    let to = desk.act("/admin/digests/weekly/prepare", &[]);
    assert_eq!(to, "/admin/editions/1?said=prepared");
}

/// The value of a hidden field.
pub fn value(page: &Answer, name: &str) -> String {
    attributes(page, &format!("main input[name={name}]"), "value").remove(0)
}

pub fn said(page: &Answer) -> String {
    one(page, "[role=status]")
}

#[test]
fn a_draft_is_worked_on_and_sent_once() {
    let site = with_readers();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    prepared(&desk);
    assert_eq!(
        desk.act("/admin/digests/weekly/prepare", &[]),
        "/admin/editions/1?said=waits"
    );
    let start = desk.get("/admin").text();
    assert!(start.contains("Edition 1 of Weekly digest"), "{start}");
    let page = desk.get("/admin/editions/1?said=prepared");
    assert_eq!(heading(&page), "Draft: edition 1 of Weekly digest");
    assert_eq!(said(&page), "The draft is ready. Nothing was sent yet.");
    assert_eq!(
        left_out_by(&page),
        ["Leave out: About first", "Leave out: About second"]
    );
    assert!(page.text().contains("3 readers receive it"), "{}", page.text());

    // Leave out, and a note.
    let to = desk.act("/admin/editions/1/drop", &[("slug", "second")]);
    assert_eq!(left_out_by(&desk.get(&to)), ["Leave out: About first"]);
    let note = "A word before.\r\n\r\nAnd <b>another</b>.";
    let to = desk.act("/admin/editions/1/note", &[("note", note)]);
    let page = desk.get(&to);
    assert_eq!(said(&page), "The note is saved.");
    assert_eq!(one(&page, "textarea"), "A word before. And <b>another</b>.");
    let long = desk.post("/admin/editions/1/note", &[("note", &"x".repeat(2_001))]);
    assert_eq!(long.status, 422);
    assert_eq!(all(&long, "[role=alert] a[href='#note']").len(), 1);
    assert_eq!(site.edition(1)["note"], "A word before.\n\nAnd <b>another</b>.");

    // Previews.
    let html = desk.get("/admin/editions/1/preview?categories=urology&format=html");
    let policy = html.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("sandbox; default-src 'none';") && policy.contains("frame-ancestors 'self'"),
        "{policy}"
    );
    assert_eq!(html.header("x-frame-options"), Some("SAMEORIGIN"));
    assert!(html.text().contains("About first") && html.text().contains("&lt;b&gt;another"));
    let text = desk.get("/admin/editions/1/preview?categories=&format=text");
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(text.text().contains("A word before."));
    for none in ["oncology", "No%20slug!"] {
        let nothing = desk.ask("GET", &format!("/admin/editions/1/preview?categories={none}"));
        assert_eq!(nothing.status, 404, "{none}");
    }
    let nothing = desk.post("/admin/editions/1/drop", &[("slug", "No slug!")]);
    assert_eq!(nothing.status, 404);
    let shown = desk.get("/admin/editions/1?categories=urology&format=text");
    assert!(
        shown
            .text()
            .contains("preview?categories&#x3D;urology&amp;format&#x3D;text")
    );
    let policy = shown.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-src 'self'"), "{policy}");

    // A test to the editor alone.
    site.empty_outbox();
    assert_eq!(
        desk.act("/admin/editions/1/test", &[]),
        "/admin/editions/1?said=tested"
    );
    let outbox = site.outbox();
    assert!(
        outbox.len() == 1 && outbox[0].contains(&format!("To: {EDITOR}")),
        "{outbox:?}"
    );
    let mail = MessageParser::default().parse(&outbox[0]).unwrap();
    assert!(mail.body_text(0).unwrap().contains("A word before."));
    assert_eq!((state(&site, 1).as_str(), delivered(&site)), ("draft", 0));

    // The second look, and one that is out of date.
    let look = desk.get("/admin/editions/1/send");
    assert_eq!(one(&look, "main .buttons button"), "Send to 2 readers");
    assert_eq!(
        all(&look, "main > ol li, main > ul li"),
        ["About first", "1 reader: nothing for them"][..].to_vec()
    );
    let print = value(&look, "print");
    let print = print.as_str();
    for stale in [
        &[("count", "300"), ("print", print)][..],
        &[("count", ""), ("print", print)],
        &[("count", "2")],
        &[],
    ] {
        let answer = desk.post("/admin/editions/1/send", stale);
        assert_eq!(
            (answer.status, state(&site, 1).as_str()),
            (409, "draft"),
            "{stale:?}"
        );
        assert_eq!(one(&answer, "main .buttons button"), "Send to 2 readers");
    }

    // Send; once.
    let to = desk.act("/admin/editions/1/send", &[("count", "2"), ("print", print)]);
    assert_eq!(to, "/admin/editions/1?said=sent");
    let page = desk.get(&to);
    assert!(said(&page).starts_with("Approved."), "{}", said(&page));
    wait_for("the edition's end", || {
        (state(&site, 1) == "finished").then_some(())
    });
    for _ in 0..2 {
        assert_eq!(
            desk.act("/admin/editions/1/send", &[("count", "2")]),
            "/admin/editions/1?said=already"
        );
    }
    let look = desk.ask("GET", "/admin/editions/1/send");
    assert_eq!(
        (look.status, look.header("location")),
        (303, Some("../../../admin/editions/1?said=already"))
    );
    assert_eq!(delivered(&site), 2);
    let page = desk.get("/admin/editions/1?watch=1");
    assert_eq!(heading(&page), "Edition 1 of Weekly digest");
    assert_eq!(
        one(&page, "progress + *, .settled label"),
        "Settled: 3 of 3 (100 %)"
    );
    assert_eq!(all(&page, ".counts dd"), ["2", "0", "0", "1"]);
    // It is over: nothing is loaded again, and nothing can be done to it.
    assert_eq!(page.header("refresh"), None);
    assert_eq!(all(&page, "main .buttons button").len(), 0);
    for (action, status) in [("pause", 409), ("drop", 409), ("note", 409), ("cancel", 409)] {
        let fields = [("slug", "first"), ("seen", "approved")];
        let answer = desk.post(&format!("/admin/editions/1/{action}"), &fields);
        assert_eq!(answer.status, status, "{action}: {}", answer.text());
        assert_eq!(heading(&answer), "That was not done");
    }
}

#[test]
fn nothing_new_and_nobody_make_no_draft() {
    let site = site();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    let prepare = || {
        let to = desk.act("/admin/digests/weekly/prepare", &[]);
        said(&desk.get(&to))
    };
    assert_eq!(prepare(), "There is nothing new to send.");
    site.summary("first", "urology");
    assert_eq!(
        prepare(),
        "Nobody receives this digest yet, so no edition was made."
    );
    site.write("subscribers/list.csv", "no list\n");
    assert!(prepare().starts_with("A list of readers can't be read"));
    for path in ["/admin/digests/none", "/admin/editions/7", "/admin/editions/x"] {
        assert_eq!(desk.ask("GET", path).status, 404, "{path}");
    }
    let unknown = desk.post("/admin/digests/none/prepare", &[]);
    assert_eq!(unknown.status, 404);
}

/// Everything that a request could change; not when sessions were seen, nor what delivery does by itself.
pub fn everything(site: &Site) -> String {
    let python = std::env::var("POSTRIDER_TEST_PYTHON").expect("POSTRIDER_TEST_PYTHON: run scripts/test.sh");
    let dump = "import sqlite3, sys; base = sqlite3.connect(sys.argv[1], timeout=20)\n\
                own = ('admin_session', 'lease', 'relay_state')\n\
                print('\\n'.join(l for l in base.iterdump() if not any(f'INTO \"{t}\"' in l for t in own)))";
    let path = site.path("data/postrider.db");
    let said = std::process::Command::new(python)
        .args(["-c", dump])
        .arg(path)
        .output();
    let text = String::from_utf8(said.unwrap().stdout).unwrap();
    assert!(text.contains("INTO \"edition_item\""), "{text}");
    text
}

#[test]
fn a_form_without_its_token_does_nothing() {
    let site = with_readers();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    prepared(&desk);
    let other = Desk::open(&site, &server);
    assert_ne!(desk.form_token(), other.form_token());
    wait_for("quiet", || (site.outbox().len() == 2).then_some(()));
    let before = everything(&site);
    let (token, foreign) = (desk.form_token(), other.form_token());
    let fields = [("slug", "first"), ("note", "x"), ("count", "3")];
    let mut paths: Vec<String> = [
        "drop", "note", "test", "send", "pause", "resume", "retry", "cancel",
    ]
    .map(|action| format!("/admin/editions/1/{action}"))
    .to_vec();
    paths.push("/admin/digests/weekly/prepare".to_owned());
    paths.push("/admin/sign-out".to_owned());
    for path in &paths {
        for (wrong, header) in [
            (None, None),
            (Some(""), None),
            (Some(&token[1..]), None),
            (Some(foreign.as_str()), None),
            (Some(token.as_str()), Some(("Sec-Fetch-Site", "cross-site"))),
            (Some(token.as_str()), Some(("Sec-Fetch-Site", "same-site"))),
            (Some(token.as_str()), Some(("Origin", "https://example.com"))),
        ] {
            let mut all = fields.to_vec();
            all.extend(wrong.map(|wrong| ("form_token", wrong)));
            let mut headers = vec![("Cookie", desk.cookie.as_str())];
            headers.extend(header);
            let answer = request(&server, "POST", path, &headers, &all);
            assert_eq!(answer.status, 403, "{path} {wrong:?} {header:?}");
            assert_eq!(heading(&answer), "Nothing was done");
        }
    }
    assert_eq!(everything(&site), before);
    assert_eq!(heading(&desk.get("/admin")), "Overview");
    // The same with its token does something.
    desk.act("/admin/editions/1/drop", &[("slug", "first")]);
    assert_ne!(everything(&site), before);
}

#[test]
fn looking_changes_nothing() {
    let site = with_readers();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    prepared(&desk);
    site.summary("third", "urology");
    wait_for("quiet", || (site.outbox().len() == 1).then_some(()));
    let before = everything(&site);
    let pages = page_paths().into_iter().filter(|path| path.starts_with("/admin"));
    let actions = [
        "/admin/editions/{number}/drop?slug=first",
        "/admin/editions/{number}/note?note=x",
        "/admin/editions/{number}/test",
        "/admin/editions/{number}/pause",
        "/admin/editions/{number}/retry",
        "/admin/digests/{name}/prepare",
        "/admin/sign-out",
    ];
    for path in pages.chain(actions) {
        let path = path.replace("{number}", "1").replace("{name}", "weekly");
        for method in ["GET", "HEAD"] {
            let answer = desk.ask(method, &path.replace("{token}", "x"));
            assert!(
                [200, 404, 405].contains(&answer.status),
                "{method} {path}: {answer:?}"
            );
        }
    }
    assert_eq!(everything(&site), before);
    assert_eq!(heading(&desk.get("/admin")), "Overview");
}

#[test]
fn a_stranger_whose_form_never_comes_is_led_away() {
    let site = site();
    let server = site.serve(&[]);
    let path = "/admin/digests/weekly/prepare";
    let mut stream = connect(&server);
    stream
        .write_all(&head("POST", path, &[("Content-Length", "10")]))
        .unwrap();
    let answer = read(&mut stream);
    assert_eq!(answer.status, 303, "{answer:?}");
}
