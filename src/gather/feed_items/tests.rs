//! How feeds are cut.
#![allow(clippy::unwrap_used)]
use super::*;

fn collected(text: &str) -> (Vec<Piece>, Rest) {
    let mut pieces = Vec::new();
    let rest = cut(text, &mut |piece| pieces.push(piece)).unwrap();
    (pieces, rest)
}

#[test]
fn a_bad_item_does_not_spoil_its_neighbours() {
    let feed = "<rss version='2.0' xmlns:p='urn:p'><channel><title>t</title><item><title>a</item>\
                <item><b>x</c></item><item/><item><p:doi>10.1234/x</p:doi></item></channel></rss>";
    let (pieces, rest) = collected(feed);
    assert_eq!(rest.broken, None);
    let documents: Vec<&str> = pieces.iter().map(|piece| piece.document.as_str()).collect();
    let wrap = |item: &str| format!("<rss version='2.0' xmlns:p='urn:p'><channel>{item}</channel></rss>");
    assert_eq!(
        documents,
        [
            wrap("<item><title>a</item>"),
            wrap("<item><b>x</c></item>"),
            wrap("<item/>"),
            wrap("<item><p:doi>10.1234/x</p:doi></item>")
        ]
    );
    assert_eq!(pieces[3].extras.identifiers, ["10.1234/x"]);
}

#[test]
fn what_breaks_off_keeps_what_came_before() {
    let (pieces, rest) = collected("<feed><entry><id>1</id></entry><entry><id>2</id>");
    assert_eq!(pieces.len(), 1);
    assert_eq!(rest.broken.as_deref(), Some("it ends within an item"));
}

#[test]
fn what_is_no_feed_says_why() {
    for (text, reason) in [
        (
            "<!DOCTYPE html><html></html>",
            "not a feed: it is a web page (HTML)",
        ),
        (
            "<html><body></body></html>",
            "not a feed: it is a web page (HTML)",
        ),
        ("<svg></svg>", "not a feed: its root element is <svg>"),
        ("hello", "not a feed: it begins neither with < nor with {"),
        ("", "not a feed: it is empty"),
        (
            "{\"version\": \"2\"}",
            "not a feed: its JSON has no version of JSON Feed 1: \"2\"",
        ),
        (
            "<!DOCTYPE r [<!ENTITY a \"b\">]><rss/>",
            "not read: the document declares entities",
        ),
    ] {
        assert_eq!(cut(text, &mut |_| {}).unwrap_err().message(), reason, "{text}");
    }
}

#[test]
fn what_every_item_repeats_is_short_and_items_are_counted() {
    let long = "x".repeat(MAX_TAG);
    for wrong in [
        format!("<rss a='{long}'><channel><item/></channel></rss>"),
        format!("<rss><channel a='{long}'><item/></channel></rss>"),
    ] {
        let problem = cut(&wrong, &mut |_| {}).unwrap_err();
        assert!(
            problem.message().contains("is longer than 16384 bytes"),
            "{problem}"
        );
    }
    let version = format!("{{\"version\": \"https://jsonfeed.org/version/1{long}\", \"items\": [{{}}]}}");
    assert!(cut(&version, &mut |_| {}).unwrap_err().message().len() < 200);

    let feed = |count| format!("<rss><channel>{}</channel></rss>", "<item/>".repeat(count));
    for (count, over) in [(MAX_ITEMS, false), (MAX_ITEMS + 1, true)] {
        let (pieces, rest) = collected(&feed(count));
        assert_eq!((pieces.len(), rest.over, rest.broken), (MAX_ITEMS, over, None));
    }
    let items = format!(
        "{{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [{}0]}}",
        "0,".repeat(MAX_ITEMS)
    );
    let (pieces, rest) = collected(&items);
    assert_eq!((pieces.len(), rest.over), (MAX_ITEMS, true));
}

#[test]
fn the_base_of_a_channel_that_is_closed_is_none_of_an_item() {
    let (pieces, _) = collected(
        "<rdf xml:base='https://example.org/'><channel xml:base='x/'></channel><item xml:base='y/'/></rdf>",
    );
    assert_eq!(pieces[0].extras.bases, ["https://example.org/", "y/"]);
}

#[test]
fn an_element_of_countless_attributes_is_not_parsed() {
    let attributes: String = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    for item in [
        format!("<item{attributes}/>"),
        format!("<item><b{attributes}></b></item>"),
    ] {
        let (pieces, _) = collected(&format!("<rss>{item}<item/></rss>"));
        assert_eq!(
            pieces[0].refused.as_deref(),
            Some("an element has more than 256 attributes")
        );
        assert_eq!(pieces[1].refused, None);
    }
}
