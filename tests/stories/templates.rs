//! Templates of one's own: named when they are wrong, and never a reason to lose a delivery.

use crate::account::{counts, delivery, json, only_edition, publish};
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

/// A template that works with a reader's value is slower, and says so, and right for every reader.
#[test]
fn a_template_with_logic_is_rendered_for_each_reader_with_a_warning() {
    let site = site();
    site.write(
        "subscribers/list.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         ann@example.org,Ann,weekly,,confirmed,2026-01-01,test\n\
         bea@example.org,Bea <b>,weekly,,confirmed,2026-01-01,test\n\
         cy@example.org,,weekly,,confirmed,2026-01-01,test\n",
    );
    site.write(
        "own/email/digest/subject.txt.hbs",
        "{{#if reader.name}}{{reader.name}}, your news{{else}}News{{/if}}\n",
    );
    let warns = |verdicts: &serde_json::Value| -> Vec<String> {
        let verdicts = verdicts.as_array().unwrap();
        assert!(
            verdicts.iter().all(|verdict| verdict["ok"] == true),
            "{verdicts:#?}"
        );
        let warnings = verdicts.iter().filter(|verdict| verdict["warning"] == true);
        warnings
            .map(|verdict| verdict["said"].as_str().unwrap().to_owned())
            .collect()
    };
    // A name in the subject, and asking for one, costs nothing.
    assert_eq!(warns(&json(&site, &["templates", "check"], 0)), [""; 0]);
    site.write(
        "own/email/digest/body.txt.hbs",
        "{{site.name}}\n\n{{#if (eq reader.name \"Ann\")}}Dear Ann{{else}}Hello {{lookup reader \"name\"}}{{/if}}\n\
         {{#each items}}{{> item.txt}}{{/each}}\n{{reader.unsubscribe_url}}\n",
    );
    for command in [&["templates", "check"][..], &["check"]] {
        let said = warns(&json(&site, command, 0)).join("\n");
        assert_eq!(said.lines().count(), 2, "{command:?}: {said}");
        for value in ["reader.name", "reader"] {
            let wanted = format!("own/email/digest/body.txt.hbs, line 3: {value} is used in logic");
            assert!(said.contains(&wanted), "{command:?}: {said}");
        }
    }
    let out = site.path("seen");
    let said = site
        .run(&["preview", "weekly", "--out", out.to_str().unwrap()])
        .expect_code(0);
    assert!(
        said.err.contains("line 3: reader.name is used in logic"),
        "{said:?}"
    );
    let seen = |file: &str| fs::read_to_string(out.join(format!("segment-1.{file}"))).unwrap();
    assert_eq!(seen("subject.txt"), "Sample Reader, your news\n");
    assert!(seen("body.txt").contains("Hello Sample Reader\n"));
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [3, 0, 0, 0]);
    let mails = take_outbox(&site);
    let told: Vec<_> = mails
        .iter()
        .map(|mail| {
            assert!(
                mail.tells_of("one") && mail.text.contains(&mail.unsubscribe),
                "{mail:?}"
            );
            (mail.subject.as_str(), mail.text.lines().nth(2).unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Ann, your news", "Dear Ann"),
            ("Bea <b>, your news", "Hello Bea <b>"),
            ("News", "Hello"),
        ]
    );
    assert!(
        mails[1].html.contains("Hello Bea &lt;b&gt;,"),
        "{}",
        mails[1].html
    );
}

/// A mail that can't be made for one reader waits by itself; everybody else gets theirs.
#[test]
fn one_mail_that_cannot_be_made_holds_up_nobody_else() {
    let site = site();
    site.write(
        "subscribers/list.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         ann@example.org,Ann,weekly,,confirmed,2026-01-01,test\n\
         bea@example.org,Bea,weekly,,confirmed,2026-01-01,test\n\
         cy@example.org,Cy,weekly,,confirmed,2026-01-01,test\n",
    );
    site.write(
        "own/email/digest/subject.txt.hbs",
        "{{#unless (eq reader.name \"Bea\")}}News{{/unless}}\n",
    );
    let edition = only_edition(&publish(&site, 3));
    assert_eq!(counts(&edition), [2, 1, 0, 0]);
    assert_eq!(edition["state"], "waiting");
    let account = json(&site, &["editions", "show", "1", "--deliveries"], 0);
    let bea = delivery(&account, "bea@example.org");
    assert_eq!(bea["attempts"], 1, "{bea:#?}");
    assert!(bea["text"].as_str().unwrap().contains("subject"), "{bea:#?}");
    assert_eq!(take_outbox(&site).len(), 2);
}
