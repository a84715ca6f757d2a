//! Signing in as an admin: a mailed link, once, for a short time; and sessions that end.

use crate::desk::{Desk, EDITOR, all, ask_for_link, change, heading, link, links, request, site};
use crate::site::Server;
use crate::wait_for;
use postrider::web::page_paths;

const START: &str = "Overview";

fn leads_to_sign_in(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) {
    let answer = request(server, method, path, headers, &[]);
    assert_eq!(answer.status, 303, "{method} {path}: {answer:?}");
    let base = url::Url::parse("https://site.example.org").unwrap();
    let to = base.join(path).unwrap();
    let to = to.join(answer.header("location").unwrap()).unwrap();
    assert_eq!(to.path(), "/admin/sign-in", "{method} {path}");
}

#[test]
fn a_mailed_link_signs_in_once() {
    let site = site();
    let server = site.serve(&[]);
    let path = link(&site, &server);
    // A program that opens every link does not use it up.
    for method in ["GET", "HEAD", "GET"] {
        let page = request(&server, method, &path, &[], &[]);
        assert_eq!((page.status, page.header("set-cookie")), (200, None));
    }
    let opened = request(&server, "POST", &path, &[("Sec-Fetch-Site", "same-origin")], &[]);
    assert_eq!(
        (opened.status, opened.header("location")),
        (303, Some("../../admin"))
    );
    let cookie = opened.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/admin; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
    );
    assert!(pair.len() > "postrider_admin=".len() + 42, "{pair}");
    assert_eq!(heading(&Desk::with(&server, pair).get("/admin")), START);
    for method in ["GET", "POST"] {
        let again = request(&server, method, &path, &[], &[]);
        assert_eq!(
            (again.status, again.header("set-cookie")),
            (404, None),
            "{method}"
        );
        assert_eq!(heading(&again), "This link can't be used");
    }
}

#[test]
fn no_other_link_signs_in() {
    let site = site();
    let server = site.serve(&[]);
    let good = link(&site, &server);
    let late = link(&site, &server);
    change(&site, "UPDATE sign_in SET expires = 1 WHERE id = 2");
    let last = if good.ends_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{last}", &good[..good.len() - 1]);
    let cut = &good[..good.len() - 4];
    for path in [
        late.as_str(),
        &forged,
        cut,
        "/admin/session/x",
        "/admin/session/%00",
    ] {
        for method in ["GET", "POST"] {
            let answer = request(&server, method, path, &[], &[]);
            assert_eq!(
                (answer.status, answer.header("set-cookie")),
                (404, None),
                "{method} {path}"
            );
        }
    }
    // A form of another site can't sign in either.
    let theirs = request(&server, "POST", &good, &[("Sec-Fetch-Site", "cross-site")], &[]);
    assert_eq!((theirs.status, theirs.header("set-cookie")), (403, None));
    assert_eq!(request(&server, "POST", &good, &[], &[]).status, 303);
}

#[test]
fn everybody_gets_the_same_answer_and_few_mails() {
    let site = site();
    let server = site.serve(&[]);
    let to_editor = ask_for_link(&server, &format!(" {EDITOR} "));
    let to_stranger = ask_for_link(&server, "stranger@example.org");
    assert_eq!((to_editor.status, to_stranger.status), (200, 200));
    assert_eq!(to_editor.text(), to_stranger.text());
    for wrong in ["", "editor", "a@b@c", "editor@example.org\r\nBcc: x@example.org"] {
        let answer = ask_for_link(&server, wrong);
        assert_eq!(answer.status, 422, "{wrong:?}");
        assert_eq!(all(&answer, "[role=alert] a[href='#sign-in-address']").len(), 1);
    }
    for _ in 0..4 {
        assert_eq!(ask_for_link(&server, EDITOR).text(), to_editor.text());
    }
    wait_for("three links", || (links(&site).len() == 3).then_some(()));
    // Twelve from a network; six were above.
    for _ in 0..6 {
        assert_eq!(ask_for_link(&server, "stranger@example.org").status, 200);
    }
    assert_eq!(ask_for_link(&server, "stranger@example.org").status, 429);
    assert_eq!(ask_for_link(&server, EDITOR).status, 429);
    // Whatever is written is sent before the server ends.
    site.run(&["deliver", "--wait"]);
    assert_eq!(links(&site).len(), 3);
    assert_eq!(site.outbox().len(), 3);
    // Later the editor gets another one.
    change(&site, "UPDATE sign_in SET created = 1, expires = 1");
    assert_eq!(ask_for_link(&server, EDITOR).status, 200);
    wait_for("a fourth link", || (links(&site).len() == 4).then_some(()));
}

#[test]
fn a_stranger_sees_nothing_but_the_sign_in() {
    let site = site();
    site.summary("first", "urology");
    site.readers(&[("ann@example.org", "")]);
    site.configure("approve = true", &format!("[admin]\naddresses = [{EDITOR:?}]"));
    site.run(&["publish"]).expect_code(0);
    let before = site.edition(1);
    let server = site.serve(&[]);
    let guarded: Vec<String> = page_paths()
        .into_iter()
        .filter(|path| path.starts_with("/admin") && !path.contains("sign-in") && !path.contains("session"))
        .map(|path| path.replace("{number}", "1").replace("{name}", "weekly"))
        .collect();
    assert_eq!(guarded.len(), 8, "{guarded:?}");
    for path in &guarded {
        for headers in [&[][..], &[("Cookie", "postrider_admin=invented")]] {
            leads_to_sign_in(&server, "GET", path, headers);
            leads_to_sign_in(&server, "HEAD", path, headers);
        }
    }
    for action in [
        "drop", "note", "test", "send", "pause", "resume", "retry", "cancel",
    ] {
        leads_to_sign_in(&server, "POST", &format!("/admin/editions/1/{action}"), &[]);
    }
    leads_to_sign_in(&server, "POST", "/admin/digests/weekly/prepare", &[]);
    leads_to_sign_in(&server, "POST", "/admin/sign-out", &[]);
    assert_eq!(site.edition(1), before);
}

#[test]
fn a_session_ends() {
    let site = site();
    let server = site.serve(&[]);
    let desk = Desk::open(&site, &server);
    let (cookie, path) = (desk.cookie.clone(), "/admin");
    assert_eq!(heading(&desk.get(path)), START);
    assert_eq!(desk.act("/admin/sign-out", &[]), "/admin/sign-in?said=signed-out");
    leads_to_sign_in(&server, "GET", path, &[("Cookie", &cookie)]);
    for end in ["seen = seen - 7200000", "expires = seen"] {
        let desk = Desk::open(&site, &server);
        change(&site, &format!("UPDATE admin_session SET {end}"));
        leads_to_sign_in(&server, "GET", path, &[("Cookie", &desk.cookie)]);
    }
    change(&site, "DELETE FROM sign_in");
    // Somebody who rested for a while is still there; from then on the time counts anew.
    let desk = Desk::open(&site, &server);
    for _ in 0..2 {
        change(&site, "UPDATE admin_session SET seen = seen - 7000000");
        desk.get(path);
    }
    let cookie = desk.cookie.clone();
    drop(server);
    // Who is no admin any more is out at once, and so is a link of theirs.
    site.configure("", "[admin]\naddresses = [\"other@example.org\"]");
    let server = site.serve(&[]);
    leads_to_sign_in(&server, "GET", path, &[("Cookie", &cookie)]);
    drop(server);
    site.configure("", &format!("[admin]\naddresses = [{EDITOR:?}]"));
    let server = site.serve(&[]);
    leads_to_sign_in(&server, "GET", path, &[("Cookie", &cookie)]);
}
