//! The digest mail as readers get it: snapshots of the samples, and the properties that every mail has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use postrider::domain::edition::ItemKind;
use postrider::domain::summary::{Fault, Status, StoredSummary};
use postrider::domain::{Digest, Prose, Site, Slug, Summary, Timestamp};
use postrider::render::{DigestContext, ItemContext, Piece, ReaderShape, RenderedMail, Slot, Templates};
use scraper::{Html, Selector};
use std::time::Duration;

fn templates() -> Templates {
    Templates::load(None, &["digest".to_owned()]).unwrap_or_else(|problem| panic!("{problem}"))
}

fn render(context: &DigestContext, shape: ReaderShape) -> RenderedMail {
    templates()
        .digest("digest", context, shape)
        .unwrap_or_else(|problem| panic!("{problem}"))
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

fn count(html: &Html, selector: &str) -> usize {
    html.select(&Selector::parse(selector).unwrap()).count()
}

fn site() -> Site {
    DigestContext::sample().site
}

fn digest() -> Digest {
    Digest {
        name: Slug::parse("weekly").unwrap(),
        title: "Weekly <digest> & more".to_owned(),
        schedule: String::new(),
        timezone: chrono_tz::Pacific::Auckland,
        grace: Duration::ZERO,
        min_items: 1,
        max_items: 100,
        first_edition_items: 10,
        approve: false,
        unchosen: postrider::domain::digest::Unchosen::All,
        templates: "digest".to_owned(),
    }
}

fn stored(slug: &str, title: &str, change: impl FnOnce(&mut Summary)) -> StoredSummary {
    let mut summary = Summary::new(Slug::parse(slug).unwrap(), title.to_owned());
    change(&mut summary);
    StoredSummary {
        id: 1,
        entry_id: slug.to_owned(),
        first_seen: Timestamp(0),
        updated: Timestamp(0),
        marked: None,
        removed: None,
        summary,
    }
}

fn edition(items: Vec<ItemContext>, note: Option<&str>) -> DigestContext {
    // 11:30 in the evening in UTC is the next day in Auckland.
    DigestContext::new(site(), &digest(), 7, Timestamp(1_767_310_200_000), note, items)
}

/// An entry with more text than anybody wants in a mail.
fn long(number: usize, kind: ItemKind) -> ItemContext {
    let words = "These are the words of a long text. ".repeat(20);
    let summary = stored(
        &format!("long-{number}"),
        &format!("Long summary {number}"),
        |summary| {
            summary.explanation = Prose::from_sanitised(format!("<p>{words}</p>"));
            summary.findings = vec![Prose::from_sanitised(words.clone()); 6];
            summary.limitations = vec![Prose::from_sanitised(words.clone()); 4];
            summary.note = Some(format!("The note of {number}."));
            summary.fault = Some(Fault::Paper);
        },
    );
    ItemContext::in_edition(&site(), &summary, kind, vec!["Category".to_owned()])
}

#[test]
fn the_sample_digest() {
    let mail = render(&DigestContext::sample(), ReaderShape::Named);
    insta::assert_snapshot!("subject", filled(&mail.subject));
    insta::assert_snapshot!("text", filled(&mail.text));
    insta::assert_snapshot!("html", filled(&mail.html));
}

#[test]
fn the_bare_digest() {
    let mail = render(&DigestContext::bare_sample(), ReaderShape::Unnamed);
    insta::assert_snapshot!("bare_text", filled(&mail.text));
}

#[test]
fn the_html_is_what_standards_ask() {
    for context in [DigestContext::sample(), DigestContext::bare_sample()] {
        let mail = render(&context, ReaderShape::Named);
        let source = filled(&mail.html);
        let html = Html::parse_document(&source);
        assert_eq!(html.errors, Vec::<String>::new());
        assert_eq!(count(&html, "html[lang=en]"), 1);
        assert_eq!(count(&html, "head > title"), 1);
        assert_eq!(count(&html, "h1"), 1);
        assert!(count(&html, "table") > 0);
        assert_eq!(count(&html, "table:not([role=presentation])"), 0);
        assert_eq!(count(&html, "img, link, script, iframe, [background]"), 0);
        assert_eq!(count(&html, "meta[name=color-scheme][content='light dark']"), 1);
        assert_eq!(count(&html, "a[href^='#'], [id]"), 0);
        assert_eq!(source.matches("display:none").count(), 1, "the preheader's alone");
        let body = html.select(&Selector::parse("body").unwrap()).next().unwrap();
        assert!(
            !body
                .value()
                .attr("style")
                .unwrap_or_default()
                .contains("background")
        );
        assert_eq!(body.value().attr("bgcolor"), None);
        for link in html.select(&Selector::parse("a").unwrap()) {
            let (href, text) = (
                link.value().attr("href").unwrap(),
                link.text().collect::<String>(),
            );
            assert!(href.starts_with("https://"), "{href}");
            assert!(
                text.split_whitespace().count() > 1,
                "does not make sense alone: {text}"
            );
        }
        assert!(
            !source.contains("url(") && !source.contains("src="),
            "names something to fetch"
        );
    }
}

#[test]
fn no_line_of_the_text_holds_a_url_and_something_else() {
    let mail = render(&DigestContext::sample(), ReaderShape::Named);
    let text = filled(&mail.text);
    let with_url: Vec<&str> = text.lines().filter(|line| line.contains("://")).collect();
    assert!(with_url.len() > 8, "{with_url:?}");
    for line in with_url {
        assert!(line.starts_with("https://") && !line.contains(' '), "{line}");
    }
}

#[test]
fn both_parts_have_the_same_links() {
    let mail = render(&DigestContext::sample(), ReaderShape::Named);
    let html = Html::parse_document(&filled(&mail.html));
    let mut in_html: Vec<String> = html
        .select(&Selector::parse("a").unwrap())
        .map(|a| a.value().attr("href").unwrap().to_owned())
        .collect();
    let text = filled(&mail.text);
    let mut in_text: Vec<String> = text
        .lines()
        .filter(|line| line.contains("://"))
        .map(str::to_owned)
        .collect();
    in_html.sort();
    in_text.sort();
    assert_eq!(in_html, in_text);
}

#[test]
fn subject_and_preheader_name_no_category() {
    let mail = render(&edition(vec![long(1, ItemKind::New)], None), ReaderShape::Named);
    assert_eq!(filled(&mail.subject), "Weekly <digest> & more, 2 January 2026");
    let html = filled(&mail.html);
    let (_, preheader) = html.split_once("overflow:hidden;\">").unwrap();
    assert!(
        preheader.starts_with("1 new research summary in plain language.</div>"),
        "{preheader}"
    );
}

#[test]
fn text_is_escaped_in_html_and_only_there() {
    let summary = stored("a", "Pain <b>& \"gain\" \u{FDD1}\u{1}", |summary| {
        summary.explanation = Prose::from_sanitised("<p>1 &lt; 2, <em>so\u{FDD2}</em></p>".to_owned());
    });
    let item = ItemContext::in_edition(&site(), &summary, ItemKind::New, vec!["A & \u{FDD0}B".to_owned()]);
    let mail = render(
        &edition(vec![item], Some("See <i>this</i>\nand that.\n\nSecond")),
        ReaderShape::Unnamed,
    );
    let (html, text) = (filled(&mail.html), filled(&mail.text));
    for part in [
        "Pain &lt;b&gt;&amp; &quot;gain&quot;</h2>",
        "<p>1 &lt; 2, <em>so</em></p>",
        "Weekly &lt;digest&gt; &amp; more</h1>",
        ">See &lt;i&gt;this&lt;/i&gt; and that.</p>",
        ">Second</p>",
        ">Hello,</p>",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    for part in [
        "Pain <b>& \"gain\"\n",
        "\n1 < 2, so\n",
        "Categories: A & B\n",
        "\nSee <i>this</i> and that.\n\nSecond\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // Content can't forge a slot: the only ones are those of the footer.
    let slots = |pieces: &[Piece]| {
        pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Slot(_)))
            .count()
    };
    assert_eq!((slots(&mail.html), slots(&mail.text)), (2, 2));
}

#[test]
fn retractions_and_corrections_come_first_and_say_whose_fault_it_was() {
    let item = |slug: &str, kind, fault| {
        let summary = stored(slug, slug, |summary| summary.fault = fault);
        ItemContext::in_edition(&site(), &summary, kind, Vec::new())
    };
    let retracted_since = stored("withdrawn", "withdrawn", |summary| {
        summary.status = Status::Retracted
    });
    let context = edition(
        vec![
            item("fresh", ItemKind::New, None),
            item("mended", ItemKind::Correction, Some(Fault::Summary)),
            item("gone", ItemKind::Retraction, Some(Fault::Paper)),
            ItemContext::in_edition(&site(), &retracted_since, ItemKind::New, Vec::new()),
        ],
        None,
    );
    let order: Vec<&str> = context.items.iter().map(|item| item.slug.as_str()).collect();
    assert_eq!(order, ["gone", "withdrawn", "mended", "fresh"]);
    let text = filled(&render(&context, ReaderShape::Unnamed).text);
    for part in [
        // Nobody had the withdrawn one before, so it is no change to them.
        "Here are 2 new research summaries in plain language, after changes to 2",
        "RETRACTED: gone\n\nThe paper behind this summary was wrong",
        "RETRACTED: withdrawn\n\nThis summary has been withdrawn.",
        "CORRECTED: mended\n\nOur summary was wrong; the paper was not.",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_long_digest_is_shortened_and_drops_nothing() {
    for count in [1, 5, 12, 20, 30, 55, 85] {
        let mut items: Vec<_> = (1..=count).map(|number| long(number, ItemKind::New)).collect();
        items.push(long(99, ItemKind::Retraction));
        let mail = render(&edition(items, None), ReaderShape::Named);
        let (html, text) = (filled(&mail.html), filled(&mail.text));
        assert!(html.len() < 90_000, "{count}: {}", html.len());
        assert_eq!(mail.shortened, count > 5, "{count}");
        for number in (1..=count).chain([99]) {
            for part in [&html, &text] {
                assert!(part.contains(&format!("Long summary {number}")));
                assert!(part.contains(&format!("https://www.example.org/research/long-{number}")));
            }
        }
        for part in [&html, &text] {
            assert!(part.contains("The note of 99."));
            assert!(part.contains("https://www.example.org/u/abc") && part.contains("1 Example Street"));
            assert_eq!(part.contains("This entry is shortened"), count > 5, "{count}");
            assert_eq!(
                part.contains("Key findings"),
                part.contains("Limitations of the study"),
                "{count}"
            );
        }
    }
}

#[test]
fn a_digest_that_can_not_fit_is_an_error() {
    let items = (1..=200).map(|number| long(number, ItemKind::New)).collect();
    let problem = templates()
        .digest("digest", &edition(items, None), ReaderShape::Named)
        .unwrap_err()
        .to_string();
    assert!(
        problem.starts_with(
            "edition 7 of weekly with 200 entries does not fit into 90000 bytes of HTML, however short: "
        ),
        "{problem}"
    );
    assert!(
        problem.contains("hint: lower the digest's max_items"),
        "{problem}"
    );
}

/// The contrast of two colours such as `#1f2937`, from 1 to 21 (WCAG 2.2).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The values of `property` in `source`.
fn colours(source: &str, property: &str) -> Vec<String> {
    source
        .match_indices(property)
        .filter(|(at, _)| !source[..*at].ends_with('-'))
        .filter_map(|(at, _)| source[at + property.len()..].trim_start().get(..7))
        .filter(|colour| colour.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_text_can_be_read_on_every_ground() {
    let mail = include_str!("../templates/email/digest/body.mjml.hbs");
    let item = include_str!("../templates/partials/item.html.hbs");
    let (before, rest) = mail.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let (dark, after) = rest.split_once("</mj-style>").unwrap();
    let light = [before, after, item].concat();
    for (scheme, source, least) in [("light", light.as_str(), 10), ("dark", dark, 3)] {
        let texts = colours(source, "color:");
        let mut grounds = colours(source, "background-color:");
        grounds.extend(colours(source, "background-color=\""));
        assert!(
            texts.len() >= least && grounds.len() >= 3,
            "{scheme}: {texts:?} on {grounds:?}"
        );
        for text in &texts {
            for ground in &grounds {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.5, "{scheme}: {text} on {ground} is {ratio:.2}");
            }
        }
    }
}

#[test]
fn a_mail_without_a_way_out_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("email/digest");
    std::fs::create_dir_all(&mail).unwrap();
    std::fs::write(mail.join("body.txt.hbs"), "hello").unwrap();
    let templates = Templates::load(Some(folder.path()), &["digest".to_owned()]).unwrap();
    let expected = "template email/digest/body.txt.hbs: shows no link to unsubscribe\n  \
                    hint: put {{reader.unsubscribe_url}} into it, on a line of its own in a text part";
    let mut checked = templates.check().into_iter();
    let checked = checked.find_map(|(_, verdict)| verdict.err()).unwrap();
    assert_eq!(checked.to_string(), expected);
    let sent = templates
        .digest("digest", &DigestContext::sample(), ReaderShape::Named)
        .unwrap_err();
    assert_eq!(sent.to_string(), expected);
}
