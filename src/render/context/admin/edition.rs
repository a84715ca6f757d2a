//! A draft, and the second look before it goes.

use serde::Serialize;

use super::{AdminFrame, EditionRow};
use crate::render::pages::Page;

/// `admin/draft`: an edition that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The edition.
    pub edition: EditionRow,
    /// What it holds, in its order.
    pub entries: Vec<EntryContext>,
    /// The note on top, or what was typed.
    pub note: String,
    /// What is wrong with it, or null.
    pub note_error: Option<String>,
    /// The longest note, in characters.
    pub note_longest: usize,
    /// Who would receive something now, such as `412 readers`.
    pub readers: String,
    /// Whether that is nobody.
    pub is_for_nobody: bool,
    /// What is shown of it.
    pub preview: Preview,
}

/// An entry of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryContext {
    /// The summary's slug.
    pub slug: String,
    /// Its title; a value called `title` would be taken for the page's.
    pub heading: String,
    /// `Correction` or `Retraction`; null for what is new.
    pub kind: Option<&'static str>,
    /// Its categories, joined by commas.
    pub categories: String,
}

/// What is shown of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Where the mail itself is, relative to the start page.
    pub source: String,
    /// What a reader of which category would receive; the first stands for those who chose none.
    pub categories: Vec<Choice>,
    /// Whether the text part is shown.
    pub is_text: bool,
    /// The name of what is shown, such as `Urology`.
    pub shown: String,
}

/// What can be chosen from a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people see.
    pub name: String,
    /// Whether it is chosen now.
    pub is_chosen: bool,
}

/// `admin/send`: the second look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SendPage {
    /// What every page needs.
    #[serde(flatten)]
    pub frame: AdminFrame,
    /// The edition.
    pub edition: EditionRow,
    /// What readers see in their inbox.
    pub subject: String,
    /// Titles of its entries.
    pub titles: Vec<String>,
    /// Whether a note stands on top.
    pub has_note: bool,
    /// Such as `412 readers`.
    pub readers: String,
    /// The same as a number.
    pub count: i64,
    /// Who would receive nothing, and why, such as `3 readers: nothing for them`.
    pub left_out: Vec<String>,
    /// What tells whether the draft is still what is shown here.
    pub print: String,
    /// Whether the admin has looked before, and something was different.
    pub is_again: bool,
    /// Whether what it holds, the note or the subject was.
    pub is_changed: bool,
    /// What the number was when the admin last looked, or null.
    pub was: Option<String>,
}

impl DraftPage {
    fn sample() -> Self {
        Self {
            frame: AdminFrame::sample(),
            edition: EditionRow::bare_sample(),
            entries: vec![
                EntryContext {
                    slug: "sample-summary".to_owned(),
                    heading: "Sample summary".to_owned(),
                    kind: Some("Correction"),
                    categories: "Urology, Oncology".to_owned(),
                },
                EntryContext {
                    slug: "another-summary".to_owned(),
                    heading: "Another summary".to_owned(),
                    kind: None,
                    categories: "Urology".to_owned(),
                },
            ],
            note: "A word before.".to_owned(),
            note_error: Some("The note is too long.".to_owned()),
            note_longest: 2000,
            readers: "412 readers".to_owned(),
            is_for_nobody: false,
            preview: Preview {
                source: "admin/editions/4/preview?categories=urology".to_owned(),
                categories: vec![
                    Choice {
                        value: String::new(),
                        name: "No choice made".to_owned(),
                        is_chosen: false,
                    },
                    Choice {
                        value: "urology".to_owned(),
                        name: "Urology".to_owned(),
                        is_chosen: true,
                    },
                ],
                is_text: true,
                shown: "Urology".to_owned(),
            },
        }
    }
}

impl Page for DraftPage {
    const TEMPLATE: &'static str = "admin/draft";

    fn samples() -> Vec<Self> {
        let full = Self::sample();
        let mut bare = Self {
            frame: AdminFrame::bare_sample(),
            entries: Vec::new(),
            note: String::new(),
            note_error: None,
            is_for_nobody: true,
            ..full.clone()
        };
        bare.preview.is_text = false;
        vec![full, bare]
    }
}

impl Page for SendPage {
    const TEMPLATE: &'static str = "admin/send";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: AdminFrame::sample(),
            edition: EditionRow::bare_sample(),
            subject: "Sample summary, and more".to_owned(),
            titles: vec!["Sample summary".to_owned()],
            has_note: true,
            readers: "412 readers".to_owned(),
            count: 412,
            left_out: vec!["3 readers: nothing for them".to_owned()],
            print: "0123456789abcdef".to_owned(),
            is_again: true,
            is_changed: true,
            was: Some("300 readers".to_owned()),
        };
        let bare = Self {
            frame: AdminFrame::bare_sample(),
            has_note: false,
            count: 0,
            left_out: Vec::new(),
            is_again: false,
            is_changed: false,
            was: None,
            ..full.clone()
        };
        vec![full, bare]
    }
}
