//! Templates of one's own: named when they are wrong, and never a reason to lose a delivery.

use crate::account::{counts, json, only_edition, publish};
use crate::mail::take_outbox;
use crate::relay::{Script, ScriptedRelay};
use crate::site::Site;
use serde_json::json;
use std::fs;

/// A site with a folder for overrides.
fn site() -> Site {
    let site = Site::new();
    site.configure("", "[templates]\nfolder = \"own\"\n");
    fs::create_dir_all(site.path("own/email/digest")).unwrap();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", ""), ("bea@example.org", "")]);
    site
}

#[test]
fn one_file_is_replaced_and_the_rest_stays() {
    let site = site();
    site.write("own/email/digest/subject.txt.hbs", "Our own: {{digest.title}}\n");
    let verdicts = json(&site, &["templates", "check"], 0);
    assert!(
        verdicts.as_array().unwrap().len() > 5
            && verdicts.as_array().unwrap().iter().all(|v| v["ok"] == true)
    );
    publish(&site, 0);
    let mails = take_outbox(&site);
    assert_eq!(mails[0].subject, "Our own: Weekly digest");
    assert!(mails[0].tells_of("one"));
}

#[test]
fn a_wrong_override_is_named_with_line_and_value() {
    let site = site();
    site.write(
        "own/email/digest/body.txt.hbs",
        "{{site.name}}\n\n{{digest.titel}}\n",
    );
    let verdicts = json(&site, &["templates", "check"], 2);
    let wrong: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["ok"] == false)
        .collect();
    assert_eq!(wrong.len(), 1, "{verdicts:#}");
    let said = format!(
        "{}: {}",
        wrong[0]["what"].as_str().unwrap(),
        wrong[0]["said"].as_str().unwrap()
    );
    for part in ["email/digest/body.txt", "line 3", "titel"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nothing is planned with it.
    let said = site.run(&["publish"]);
    assert!(said.code != 0 && said.err.contains("digest.titel"), "{said:?}");
    assert!(json(&site, &["check"], 2).to_string().contains("digest.titel"));
    fs::remove_file(site.path("own/email/digest/body.txt.hbs")).unwrap();
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [2, 0, 0, 0]);
}

/// A template that is good on the sample and endless on real data: nothing is lost, and it says what to mend.
#[test]
fn a_template_without_an_end_is_stopped() {
    let mut site = site();
    let nest = "{{#each items}}{{#each ../items}}{{#each ../../items}}{{#each ../../../items}}x{{title}}\
                {{/each}}{{/each}}{{/each}}{{/each}}\n";
    site.write("own/email/digest/body.txt.hbs", nest);
    for n in 0..55 {
        site.summary_with(&format!("s{n}"), "urology", "", &"Long words. ".repeat(200));
    }
    let relay = ScriptedRelay::start(Script::default());
    site.environment.push((
        "POSTRIDER_RELAY".to_owned(),
        format!("smtp://127.0.0.1:{}", relay.port),
    ));
    site.environment.push((
        "POSTRIDER_DIGEST__0__FIRST_EDITION_ITEMS".to_owned(),
        "60".to_owned(),
    ));
    let said = site.run(&["publish"]).expect_code(2);
    assert!(
        said.err.contains("body.txt.hbs, line 1") && said.err.contains("hint"),
        "{said:?}"
    );
    let report = json(&site, &["editions", "show", "1"], 0);
    assert_eq!(counts(&report), [0, 2, 0, 0]);
    assert!(relay.taken().is_empty());
    fs::remove_file(site.path("own/email/digest/body.txt.hbs")).unwrap();
    let made = only_edition(&publish(&site, 0));
    assert_eq!((&made["id"], counts(&made)), (&json!(1), [2, 0, 0, 0]));
    assert_eq!(relay.taken().len(), 2);
}
