//! What forms answer: each answer is a page as good as the one with the form, also when it says what is wrong.

use crate::browser::{Browser, Reader, assert_faultless};
use crate::grounds::{ACCOUNT, ADA, CHOICES, CONFIRM, Grounds, LEAVE, NEW_ADDRESS, REFUSE, SITE, SUMMARY};
use crate::signing_up;
use crate::site::Site;
use crate::world::World;

/// Somebody who signs up here.
const ROLF: &str = "rolf@example.org";

/// A form that somebody sends.
pub struct Sent {
    /// The answer, in words.
    what: &'static str,
    /// The page with the form.
    page: fn(&Grounds) -> String,
    /// What is filled in.
    fill: fn(&Reader),
    button: &'static str,
    status: u16,
    /// The first heading of the answer.
    heading: &'static str,
}

impl Sent {
    /// Sends it; the answer must be the one that is expected.
    #[track_caller]
    pub fn send(&self, grounds: &Grounds, reader: &Reader) {
        reader.open(&(self.page)(grounds));
        (self.fill)(reader);
        let answer = reader.press_unchecked(self.button);
        let given = (answer.status, answer.heading());
        assert_eq!(given, (self.status, self.heading), "{}: {answer:#?}", self.what);
        // What a screen reader says first.
        let is_faulty = self.status == 422;
        assert_eq!(answer.title.starts_with("Error: "), is_faulty, "{}", self.what);
    }
}

fn nothing(_: &Reader) {}

fn preferences(grounds: &Grounds) -> String {
    grounds.path(&grounds.digest, CHOICES)
}

fn account(grounds: &Grounds) -> String {
    grounds.path(&grounds.account, ACCOUNT)
}

/// Every answer to a form, in this order; what the browser finds wrong is sent all the same.
pub const FORMS: &[Sent] = &[
    Sent {
        what: "an empty sign-up",
        page: |_| "/subscribe".to_owned(),
        fill: nothing,
        button: "Subscribe me",
        status: 422,
        heading: "Subscribe",
    },
    Sent {
        what: "a sign-up with faults in several fields",
        page: |_| "/subscribe".to_owned(),
        fill: |reader| {
            signing_up::fill(reader, SITE, "rolf@", &["Oncology", "Send me plain text only"]);
            reader.fill("Your name (you may leave it empty)", &"Rolf ".repeat(50));
        },
        button: "Subscribe me",
        status: 422,
        heading: "Subscribe",
    },
    Sent {
        what: "a sign-up that a program may have sent",
        page: |_| "/subscribe".to_owned(),
        fill: |reader| {
            signing_up::fill(reader, SITE, ROLF, &["Oncology", "Urology"]);
            reader.fill("Leave this empty", "https://example.com");
        },
        button: "Subscribe me",
        status: 200,
        heading: "One more step",
    },
    Sent {
        what: "the same, sent by a person",
        page: |_| "/subscribe".to_owned(),
        fill: |reader| {
            signing_up::fill(reader, SITE, ROLF, &["Oncology", "Urology"]);
            reader
                .fill("Leave this empty", "https://example.com")
                .press("Subscribe me");
        },
        button: "I am a person, send the mail",
        status: 200,
        heading: "Check your inbox",
    },
    Sent {
        what: "a sign-up is confirmed",
        page: |grounds| grounds.path(&grounds.world.mail_to(ROLF), CONFIRM),
        fill: nothing,
        button: "Yes, subscribe me",
        status: 200,
        heading: "You are subscribed",
    },
    Sent {
        what: "somebody else's sign-up is refused",
        page: |grounds| grounds.path(&grounds.asked, REFUSE),
        fill: nothing,
        button: REFUSE,
        status: 200,
        heading: "We will not write again",
    },
    Sent {
        what: "a link is asked for, without an address",
        page: |_| "/lost-link".to_owned(),
        fill: nothing,
        button: "Mail me the link",
        status: 422,
        heading: "Ask for your link",
    },
    Sent {
        what: "a link that a program may have asked for",
        page: |_| "/lost-link".to_owned(),
        fill: |reader| {
            reader.fill("The address where you receive our mails", ADA);
            reader.fill("Leave this empty", "x");
        },
        button: "Mail me the link",
        status: 200,
        heading: "One more step",
    },
    Sent {
        what: "a link is on its way",
        page: |_| "/lost-link".to_owned(),
        fill: |reader| {
            reader.fill("The address where you receive our mails", ADA);
        },
        button: "Mail me the link",
        status: 200,
        heading: "Check your inbox",
    },
    Sent {
        what: "choices with a fault",
        page: preferences,
        fill: |reader| {
            reader.fill("Your name (you may leave it empty)", &"Ada ".repeat(50));
        },
        button: "Save",
        status: 422,
        heading: "What you receive from Example Research",
    },
    Sent {
        what: "a pause begins",
        page: preferences,
        fill: |reader| {
            reader.tick("Urology").tick("Send me plain text only");
            reader.choose("How many mails?", "Pause for one month");
        },
        button: "Save",
        status: 200,
        heading: "What you receive from Example Research",
    },
    Sent {
        what: "a fresh link is on its way",
        page: |grounds| preferences(grounds) + "/account",
        fill: nothing,
        button: "Mail me the link",
        status: 200,
        heading: "Check your inbox",
    },
    Sent {
        what: "a new address that is none",
        page: account,
        fill: |reader| {
            reader.fill("Your new address", "cara at example.org");
        },
        button: "Change my address",
        status: 422,
        heading: "Your address and your data",
    },
    Sent {
        what: "a mail to the new address is on its way",
        page: account,
        fill: |reader| {
            reader.fill("Your new address", "cara.new@example.com");
        },
        button: "Change my address",
        status: 200,
        heading: "Your address and your data",
    },
    Sent {
        what: "the new address is used",
        page: |grounds| grounds.path(&grounds.new_address, NEW_ADDRESS),
        fill: nothing,
        button: "Yes, use this address",
        status: 200,
        heading: "Your address is changed",
    },
    Sent {
        what: "everything is deleted",
        page: |grounds| grounds.account_of_moved() + "/delete",
        fill: nothing,
        button: "Yes, delete everything about me",
        status: 200,
        heading: "Everything is deleted",
    },
    Sent {
        what: "an empty message",
        page: |_| "/contact".to_owned(),
        fill: nothing,
        button: "Send the message",
        status: 422,
        heading: "Contact us",
    },
    Sent {
        what: "a message with everything wrong",
        page: |_| "/contact".to_owned(),
        fill: |reader| {
            reader.fill("Your email address", "ada at example");
            reader.fill("Your message", "Hello there");
            reader.fill("Leave this empty", "https://example.com");
        },
        button: "Send the message",
        status: 422,
        heading: "Contact us",
    },
    Sent {
        what: "a message is on its way",
        page: |_| "/contact".to_owned(),
        fill: |reader| {
            reader.fill("Your email address", ADA);
            reader.fill("Your message", "Hello,\nplease tell me more <b>soon</b>.");
        },
        button: "Send the message",
        status: 200,
        heading: "Your message is on its way",
    },
    Sent {
        what: "an answer on the page of a summary",
        page: |_| SUMMARY.to_owned(),
        fill: nothing,
        button: "No, it was not",
        status: 200,
        heading: "Thank you for your answer",
    },
    Sent {
        what: "an answer by the link of a mail",
        page: |_| format!("{SUMMARY}/helpful?answer=yes"),
        fill: nothing,
        button: "Yes, it was helpful",
        status: 200,
        heading: "Thank you for your answer",
    },
    Sent {
        what: "somebody leaves",
        page: |grounds| grounds.path(&grounds.digest, LEAVE),
        fill: nothing,
        button: LEAVE,
        status: 200,
        heading: "You are unsubscribed",
    },
];

#[test]
fn every_answer_to_a_form_is_accessible_and_valid() {
    let grounds = Grounds::lay();
    let reader = grounds.browser.reader();
    let found: Vec<_> = FORMS
        .iter()
        .map(|form| {
            form.send(&grounds, &reader);
            (form.what.to_owned(), reader.faults())
        })
        .collect();
    assert_faultless(&found);
}

#[test]
fn whoever_comes_too_often_reads_so_on_a_good_page() {
    let mut site = Site::shipped();
    let limit = "POSTRIDER_SUBSCRIBE__PER_NETWORK_PER_HOUR";
    site.environment.push((limit.to_owned(), "1".to_owned()));
    let world = World::start(site);
    let browser = Browser::start(&world.url);
    let reader = browser.reader();
    signing_up::sign_up(&reader, SITE, ADA, &[]);
    reader.open("/lost-link");
    reader.fill("The address where you receive our mails", ADA);
    let answer = reader.press("Mail me the link");
    assert_eq!((answer.status, answer.heading()), (429, "Please try again later"));
    assert_faultless(&[("too many".to_owned(), reader.faults())]);
}
