//! The story of an admin who sends from the browser.

use crate::browser::{Browser, Reader, View};
use crate::editor;
use crate::programs::wait_until;
use crate::site::Site;
use crate::world::{EDITOR, World};

/// At two mails a second the page loads itself again before all of them are out.
const READERS: usize = 16;
const RATE: (&str, &str) = ("POSTRIDER_RELAY__0__RATE_PER_SECOND", "2");
const SEND: &str = "Send to 16 readers";

/// Signs in by the link that comes by mail.
fn sign_in(world: &World, editor: &Reader) {
    let page = editor.open("/admin");
    assert_eq!(page.heading(), "Sign in", "{page:#?}");
    editor.fill("Your email address", EDITOR);
    let page = editor.press("Mail me a link");
    assert_eq!((page.status, page.heading()), (200, "Look into your inbox"));
    editor.open(&world.mail_to(EDITOR).link("Sign in"));
    editor.press("Sign in").says(EDITOR);
}

/// How many mails are settled, as the page tells it.
#[track_caller]
fn settled(page: &View) -> usize {
    let (_, rest) = page
        .text
        .split_once("Settled: ")
        .unwrap_or_else(|| panic!("{page:#?}"));
    let (count, _) = rest.split_once(&format!(" of {READERS}")).unwrap();
    count.parse().unwrap()
}

#[test]
fn an_editor_makes_a_draft_better_and_sends_it_once() {
    let mut site = Site::new();
    site.environment.push((RATE.0.to_owned(), RATE.1.to_owned()));
    site.many_readers(READERS);
    site.summary("good", "urology");
    site.summary("other", "oncology");
    site.summary("doubtful", "urology");
    let world = World::start(site);
    let browser = Browser::start(&world.url);
    let editor = browser.reader_without_script();
    sign_in(&world, &editor);

    editor.follow("Weekly digest");
    editor.press("Prepare the next edition").says("About doubtful");
    editor
        .press("Leave out: About doubtful")
        .is_silent_of("About doubtful");
    editor.fill("Your note to the readers", "Dear all,\n\nhere is the news.");
    let draft = editor.press("Save the note");
    editor.choose("For a reader who chose", "Urology").press("Show");
    let framed = editor.frame("The mail for a reader who chose: Urology");
    assert!(framed.contains("here is the news."), "{framed}");
    let preview = editor.follow("Open this mail on a page of its own");
    preview.says("here is the news.").says("About good");
    preview.is_silent_of("About other").is_silent_of("About doubtful");

    editor.open(&draft.url);
    editor.press("Send a test to me");
    let test = world.mail_to(EDITOR);
    for part in [&test.text, &test.html] {
        assert!(
            part.contains("here is the news.") && part.contains("About other"),
            "{part}"
        );
        assert!(!part.contains("About doubtful"), "{part}");
    }

    // A colleague has the second look open at the same time.
    let colleague = browser.reader_without_script();
    colleague.hold(&editor::sign_in(&world));
    for one in [&editor, &colleague] {
        one.open(&draft.url);
        one.follow("Approve and send…").says(SEND).says("About good");
    }
    assert_eq!(world.mails().len(), 3, "something went out before it was sent");
    let ledger = editor.press(SEND);
    let begun = settled(&ledger);
    let late = colleague.press(SEND);
    late.says("This edition was approved before. Nothing was sent a second time.");
    ledger.is_silent_of("Stop loading this page again");
    let watched = editor.follow("Watch it: load this page again every 5 seconds");
    watched.says("Stop loading this page again: it does so every 5 seconds.");
    let seen = settled(&editor.wait_for_page());
    assert!(begun < seen, "{begun} mails were settled, and then {seen}");
    let mut last = seen;
    wait_until("every mail is settled", || {
        let now = settled(&editor.open(&draft.url));
        assert!(now >= last, "{now} mails are settled, and were {last}");
        last = now;
        now == READERS
    });

    let mails = world.mails();
    for n in 0..READERS {
        let address = format!("reader{n}@example.org");
        let mut got = mails.iter().filter(|mail| mail.to == address);
        let (digest, second) = (got.next().unwrap(), got.next());
        assert!(second.is_none(), "{address} got it twice");
        assert!(digest.text.contains("here is the news.") && digest.text.contains("About good"));
        assert!(!digest.text.contains("About doubtful"), "{}", digest.text);
    }
    editor.follow("See who got what").says("reader15@example.org");
}
