//! For whatever names, links and texts: a spliced message is the one that is encoded in one go, and it
//! says what `lettre` would say.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use mail_parser::{HeaderValue as Decoded, MessageParser, MimeHeaders};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

use super::reference::{filled, whole};
use super::tests::{Addresses, assert_well_formed, bodies, head, reader, spliced};
use super::*;
use crate::deliver::message::{MessageHead, Part};

/// Any characters; those that mean something to MIME, HTML or SMTP; white space; and far too many.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,80}",
        "[a-c .=\r\n\t<&\"'@,\\-\u{e9}\u{5d0}\u{5d1}\u{1F600}\u{200D}\u{0}\u{2028}\u{FDD0}]{0,90}",
        "[ \t\r\n\u{A0}]{0,4}",
        "\\PC{200,700}",
        "[.=a]{70,80}",
    ]
}

/// Lines of every length, empty ones, dots in front, white space behind, every kind of line end.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,170}",
        "\\.{1,3}",
        "[\t ]{1,3}",
        "(\r\n|\r|\n){1,3}",
        "[a=\u{e9}\u{1F600}]{60,80}",
        "<p style=\"a: b\">",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// All that may stand in a link, up to its limit.
fn links() -> impl Strategy<Value = String> {
    prop_oneof!["[!-;=?-~]{0,60}", "[a-zA-Z0-9=._~%&?-]{0,200}", "[.=a]{878}"]
        .prop_map(|path| format!("https://example.org/u/{path}"))
}

fn recipients() -> impl Strategy<Value = Addresses> {
    (
        "[a-z0-9+'=_-]{1,30}(\\.[a-z0-9+=]{1,15}){0,2}",
        "([a-z]{1,60}\\.){0,3}",
    )
        .prop_map(|(local, sub)| Addresses {
            from: EmailAddress::parse("digest@example.org").unwrap(),
            to: EmailAddress::parse(&format!("{local}@{sub}example.com")).unwrap(),
        })
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The same message as `lettre` makes it; what it has no type for is written by hand.
fn by_lettre(head: &MessageHead, text: &str, html: &str, reader: &ReaderValues) -> Vec<u8> {
    let mailbox = |name: Option<&str>, address: &EmailAddress| {
        let name = one_line(name.unwrap_or_default());
        let address = address.full().parse().unwrap();
        Mailbox::new(Some(name).filter(|name| !name.is_empty()), address)
    };
    let subject = one_line(&filled(head.subject, reader, false));
    let mut message = Message::builder()
        .from(mailbox(head.from.name, head.from.address))
        .reply_to(mailbox(None, head.reply_to.unwrap().address))
        .to(mailbox(None, reader.to))
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045))
        .message_id(Some(reader.message_id.to_owned()))
        .multipart(MultiPart::alternative_plain_html(
            line_ends(text),
            line_ends(html),
        ))
        .unwrap();
    let list: Vec<String> = one_line(head.list_name)
        .chars()
        .collect::<Vec<_>>()
        .chunks(10)
        .map(|chunk| {
            let word = STANDARD.encode(chunk.iter().collect::<String>());
            format!("=?utf-8?B?{word}?=\r\n ")
        })
        .collect();
    for (name, value) in [
        ("List-Id", format!("{}<{}>", list.concat(), head.list_id)),
        (
            "List-Unsubscribe",
            format!(
                "<{}>, <mailto:{}>",
                reader.unsubscribe_url,
                head.unsubscribe_mailto.unwrap()
            ),
        ),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("List-Archive", format!("<{}>", head.archive_url)),
        ("List-Help", format!("<{}>", head.help_url)),
        ("Feedback-ID", head.feedback_id.to_owned()),
        ("Precedence", "bulk".to_owned()),
    ] {
        let name = HeaderName::new_from_ascii(name.to_owned()).unwrap();
        let value = HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value);
        message.headers_mut().insert_raw(value);
    }
    message.formatted()
}

/// Every header of the message and of its parts as a reader's program decodes it, sorted. What either
/// program is free to choose is left out: the boundary, and how a part is encoded.
fn headers(message: &[u8]) -> Vec<(usize, String, Decoded<'static>)> {
    let parsed = MessageParser::default().parse(message).unwrap();
    let mut all = Vec::new();
    for (index, part) in parsed.parts.iter().enumerate() {
        for header in &part.headers {
            let name = header.name().to_lowercase();
            let value = match name.as_str() {
                "content-transfer-encoding" => continue,
                "content-type" => {
                    let kind = part.content_type().unwrap();
                    let charset = kind.attribute("charset").unwrap_or_default();
                    Decoded::Text(
                        format!("{kind:?} {charset}")
                            .split("attributes")
                            .next()
                            .unwrap()
                            .to_owned()
                            .into(),
                    )
                }
                _ => header.value.clone().into_owned(),
            };
            all.push((index, name, value));
        }
    }
    all.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    all
}

proptest! {
    #[test]
    fn splicing_equals_encoding_in_one_go_and_says_what_lettre_says(
        (name, list_name, subject) in (names(), names(), names()),
        [before, between, after] in [texts(), texts(), texts()],
        (link, choices) in (links(), links()),
        addresses in recipients(),
        column in 0usize..80,
    ) {
        // With no name in between, these would be one line end in the text and are two in the message.
        prop_assume!(!(before.ends_with('\r') && between.starts_with('\n')));
        let pad = "x".repeat(column);
        let subject = [Part::Literal("s"), Part::Name, Part::Literal(&subject)];
        let head = head(&addresses, &subject, &list_name);
        let mut reader = reader(&addresses, &name, &link);
        reader.preferences_url = &choices;
        let template = [
            Part::Literal(&pad), Part::Literal(&before), Part::Name, Part::Literal(&between),
            Part::UnsubscribeUrl, Part::Literal("\n"), Part::PreferencesUrl, Part::Name, Part::Literal(&after),
            Part::Literal("\n"), Part::Name,
        ];
        let ours = spliced(&head, &template, &template, &reader);
        let in_one_go = whole(&head, &template, &template, &reader);
        prop_assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&in_one_go));
        assert_well_formed(&ours);

        let (text, html) = (filled(&template, &reader, false), filled(&template, &reader, true));
        let theirs = by_lettre(&head, &text, &html, &reader);
        prop_assert_eq!(bodies(&ours), (line_ends(&text), line_ends(&html)));
        prop_assert_eq!(bodies(&ours), bodies(&theirs));
        prop_assert_eq!(headers(&ours), headers(&theirs));
    }
}
