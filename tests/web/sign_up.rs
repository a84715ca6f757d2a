//! Signing up by the form: filled in, put right, suspected, confirmed.

use crate::in_process::{InProcess, NOON};
use crate::site::Site;
use crate::wire::{Answer, get, post};
use postrider::subscriptions::token::Purpose;
use scraper::{Html, Selector};
use std::time::Duration;

pub const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The text of every element that `selector` finds.
pub fn texts(page: &Answer, selector: &str) -> Vec<String> {
    let html = Html::parse_document(&page.text());
    html.select(&Selector::parse(selector).unwrap())
        .map(|one| one.text().collect::<String>().trim().to_owned())
        .collect()
}

/// The value of `attribute` of every element that `selector` finds.
pub fn attributes(page: &Answer, selector: &str, attribute: &str) -> Vec<String> {
    let html = Html::parse_document(&page.text());
    html.select(&Selector::parse(selector).unwrap())
        .filter_map(|one| one.value().attr(attribute).map(str::to_owned))
        .collect()
}

pub fn heading(page: &Answer) -> String {
    let mut headings = texts(page, "h1");
    assert_eq!(headings.len(), 1, "{}", page.text());
    headings.remove(0)
}

/// The stamp of a form that is shown now.
pub fn stamp(server: &InProcess, path: &str) -> String {
    attributes(&get(server, path), "input[name=stamp]", "value").remove(0)
}

/// A form that a person filled in.
pub fn filled<'a>(address: &'a str, stamp: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("address", address),
        ("name", ""),
        ("digest", "weekly"),
        ("agreed", "yes"),
        ("homepage", ""),
        ("stamp", stamp),
    ]
}

#[test]
fn a_form_becomes_a_subscription() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let page = get(&server, "/subscribe?category=urology");
    assert_eq!((page.status, heading(&page).as_str()), (200, "Subscribe"));
    assert_eq!(attributes(&page, "form[method=post]", "action"), ["subscribe"]);
    assert_eq!(attributes(&page, "input[checked]", "value"), ["urology"]);
    let consent = texts(&page, "label[for=agreed]").remove(0);
    assert!(consent.starts_with("I agree that Test Site stores"), "{consent}");
    let stamp = attributes(&page, "input[name=stamp]", "value").remove(0);
    server.pass(3_000);
    let mut form = filled(" Ann@example.org ", &stamp);
    form[1].1 = "Ann O\u{2019}Neil";
    form.extend([
        ("category", "urology"),
        ("category", "oncology"),
        ("text_only", "yes"),
    ]);
    let sent = post(&server, "/subscribe", &form);
    assert_eq!((sent.status, heading(&sent).as_str()), (200, "Check your inbox"));
    assert!(sent.text().contains("<strong>Ann@example.org</strong>"));
    // The handler only writes it down.
    assert_eq!(server.number("SELECT COUNT(*) FROM subscriber"), 0);
    assert_eq!(server.text("SELECT wording FROM sign_up_request"), consent);
    assert_eq!(server.process(), 1);
    assert_eq!(server.text("SELECT state FROM subscriber"), "pending");
    assert_eq!(server.text("SELECT kind FROM notice"), "confirm");

    let id = server.number("SELECT id FROM sign_up");
    let token = server
        .signer
        .short_lived_token(Purpose::Confirm, id, server.end(WEEK));
    let path = format!("/confirm/{token}");
    let page = get(&server, &path);
    assert_eq!(
        (page.status, heading(&page).as_str()),
        (200, "Confirm your subscription")
    );
    assert_eq!(texts(&page, "main li"), ["Weekly digest", "Oncology", "Urology"]);
    assert_eq!(texts(&page, "blockquote"), [consent]);
    assert!(texts(&page, "main strong")[0].contains("Neil"), "{}", page.text());
    assert_eq!(server.text("SELECT state FROM subscriber"), "pending");
    for _ in 0..2 {
        let done = post(&server, &path, &[]);
        assert_eq!(
            (done.status, heading(&done).as_str()),
            (200, "You are subscribed")
        );
        assert_eq!(server.text("SELECT state FROM subscriber"), "confirmed");
        assert_eq!(texts(&done, "main li"), ["Weekly digest", "Oncology", "Urology"]);
        let preferences = attributes(&done, "main a", "href").remove(0);
        let page = get(&server, preferences.strip_prefix("..").unwrap());
        assert_eq!(heading(&page), "What you receive from Test Site");
        assert_eq!(attributes(&page, "input#name", "value"), ["Ann O\u{2019}Neil"]);
        assert_eq!(
            attributes(&page, "input[checked]", "value"),
            ["urology", "oncology", "yes"]
        );
    }
    assert_eq!(heading(&get(&server, &path)), "You have confirmed already");
}

#[test]
fn every_field_is_judged_and_shown_again_as_it_was_typed() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(3_000);
    let (long, far) = ("n".repeat(101), format!("{}@example.org", "a".repeat(300)));
    let cases: &[(&str, &str, &str)] = &[
        ("address", "", "address"),
        ("address", "ann", "address"),
        ("address", "ann@example.org\r\nBcc: bob@example.org", "address"),
        ("address", "ann\0@example.org", "address"),
        ("address", "\u{430}nn@example.org", "address"),
        ("address", "ann@example.org, bob@example.org", "address"),
        ("address", "<script>@example.org", "address"),
        ("address", &far, "address"),
        ("name", "Ann\r\nBcc: bob@example.org", "name"),
        ("name", "Ann\0", "name"),
        ("name", "Ann\u{202E}", "name"),
        ("name", &long, "name"),
        ("digest", "daily", "digest-weekly"),
        ("digest", "weekly\0", "digest-weekly"),
        ("digest", "w\u{435}ekly", "digest-weekly"),
        ("digest", "weekly\r\n", "digest-weekly"),
        ("category", "cardiology", "category-urology"),
        ("category", "urology\r\nx", "category-urology"),
        ("category", "urology\0", "category-urology"),
        ("category", "ur\u{43e}logy", "category-urology"),
        ("category", &long, "category-urology"),
        ("agreed", "", "agreed"),
    ];
    for (name, value, control) in cases {
        let mut form = filled("ann@example.org", &stamp);
        form.retain(|(known, _)| known != name);
        form.push((name, value));
        let page = post(&server, "/subscribe", &form);
        assert_eq!(
            (page.status, heading(&page).as_str()),
            (422, "Subscribe"),
            "{name} {value:?}"
        );
        assert_eq!(
            attributes(&page, "[role=alert] a", "href"),
            [format!("#{control}")],
            "{name} {value:?}"
        );
        // In the summary, and beside the field, which the link finds.
        let said = texts(&page, "[role=alert] a");
        assert_eq!(texts(&page, ".error"), said, "{name} {value:?}");
        assert_eq!(
            attributes(&page, &format!("[id={control}]"), "id").len(),
            1,
            "{name} {value:?}"
        );
        if matches!(*control, "address" | "name") {
            assert_eq!(attributes(&page, "[aria-invalid=true]", "id"), [*control]);
            let shown = attributes(&page, &format!("input#{control}"), "value").remove(0);
            // HTML has no NUL, and parsers make one sort of line end of all.
            let typed = value.replace("\r\n", "\n").replace('\0', "");
            assert_eq!(shown.replace("\r\n", "\n"), typed, "{name}");
        }
    }
    let nothing = post(&server, "/subscribe", &[("stamp", &stamp)]);
    assert_eq!(
        attributes(&nothing, "[role=alert] a", "href"),
        ["#address", "#digest-weekly", "#agreed"]
    );
    assert_eq!(server.number("SELECT COUNT(*) FROM sign_up_request"), 0);
    // A look-alike in the domain is another domain, and shown as what it is.
    let page = post(&server, "/subscribe", &filled("ann@ex\u{430}mple.org", &stamp));
    assert!(
        page.text().contains("<strong>ann@xn--exmple-4nf.org</strong>"),
        "{}",
        page.text()
    );
}

#[test]
fn a_suspect_presses_one_more_button() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(2_999);
    let fresh = self::stamp(&server, "/subscribe");
    let last = if stamp.ends_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{last}", &stamp[..stamp.len() - 1]);
    let other = server
        .signer
        .short_lived_token(Purpose::Confirm, NOON, server.end(WEEK));
    let queued = || server.number("SELECT COUNT(*) FROM sign_up_request");
    let mut expected = 0;
    let suspects = |bad: &str, homepage: &str| {
        let mut form = filled("ann@example.org", bad);
        form[4].1 = homepage;
        form.extend([("category", "urology"), ("text_only", "yes")]);
        post(&server, "/subscribe", &form)
    };
    for (late, bad, homepage) in [
        (0, stamp.as_str(), ""),
        (0, &fresh, ""),
        (1, &stamp, "https://example.com"),
        (0, "", ""),
        (0, &forged, ""),
        (0, &other, ""),
        (0, "\0\r\n", ""),
        (25 * 60 * 60_000, &stamp, ""),
    ] {
        server.pass(late);
        let page = suspects(bad, homepage);
        assert_eq!(
            (page.status, heading(&page).as_str()),
            (200, "One more step"),
            "{bad:?}"
        );
        assert_eq!(queued(), expected);
        assert_eq!(texts(&page, "main button"), ["I am a person, send the mail"]);
        assert_eq!(attributes(&page, "main form", "action"), ["subscribe"]);
        let names = attributes(&page, "main form input[type=hidden]", "name");
        let values = attributes(&page, "main form input[type=hidden]", "value");
        let form: Vec<(&str, &str)> = names
            .iter()
            .map(String::as_str)
            .zip(values.iter().map(String::as_str))
            .collect();
        assert!(
            form.contains(&("category", "urology")) && form.contains(&("text_only", "yes")),
            "{form:?}"
        );
        // A person may be quick with the button.
        let sent = post(&server, "/subscribe", &form);
        assert_eq!(
            (sent.status, heading(&sent).as_str()),
            (200, "Check your inbox"),
            "{bad:?}"
        );
        expected += 1;
        assert_eq!(queued(), expected);
    }
}

/// One code path: the same answer, and the same things written down, whatever is known of an address.
#[test]
fn the_answer_is_the_same_whatever_is_known() {
    let site = Site::new();
    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    server.pass(3_000);
    // Addresses of one length, each in another state.
    let known = [
        ("aa@example.org", "nobody"),
        ("bb@example.org", "pending"),
        ("cc@example.org", "confirmed"),
        ("dd@example.org", "unsubscribed"),
        ("ee@example.org", "bounced"),
        ("ff@example.org", "complained"),
        ("gg@example.org", "erased"),
    ];
    let list: Vec<String> = known[1..6]
        .iter()
        .map(|(address, state)| format!("{address},,weekly,,{state},2026-01-01,test"))
        .collect();
    let head = "email,name,digest,categories,status,consent_at,consent_source";
    site.write("readers.csv", &format!("{head}\n{}\n", list.join("\n")));
    let file = site.path("readers.csv");
    site.run(&["subscribers", "import", file.to_str().unwrap()])
        .expect_code(0);
    post(&server, "/subscribe", &filled("gg@example.org", &stamp));
    server.process();
    let hash = server.text("SELECT address_hash FROM subscriber WHERE address = 'gg@example.org'");
    server.execute("DELETE FROM subscriber WHERE address = 'gg@example.org'");
    server.execute("DELETE FROM notice");
    server.execute(&format!(
        "INSERT INTO suppression (address_hash, reason, created) VALUES ('{hash}', 'erased', 1)"
    ));

    for path in ["/subscribe", "/lost-link"] {
        let mut answers: Vec<Answer> = Vec::new();
        let mut written = Vec::new();
        for (address, state) in known {
            let before = server.contents();
            let mut answer = post(&server, path, &filled(address, &stamp));
            let after = server.contents();
            let changed: Vec<&String> = after
                .keys()
                .filter(|table| before.get(*table) != after.get(*table))
                .collect();
            assert_eq!(
                changed,
                ["network_use", "sign_up_request", "sqlite_sequence"],
                "{state}"
            );
            let row = after["sign_up_request"].lines().last().unwrap().to_owned();
            // The row but for its number, the address, its hash and that of its mailbox.
            let mut alike: Vec<String> = row.split(' ').skip(3).map(str::to_owned).collect();
            alike.remove(alike.len() - 2);
            written.push(alike);
            answer.headers.retain(|(name, _)| name != "date");
            answer.body = answer.text().replace(address, "aa@example.org").into_bytes();
            answers.push(answer);
        }
        for (n, (_, state)) in known.iter().enumerate() {
            assert_eq!(answers[n].status, 200);
            assert_eq!(answers[n], answers[0], "{path}: {state}");
            assert_eq!(written[n], written[0], "{path}: {state}");
        }
    }
}

/// What was written down is worked off by whatever runs: the server that took it, or a worker elsewhere.
#[test]
fn the_queue_is_worked_off_in_the_background() {
    let site = Site::new();
    site.configure("", "[subscribe]\nminimum_time = \"0s\"\n");
    let pending = |address: &str| {
        crate::wait_for("the reader", || {
            let said = site.run(&["subscribers", "show", address, "--json"]);
            (said.code == 0).then(|| said.json()["state"].as_str().unwrap().to_owned())
        })
    };
    let sign_up = |server: &crate::site::Server, address: &str| {
        let page = get(server, "/subscribe");
        let stamp = attributes(&page, "input[name=stamp]", "value").remove(0);
        assert_eq!(
            heading(&post(server, "/subscribe", &filled(address, &stamp))),
            "Check your inbox"
        );
    };
    let server = site.serve(&[]);
    sign_up(&server, "ann@example.org");
    assert_eq!(pending("ann@example.org"), "pending");
    assert_eq!(server.stop(), 0);

    let server = InProcess::serve(&site);
    let stamp = stamp(&server, "/subscribe");
    post(&server, "/subscribe", &filled("bob@example.org", &stamp));
    assert_eq!(server.number("SELECT COUNT(*) FROM sign_up_request"), 1);
    let mut worker = site.command(&["worker"]).spawn().unwrap();
    assert_eq!(pending("bob@example.org"), "pending");
    worker.kill().unwrap();
    worker.wait().unwrap();
}
