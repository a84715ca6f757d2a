//! Signed messages, verified by two programs that others wrote.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/dkim.rs"]
mod support;

use postrider::deliver::dkim::Signer;
use postrider::deliver::{Mailbox, MessageHead, Part, ReaderValues, SegmentMessage};
use postrider::domain::dkim::{DkimIdentity, DnsRecord, SignedHeaders};
use postrider::domain::dkim_key::{DkimBits, DkimKey};
use postrider::domain::{EmailAddress, Timestamp};
use std::sync::LazyLock;
use support::{Good, Letters};

/// Fri, 2 Jan 2026 03:04:05 UTC.
const NOW: Timestamp = Timestamp(1_767_323_045_000);

static KEYS: LazyLock<[DkimIdentity; 2]> = LazyLock::new(|| {
    ["postrider-202601", "postrider-202602"].map(|selector| DkimIdentity {
        domain: "example.org".to_owned(),
        selector: selector.to_owned(),
        key: DkimKey::generate(DkimBits::Rsa2048).unwrap(),
    })
});

fn records() -> Vec<DnsRecord> {
    KEYS.iter().map(|key| key.record().unwrap()).collect()
}

fn signer(keys: usize, headers: &str) -> Signer {
    Signer::new(KEYS[..keys].to_vec(), SignedHeaders::preset(headers).unwrap()).unwrap()
}

fn signed(signer: &Signer, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    signer.sign(&mut message, NOW).unwrap();
    message
}

/// Subjects, names of senders, lists and readers.
fn awkward() -> Vec<String> {
    let mut texts: Vec<String> = [
        "Weekly digest",
        "a",
        "O'Brien, \"Pat\" <x@example.com>; Dr. (ret.)",
        "trailing spaces   ",
        "   leading spaces",
        "two  spaces \t and a tab",
        "Réseau de santé : les études",
        "שלום עולם",
        "\u{1F600}\u{1F9E0}\u{200D}\u{1F468} emoji",
        "=?utf-8?Q?looks_encoded?=",
        "a\r\nBcc: x@example.com",
        "back\\slash and \"quotes\"",
        "colon: semicolon; equals=sign",
        "b=abc; bh=def; DKIM-Signature: v=1",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("a very long subject of many words ".repeat(12));
    texts.push("x".repeat(300));
    texts.push("étude ".repeat(60));
    texts.push("\u{1F9E0}".repeat(90));
    texts.push("Long, \"quoted\" name of a list ".repeat(9));
    texts
}

/// What a body may hold.
fn bodies() -> Vec<String> {
    [
        "Hello.\n",
        "no line end",
        "blank lines behind\n\n\n\n",
        "\n\n\nblank lines in front\n",
        "spaces behind   \nand a tab\t\nand a line of them\n   \n",
        "two  spaces   and\t\ttabs\n",
        "ends in spaces   ",
        ".\n..\n. dots\n.dot",
        "Ünïcödé \u{1F600} \u{5d0}\n",
        "From the first word\n>From\n",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        "long ".repeat(4000),
        "é".repeat(3000),
        "y".repeat(5000),
        " ".repeat(500),
    ])
    .collect()
}

/// The message number `number` as the program would make it.
fn message(number: usize) -> Vec<u8> {
    let (texts, bodies) = (awkward(), bodies());
    let text = |factor: usize| texts[number * factor % texts.len()].as_str();
    let body = |factor: usize| bodies[number * factor % bodies.len()].as_str();
    let from = EmailAddress::parse("news@example.org").unwrap();
    let local = ["ann", "o'neil+tag", &"l".repeat(64), "a.b-c_d"][number % 4].to_owned();
    let to = EmailAddress::parse(&format!("{local}@{}example.com", "sub.".repeat(number % 9))).unwrap();
    let link = format!(
        "https://site.example.org/u/{}?a=b&c={number}",
        "t".repeat(number % 400 + 1)
    );
    let head = MessageHead {
        from: Mailbox {
            name: [None, Some(""), Some("  ")]
                .get(number % 15)
                .copied()
                .unwrap_or(Some(text(3))),
            address: &from,
        },
        reply_to: (!number.is_multiple_of(3)).then(|| Mailbox {
            name: Some(text(5)),
            address: &from,
        }),
        subject: &[Part::Literal(text(1))],
        list_id: "weekly.example.org",
        list_name: text(7),
        archive_url: "https://site.example.org/research",
        help_url: "https://site.example.org/help",
        feedback_id: "7:weekly:digest:example",
        unsubscribe_mailto: (!number.is_multiple_of(2)).then_some("leave@example.org?subject=leave"),
        boundary_seed: &format!("edition {number}"),
    };
    let plain = [
        Part::Literal(body(1)),
        Part::Name,
        Part::Literal(body(3)),
        Part::UnsubscribeUrl,
        Part::Literal(body(5)),
    ];
    let html = [
        Part::Literal("<!doctype html><p>"),
        Part::Name,
        Part::Literal(body(2)),
        Part::PreferencesUrl,
        Part::Literal("</p>\n   \n"),
    ];
    let mut out = Vec::new();
    SegmentMessage::new(&head, &plain, &html)
        .unwrap()
        .splice(
            &ReaderValues {
                to: &to,
                name: [None, Some("")]
                    .get(number % 14)
                    .copied()
                    .unwrap_or(Some(text(11))),
                message_id: &format!("7.{number}@example.org"),
                date: &NOW.rfc2822(),
                unsubscribe_url: &link,
                preferences_url: &link.replace("/u/", "/p/"),
            },
            &mut out,
        )
        .unwrap();
    out
}

/// Messages that the program does not make, but that the signer must not spoil either.
fn strange() -> Vec<Vec<u8>> {
    let head =
        "From: a@example.org\r\nSubject: \t folded\r\n\t by  a tab \t\r\n  and spaces  \r\nTO:no space\r\n";
    [
        "\r\n",
        "\r\n\r\n",
        "\r\n\r\n\r\n\r\n",
        "\r\n   \r\n \t \r\n\r\n",
        "\r\nspaces behind  \t \r\nand  between \t words\r\n",
        "\r\nblank lines behind\r\n\r\n\r\n",
        "\r\n  spaces in front\r\n\r\n \r\n",
        "\r\n \t\r\n\r\n  \r\nlines of spaces in front and\r\n \t \r\n\t\r\nbetween\r\n \t\r\n",
        "\r\n \r\n",
        "\r\nno line end",
    ]
    .map(|body| format!("{head}{body}").into_bytes())
    .to_vec()
}

#[test]
fn a_thousand_messages_with_awkward_headers_verify() {
    let mut letters = Letters::new(records());
    let mut wanted = Good::new();
    let (one, two, rewritten) = (
        signer(1, "standard"),
        signer(2, "standard"),
        signer(1, "rewritten"),
    );
    for number in 0..1000 {
        let (signer, good) = match number % 10 {
            8 => (&two, 2),
            9 => (&rewritten, 1),
            _ => (&one, 1),
        };
        let message = signed(signer, &message(number));
        for line in message
            .split(|&byte| byte == b'\n')
            .take_while(|line| *line != b"\r")
        {
            assert!(line.len() <= 999);
        }
        wanted.insert(letters.put("made", &message), good);
    }
    for message in strange() {
        wanted.insert(letters.put("strange", &signed(&two, &message)), 2);
    }
    letters.assert(&wanted);
}

/// What somebody on the way does to a message.
fn changed(message: &str, change: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let replaced = |name: &str, value: &str| {
        let start = head.find(&format!("\r\n{name}:")).unwrap() + 2;
        let ends = head[start..].match_indices("\r\n").map(|(at, _)| start + at);
        let mut ends = ends.filter(|end| !head[end + 2..].starts_with(' '));
        let end = ends.next().unwrap();
        format!("{}{name}: {value}{}\r\n\r\n{body}", &head[..start], &head[end..])
    };
    let added = |field: &str, on_top: bool| {
        if on_top {
            format!("{field}\r\n{message}")
        } else {
            format!("{head}\r\n{field}\r\n\r\n{body}")
        }
    };
    match change {
        "From on top" => added("From: Mallory <m@example.com>", true),
        "From below" => added("From: Mallory <m@example.com>", false),
        "List-Unsubscribe-Post on top" => added("List-Unsubscribe-Post: List-Unsubscribe=One-Click", true),
        "List-Unsubscribe-Post below" => added("List-Unsubscribe-Post: List-Unsubscribe=One-Click", false),
        "Date" => replaced("Date", "Sat, 3 Jan 2026 03:04:05 +0000"),
        "Message-ID" => replaced("Message-ID", "<other@example.com>"),
        "To" => replaced("To", "mallory@example.com"),
        "body" => format!(
            "{head}\r\n\r\n{}",
            body.replacen("Content-Type", "content-Type", 1)
        ),
        "Precedence" => replaced("Precedence", "list"),
        "nothing" => message.to_owned(),
        other => unreachable!("{other}"),
    }
}

#[test]
fn what_is_added_or_changed_on_the_way_breaks_a_signature() {
    let mut letters = Letters::new(records());
    let mut wanted = Good::new();
    let (standard, rewritten) = (signer(1, "standard"), signer(1, "rewritten"));
    for number in 0..20 {
        let message = message(number);
        for (change, with_standard, with_rewritten) in [
            ("nothing", 1, 1),
            ("Precedence", 1, 1),
            ("Date", 0, 1),
            ("Message-ID", 0, 1),
            ("From on top", 0, 0),
            ("From below", 0, 0),
            ("List-Unsubscribe-Post on top", 0, 0),
            ("List-Unsubscribe-Post below", 0, 0),
            ("To", 0, 0),
            ("body", 0, 0),
        ] {
            for (signer, good) in [(&standard, with_standard), (&rewritten, with_rewritten)] {
                let text = String::from_utf8(signed(signer, &message)).unwrap();
                wanted.insert(letters.put(change, changed(&text, change).as_bytes()), good);
            }
        }
    }
    letters.assert(&wanted);
}

/// What `openssl` makes of these arguments.
fn openssl(arguments: &[&str]) -> String {
    let output = std::process::Command::new("openssl")
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn keys_of_other_programs_are_read_and_weak_ones_refused() {
    for arguments in [&["genrsa", "-traditional", "2048"][..], &["genrsa", "3072"]] {
        let pem = openssl(arguments);
        let key = DkimKey::from_pem(&format!("a comment\n{pem}")).unwrap();
        assert_eq!(key.bits(), arguments.last().unwrap().parse::<usize>().unwrap());
        // The same key in our own words, and the public half that openssl finds in it.
        let again = key.to_pem().unwrap();
        let same = DkimKey::from_pem(&again).unwrap();
        assert_eq!(same.public_base64().unwrap(), key.public_base64().unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &again).unwrap();
        let public = openssl(&["pkey", "-pubout", "-in", file.path().to_str().unwrap()]);
        let public: String = public.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(key.public_base64().unwrap(), public);
        assert!(!format!("{key:?}").contains(&public[60..80]));
    }
    for (arguments, wanted) in [
        (&["genrsa", "1024"][..], "its key has fewer than 2048 bits"),
        (
            &["genrsa", "-traditional", "1024"],
            "its key has fewer than 2048 bits",
        ),
        (&["genrsa", "4160"], "its key has more than 4096 bits"),
        (&["genpkey", "-algorithm", "ed25519"], "it holds no RSA key"),
        (
            &["ecparam", "-genkey", "-noout", "-name", "prime256v1"],
            "it holds no RSA key",
        ),
        (
            &["genpkey", "-algorithm", "rsa", "-aes256", "-pass", "pass:x"],
            "its key is encrypted",
        ),
        (
            &["genrsa", "-traditional", "-aes256", "-passout", "pass:x", "2048"],
            "its key is encrypted",
        ),
    ] {
        let problem = DkimKey::from_pem(&openssl(arguments)).unwrap_err();
        assert!(
            problem.to_string().contains(wanted) && problem.hint_text().is_some(),
            "{problem}"
        );
    }
}
