//! Several who send at once: admins in two browsers, and the command line beside the browser.

use crate::admin::{delivered, said, state, value, with_readers};
use crate::desk::{Desk, all, request, site};
use crate::relay::{Script, ScriptedRelay};
use crate::site::{Server, Site};
use crate::wait_for;
use crate::wire::Answer;
use std::collections::BTreeMap;
use std::sync::Barrier;

/// The form of the second look, filled in and not sent yet.
struct Ready {
    path: String,
    cookie: String,
    fields: Vec<(&'static str, String)>,
}

impl Ready {
    fn of(desk: &Desk<'_>, edition: i64) -> Self {
        let path = format!("/admin/editions/{edition}/send");
        let look = desk.get(&path);
        let fields = ["form_token", "count", "print"].map(|name| (name, value(&look, name)));
        Self {
            path,
            cookie: desk.cookie.clone(),
            fields: fields.to_vec(),
        }
    }

    fn send(&self, server: &Server) -> Answer {
        let fields: Vec<_> = self.fields.iter().map(|(name, text)| (*name, &**text)).collect();
        request(server, "POST", &self.path, &[("Cookie", &self.cookie)], &fields)
    }
}

/// Somebody who is signed in, on a site that sends through a relay from then on: unlike an outbox it shows a mail
/// that comes twice. `rest` is added to the relay's settings.
fn with_relay(site: &Site, rest: &str) -> (ScriptedRelay, String) {
    let server = site.serve(&["--no-schedule"]);
    let cookie = Desk::open(site, &server).cookie;
    let relay = ScriptedRelay::start(Script::default());
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let url = format!("url = \"smtp://127.0.0.1:{}\"\n{rest}", relay.port);
    site.write("config.toml", &config.replace("url = \"outbox:outbox\"", &url));
    (relay, cookie)
}

/// How many mails of a digest each reader was sent.
fn mails_by_reader(relay: &ScriptedRelay) -> BTreeMap<String, usize> {
    let mut mails = BTreeMap::new();
    for mut message in relay.taken() {
        if message.data.contains("List-Id:") {
            *mails.entry(message.to.remove(0)).or_default() += 1;
        }
    }
    mails
}

fn finished(site: &Site, edition: i64) {
    wait_for("the edition's end", || {
        (state(site, edition) == "finished").then_some(())
    });
}

fn editions(site: &Site) -> usize {
    let listed = site.run(&["editions", "--json"]).expect_code(0).json();
    listed.as_array().unwrap().len()
}

#[test]
fn of_two_admins_who_send_the_same_draft_one_does_and_the_other_is_told() {
    let site = with_readers();
    let server = site.serve(&["--no-schedule"]);
    let desks = [Desk::open(&site, &server), Desk::open(&site, &server)];
    let mut sent = 0;
    for round in 1..=4 {
        site.summary(&format!("round-{round}"), "urology,oncology");
        desks[0].act("/admin/digests/weekly/prepare", &[]);
        let ready = [0, 1].map(|n: usize| Ready::of(&desks[n], round));
        let start = Barrier::new(ready.len());
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let send = |ready| {
                let (start, server) = (&start, &server);
                scope.spawn(move || {
                    start.wait();
                    Ready::send(ready, server)
                })
            };
            let sending: Vec<_> = ready.iter().map(send).collect();
            sending.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut led: Vec<&str> = answers
            .iter()
            .map(|answer| answer.header("location").unwrap_or("nowhere"))
            .collect();
        led.sort_unstable();
        let word = |word: &str| format!("../../../admin/editions/{round}?said={word}");
        let answered: Vec<_> = answers.iter().map(|answer| all(answer, "main")).collect();
        assert_eq!(
            led,
            [word("already"), word("sent")],
            "round {round}: {answered:?}"
        );
        finished(&site, round);
        sent += 3;
        assert_eq!(
            (delivered(&site), editions(&site)),
            (sent, usize::try_from(round).unwrap())
        );
    }
    let told = desks[1].get("/admin/editions/4?said=already");
    assert_eq!(
        said(&told),
        "This edition was approved before. Nothing was sent a second time."
    );
}

#[test]
fn a_send_from_the_command_line_at_the_same_moment_makes_no_second_edition() {
    let site = with_readers();
    let (relay, cookie) = with_relay(&site, "");
    let server = site.serve(&["--no-schedule"]);
    let desk = Desk::with(&server, &cookie);
    for round in 1..=3 {
        site.summary(&format!("round-{round}"), "urology,oncology");
        desk.act("/admin/digests/weekly/prepare", &[]);
        let ready = Ready::of(&desk, round);
        let start = Barrier::new(2);
        let (answer, command) = std::thread::scope(|scope| {
            let command = scope.spawn(|| {
                start.wait();
                site.run(&["send", "weekly", "--yes", "--wait"])
            });
            start.wait();
            // The program takes a moment to begin: the later rounds meet it further on its way.
            std::thread::sleep(std::time::Duration::from_millis(60 * round.unsigned_abs()));
            (ready.send(&server), command.join().unwrap())
        });
        assert!(answer.header("location").unwrap().ends_with("?said=sent"));
        // It found the draft, or the edition, or that there is nothing new by now.
        command.expect_code(0);
        finished(&site, round);
        assert_eq!(editions(&site), usize::try_from(round).unwrap());
        let mails = mails_by_reader(&relay);
        let counts: Vec<_> = mails.values().copied().collect();
        assert_eq!(counts, [usize::try_from(round).unwrap(); 3], "{mails:?}");
    }
}

/// The command line sends, slowly; the browser shows it, makes no second edition, and can hold it up.
#[test]
fn an_admin_looks_after_what_the_command_line_sends() {
    const READERS: usize = 120;
    let site = site();
    site.summary("first", "urology");
    site.many_readers(READERS);
    let (relay, cookie) = with_relay(&site, "rate_per_second = 10");
    let server = site.serve(&["--no-schedule"]);
    let desk = Desk::with(&server, &cookie);
    std::thread::scope(|scope| {
        let command = scope.spawn(|| site.run(&["send", "weekly", "--yes", "--wait"]));
        wait_for("the first mails", || {
            (mails_by_reader(&relay).len() > 2).then_some(())
        });
        let to = desk.act("/admin/digests/weekly/prepare", &[]);
        assert_eq!(to, "/admin/editions/1?said=under-way");
        assert_eq!(all(&desk.get("/admin"), "main tbody th a"), ["Edition 1"]);
        let look = desk.ask("GET", "/admin/editions/1/send");
        assert!(look.header("location").unwrap().ends_with("?said=already"));
        desk.act("/admin/editions/1/pause", &[]);
        // What it began goes to those who have it in hand; the rest waits for a word.
        let command = command.join().unwrap();
        assert_eq!(command.code, 3, "{command:?}");
    });
    assert_eq!(state(&site, 1), "paused");
    let before = mails_by_reader(&relay).len();
    assert!(before < READERS, "it was paused too late to show anything");
    assert_eq!(
        site.run(&["send", "weekly", "--yes"]).code,
        3,
        "what is paused stays so"
    );
    assert_eq!(mails_by_reader(&relay).len(), before);
    desk.act("/admin/editions/1/resume", &[]);
    finished(&site, 1);
    let mails = mails_by_reader(&relay);
    assert_eq!((mails.len(), editions(&site)), (READERS, 1));
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
    prepared_nothing(&desk);
}

fn prepared_nothing(desk: &Desk<'_>) {
    let to = desk.act("/admin/digests/weekly/prepare", &[]);
    assert_eq!(to, "/admin/digests/weekly?said=nothing");
}
