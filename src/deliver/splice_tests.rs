//! Spliced messages, read back by an independent parser.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;
use crate::deliver::message::{Mailbox, MessageHead, Part};

const HOSTILE: &str = "[a-c .=\r\n\t<&\"'@,\\-\u{e9}\u{5d0}\u{5d1}\u{1F600}\u{200D}\u{0}\u{2028}]{0,90}";

struct Addresses {
    from: EmailAddress,
    to: EmailAddress,
}

fn addresses() -> Addresses {
    Addresses {
        from: EmailAddress::parse("digest@example.org").unwrap(),
        to: EmailAddress::parse("ann.o'neil@example.com").unwrap(),
    }
}

fn head<'a>(addresses: &'a Addresses, subject: &'a [Part<'a>], name: &'a str) -> MessageHead<'a> {
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

fn reader<'a>(addresses: &'a Addresses, name: &'a str, link: &'a str) -> ReaderValues<'a> {
    ReaderValues {
        to: &addresses.to,
        name: Some(name),
        message_id: "<7.42@example.org>",
        date: "Fri, 2 Jan 2026 03:04:05 +0000",
        unsubscribe_url: link,
        preferences_url: "https://example.org/p/4?a=b&c=.d",
    }
}

fn spliced(head: &MessageHead, text: &[Part], html: &[Part], reader: &ReaderValues) -> Vec<u8> {
    let mut out = Vec::new();
    SegmentMessage::new(head, text, html)
        .unwrap()
        .splice(reader, &mut out)
        .unwrap();
    out
}

/// Both parts of a parsed message, line ends as LF.
fn bodies(bytes: &[u8]) -> (String, String) {
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

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn assert_well_formed(bytes: &[u8]) {
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

proptest! {
    #[test]
    fn splicing_equals_encoding_in_one_go(
        name in HOSTILE,
        before in HOSTILE,
        between in HOSTILE,
        after in HOSTILE,
        path in "[a-z0-9=.&?%_-]{0,300}",
        column in 0usize..80,
    ) {
        let addresses = addresses();
        let link = format!("https://example.org/u/{path}");
        let subject = format!("s{name}");
        let parts = [Part::Literal(&subject)];
        let head = head(&addresses, &parts, &name);
        let reader = reader(&addresses, &name, &link);
        let pad = "x".repeat(column);
        let template = [
            Part::Literal(&pad), Part::Literal(&before), Part::Name, Part::Literal(&between),
            Part::UnsubscribeUrl, Part::Literal("\n"), Part::PreferencesUrl, Part::Name, Part::Literal(&after),
            Part::Literal("\n"), Part::Name,
        ];
        let filled = |html: bool| -> String {
            let value = |text: &str| if html { escape_html(text) } else { text.to_owned() };
            template.iter().map(|part| match part {
                Part::Literal(text) => (*text).to_owned(),
                Part::Name => value(&one_line(&name)),
                Part::UnsubscribeUrl => value(&link),
                Part::PreferencesUrl => value(reader.preferences_url),
            }).collect()
        };
        let (text, html) = (filled(false), filled(true));

        let ours = spliced(&head, &template, &template, &reader);
        assert_well_formed(&ours);
        let whole = spliced(&head, &[Part::Literal(&text)], &[Part::Literal(&html)], &reader);
        assert_well_formed(&whole);
        let expected = (line_ends(&text), line_ends(&html));
        prop_assert_eq!(bodies(&ours), expected.clone());
        prop_assert_eq!(bodies(&whole), expected);

        let parsed = MessageParser::default().parse(&ours).unwrap();
        let wanted = one_line(&subject);
        prop_assert_eq!(parsed.subject().unwrap(), wanted.as_str());
        let raw = |name: &str| parsed.header_raw(name).unwrap().split_whitespace().collect::<String>();
        prop_assert_eq!(raw("List-Unsubscribe"), format!("<{link}>,<mailto:unsubscribe@example.org?subject=leave>"));
    }
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
fn lettre_builds_a_message_that_reads_the_same() {
    let addresses = addresses();
    let subject = "Neue Studien \u{1F600}: was hei\u{df}t das? ".repeat(4);
    let name = "Dr. \u{c4}nne \"Ann\" O'Neil";
    let (text, html) = (
        ".dot\nGr\u{fc}\u{df}e = \u{1F44D}\n",
        "<p>Gr\u{fc}\u{df}e = \u{1F44D}</p>\n",
    );
    let parts = [Part::Literal(&subject)];
    let head = head(&addresses, &parts, name);
    let ours = spliced(
        &head,
        &[Part::Literal(text)],
        &[Part::Literal(html)],
        &reader(&addresses, "Ann", "https://example.org/u"),
    );
    let address = |address: &EmailAddress| address.full().parse::<lettre::Address>().unwrap();
    let theirs = lettre::Message::builder()
        .from(lettre::message::Mailbox::new(
            Some(name.to_owned()),
            address(&addresses.from),
        ))
        .to(address(&addresses.to).into())
        .subject(subject.trim())
        .multipart(lettre::message::MultiPart::alternative_plain_html(
            text.to_owned(),
            html.to_owned(),
        ))
        .unwrap()
        .formatted();
    assert_eq!(bodies(&ours), bodies(&theirs));
    let parser = MessageParser::default();
    let (ours, theirs) = (parser.parse(&ours).unwrap(), parser.parse(&theirs).unwrap());
    assert_eq!(ours.subject(), theirs.subject());
    assert_eq!(ours.from(), theirs.from());
    assert_eq!(ours.to(), theirs.to());
    for index in 0..3 {
        let kind = |message: &mail_parser::Message| {
            let kind = message.part(index).unwrap().content_type().unwrap();
            (
                kind.c_type.to_string(),
                kind.c_subtype.as_ref().map(ToString::to_string),
            )
        };
        assert_eq!(kind(&ours), kind(&theirs));
    }
}

#[test]
fn a_readers_values_do_not_show_their_links() {
    let addresses = addresses();
    let shown = format!("{:?}", reader(&addresses, "Ann", "https://example.org/u/token"));
    assert_eq!(shown, "ReaderValues { to: EmailAddress(a***@e***.com), .. }");
}
