//! What forms answer: each answer is a page as good as the one with the form, also when it says what is wrong.

use crate::browser::{Browser, Reader, assert_faultless};
use crate::grounds::Grounds;

/// A form that somebody sends.
struct Sent {
    /// The answer, in words.
    what: &'static str,
    /// The page with the form.
    page: fn(&Grounds) -> String,
    /// What is filled in.
    fill: fn(&Reader),
    button: &'static str,
    status: u16,
}

/// Every answer to a form, in this order; what the browser finds wrong is sent all the same.
const FORMS: &[Sent] = &[Sent {
    what: "somebody leaves",
    page: |grounds| grounds.path("Unsubscribe from Weekly research digest"),
    fill: |_| (),
    button: "Unsubscribe from Weekly research digest",
    status: 200,
}];

#[test]
fn every_answer_to_a_form_is_accessible_and_valid() {
    let grounds = Grounds::lay();
    let browser = Browser::start(&grounds.world.url);
    let reader = browser.reader();
    let found: Vec<_> = FORMS
        .iter()
        .map(|form| {
            reader.open(&(form.page)(&grounds));
            (form.fill)(&reader);
            let answer = reader.press_unchecked(form.button);
            assert_eq!(answer.status, form.status, "{}: {answer:#?}", form.what);
            (form.what.to_owned(), reader.faults())
        })
        .collect();
    assert_faultless(&found);
}
