//! Spliced messages, read back by an independent parser.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail_parser::MessageParser;

use super::*;
use crate::deliver::message::{Mailbox, MessageHead, Part};

#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) from: EmailAddress,
    pub(super) to: EmailAddress,
}

pub(super) fn addresses() -> Addresses {
    Addresses {
        from: EmailAddress::parse("digest@example.org").unwrap(),
        to: EmailAddress::parse("ann.o'neil@example.com").unwrap(),
    }
}

pub(super) fn head<'a>(addresses: &'a Addresses, subject: &'a [Part<'a>], name: &'a str) -> MessageHead<'a> {
    MessageHead {
        from: Mailbox {
            name: Some(name),
            address: &addresses.from,
        },
        reply_to: Some(Mailbox {
            name: None,
            address: &addresses.from,
        }),
        subject,
        list_id: "weekly.example.org",
        list_name: name,
        archive_url: "https://example.org/research",
        help_url: "https://example.org/help",
        feedback_id: "7:weekly:digest:example",
        unsubscribe_mailto: Some("unsubscribe@example.org?subject=leave"),
        boundary_seed: "edition 7, segment 3",
    }
}

pub(super) fn reader<'a>(addresses: &'a Addresses, name: &'a str, link: &'a str) -> ReaderValues<'a> {
    ReaderValues {
        to: &addresses.to,
        name: Some(name),
        message_id: "<7.42@example.org>",
        date: "Fri, 2 Jan 2026 03:04:05 +0000",
        unsubscribe_url: link,
        preferences_url: "https://example.org/p/4?a=b&c=.d",
    }
}

pub(super) fn spliced(head: &MessageHead, text: &[Part], html: &[Part], reader: &ReaderValues) -> Vec<u8> {
    let mut out = Vec::new();
    SegmentMessage::new(head, text, html)
        .unwrap()
        .splice(reader, &mut out)
        .unwrap();
    out
}

/// Both parts of a parsed message, line ends as LF.
pub(super) fn bodies(bytes: &[u8]) -> (String, String) {
    let parsed = MessageParser::default().parse(bytes).unwrap();
    assert_eq!(parsed.parts.len(), 3);
    let part = |index| {
        let part: &mail_parser::MessagePart = parsed.part(index).unwrap();
        String::from_utf8(part.contents().to_vec())
            .unwrap()
            .replace("\r\n", "\n")
    };
    (part(1), part(2))
}

pub(super) fn assert_well_formed(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_ascii() && text.ends_with("\r\n"));
    assert!(
        !text.replace("\r\n", "").contains(['\r', '\n']),
        "a bare CR or LF"
    );
    for line in text.split("\r\n") {
        assert!(line.len() <= 998 && !line.starts_with('.'), "{line}");
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        // A line above the recommended length holds one thing that can't be broken.
        let could_break = line
            .trim_start()
            .split_once(": ")
            .map_or(line, |(_, value)| value);
        let is_message_id = line.starts_with("Message-ID:");
        assert!(
            line.len() <= 78 || is_message_id || !could_break.trim().contains(' '),
            "{line}"
        );
        assert!(!line.trim().is_empty(), "an empty fold in {head}");
    }
    assert!(
        body.split("\r\n").all(|line| line.len() <= 76),
        "a body line above 76"
    );
    for name in [
        "From",
        "Reply-To",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "List-Archive",
        "List-Help",
        "Feedback-ID",
        "Precedence",
        "Content-Type",
    ] {
        let count = head
            .split("\r\n")
            .filter(|line| line.starts_with(&format!("{name}:")))
            .count();
        assert_eq!(count, 1, "{name} in {head}");
    }
    let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    assert_eq!(fields.count(), 15, "{head}");
}

#[test]
fn headers_are_those_of_a_digest() {
    let addresses = addresses();
    let mut head = head(
        &addresses,
        &[Part::Literal(
            "Neue Studien \u{1F600} \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        )],
        "Plain & simple, Ltd.",
    );
    head.unsubscribe_mailto = None;
    let parts = [
        Part::Literal("Hello "),
        Part::Name,
        Part::Literal(",\n\n"),
        Part::UnsubscribeUrl,
        Part::Literal("\n"),
    ];
    let link = format!("https://example.org/u/{}", "t".repeat(60));
    let bytes = spliced(&head, &parts, &parts, &reader(&addresses, "Ann", &link));
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap().replace("\r\n", "\n"));
}

#[test]
fn is_the_same_each_time_and_without_a_name() {
    let addresses = addresses();
    let head = head(&addresses, &[Part::Literal("s")], "n");
    let parts = [Part::Name, Part::Literal(" "), Part::Name, Part::Literal("\n")];
    let mut values = reader(&addresses, "", "https://example.org/u");
    values.name = None;
    let first = spliced(&head, &parts, &parts, &values);
    assert_eq!(first, spliced(&head, &parts, &parts, &values));
    assert_eq!(bodies(&first), (" \n".to_owned(), " \n".to_owned()));
}

#[test]
fn nothing_can_start_a_header() {
    let addresses = addresses();
    let text = [Part::Literal("x\n")];
    let good = head(&addresses, &[Part::Literal("s")], "n");
    let link = "https://example.org/u";
    let message = SegmentMessage::new(&good, &text, &text).unwrap();
    let mut out = b"before".to_vec();
    for (id, date, link) in [
        ("a@example.org\r\nBcc: x", "today", link),
        ("a b@example.org", "today", link),
        ("a@example.org", "today\r\nBcc: x", link),
        ("a@example.org", "", link),
        ("a@example.org", "today", "https://example.org/\r\nBcc: x"),
        (
            "a@example.org",
            "today",
            "https://example.org/>,<https://example.com",
        ),
        ("a@example.org", "today", ""),
    ] {
        let mut values = reader(&addresses, "n", link);
        (values.message_id, values.date) = (id, date);
        assert!(
            message.splice(&values, &mut out).is_err(),
            "{id:?} {date:?} {link:?}"
        );
        assert_eq!(out, b"before");
    }
    let refused = |change: &dyn Fn(&mut MessageHead)| {
        let mut head = good.clone();
        change(&mut head);
        assert!(SegmentMessage::new(&head, &text, &text).is_err(), "{head:?}");
    };
    refused(&|head| head.subject = &[Part::Literal(" \r\n\0")]);
    refused(&|head| head.list_id = "weekly.example.org\r\nBcc: x");
    refused(&|head| head.feedback_id = "a\nb");
    refused(&|head| head.archive_url = "https://example.org/\n");
    refused(&|head| head.help_url = "x y");
    refused(&|head| head.unsubscribe_mailto = Some("a@example.org\r\nBcc: x"));
    let mut odd = good.clone();
    odd.boundary_seed = "\"\r\nBcc: x";
    let mut out = Vec::new();
    let message = SegmentMessage::new(&odd, &text, &text).unwrap();
    message.splice(&reader(&addresses, "n", link), &mut out).unwrap();
    assert_well_formed(&out);
}

#[test]
fn a_readers_values_do_not_show_their_links() {
    let addresses = addresses();
    let shown = format!("{:?}", reader(&addresses, "Ann", "https://example.org/u/token"));
    assert_eq!(shown, "ReaderValues { to: EmailAddress(a***@e***.com), .. }");
}
