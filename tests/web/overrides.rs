//! Templates of the site's own that break: before the start, and after it.

use crate::site::Site;
use crate::wire::get;
use std::fs;

/// A site with the folder `mine` for templates of its own.
fn site() -> Site {
    let site = Site::new();
    site.configure("", "[templates]\nfolder = \"mine\"\n");
    for folder in ["mine/feed", "mine/web", "mine/partials"] {
        fs::create_dir_all(site.path(folder)).unwrap();
    }
    site.summary("plain", "urology");
    site
}

#[test]
fn a_broken_template_stops_the_server_before_it_starts() {
    for (file, text, message) in [
        (
            "feed/entry_title.txt.hbs",
            "\n{{item.titel}}",
            "line 2: there is no value named item.titel",
        ),
        (
            "feed/entry_body.html.hbs",
            "{{#if item.note}}",
            "mine/feed/entry_body.html.hbs",
        ),
        (
            "web/unsubscribe.hbs",
            "<p>{{digest.titles}}</p>",
            "there is no value named digest.titles",
        ),
        (
            "web/preferences.hbs",
            "{{#each interests}}{{this}}{{/each}}",
            "interests",
        ),
        (
            "partials/layout.html.hbs",
            "{{site.url}}{{> layout.html}}",
            "mine/partials/layout.html.hbs",
        ),
        ("web/unsubscibed.hbs", "<p></p>", "unsubscibed"),
    ] {
        let site = site();
        site.write(&format!("mine/{file}"), text);
        let said = site.run(&["serve", "--listen", "127.0.0.1:0"]).expect_code(2);
        assert_eq!(said.out, "", "it must not listen");
        assert!(
            said.err.contains(message) && said.err.contains(file) && said.err.contains("hint"),
            "{}",
            said.err
        );
    }
}

#[test]
fn a_change_counts_from_the_next_start() {
    let site = site();
    site.write("mine/feed/entry_title.txt.hbs", "First: {{item.title}}");
    site.run(&["gather"]).expect_code(0);
    let server = site.serve(&[]);
    let first = get(&server, "/feeds/all.json");
    assert!(first.text().contains("First: About plain"), "{}", first.text());
    site.write("mine/feed/entry_title.txt.hbs", "Second: {{item.title}}");
    site.summary("other", "oncology");
    site.run(&["gather"]).expect_code(0);
    let later = get(&server, "/feeds/all.json").text();
    assert!(
        later.contains("First: About other") && !later.contains("Second"),
        "{later}"
    );
    assert_eq!(server.stop(), 0);
    let changed = get(&site.serve(&[]), "/feeds/all.json");
    assert!(
        changed.text().contains("Second: About plain"),
        "{}",
        changed.text()
    );
    assert_ne!(changed.header("etag"), first.header("etag"));
    site.write("mine/feed/entry_title.txt.hbs", "{{item.titel}}");
    site.run(&["serve", "--listen", "127.0.0.1:0"]).expect_code(2);
}

/// Samples are small: a template may turn out too greedy only on a long summary.
#[test]
fn a_template_that_fails_on_one_summary_fails_the_feeds_that_hold_it() {
    let site = site();
    let each = "{{#each @root.item.findings}}";
    site.write(
        "mine/feed/entry_body.html.hbs",
        &format!(
            "<p>{{{{item.title}}}}{each}{each}{each}.{}</p>",
            "{{/each}}".repeat(3)
        ),
    );
    let findings: String = (1..=60).map(|n| format!("{n}. Finding {n}\n")).collect();
    site.summary_with(
        "long",
        "oncology",
        "",
        &format!("Long.\n\n## Key Findings\n\n{findings}"),
    );
    site.run(&["gather"]).expect_code(0);
    let server = site.serve(&[]);
    for file in ["all.rss", "all.json", "oncology.atom"] {
        let answer = get(&server, &format!("/feeds/{file}"));
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(
            !answer.text().contains("findings") && !answer.text().contains('/'),
            "{answer:?}"
        );
    }
    assert_eq!(get(&server, "/feeds/urology.rss").status, 200);
    assert_eq!(get(&server, "/u/x").status, 404);
    let said = site
        .run(&["feeds", "--out", site.path("out").to_str().unwrap()])
        .expect_code(2);
    assert!(
        said.err.contains("summary \"long\"") && said.err.contains("entry_body.html.hbs"),
        "{}",
        said.err
    );
}
