//! The numbers of the admins' pages are those of the ledger's rows, at every stage of an edition.

use crate::desk::{Desk, all, site};
use crate::relay::{Script, ScriptedRelay, say};
use crate::site::Site;
use crate::wait_for;

/// Readers, sent, waiting, failed and left out, by the rows; who was left out at the planning has none.
fn of_rows(site: &Site) -> Vec<String> {
    let edition = site.edition(1);
    let rows = edition["deliveries"].as_array().unwrap();
    let count = |wanted: &[&str]| {
        let states = rows.iter().map(|row| row["state"].as_str().unwrap());
        states.filter(|state| wanted.contains(state)).count()
    };
    let left_out = edition["excluded_by"]["nothing_for_them"].as_u64().unwrap();
    let left_out = usize::try_from(left_out).unwrap();
    let counts = [
        rows.len() + left_out,
        count(&["sent"]),
        count(&["waiting", "uncertain"]),
        count(&["failed", "expired"]),
        count(&["excluded"]) + left_out,
    ];
    counts.map(|count| count.to_string()).to_vec()
}

/// The same, as the row of the edition on a page has it.
fn of_page(desk: &Desk<'_>, path: &str) -> Vec<String> {
    let cells = all(&desk.get(path), "tbody td.number");
    // The first is how many summaries it holds.
    cells.into_iter().skip(1).collect()
}

#[test]
fn overview_and_list_count_as_the_ledger_does() {
    let site = site();
    site.summary("first", "urology");
    let readers = ["ann", "bob", "cid", "dan", "eve", "fay"].map(|name| format!("{name}@example.org"));
    let mut list: Vec<(&str, &str)> = readers.iter().map(|address| (address.as_str(), "")).collect();
    list.push(("gil@example.org", "oncology"));
    site.readers(&list);
    let server = site.serve(&["--no-schedule"]);
    let cookie = Desk::open(&site, &server).cookie;
    drop(server);
    let script = Script::default()
        .to("bob@", "RCPT", say("550 5.7.1 no"))
        .to("cid@", "RCPT", say("450 4.2.1 later"))
        .to("dan@", "RCPT", say("450 4.2.1 later"));
    let relay = ScriptedRelay::start(script);
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    site.run(&["publish", "--relay", &url]).expect_code(3);
    assert_eq!(of_rows(&site), ["7", "3", "2", "1", "1"]);
    let server = site.serve(&["--no-schedule", "--relay", &url]);
    let desk = Desk::with(&server, &cookie);
    assert_eq!(of_page(&desk, "/admin"), ["7", "3", "2", "1", "1"]);
    assert_eq!(of_page(&desk, "/admin/editions"), of_rows(&site));
    // One who waits leaves: told apart when their turn comes.
    site.run(&["subscribers", "remove", "dan@example.org"])
        .expect_code(0);
    wait_for("the goodbye", || (of_rows(&site)[4] == "2").then_some(()));
    // While somebody tries again, the page counts what that one has in hand.
    for _ in 0..20 {
        assert_eq!(of_page(&desk, "/admin"), ["7", "3", "1", "1", "2"]);
    }
    relay.heal("");
    wait_for("the end", || {
        (of_page(&desk, "/admin/editions")[2] == "0").then_some(())
    });
    assert_eq!(of_rows(&site), ["7", "4", "0", "1", "2"]);
    assert_eq!(of_page(&desk, "/admin/editions"), of_rows(&site));
    wait_for("quiet", || of_page(&desk, "/admin").is_empty().then_some(()));
    let page = desk.get("/admin/editions/1");
    assert_eq!(all(&page, ".counts dd"), of_rows(&site)[1..]);
}
