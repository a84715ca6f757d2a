//! Stories of readers, from the page to the mail and back.

use crate::browser::{Browser, Reader};
use crate::signing_up::{confirm, sign_up};
use crate::site::Site;
use crate::world::World;

const ANN: &str = "ann@example.org";
/// Receives everything, from beginning to end.
const BOB: &str = "bob@example.org";
/// Receives what is about urology, and had no other mail.
const DORA: &str = "dora@example.org";
const SITE: &str = "Test Site";
const CONFIRM: &str = "Confirm my subscription";
const CHOICES: &str = "See and change what you receive";
const LEAVE: &str = "Unsubscribe from Weekly digest";

/// Tells a story twice: to a reader whose browser runs scripts, and to one whose browser does not.
fn with_and_without_script(story: impl Fn(&World, &Reader)) {
    for script in [true, false] {
        let site = Site::new();
        site.readers(&[(BOB, ""), (DORA, "urology")]);
        let world = World::start(site);
        let browser = Browser::start(&world.url);
        let reader = if script {
            browser.reader()
        } else {
            browser.reader_without_script()
        };
        story(&world, &reader);
    }
}

/// Ann signs up for urology and confirms it; the link to her choices.
fn ann_begins(world: &World, ann: &Reader) -> String {
    sign_up(ann, SITE, ANN, &["Urology"]);
    confirm(ann, &world.mail_to(ANN).link(CONFIRM));
    world.mail_to(ANN).link(CHOICES)
}

/// An edition about something new in every category. Bob gets it, which shows that it is out.
fn edition(world: &World, name: &str) {
    for category in ["urology", "oncology"] {
        world.site.summary(&format!("{category}-{name}"), category);
    }
    world.publish();
    let digest = world.mail_to(BOB);
    for category in ["urology", "oncology"] {
        assert!(digest.text.contains(&format!("About {category}-{name}")));
    }
}

/// The next mail to `address` is a digest on `category` alone.
#[track_caller]
fn assert_digest_on(world: &World, address: &str, category: &str, name: &str) {
    let digest = world.mail_to(address);
    for other in ["urology", "oncology"] {
        for part in [&digest.text, &digest.html] {
            let said = part.contains(&format!("About {other}-{name}"));
            assert_eq!(said, other == category, "{other}: {part}");
        }
    }
}

#[test]
fn a_reader_comes_chooses_pauses_and_leaves() {
    with_and_without_script(|world, ann| {
        let page = sign_up(ann, SITE, ANN, &["Urology"]);
        page.says(ANN);
        let question = world.mail_to(ANN);
        edition(world, "before");
        assert_eq!(world.unread(ANN), 0, "a digest before she has confirmed");
        let page = ann.open(&question.link(CONFIRM));
        page.says("Weekly digest")
            .says("Urology")
            .is_silent_of("Oncology");
        confirm(ann, &question.link(CONFIRM));
        let welcome = world.mail_to(ANN);
        assert!(welcome.text.contains("- Urology"), "{}", welcome.text);
        edition(world, "first");
        assert_digest_on(world, ANN, "urology", "first");

        ann.open(&welcome.link(CHOICES));
        ann.clear("Urology").tick("Oncology");
        ann.press("Save").says("Your choices are saved.");
        assert_eq!(
            (ann.value("Urology"), ann.value("Oncology")),
            (false.into(), true.into())
        );
        edition(world, "second");
        assert_digest_on(world, ANN, "oncology", "second");

        ann.choose("How many mails?", "Pause for two weeks");
        ann.press("Save").says("You receive no mails until");
        edition(world, "third");
        assert_eq!(world.unread(ANN), 0, "a digest in the pause");
        ann.choose("How many mails?", "Every edition, from now on");
        ann.press("Save").is_silent_of("You receive no mails");
        edition(world, "fourth");
        assert_digest_on(world, ANN, "oncology", "fourth");

        let page = ann.follow(LEAVE);
        assert_eq!(page.heading(), "Unsubscribe from Weekly digest?");
        let page = ann.press(LEAVE);
        assert_eq!((page.status, page.heading()), (200, "You are unsubscribed"));
        edition(world, "fifth");
        assert_eq!(world.unread(ANN), 0, "a digest after she has left");
    });
}

#[test]
fn a_reader_without_a_mail_at_hand_gets_the_link_and_leaves() {
    with_and_without_script(|world, dora| {
        edition(world, "first");
        assert_digest_on(world, DORA, "urology", "first");
        dora.open("/");
        dora.follow("Change what you receive");
        dora.fill("The address where you receive our mails", DORA);
        let page = dora.press("Mail me the link");
        assert_eq!((page.status, page.heading()), (200, "Check your inbox"));
        dora.open(&world.mail_to(DORA).link(CHOICES));
        assert_eq!(dora.value("Urology"), true);
        dora.follow(LEAVE);
        dora.press(LEAVE);
        edition(world, "second");
        assert_eq!(world.unread(DORA), 0);
    });
}

/// Ann asks for the link that is hers alone, and opens it.
fn open_account(world: &World, ann: &Reader, choices: &str) {
    ann.open(choices);
    ann.follow("Change your address, or your data");
    assert_eq!(ann.press("Mail me the link").heading(), "Check your inbox");
    ann.open(&world.mail_to(ANN).link("Open my data"));
}

#[test]
fn a_reader_moves_to_another_address() {
    const NEW: &str = "ann@example.com";
    with_and_without_script(|world, ann| {
        let choices = ann_begins(world, ann);
        open_account(world, ann, &choices);
        ann.fill("Your new address", NEW);
        ann.press("Change my address")
            .says("We are sending a mail to the new address.");
        edition(world, "still-there");
        assert_digest_on(world, ANN, "urology", "still-there");
        ann.open(&world.mail_to(NEW).link("Use this address"));
        let page = ann.press("Yes, use this address");
        assert_eq!((page.status, page.heading()), (200, "Your address is changed"));
        let told = world.mail_to(ANN);
        assert_eq!(told.subject, "Your address at Test Site was changed");
        assert!(!told.text.contains(NEW), "{}", told.text);
        edition(world, "moved");
        assert_digest_on(world, NEW, "urology", "moved");
        assert_eq!(world.unread(ANN), 0);
    });
}

#[test]
fn a_reader_is_forgotten_and_comes_again() {
    with_and_without_script(|world, ann| {
        let choices = ann_begins(world, ann);
        edition(world, "with-her-once");
        assert_digest_on(world, ANN, "urology", "with-her-once");
        assert!(world.dump().iter().any(|row| row.contains("ann@")));
        open_account(world, ann, &choices);
        ann.follow("Delete everything about me").says(ANN);
        let page = ann.press("Yes, delete everything about me");
        assert_eq!((page.status, page.heading()), (200, "Everything is deleted"));
        let rows = world.dump();
        let named = |address| rows.iter().any(|row| row.contains(address));
        assert!(!named("ann@"), "{rows:#?}");
        edition(world, "without-her");
        assert_eq!(world.unread(ANN), 0);
        ann.open(&choices).says("You do not receive Weekly digest.");

        ann_begins(world, ann);
        edition(world, "with-her");
        assert_digest_on(world, ANN, "urology", "with-her");
    });
}

#[test]
fn whoever_did_not_sign_up_is_left_alone() {
    with_and_without_script(|world, somebody| {
        sign_up(somebody, SITE, ANN, &["Urology"]);
        let question = world.mail_to(ANN);
        somebody.open(&question.link("It was not me, never write again"));
        let page = somebody.press("It was not me, never write again");
        assert_eq!((page.status, page.heading()), (200, "We will not write again"));
        // The page says the same, and so does one for somebody who may be written to, whose mail is behind hers.
        sign_up(somebody, SITE, ANN, &["Oncology"]);
        sign_up(somebody, SITE, "carl@example.org", &[]);
        world.mail_to("carl@example.org");
        edition(world, "only");
        assert_eq!(world.unread(ANN), 0);
        let page = somebody.open(&question.link(CONFIRM));
        assert_ne!(page.status, 200, "{page:#?}");
    });
}
