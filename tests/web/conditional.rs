//! Conditional requests and codings (RFC 9110), as feed readers make them thousands of times a day.

use crate::site::{Server, Site};
use crate::wire::{Answer, ask, get};
use crate::{wait_for, wire};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::io::Read;

const FILES: [&str; 9] = [
    "all.rss",
    "all.atom",
    "all.json",
    "urology.rss",
    "urology.atom",
    "urology.json",
    "oncology.rss",
    "oncology.atom",
    "oncology.json",
];

fn site() -> Site {
    let site = Site::new();
    site.summary("bladder", "urology");
    site.summary("tumour", "oncology");
    site.summary("both", "oncology,urology");
    site.run(&["gather"]).expect_code(0);
    site
}

fn time(answer: &Answer, header: &str) -> DateTime<Utc> {
    let text = answer.header(header).unwrap();
    assert!(
        text.ends_with(" GMT") && text.len() == 29,
        "no IMF-fixdate: {text}"
    );
    DateTime::parse_from_rfc2822(text).unwrap().to_utc()
}

fn etag(answer: &Answer) -> &str {
    let tag = answer.header("etag").unwrap();
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10,
        "no strong tag: {tag}"
    );
    tag
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn each_coding_has_a_tag_of_its_own() {
    let site = site();
    let server = site.serve(&[]);
    for file in FILES {
        let path = format!("/feeds/{file}");
        let identity = get(&server, &path);
        let gzip = ask(&server, "GET", &path, &[("Accept-Encoding", "br, gzip;q=0.5")]);
        assert_eq!(identity.header("content-encoding"), None);
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        assert!(plain(&gzip.body) == identity.body, "{file}");
        assert!(gzip.body.len() < identity.body.len());
        assert_ne!(etag(&identity), etag(&gzip));
        for answer in [&identity, &gzip] {
            assert_eq!(
                answer.header("vary").map(str::to_lowercase).as_deref(),
                Some("accept-encoding")
            );
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
            assert!(
                time(answer, "last-modified") <= time(answer, "date"),
                "{answer:?}"
            );
        }
        let refused = ask(&server, "GET", &path, &[("Accept-Encoding", "gzip;q=0, *;q=1")]);
        assert_eq!(refused.lasting_headers(), identity.lasting_headers());
    }
    let tags: std::collections::BTreeSet<_> = FILES
        .iter()
        .map(|file| etag(&get(&server, &format!("/feeds/{file}"))).to_owned())
        .collect();
    assert_eq!(tags.len(), FILES.len());
}

#[test]
fn a_reader_that_has_the_document_gets_a_304() {
    let site = site();
    let server = site.serve(&[]);
    for (file, coding) in [
        ("all.rss", "identity"),
        ("urology.atom", "gzip"),
        ("oncology.json", "gzip"),
    ] {
        let path = format!("/feeds/{file}");
        let whole = ask(&server, "GET", &path, &[("Accept-Encoding", coding)]);
        let tag = etag(&whole).to_owned();
        let since = whole.header("last-modified").unwrap().to_owned();
        let earlier = (time(&whole, "last-modified") - chrono::Duration::seconds(1))
            .format("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let later = (time(&whole, "last-modified") + chrono::Duration::days(1))
            .format("%A, %d-%b-%y %H:%M:%S GMT")
            .to_string();
        let (weak, list) = (format!("W/{tag}"), format!("\"a,b\" , \"x\",W/\"y\", {tag}"));
        let conditions: [(&[(&str, &str)], u16); 14] = [
            (&[("If-None-Match", &tag)], 304),
            (&[("If-None-Match", &weak)], 304),
            (&[("If-None-Match", &list)], 304),
            (&[("If-None-Match", "\"x\""), ("If-None-Match", &tag)], 304),
            (&[("If-None-Match", "*")], 304),
            (&[("If-None-Match", "\"other\"")], 200),
            (&[("If-None-Match", "W/\"other\", \"another\"")], 200),
            (&[("If-None-Match", tag.trim_matches('"'))], 200),
            (
                &[("If-None-Match", "\"other\""), ("If-Modified-Since", &since)],
                200,
            ),
            (&[("If-None-Match", &tag), ("If-Modified-Since", &earlier)], 304),
            (&[("If-Modified-Since", &since)], 304),
            (&[("If-Modified-Since", &later)], 304),
            (&[("If-Modified-Since", &earlier)], 200),
            (&[("If-Modified-Since", "the day before yesterday")], 200),
        ];
        for (condition, status) in conditions {
            for method in ["GET", "HEAD"] {
                let mut headers = vec![("Accept-Encoding", coding)];
                headers.extend(condition);
                let answer = ask(&server, method, &path, &headers);
                assert_eq!(answer.status, status, "{method} {file} {condition:?}");
                let repeated = ["etag", "last-modified", "cache-control", "vary"];
                for name in repeated {
                    assert_eq!(
                        answer.header(name),
                        whole.header(name),
                        "{method} {condition:?}: {name}"
                    );
                }
                if status == 304 {
                    for name in ["content-encoding", "transfer-encoding"] {
                        assert_eq!(answer.header(name), None, "{condition:?}");
                    }
                    let length = answer.header("content-length");
                    assert!(
                        length.is_none() || length == whole.header("content-length"),
                        "{answer:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn head_is_get_without_the_body() {
    let site = site();
    let server = site.serve(&[]);
    for file in FILES {
        for coding in ["identity", "gzip"] {
            let path = format!("/feeds/{file}");
            let headers = [("Accept-Encoding", coding)];
            let got = ask(&server, "GET", &path, &headers);
            let head = ask(&server, "HEAD", &path, &headers);
            assert_eq!(head.status, 200);
            assert_eq!(got.lasting_headers(), head.lasting_headers(), "{file}");
            assert!(head.header("content-length").is_some());
        }
    }
}

/// Tag and time of each feed. Waits first until a change would get another second than those before.
fn states(server: &Server) -> BTreeMap<&'static str, (String, DateTime<Utc>)> {
    FILES
        .into_iter()
        .map(|file| {
            let answer = get(server, &format!("/feeds/{file}"));
            let modified = time(&answer, "last-modified");
            assert!(modified <= time(&answer, "date"));
            wait_for("the next second", || {
                (time(&get(server, "/healthz"), "date") > modified).then_some(())
            });
            (file, (etag(&answer).to_owned(), modified))
        })
        .collect()
}

#[test]
fn a_change_shows_where_it_belongs_and_nowhere_else() {
    let site = site();
    let server = site.serve(&[]);
    let mut before = states(&server);
    let mut step = |what: &str, touched: &[&str]| {
        site.run(&["gather"]).expect_code(0);
        let after = states(&server);
        for file in FILES {
            let name = file.split('.').next().unwrap();
            let ((old, earlier), (new, later)) = (&before[file], &after[file]);
            if touched.contains(&name) {
                assert!(
                    new != old && later > earlier,
                    "{what}: {file} did not change: {old} {earlier}, {new} {later}"
                );
            } else {
                assert!(new == old && later == earlier, "{what}: {file} changed");
                let condition = [("If-None-Match", old.as_str())];
                assert_eq!(
                    ask(&server, "GET", &format!("/feeds/{file}"), &condition).status,
                    304
                );
            }
        }
        before = after;
    };
    step("nothing", &[]);
    site.summary_with("bladder", "urology", "", "It says something else now.");
    step("a changed text", &["all", "urology"]);
    site.summary("both", "oncology");
    step("an entry that leaves a category", &["all", "urology", "oncology"]);
    site.summary("fresh", "oncology");
    step("a new entry", &["all", "oncology"]);
    site.run(&["summaries", "retract", "bladder", "--note", "The data were lost."])
        .expect_code(0);
    step("a retraction", &["all", "urology"]);
    std::fs::remove_file(site.path("content/fresh.md")).unwrap();
    step("a file that vanished", &[]);
    let titles: Vec<_> = crate::reading::entries_of(&get(&server, "/feeds/urology.json"))
        .into_iter()
        .map(|entry| entry.title)
        .collect();
    assert_eq!(titles, ["Retracted: About bladder"]);
}

#[test]
fn what_is_no_feed_is_not_found() {
    let site = site();
    let server = site.serve(&[]);
    for path in [
        "/feeds/unknown.rss",
        "/feeds/all.exe",
        "/feeds/all",
        "/feeds/.rss",
        "/feeds/all.rss.rss",
        "/feeds/ALL.rss",
        "/feeds/",
        "/feeds",
        "/feeds/all.rss/",
        "/feeds/..%2f..%2fconfig.toml",
        "/feeds/../config.toml",
        "/feeds/..%2Fall.rss",
        "/feeds/all%00.rss",
        "/feeds/%F0%9F%A7%A0.rss",
        "//feeds/all.rss",
    ] {
        for method in ["GET", "HEAD"] {
            assert_eq!(ask(&server, method, path, &[]).status, 404, "{path}");
        }
    }
    assert_eq!(get(&server, "/feeds/%FF.rss").status, 400);
    assert!(get(&server, "/feeds/unknown.rss").text().contains("unknown"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = wire::send(&server, method, "/feeds/all.rss", &[], b"");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET,HEAD")),
            "{method}"
        );
    }
    assert_eq!(get(&server, "/feeds/all.rss?utm_source=x").status, 200);
}
