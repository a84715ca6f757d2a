//! An admin at work: a site with an editor, the link from their mail, and requests with their session.

use crate::site::{Server, Site};
use crate::wait_for;
use crate::wire::{Answer, connect, head, read};
use mail_parser::MessageParser;
use scraper::{Html, Selector};
use std::io::Write;
use std::process::Command;

pub const EDITOR: &str = "editor@example.org";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A site whose digest is sent by hand, with an editor.
pub fn site() -> Site {
    let site = Site::new();
    site.configure("", &format!("[admin]\naddresses = [{EDITOR:?}]"));
    site
}

/// A request, and an answer as every admin's page gives it.
pub fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let length = body.len().to_string();
    let mut all = vec![FORM, ("Content-Length", length.as_str())];
    all.extend(headers);
    let mut bytes = head(method, path, &all);
    bytes.extend(body.as_bytes());
    let mut stream = connect(server);
    stream.write_all(&bytes).unwrap();
    let answer = read(&mut stream);
    if answer.status != 405 {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(
            answer.header("x-robots-tag"),
            Some("noindex, nofollow"),
            "{answer:?}"
        );
    }
    answer
}

/// The headings of a page.
pub fn heading(answer: &Answer) -> String {
    one(answer, "h1")
}

/// The text of the only element of a page that `selector` finds.
pub fn one(answer: &Answer, selector: &str) -> String {
    let found = all(answer, selector);
    assert_eq!(found.len(), 1, "{selector} in {}", answer.text());
    found[0].clone()
}

/// The texts of the elements of a page that `selector` finds.
pub fn all(answer: &Answer, selector: &str) -> Vec<String> {
    let page = Html::parse_document(&answer.text());
    let selector = Selector::parse(selector).unwrap();
    let found = page.select(&selector);
    found
        .map(|element| {
            let text: String = element.text().collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The names of the buttons that leave a summary out of a draft, in the order of the alphabet.
pub fn left_out_by(draft: &Answer) -> Vec<String> {
    let page = Html::parse_document(&draft.text());
    let selector = Selector::parse(".entries button").unwrap();
    let buttons = page.select(&selector);
    let mut names: Vec<_> = buttons
        .map(|button| button.value().attr("aria-label").unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Asks for a link to sign in.
pub fn ask_for_link(server: &Server, address: &str) -> Answer {
    request(server, "POST", "/admin/sign-in", &[], &[("address", address)])
}

/// The paths in the mails to the editor that sign in, the oldest first.
pub fn links(site: &Site) -> Vec<String> {
    let mut links = Vec::new();
    for message in site.outbox() {
        let mail = MessageParser::default().parse(&message).unwrap();
        let text = mail.body_text(0).unwrap().into_owned();
        let start = "https://site.example.org/admin/session/";
        if let Some(line) = text.lines().find(|line| line.starts_with(start)) {
            assert!(message.contains(EDITOR), "{message}");
            links.push(
                line.trim()
                    .strip_prefix("https://site.example.org")
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    links
}

/// Asks for a link and waits for it.
pub fn link(site: &Site, server: &Server) -> String {
    let before = links(site);
    assert_eq!(ask_for_link(server, EDITOR).status, 200);
    wait_for("the link", || {
        links(site).into_iter().find(|link| !before.contains(link))
    })
}

/// Changes the database of a site behind its back.
pub fn change(site: &Site, statement: &str) {
    let python = std::env::var("POSTRIDER_TEST_PYTHON").expect("POSTRIDER_TEST_PYTHON: run scripts/test.sh");
    let program = "import sqlite3, sys; base = sqlite3.connect(sys.argv[1], timeout=20)\n\
                   base.execute(sys.argv[2]); base.commit()";
    let done = Command::new(python)
        .args(["-c", program])
        .arg(site.path("data/postrider.db"))
        .arg(statement)
        .status();
    assert!(done.unwrap().success());
}

/// A signed-in admin.
pub struct Desk<'a> {
    server: &'a Server,
    /// What the browser sends.
    pub cookie: String,
}

impl<'a> Desk<'a> {
    /// Signs in by a mailed link.
    pub fn open(site: &Site, server: &'a Server) -> Self {
        let opened = request(server, "POST", &link(site, server), &[], &[]);
        assert_eq!(opened.status, 303, "{opened:?}");
        let cookie = opened.header("set-cookie").unwrap();
        Self::with(server, cookie.split(';').next().unwrap())
    }

    /// The same browser on a server that was started anew.
    pub fn with(server: &'a Server, cookie: &str) -> Self {
        Self {
            server,
            cookie: cookie.to_owned(),
        }
    }

    pub fn ask(&self, method: &str, path: &str) -> Answer {
        request(self.server, method, path, &[("Cookie", &self.cookie)], &[])
    }

    /// A page that must be there.
    pub fn get(&self, path: &str) -> Answer {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    /// What the forms of this session carry.
    pub fn form_token(&self) -> String {
        let start = self.get("/admin");
        let page = Html::parse_document(&start.text());
        let field = Selector::parse("input[name=form_token]").unwrap();
        let field = page.select(&field).next().unwrap();
        field.value().attr("value").unwrap().to_owned()
    }

    /// Sends a form.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        request(self.server, "POST", path, &[("Cookie", &self.cookie)], &all)
    }

    /// Sends a form that leads on, and follows; the path below `/admin` it leads to.
    pub fn act(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        let base = url::Url::parse("https://site.example.org").unwrap();
        let to = base.join(path).unwrap().join(answer.header("location").unwrap());
        let to = to.unwrap();
        match to.query() {
            Some(query) => format!("{}?{query}", to.path()),
            None => to.path().to_owned(),
        }
    }
}
