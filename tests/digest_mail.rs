//! The digest mail as readers get it: snapshots of the samples, and the properties that every mail has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use postrider::render::{DigestContext, Piece, ReaderShape, RenderedMail, Slot, Templates};

fn templates() -> Templates {
    Templates::load(None, &["digest".to_owned()]).unwrap_or_else(|problem| panic!("{problem}"))
}

/// Fills the slots as the splicer does.
fn filled(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text.as_str(),
            Piece::Slot(Slot::Name) => "Ada",
            Piece::Slot(Slot::UnsubscribeUrl) => "https://www.example.org/u/abc",
            Piece::Slot(Slot::PreferencesUrl) => "https://www.example.org/p/abc",
        })
        .collect()
}

fn sample(context: &DigestContext, shape: ReaderShape) -> RenderedMail {
    templates()
        .digest("digest", context, shape)
        .unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn the_sample_digest() {
    let mail = sample(&DigestContext::sample(), ReaderShape::Named);
    insta::assert_snapshot!("subject", mail.subject);
    insta::assert_snapshot!("text", filled(&mail.text));
    insta::assert_snapshot!("html", filled(&mail.html));
}

#[test]
fn the_bare_digest() {
    let mail = sample(&DigestContext::bare_sample(), ReaderShape::Unnamed);
    insta::assert_snapshot!("bare_text", filled(&mail.text));
}
