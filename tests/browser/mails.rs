//! Every mail's HTML, as a mail program with a browser's engine shows it.

use crate::browser::assert_faultless;
use crate::grounds::{ADA, Grounds};

#[test]
fn every_mail_is_accessible_and_valid() {
    let grounds = Grounds::lay();
    let world = &grounds.world;
    // A second edition tells of a retraction and of something new.
    let had = "minimally-invasive-spine-stabilization";
    let note = "The paper was withdrawn.";
    world.run(&["summaries", "retract", had, "--note", note]);
    world.site.summary("new-in-oncology", "oncology");
    world.publish();
    let second = world.mail_to(ADA);
    assert!(second.html.contains(note) && second.html.contains("About new-in-oncology"));
    let mails = world.mails();
    let documents: Vec<&str> = mails.iter().map(|mail| mail.html.as_str()).collect();
    let faults = grounds.browser.faults_of_mail_documents(&documents);
    let names = mails
        .iter()
        .map(|mail| format!("{} to {}", mail.subject, mail.to));
    assert_faultless(&names.zip(faults).collect::<Vec<_>>());
}
