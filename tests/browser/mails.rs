//! Every mail's HTML, as a mail program with a browser's engine shows it.

use crate::browser::{Browser, assert_faultless};
use crate::site::Site;
use crate::world::World;

#[test]
fn every_mail_is_accessible_and_valid() {
    let site = Site::new();
    site.summary_with(
        "one",
        "urology",
        "note = \"A wrong number.\"\nstatus = \"corrected\"",
        "First, `code`.\n\n- One\n- Two",
    );
    site.summary("two", "oncology");
    site.readers(&[("ann@example.org", "urology;oncology"), ("bob@example.org", "")]);
    let world = World::start(site);
    world.publish();
    world.run(&[
        "summaries",
        "retract",
        "two",
        "--note",
        "The paper was withdrawn.",
    ]);
    world.site.summary("three", "urology");
    world.publish();
    let mails = world.mails();
    assert_eq!(mails.len(), 4);
    let browser = Browser::start(&world.url);
    let documents: Vec<&str> = mails.iter().map(|mail| mail.html.as_str()).collect();
    let faults = browser.faults_of_mail_documents(&documents);
    let names = mails
        .iter()
        .map(|mail| format!("{} to {}", mail.subject, mail.to));
    assert_faultless(&names.zip(faults).collect::<Vec<_>>());
}
