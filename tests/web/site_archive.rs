//! The editions that were sent, as everybody sees them.

use crate::sign_up::{attributes, heading, texts};
use crate::site::Site;
use crate::wire::get;

#[test]
fn editions_of_one_day_have_names_of_their_own() {
    let site = Site::new();
    site.summary("plain", "urology");
    site.readers(&[("ann@example.org", "")]);
    site.run(&["publish", "--wait"]).expect_code(0);
    site.run(&["subscribers", "add", "bea@example.org", "--confirmed"])
        .expect_code(0);
    site.run(&["send", "weekly", "--only", "plain", "--yes", "--wait"])
        .expect_code(0);
    let server = site.serve(&["--no-schedule"]);
    let archive = get(&server, "/archive");
    let links = attributes(&archive, ".editions a", "href");
    assert_eq!(links, ["./archive/2", "./archive/1"]);
    let days = attributes(&archive, ".editions time", "datetime");
    let names = texts(&archive, ".editions a");
    // Also when one was sent before midnight and the other after it.
    assert!(days[0] != days[1] || names[0] != names[1], "{names:?}");
    for (link, (name, number)) in links.iter().zip(names.iter().zip([2, 1])) {
        assert!(name.ends_with(&format!(", edition {number}")), "{name}");
        let page = get(&server, link.trim_start_matches('.'));
        assert_eq!(heading(&page), *name);
        assert!(texts(&page, "title")[0].starts_with(name.as_str()), "{name}");
    }
}
