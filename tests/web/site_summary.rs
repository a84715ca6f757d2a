//! The page of a summary: everything that the real page has, and nothing that a hostile one slips in.

use crate::site::{Server, Site};
use crate::wire::{ask, get};
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

/// The facts of a page of the real site, in the words of its sections.
const REAL: &str = r#"+++
title = "Effect of Minimally Invasive Spine Stabilization in Metastatic Spinal Tumors"
journal = "Medicina"
year = 2022
doi = "10.3390/medicina58030358"
published = 2022-03-01
categories = ["oncology", "urology"]
duration = "December 2013 to October 2020"
participants = "51 patients"
evidence = "Not specified"
+++

## Simple Explanation

A gentler operation holds the spine steady.

## Key Findings

1. It helps some who can't have large surgery.
2. The outlook depends on the kind of cancer.
3. Median survival was about 22.0 months.

## Research Summary

The study looked at 51 patients.

## Practical Implications

### Quality of life

Less pain.

### Outpatient treatment

An early way home.

## Study Limitations

1. Few patients.
2. No control group.
"#;

const SLUG: &str = "/research/spine";

fn select<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    let text = |element: ElementRef<'_>| {
        let text: String = element.text().collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    select(html, selector).into_iter().map(text).collect()
}

fn page(server: &Server, path: &str, status: u16) -> Html {
    let answer = ask(server, "GET", path, &[("Accept", "text/html")]);
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    let html = Html::parse_document(&answer.text());
    assert_eq!(html.errors, Vec::<String>::new(), "{path}");
    assert_eq!(select(&html, "h1").len(), 1, "{path}");
    html
}

fn data(html: &Html) -> Value {
    let script = select(html, "script");
    assert_eq!(script.len(), 1);
    assert_eq!(script[0].value().attr("type"), Some("application/ld+json"));
    serde_json::from_str(&script[0].text().collect::<String>()).unwrap()
}

fn gathered() -> Site {
    let site = Site::new();
    site.write("content/spine.md", REAL);
    site.run(&["gather"]).expect_code(0);
    site
}

#[test]
fn every_section_of_the_real_page_is_there() {
    let site = gathered();
    let server = site.serve(&[]);
    let html = page(&server, SLUG, 200);
    let title = "Effect of Minimally Invasive Spine Stabilization in Metastatic Spinal Tumors";
    assert_eq!(texts(&html, "h1"), [title]);
    assert_eq!(texts(&html, "title"), [format!("{title} – Test Site")]);
    let crumbs = texts(&html, "nav[aria-label=Breadcrumb] li");
    assert_eq!(crumbs, ["Home", "Research", "Oncology", title]);
    assert_eq!(
        texts(&html, ".source"),
        ["Medicina, 2022 · DOI: https://doi.org/10.3390/medicina58030358 · Published: 1 March 2022"]
    );
    let doi = "a[href='https://doi.org/10.3390/medicina58030358']";
    assert_eq!(select(&html, doi).len(), 1);
    assert_eq!(
        texts(&html, "ul.tags a[href^='../categories/']"),
        ["Oncology", "Urology"]
    );
    assert_eq!(
        texts(&html, "main h2"),
        [
            "Simple Explanation",
            "Key Findings",
            "Research Summary",
            "Practical Implications",
            "Study Limitations",
            "Your Feedback"
        ]
    );
    assert_eq!(
        texts(&html, "main h3"),
        ["Quality of life", "Outpatient treatment"]
    );
    assert_eq!(
        texts(&html, "dt"),
        ["Study Duration", "Participants", "Evidence Level"]
    );
    assert_eq!(
        texts(&html, "dd"),
        ["December 2013 to October 2020", "51 patients", "Not specified"]
    );
    assert_eq!(texts(&html, "h2 + ol li").len(), 3 + 2);
    assert_eq!(
        texts(
            &html,
            "form[method=post][action='../research/spine/helpful'] button"
        ),
        ["Yes, it was helpful", "No, it was not"]
    );
    assert_eq!(
        texts(&html, ".back a[href='../categories/oncology']"),
        ["Back to Oncology"]
    );
    let canonical = "https://site.example.org/research/spine";
    for selector in [
        format!("link[rel=canonical][href='{canonical}']"),
        format!("meta[property='og:url'][content='{canonical}']"),
        "meta[name=description][content='A gentler operation holds the spine steady.']".to_owned(),
        "link[rel=alternate][type='application/rss+xml'][href='../feeds/oncology.rss']".to_owned(),
        "link[rel=alternate][type='application/feed+json']".to_owned(),
    ] {
        assert_eq!(select(&html, &selector).len(), 1, "{selector}");
    }
    assert!(select(&html, "meta[name=robots]").is_empty());
    let data = data(&html);
    assert_eq!(data["@type"], "MedicalWebPage");
    assert_eq!(data["audience"]["@type"], "Patient");
    assert_eq!(data["url"], canonical);
    assert_eq!(data["isBasedOn"]["@type"], "ScholarlyArticle");
    assert_eq!(
        data["isBasedOn"]["identifier"]["value"],
        "10.3390/medicina58030358"
    );
    assert_eq!(data["isBasedOn"]["datePublished"], "2022-03-01");
    for day in ["datePublished", "lastReviewed", "dateModified"] {
        assert_eq!(data[day].as_str().map(str::len), Some(10), "{day}");
    }
}

#[test]
fn what_became_of_a_summary_stands_on_its_page() {
    let site = gathered();
    let server = site.serve(&[]);
    site.run(&["summaries", "correct", "spine", "--note", "51, not 15"])
        .expect_code(0);
    let html = page(&server, SLUG, 200);
    let notice = texts(&html, "main .notice").join(" ");
    assert!(notice.contains("Our summary was wrong") && notice.contains("What changed: 51, not 15."));
    assert!(notice.contains("Corrected on "), "{notice}");
    site.run(&["summaries", "retract", "spine", "--note", "The data was invented"])
        .expect_code(0);
    let html = page(&server, SLUG, 200);
    assert!(texts(&html, "h1")[0].starts_with("Retracted: Effect of"));
    let alert = texts(&html, "main .alert").join(" ");
    for part in [
        "The paper behind this summary was wrong",
        "We marked this as retracted on ",
        ", after those who published the paper",
        "Why: The data was invented.",
    ] {
        assert!(alert.contains(part), "{part}: {alert}");
    }
    assert_eq!(texts(&html, ".alert a[href^='https://doi.org/']").len(), 1);
    assert_eq!(texts(&html, "form"), Vec::<String>::new());
    assert!(data(&html)["name"].as_str().unwrap().starts_with("Retracted: "));
    let listed = page(&server, "/research", 200);
    assert!(texts(&listed, "h2")[0].starts_with("Retracted: Effect of"));
}

#[test]
fn a_removed_summary_is_gone_until_it_is_restored() {
    let site = gathered();
    site.summary("other", "urology");
    site.run(&["summaries", "remove", "spine", "--note", " "])
        .expect_code(2);
    site.run(&["summaries", "remove", "nothing", "--note", "x"])
        .expect_code(1);
    site.run(&["summaries", "remove", "spine", "--note", "It named a patient"])
        .expect_code(0);
    let server = site.serve(&[]);
    let html = page(&server, SLUG, 410);
    assert!(texts(&html, "main p")[0].contains("Why: It named a patient"));
    assert_eq!(select(&html, "meta[name=robots][content=noindex]").len(), 1);
    page(&server, "/research/spine/helpful", 410);
    // What was gathered once more stays away from everything, a changed text too.
    site.write("content/spine.md", &REAL.replace("gentler", "softer"));
    site.readers(&[("ann@example.org", "")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    let mail = site.outbox().join("");
    assert!(
        mail.contains("About other") && !mail.contains("Minimally"),
        "{mail}"
    );
    for path in [
        "/research",
        "/categories/oncology",
        "/feeds/all.json",
        "/sitemap.xml",
        "/",
    ] {
        let answer = get(&server, path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("spine"), "{path}: {}", answer.text());
    }
    let listed = site.run(&["summaries"]).expect_code(0).out;
    assert!(listed.contains("removed"), "{listed}");
    let said = site.run(&["send", "weekly", "--only", "spine", "--yes"]);
    assert!(said.code != 0 && said.err.contains("was removed"), "{said:?}");
    site.run(&["summaries", "restore", "spine"]).expect_code(0);
    site.run(&["gather"]).expect_code(0);
    let html = page(&server, SLUG, 200);
    assert!(texts(&html, ".lead")[0].contains("A softer operation"));
}

#[test]
fn hostile_words_stay_words() {
    let site = Site::new();
    site.write(
        "content/bad.md",
        r#"+++
title = "</script><script>alert(1)</script> & \"q\" <!-- <b>"
journal = "\" onmouseover=\"x"
categories = ["urology"]
participants = "<img src=x onerror=alert(1)>"
+++

## Simple Explanation

</title></script><script>alert(2)</script> "quoted" text.
"#,
    );
    site.run(&["gather"]).expect_code(0);
    let server = site.serve(&[]);
    let html = page(&server, "/research/bad", 200);
    let title = "</script><script>alert(1)</script> & \"q\" <!-- <b>";
    assert_eq!(texts(&html, "h1"), [title]);
    assert_eq!(data(&html)["name"], title);
    assert_eq!(
        select(&html, "[onmouseover], [onerror], main img, main b").len(),
        0
    );
    for path in ["/", "/research", "/categories/urology", "/research/bad/helpful"] {
        let html = page(&server, path, 200);
        assert!(texts(&html, "main").join(" ").contains("alert(1)"), "{path}");
        let scripts = select(&html, "script:not([type='application/ld+json'])");
        assert_eq!(scripts.len(), 0, "{path}");
    }
}
