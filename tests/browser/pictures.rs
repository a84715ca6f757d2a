//! Pictures of every page, answer to a form, and mail, for people to look at; `scripts/screenshots.sh` has them made.

use crate::browser::Reader;
use crate::forms::FORMS;
use crate::grounds::{Grounds, ROUTES};
use std::path::Path;

/// Four pictures of what the reader has before them.
fn take(reader: &Reader, folder: &Path, name: &str) {
    for width in [320, 1280] {
        for scheme in ["light", "dark"] {
            reader.screenshot(
                scheme,
                width,
                &folder.join(format!("{name}-{width}-{scheme}.png")),
            );
        }
    }
}

#[test]
#[ignore = "makes pictures for people: scripts/screenshots.sh"]
fn every_page_and_mail() {
    let folder = std::env::var("POSTRIDER_TEST_SCREENSHOTS")
        .expect("POSTRIDER_TEST_SCREENSHOTS names no folder: run scripts/screenshots.sh");
    let folder = Path::new(&folder);
    let grounds = Grounds::lay();
    let reader = grounds.browser.reader();
    for (route, stops) in ROUTES {
        let words: Vec<&str> = route
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for (n, stop) in stops(&grounds).iter().enumerate() {
            reader.hold(&stop.cookie);
            reader.open(&stop.path);
            take(&reader, folder, &format!("page-{}-{}", words.join("-"), n + 1));
        }
    }
    reader.hold("");
    for (n, form) in FORMS.iter().enumerate() {
        form.send(&grounds, &reader);
        take(&reader, folder, &format!("answer-{:02}", n + 1));
    }
    for (n, mail) in grounds.world.mails().iter().enumerate() {
        reader.show(&mail.html);
        take(&reader, folder, &format!("mail-{}", n + 1));
    }
}
