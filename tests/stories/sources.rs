//! Several sources at once: the same paper is one summary, with the first source's text.

use crate::account::{json, only_edition, publish, texts};
use crate::http::{Reply, Server};
use crate::mail::take_outbox;
use crate::site::Site;
use serde_json::json;
use std::fs;

const PAGE: &str = "<!doctype html><html><head><title>From a page</title></head><body><main>\
    <h1>From a page</h1><p>Journal of Tests · 2024 · DOI: 10.5555/page</p>\
    <p>Urology</p><h2>Simple Explanation</h2><p>What the page says.</p>\
    <h2>Key Findings</h2><ul><li>One finding.</li></ul></main></body></html>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_paper_from_three_sources_is_one_summary() {
    let server = Server::start(|_| {
        let item = |title: &str, doi: &str, text: &str, category: &str| {
            format!(
                "<item><title>{title}</title><link>https://journal.example.org/{title}</link>\
                 <guid>https://doi.org/{doi}</guid><description>{text}</description>\
                 <category>{category}</category></item>"
            )
        };
        let items = item("same", "10.5555/one", "The feed's words.", "Urology")
            + &item("other", "10.5555/other", "Only in the feed.", "Cancer")
            + &item("stray", "10.5555/stray", "Of no topic.", "Gardening");
        Reply::ok(format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>J</title>\
             <link>https://journal.example.org/</link><description>d</description>{items}</channel></rss>"
        ))
        .header("Content-Type", "application/rss+xml")
        .header("ETag", "\"one\"")
    })
    .await;
    let site = Site::new();
    fs::create_dir(site.path("pages")).unwrap();
    site.write("pages/page.html", PAGE);
    site.configure(
        "",
        &format!(
            "[[source]]\nname = \"pages\"\nkind = \"pages\"\npath = \"pages\"\n\
             [[source]]\nname = \"journal\"\nkind = \"feed\"\nurl = \"{}\"\nallow_private = true\n\
             map = {{ \"Cancer\" = \"oncology\" }}\ncategory = \"urology\"\n",
            server.url("/feed.xml")
        ),
    );
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "oncology")]);
    let said = publish(&site, 0);
    let new: Vec<_> = said["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["new"].clone())
        .collect();
    assert_eq!(new, [json!(1), json!(1), json!(2)], "{said:#}");
    assert_eq!(said["sources"][2]["unchanged"], 1);
    assert_eq!(texts(&only_edition(&said)["summaries"]).len(), 4);
    let shown = json(&site, &["summaries", "show", "one"], 0);
    assert!(
        shown["explanation"].to_string().contains("What one says."),
        "{shown:#}"
    );
    let mails = take_outbox(&site);
    assert!(mails[0].text.contains("What the page says.") && mails[0].text.contains("Only in the feed."));
    assert!(!mails[0].text.contains("The feed's words."));
    assert!(mails[1].text.contains("Only in the feed.") && !mails[1].text.contains("What the page says."));

    // What did not change is asked for with its validator, and nothing follows from it.
    let again = publish(&site, 0);
    assert_eq!(again["editions"], json!([]));
    assert_eq!(
        server.requests().last().unwrap().header("if-none-match"),
        Some("\"one\"")
    );

    // Without leave, an address inside the own network is not asked.
    let config = fs::read_to_string(site.path("config.toml")).unwrap();
    site.write("config.toml", &config.replace("allow_private = true", ""));
    let asked = server.requests().len();
    let said = publish(&site, 1);
    assert!(
        said["sources"][2]["failed"]
            .as_str()
            .unwrap()
            .contains("allow_private"),
        "{said:#}"
    );
    assert_eq!(server.requests().len(), asked);
}
