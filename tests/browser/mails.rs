//! Every mail's HTML, as a mail program with a browser's engine shows it.

use crate::browser::assert_faultless;
use crate::grounds::{ADA, CARA, Grounds, NEW_ADDRESS};
use crate::world::EDITOR;
use postrider::domain::notice::NoticeKind;

#[test]
fn every_mail_is_accessible_and_valid() {
    let grounds = Grounds::lay();
    let world = &grounds.world;
    // A second edition tells of a retraction and of something new.
    let had = "minimally-invasive-spine-stabilization";
    let note = "The paper was withdrawn.";
    world.run(&["summaries", "retract", had, "--note", note]);
    world.site.summary("new-in-oncology", "oncology");
    // The draft gives way.
    world.run(&["editions", "cancel", "2"]);
    world.publish();
    let second = world.mail_to(ADA);
    assert!(second.html.contains(note) && second.html.contains("About new-in-oncology"));
    let reader = grounds.browser.reader_without_script();
    reader.open("/lost-link");
    reader.fill("The address where you receive our mails", ADA);
    reader.press("Mail me the link");
    reader.open(&grounds.new_address.link(NEW_ADDRESS));
    reader.press("Yes, use this address");
    reader.open("/contact");
    reader.fill("Your name (optional)", "<b>Somebody</b>");
    reader.fill("Your email address", "somebody@example.org");
    reader.fill(
        "Your message",
        "Hello,\n\n<script>alert(1)</script>\nhttps://example.com",
    );
    reader.press("Send the message");
    for (address, kind) in [(ADA, "link"), (CARA, "old address"), (EDITOR, "message")] {
        assert!(!world.mail_to(address).html.is_empty(), "{kind}");
    }
    let rows = world.dump();
    for kind in NoticeKind::ALL {
        let kind = format!("'{}'", kind.as_str());
        let mut notices = rows
            .iter()
            .filter(|row| row.starts_with("INSERT INTO \"notice\" "));
        assert!(
            notices.any(|row| row.contains(&kind)),
            "no mail of the kind {kind}"
        );
    }
    let mails = world.mails();
    let documents: Vec<&str> = mails.iter().map(|mail| mail.html.as_str()).collect();
    let faults = grounds.browser.faults_of_mail_documents(&documents);
    let names = mails
        .iter()
        .map(|mail| format!("{} to {}", mail.subject, mail.to));
    assert_faultless(&names.zip(faults).collect::<Vec<_>>());
}
