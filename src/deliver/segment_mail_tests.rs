//! Both ways to a reader's message.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;
use std::fs;
use std::sync::LazyLock;

use super::*;
use crate::render::DigestContext;

fn heading() -> Heading {
    let address = EmailAddress::parse("digest@example.org").unwrap();
    let link = |path: &str| format!("https://example.org{path}");
    Heading {
        sender: Arc::new(Sender {
            from: ("Sample Site".to_owned(), address),
            reply_to: None,
            unsubscribe_mailto: None,
            archive_url: link("/archive"),
            help_url: link("/about"),
        }),
        list_id: "weekly.example.org".to_owned(),
        list_name: "Weekly digest".to_owned(),
        feedback_id: "7:weekly:digest:postrider".to_owned(),
        seed: "7-3".to_owned(),
    }
}

fn once(templates: &Templates, context: &DigestContext) -> SegmentMail {
    let mail = |shape| templates.digest("digest", context, shape).unwrap();
    let (named, unnamed) = (mail(ReaderShape::Named), mail(ReaderShape::Unnamed));
    SegmentMail {
        digest: "weekly".to_owned(),
        made: Made::once(&named, &unnamed, &heading()).unwrap(),
    }
}

fn for_each(templates: &Arc<Templates>, context: &DigestContext) -> SegmentMail {
    let mail = templates.prepare("digest", context).unwrap();
    SegmentMail {
        digest: "weekly".to_owned(),
        made: Made::for_each(Arc::clone(templates), mail, heading()),
    }
}

fn written(mail: &SegmentMail, name: Option<&str>, link: &str) -> Vec<u8> {
    written_as(mail, name, link, false)
}

fn written_as(mail: &SegmentMail, name: Option<&str>, link: &str, text_only: bool) -> Vec<u8> {
    let to = EmailAddress::parse("ann@example.com").unwrap();
    let mut out = Vec::new();
    let reader = ReaderValues {
        to: &to,
        name,
        message_id: "7.42@example.org",
        date: "Fri, 2 Jan 2026 03:04:05 +0000",
        unsubscribe_url: link,
        preferences_url: "https://example.org/p/4?a=b&c=.d",
    };
    mail.write_as(&reader, text_only, &mut out).unwrap();
    out
}

/// Subject, text and HTML of a message.
fn read(message: &[u8]) -> [String; 3] {
    let parsed = MessageParser::default().parse(message).unwrap();
    [
        parsed.subject().unwrap().to_owned(),
        parsed.body_text(0).unwrap().replace("\r\n", "\n"),
        parsed.body_html(0).unwrap().replace("\r\n", "\n"),
    ]
}

static BOTH_WAYS: LazyLock<[(SegmentMail, SegmentMail); 2]> = LazyLock::new(|| {
    let templates = Arc::new(Templates::load(None, &[]).unwrap());
    [DigestContext::bare_sample(), DigestContext::sample()]
        .map(|context| (once(&templates, &context), for_each(&templates, &context)))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn without_logic_both_ways_give_the_same_message(
        name in prop_oneof![
            any::<String>(),
            "[a-c .=\r\n\t<&\"'@{}/:\u{e9}\u{5d0}\u{1F600}\u{0}\u{FDD0}\u{FDD3}]{0,60}",
            "https://[a-z.]{1,20}",
            "\\PC{300,500}",
        ],
        path in "[!-;=?-~]{0,300}",
        which in 0..2usize,
    ) {
        let (once, for_each) = &BOTH_WAYS[which];
        let link = format!("https://example.org/u/{path}");
        let (fast, slow) = (written(once, Some(&name), &link), written(for_each, Some(&name), &link));
        prop_assert_eq!(String::from_utf8(fast).unwrap(), String::from_utf8(slow).unwrap());
    }

    #[test]
    fn text_only_is_the_same_text_and_the_same_headers(
        name in prop_oneof!["[a-c .=<&\u{e9}\u{1F600}]{0,60}", "\\PC{300,500}"],
        which in 0..2usize,
    ) {
        let (once, for_each) = &BOTH_WAYS[which];
        let link = "https://example.org/u/1";
        for mail in [once, for_each] {
            let [whole, text] = [false, true].map(|only| written_as(mail, Some(&name), link, only));
            prop_assert!(text.is_ascii() && text.ends_with(b"\r\n"));
            let parser = MessageParser::default();
            let (whole, text) = (parser.parse(&whole).unwrap(), parser.parse(&text).unwrap());
            prop_assert!(text.is_content_type("text", "plain") && text.parts.len() == 1);
            let body = |message: &mail_parser::Message<'_>| {
                message.body_text(0).unwrap().replace("\r\n", "\n").trim_end().to_owned()
            };
            prop_assert_eq!(body(&whole), body(&text));
            let heads = |message: &mail_parser::Message<'_>| -> Vec<String> {
                let lines = message.headers_raw().map(|(name, value)| format!("{name}:{value}"));
                lines.filter(|line| !line.starts_with("Content-")).collect()
            };
            prop_assert_eq!(heads(&whole), heads(&text));
        }
    }
}

#[test]
fn a_name_that_is_blank_once_cleaned_is_no_name() {
    for (once, for_each) in BOTH_WAYS.iter() {
        let link = "https://example.org/u/1";
        let without = written(once, None, link);
        for name in ["", " \t\r\n", "\0\u{1}", "\u{FDD0}", "\u{2028}\u{A0}"] {
            assert_eq!(written(once, Some(name), link), without, "{name:?}");
            assert_eq!(written(for_each, Some(name), link), without, "{name:?}");
        }
    }
}

#[test]
fn logic_is_right_for_each_reader() {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("email/digest");
    fs::create_dir_all(&mail).unwrap();
    fs::write(
        mail.join("subject.txt.hbs"),
        "{{#if (eq reader.name \"Ann\")}}For you{{else}}For {{#if reader.name}}{{lookup reader \"name\"}}{{else}}all{{/if}}{{/if}}",
    )
    .unwrap();
    fs::write(
        mail.join("body.txt.hbs"),
        "{{#with reader}}.{{name}} has {{len name}}\n{{unsubscribe_url}}{{/with}}\n",
    )
    .unwrap();
    fs::write(
        mail.join("body.mjml.hbs"),
        "<mjml><mj-body><mj-section><mj-column><mj-text>{{{lookup reader \"name\"}}}|{{#with reader}}{{name}}|\
         <a href=\"{{{unsubscribe_url}}}\">leave</a>{{/with}}</mj-text></mj-column></mj-section></mj-body></mjml>",
    )
    .unwrap();
    let templates = Arc::new(Templates::load(Some(folder.path()), &[]).unwrap());
    let mail = for_each(&templates, &DigestContext::bare_sample());
    let link = "https://example.org/u/t?a=b&c=\"d";
    for (name, subject, length, escaped) in [
        (Some("Ann"), "For you", 3, "Ann"),
        (Some("  Ann "), "For you", 3, "Ann"),
        (None, "For all", 0, ""),
        (
            Some("\u{5d0}\u{1F600} <b>&'=\"{{x}}"),
            "For \u{5d0}\u{1F600} <b>&'=\"{{x}}",
            19,
            "\u{5d0}\u{1F600} &lt;b&gt;&amp;&#39;=&quot;{{x}}",
        ),
        (
            Some("A\r\nBcc: x@example.com"),
            "For A Bcc: x@example.com",
            20,
            "A Bcc: x@example.com",
        ),
    ] {
        let message = written(&mail, name, link);
        let [read_subject, text, html] = read(&message);
        let shown = name.map(crate::domain::text::one_line).unwrap_or_default();
        assert_eq!(read_subject, subject);
        assert_eq!(text, format!(".{shown} has {length}\n{link}\n"));
        assert!(
            html.contains(&format!(
                "{escaped}|{escaped}|<a href=\"https://example.org/u/t?a=b&amp;c=&quot;d\">leave</a>"
            )),
            "{html}"
        );
        let raw = String::from_utf8(message).unwrap();
        assert!(
            raw.is_ascii() && !raw.contains("\r\n.") && !raw.contains("\r\nBcc"),
            "{raw}"
        );
    }
}

/// The numbers of `render/logic.rs` and `docs/templates.md`:
/// `cargo test --release --lib cost_of_both_ways -- --ignored --nocapture`.
#[test]
#[ignore = "measures; wants a release build"]
fn cost_of_both_ways() {
    let templates = Arc::new(Templates::load(None, &[]).unwrap());
    let mut context = DigestContext::sample();
    context.items.extend(context.items.clone());
    context.count = context.items.len();
    let micros = |mail: &SegmentMail, rounds: u32| {
        let to = EmailAddress::parse("ann@example.com").unwrap();
        let mut out = Vec::new();
        let begun = std::time::Instant::now();
        for round in 0..rounds {
            out.clear();
            let reader = ReaderValues {
                to: &to,
                name: [Some("Ann O'Neil"), None][round as usize % 2],
                message_id: "abcdefghijklmnopqrstuvwx@example.org",
                date: "Fri, 2 Jan 2026 03:04:05 +0000",
                unsubscribe_url: "https://news.example.org/u/AYC4AQIDBAUGBwgJCgsMDQ4PEBES",
                preferences_url: "https://news.example.org/p/AYC4AQIDBAUGBwgJCgsMDQ4PEBES",
            };
            mail.write(&reader, &mut out).unwrap();
        }
        (begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds), out.len())
    };
    let (fast, slow) = (once(&templates, &context), for_each(&templates, &context));
    for _ in 0..3 {
        let (fast, size) = micros(&fast, 100_000);
        let (slow, _) = micros(&slow, 1_000);
        println!(
            "{size} bytes: spliced {fast:.2} µs, rendered for each {slow:.0} µs, {:.0} times",
            slow / fast
        );
    }
}
