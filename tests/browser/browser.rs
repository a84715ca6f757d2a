//! The browser, and the people who sit before it.

use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

/// A browser that may ask one server and nobody else.
pub struct Browser {
    talk: Rc<RefCell<Talk>>,
    readers: Cell<u32>,
}

/// The process of `driver.mjs`: a line of JSON to it, a line back.
struct Talk {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// Somebody with a browser of their own: no cookies are shared with others.
pub struct Reader {
    talk: Rc<RefCell<Talk>>,
    name: String,
}

/// What a reader has before them.
#[derive(Debug, Clone, serde::Deserialize)]
#[allow(dead_code, reason = "told when a test fails")]
pub struct View {
    pub url: String,
    /// Of the answer that brought the page.
    pub status: u16,
    pub title: String,
    /// As it can be read on the screen.
    pub text: String,
    pub headings: Vec<String>,
}

/// A page that is to be looked at, and the status of its answer.
#[derive(Debug, serde::Serialize)]
pub struct Stop {
    pub path: String,
    pub status: u16,
    /// What the browser holds, as `name=value`; nothing, when it is empty.
    pub cookie: String,
}

impl Browser {
    /// Starts one for the server at `base`, such as `http://127.0.0.1:20000`.
    pub fn start(base: &str) -> Self {
        let Ok(program) = std::env::var("POSTRIDER_TEST_BROWSER") else {
            panic!(
                "POSTRIDER_TEST_BROWSER names no Chromium; run scripts/test.sh, which also installs \
                 what tests/browser/package.json names"
            );
        };
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/driver.mjs");
        let mut child = Command::new("node")
            .arg(driver)
            .args([base, &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node cannot be started: run scripts/test.sh, which installs it");
        let talk = Talk {
            to: child.stdin.take(),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        Self {
            talk: Rc::new(RefCell::new(talk)),
            readers: Cell::new(0),
        }
    }

    /// Somebody new, whose browser runs scripts.
    pub fn reader(&self) -> Reader {
        self.enter(true)
    }

    /// Somebody new, whose browser runs no scripts.
    pub fn reader_without_script(&self) -> Reader {
        self.enter(false)
    }

    fn enter(&self, script: bool) -> Reader {
        self.readers.set(self.readers.get() + 1);
        let reader = Reader {
            talk: Rc::clone(&self.talk),
            name: self.readers.get().to_string(),
        };
        reader.ask("enter", json!({ "script": script }));
        reader
    }

    /// The faults of pages, as GET shows them.
    pub fn faults_of_pages(&self, stops: &[Stop]) -> Vec<(String, Vec<String>)> {
        let paths = stops.iter().map(|stop| stop.path.clone());
        paths.zip(self.lists("pages", &json!(stops))).collect()
    }

    /// The faults of documents that are pages.
    pub fn faults_of_page_documents(&self, documents: &[&str]) -> Vec<Vec<String>> {
        self.lists("pages", &given(documents))
    }

    /// The faults of documents that are mails.
    pub fn faults_of_mail_documents(&self, documents: &[&str]) -> Vec<Vec<String>> {
        self.lists("mails", &given(documents))
    }

    fn lists(&self, command: &str, stops: &Value) -> Vec<Vec<String>> {
        let lists = self.talk.borrow_mut().ask(command, json!({ "stops": stops }));
        serde_json::from_value(lists).unwrap()
    }
}

/// Stops at documents that no server has.
fn given(documents: &[&str]) -> Value {
    let stops = documents.iter();
    stops
        .map(|document| json!({ "document": document, "status": 200 }))
        .collect()
}

impl Talk {
    /// Has a command done; a request to anybody but the server under test fails the test.
    #[track_caller]
    fn ask(&mut self, command: &str, mut rest: Value) -> Value {
        rest["do"] = json!(command);
        let mut line = String::new();
        let said =
            writeln!(self.to.as_mut().unwrap(), "{rest}").and_then(|()| self.from.read_line(&mut line));
        assert!(
            said.is_ok() && !line.is_empty(),
            "the browser has ended; what it said stands above"
        );
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(
            answer["foreign"],
            json!([]),
            "{rest} caused requests to other servers"
        );
        if let Some(failure) = answer["failed"].as_str() {
            panic!("{rest} failed: {failure}");
        }
        answer["done"].take()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It ends the browser when its input ends.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

#[allow(dead_code, reason = "stories take what they need")]
impl Reader {
    #[track_caller]
    fn ask(&self, command: &str, mut rest: Value) -> Value {
        rest["reader"] = json!(self.name);
        self.talk.borrow_mut().ask(command, rest)
    }

    #[track_caller]
    fn view_after(&self, command: &str, rest: Value) -> View {
        serde_json::from_value(self.ask(command, rest)).unwrap()
    }

    /// Lets the browser hold this cookie, `name=value`, or none, when it is empty.
    #[track_caller]
    pub fn hold(&self, cookie: &str) {
        self.ask("hold", json!({ "cookie": cookie }));
    }

    /// Opens an address, or a path of the site.
    #[track_caller]
    pub fn open(&self, url: &str) -> View {
        self.view_after("open", json!({ "url": url }))
    }

    /// Opens a document that no server has, such as a mail.
    #[track_caller]
    pub fn show(&self, document: &str) -> View {
        self.view_after("show", json!({ "document": document }))
    }

    /// The page as it is now.
    #[track_caller]
    pub fn view(&self) -> View {
        self.view_after("view", json!({}))
    }

    /// The page, asked for once more.
    #[track_caller]
    pub fn reload(&self) -> View {
        self.view_after("reload", json!({}))
    }

    /// The page that comes by itself, such as one that loads itself again.
    #[track_caller]
    pub fn wait_for_page(&self) -> View {
        self.view_after("await", json!({}))
    }

    /// What can be read in the frame of this title.
    #[track_caller]
    pub fn frame(&self, title: &str) -> String {
        let text = self.ask("frame", json!({ "title": title }));
        text.as_str().unwrap().to_owned()
    }

    /// Writes into the field with this label.
    #[track_caller]
    pub fn fill(&self, label: &str, value: &str) -> &Self {
        self.ask("fill", json!({ "label": label, "value": value }));
        self
    }

    /// Ticks the box, or takes the choice, with this label.
    #[track_caller]
    pub fn tick(&self, label: &str) -> &Self {
        self.ask("tick", json!({ "label": label, "on": true }));
        self
    }

    /// Clears the box with this label.
    #[track_caller]
    pub fn clear(&self, label: &str) -> &Self {
        self.ask("tick", json!({ "label": label, "on": false }));
        self
    }

    /// Takes one of the choices of the list with this label.
    #[track_caller]
    pub fn choose(&self, label: &str, choice: &str) -> &Self {
        self.ask("choose", json!({ "label": label, "value": choice }));
        self
    }

    /// What is in the field with this label; true or false for a box.
    #[track_caller]
    pub fn value(&self, label: &str) -> Value {
        self.ask("value", json!({ "label": label }))
    }

    /// Presses the button of this name.
    #[track_caller]
    pub fn press(&self, name: &str) -> View {
        self.view_after("press", json!({ "name": name }))
    }

    /// Presses the button of this name, and the browser sends the form although it finds it wrong.
    #[track_caller]
    pub fn press_unchecked(&self, name: &str) -> View {
        self.view_after("press", json!({ "name": name, "unchecked": true }))
    }

    /// Follows the link of this name.
    #[track_caller]
    pub fn follow(&self, name: &str) -> View {
        self.view_after("follow", json!({ "name": name }))
    }

    /// The faults of the page that is shown, such as an answer to a form; needs scripts.
    #[track_caller]
    pub fn faults(&self) -> Vec<String> {
        serde_json::from_value(self.ask("inspect", json!({}))).unwrap()
    }

    /// Keeps a picture of the whole page.
    #[track_caller]
    pub fn screenshot(&self, scheme: &str, width: u32, file: &Path) {
        self.ask(
            "screenshot",
            json!({ "scheme": scheme, "width": width, "file": file }),
        );
    }
}

#[allow(dead_code, reason = "stories take what they need")]
impl View {
    /// The first heading.
    #[track_caller]
    pub fn heading(&self) -> &str {
        let first = self.headings.first();
        first.unwrap_or_else(|| panic!("no heading: {self:#?}"))
    }

    /// Fails the test unless the page says this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text.contains(words), "{words:?} is not in {self:#?}");
        self
    }

    /// Fails the test when the page says this.
    #[track_caller]
    pub fn is_silent_of(&self, words: &str) -> &Self {
        assert!(!self.text.contains(words), "{words:?} is in {self:#?}");
        self
    }
}

/// Fails the test unless no document has a fault.
#[track_caller]
pub fn assert_faultless(found: &[(String, Vec<String>)]) {
    let faulty: Vec<_> = found.iter().filter(|(_, faults)| !faults.is_empty()).collect();
    assert!(faulty.is_empty(), "{faulty:#?}");
}
