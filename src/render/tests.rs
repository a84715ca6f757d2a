//! What must be refused, and in which words.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

use super::*;
use crate::domain::notice::NoticeKind;

/// A templates folder with these files.
pub(super) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

pub(super) fn load(folder: &TempDir) -> crate::domain::Result<Templates> {
    Templates::load(Some(folder.path()), &["digest".to_owned()])
}

/// The error of loading these files, with the folder's path cut out.
fn refused(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let problem = load(&folder)
        .err()
        .unwrap_or_else(|| panic!("loaded: {files:?}"))
        .to_string();
    problem.replace(&format!("{}/", folder.path().display()), "")
}

pub(super) const TEXT: &str = "email/digest/body.txt.hbs";
pub(super) const SUBJECT: &str = "email/digest/subject.txt.hbs";
pub(super) const MJML: &str = "email/digest/body.mjml.hbs";

pub(super) fn mjml(inside: &str) -> String {
    format!(
        "<mjml><mj-body><mj-section><mj-column>\n<mj-text>\n{inside}\n</mj-text>\n</mj-column></mj-section></mj-body></mjml>"
    )
}

#[test]
fn every_built_in_template_renders_with_its_samples() {
    let verdicts = Templates::load(None, &["digest".to_owned()]).unwrap().check();
    let whole = built_in::BUILT_IN
        .iter()
        .filter(|(name, _)| name.ends_with(".hbs") && !name.starts_with("partials/"));
    assert_eq!(verdicts.len(), whole.count());
    for (name, verdict) in verdicts {
        verdict.unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
}

#[test]
fn a_wrong_name_is_found_wherever_it_stands() {
    for (wrong, name) in [
        ("{{site.nmae}}", "site.nmae"),
        ("{{{site.nmae}}}", "site.nmae"),
        ("{{#if editon}}x{{/if}}", "editon"),
        ("{{#unless editon}}x{{/unless}}", "editon"),
        ("{{#each itmes}}x{{/each}}", "itmes"),
        ("{{#with editon}}x{{/with}}", "editon"),
        ("{{#if (eq cuont 1)}}x{{/if}}", "cuont"),
        ("{{#if count}}x{{else if cuont}}y{{/if}}", "cuont"),
        ("{{#each items}}{{titel}}{{/each}}", "titel"),
        (
            "{{#each items}}{{#each findings}}{{../titel}}{{/each}}{{/each}}",
            "../titel",
        ),
        ("{{#each items as |item|}}{{item.titel}}{{/each}}", "item.titel"),
        ("{{#each items}}{{@root.cuont}}{{/each}}", "@root.cuont"),
        ("{{#each items}}{{else}}{{nothing}}{{/each}}", "nothing"),
        ("{{#if @frist}}x{{/if}}", "@frist"),
    ] {
        for (file, text) in [(TEXT, format!("\n\n{wrong}")), (MJML, mjml(wrong))] {
            let problem = refused(&[(file, &text)]);
            let expected = format!("{file}, line 3: there is no value named {name}\n  hint: ");
            assert!(problem.starts_with(&expected), "{wrong}: {problem}");
        }
    }
    let whole = refused(&[(TEXT, "{{edition.nunber}}")]);
    assert_eq!(
        whole,
        "email/digest/body.txt.hbs, line 1: there is no value named edition.nunber\n  \
         hint: the values here are date, date_iso, note, number, time, web_url"
    );
}

#[test]
fn a_wrong_name_in_a_partial_names_the_partial() {
    let problem = refused(&[("partials/item.txt.hbs", "ok\n{{#if titel}}{{/if}}")]);
    assert!(
        problem.starts_with("partials/item.txt.hbs, line 2: there is no value named titel"),
        "{problem}"
    );
    // The same partial, included with another context.
    let problem = refused(&[
        ("partials/who.txt.hbs", "\n{{name}} {{tagline}}"),
        (TEXT, "{{> who.txt site}}{{> who.txt digest}}"),
    ]);
    assert!(
        problem.starts_with("partials/who.txt.hbs, line 2: there is no value named tagline"),
        "{problem}"
    );
}

#[test]
fn what_would_print_nonsense_is_refused() {
    for (text, message) in [
        ("{{site}}", "a group of values can't be printed: {{site}}"),
        ("{{items}}", "a list can't be printed: {{items}}"),
        (
            "{{#each count}}{{/each}}",
            "{{#each}} needs a list, and this is none: count",
        ),
        ("{{or 1 2 3}}", "the helper or takes 2 arguments, not 3"),
        ("{{shout site.name}}", "there is no helper named shout"),
        (
            "{{#repeat 3}}{{/repeat}}",
            "there is no block helper named repeat",
        ),
        ("{{> missing.txt}}", "there is no partial named missing.txt"),
        (
            "{{> (lookup site \"name\")}}",
            "a partial's name can't be computed",
        ),
        (
            "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}",
            "decorators such as {{#*inline}} are not supported",
        ),
    ] {
        let problem = refused(&[(TEXT, text)]);
        assert!(
            problem.starts_with(&format!("{TEXT}, line 1: {message}")),
            "{text}: {problem}"
        );
    }
}

#[test]
fn partials_that_include_each_other_are_refused() {
    let problem = refused(&[
        ("partials/a.txt.hbs", "{{> b.txt}}"),
        (
            "partials/b.txt.hbs",
            "{{#if title}}{{else}}{{#> c.txt}}x{{/c.txt}}{{/if}}",
        ),
        ("partials/c.txt.hbs", "{{> a.txt}}"),
    ]);
    assert_eq!(
        problem,
        "partials/c.txt.hbs: partials include each other: a.txt → b.txt → c.txt → a.txt\n  \
         hint: take one of these {{> …}} out"
    );
    let problem = refused(&[("partials/a.txt.hbs", "{{#each items}}{{> a.txt}}{{/each}}")]);
    assert!(problem.contains("a.txt → a.txt"), "{problem}");
}

#[test]
fn a_template_without_end_ends_in_an_error() {
    let round = "{{#each items}}{{#each @root.items}}{{#each @root.items}}{{#each @root.items}}{{#each @root.items}}\
                 {{#each @root.items}}{{#each @root.items}}{{#each @root.items}}INSIDE\
                 {{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}";
    for (inside, message) in [
        (&"x".repeat(100), "the template writes more than 2000000 bytes"),
        (
            &"{{#if false}}x{{/if}}".to_owned(),
            "the template goes round its loops more than 100000 times",
        ),
    ] {
        let templates = load(&folder(&[(TEXT, &round.replace("INSIDE", inside))])).unwrap();
        let problem = templates
            .digest("digest", &DigestContext::sample(), ReaderShape::Named)
            .unwrap_err();
        let problem = problem.to_string();
        assert!(
            problem.contains(&format!("{TEXT}, line 1: {message}")),
            "{problem}"
        );
    }
}

#[test]
fn partials_that_double_at_every_step_are_refused() {
    let names: Vec<String> = (0..40).map(|n| format!("partials/p{n}.txt.hbs")).collect();
    let texts: Vec<String> = (1..=40)
        .map(|n| format!("{{{{> p{n}.txt}}}}{{{{> p{n}.txt}}}}"))
        .collect();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(texts.iter().map(String::as_str))
        .collect();
    files.extend([("partials/p40.txt.hbs", "end"), (TEXT, "{{> p0.txt}}")]);
    let problem = refused(&files);
    assert!(
        problem.contains("the template includes partials more than 1000 times"),
        "{problem}"
    );
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Templates>();
}

#[test]
fn a_missing_value_is_named_with_its_line_while_rendering() {
    let templates = Templates::load(None, &[]).unwrap();
    let site = DigestContext::sample().site;
    let problem = templates
        .render("web/unsubscribed.hbs", json!({"site": site, "root": "../"}))
        .unwrap_err();
    assert_eq!(
        problem.to_string(),
        "templates/web/unsubscribed.hbs, line 3: there is no value for digest.title\n  \
         hint: a value that may be missing stands inside {{#if …}}; docs/templates.md lists the values"
    );
    // The line is that of the MJML as it was written, not of the HTML made from it.
    let folder = folder(&[(MJML, &mjml("a\nb\n{{items.[3].title}}"))]);
    let problem = load(&folder)
        .unwrap()
        .digest("digest", &DigestContext::bare_sample(), ReaderShape::Named);
    let problem = problem.unwrap_err().to_string();
    assert!(
        problem.contains("body.mjml.hbs, line 5: there is no value for items.[3].title"),
        "{problem}"
    );
}

#[test]
fn broken_syntax_names_file_and_line() {
    let problem = refused(&[(TEXT, "a\n{{#if count}}\nb")]);
    assert!(problem.starts_with(&format!("{TEXT}, line ")), "{problem}");
    let problem = refused(&[(
        MJML,
        &mjml("x").replace("<mj-column>", "<mj-column>\n<mj-wrong/>"),
    )]);
    assert!(
        problem.starts_with(&format!(
            "{MJML}, line 2: MJML has no such element, or not here: <mj-wrong>"
        )),
        "{problem}"
    );
    let problem = refused(&[(MJML, &mjml("x").replace("<mjml>", "<mjml colour=\"red\">"))]);
    assert!(
        problem.starts_with(&format!("{MJML}, line 1: unexpected attribute")),
        "{problem}"
    );
    let problem = refused(&[(MJML, "<mjml><mj-body>")]);
    assert!(
        problem.starts_with(&format!("{MJML}: MJML ends before its last element is closed")),
        "{problem}"
    );
    let problem = refused(&[(MJML, "<mjml><mj-body>\n<mj-text <</mj-text></mj-body></mjml>")]);
    assert!(
        problem.starts_with(&format!("{MJML}, line 2: this is no MJML")),
        "{problem}"
    );
}

#[test]
fn files_override_one_by_one_and_strangers_are_refused() {
    let folder = folder(&[
        (SUBJECT, "\u{FEFF}Ours\r\n{{digest.title}}\r\n"),
        ("web/site.css", "p { color: red }"),
        ("email/digest/.body.txt.hbs.swp", "x"),
        ("_old/body.txt.hbs", "x"),
        ("README.md", "x"),
    ]);
    let templates = load(&folder).unwrap();
    let mail = templates
        .digest("digest", &DigestContext::sample(), ReaderShape::Named)
        .unwrap();
    assert_eq!(
        mail.subject,
        [Piece::Literal("Ours Weekly research digest".to_owned())]
    );
    assert_eq!(templates.stylesheet(), "p { color: red }");

    let problem = refused(&[("email/digest/subjct.txt.hbs", "x")]);
    assert!(
        problem.starts_with("this template overrides nothing: email/digest/subjct.txt.hbs"),
        "{problem}"
    );
    let problem = Templates::load(Some(Path::new("no/such/folder")), &[])
        .err()
        .unwrap();
    assert!(
        problem
            .to_string()
            .starts_with("there is no templates folder no/such/folder"),
        "{problem}"
    );
}

#[test]
fn a_digest_may_have_a_mail_of_its_own() {
    let problem = Templates::load(None, &["monthly".to_owned()]).err().unwrap();
    assert_eq!(
        problem.to_string(),
        "a mail's template is missing: templates/email/monthly/subject.txt.hbs\n  hint: the mails that exist: digest"
    );
    let html = mjml("{{{reader.unsubscribe_url}}}");
    let folder = folder(&[
        ("email/monthly/subject.txt.hbs", "Monthly"),
        ("email/monthly/body.txt.hbs", "Leave:\n{{reader.unsubscribe_url}}"),
        ("email/monthly/body.mjml.hbs", &html),
    ]);
    let templates = Templates::load(Some(folder.path()), &["monthly".to_owned()]).unwrap();
    for (name, verdict) in templates.check() {
        verdict.unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
    let mail = templates
        .digest("monthly", &DigestContext::sample(), ReaderShape::Named)
        .unwrap();
    assert_eq!(mail.subject, [Piece::Literal("Monthly".to_owned())]);
}

#[test]
fn examine_judges_every_template() {
    let folder = folder(&[
        (TEXT, "{{wrong}}"),
        ("web/unsubscribed.hbs", "{{worse}}"),
        (SUBJECT, "{{#if note}}{{/if}}"),
    ]);
    let verdicts = Templates::examine(Some(folder.path()), &["digest".to_owned()]).unwrap();
    let wrong: Vec<_> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.is_err())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(wrong, [TEXT, SUBJECT, "web/unsubscribed.hbs"]);
    let templates = built_in::BUILT_IN
        .iter()
        .filter(|(name, _)| name.ends_with(".hbs"));
    assert_eq!(verdicts.len(), templates.count());
}

#[test]
fn an_empty_subject_is_an_error() {
    let templates = load(&folder(&[(SUBJECT, "{{#if edition.note}}{{else}}x{{/if}}")])).unwrap();
    let problem = templates
        .digest("digest", &DigestContext::sample(), ReaderShape::Named)
        .unwrap_err();
    assert!(
        problem
            .to_string()
            .ends_with("subject.txt.hbs: the template came out empty"),
        "{problem}"
    );
}

#[test]
fn a_notice_shows_the_links_that_it_is_for() {
    let templates = Templates::load(None, &[]).unwrap();
    for kind in NoticeKind::ALL {
        for sample in NoticeContext::samples(kind) {
            let mail = templates.notice(&sample).unwrap();
            assert!(
                !mail.subject.contains('\n') && mail.html.len() < 20_000,
                "{kind:?}"
            );
            assert!(!mail.text.contains("{{") && !mail.html.contains("{{"), "{kind:?}");
        }
    }
    let folder = folder(&[(
        "email/confirm/body.txt.hbs",
        "Confirm here:\n{{confirm_url}}\n{{site.postal_address}}",
    )]);
    let templates = load(&folder).unwrap();
    let sample = &NoticeContext::samples(NoticeKind::Confirm)[0];
    let problem = templates.notice(sample).unwrap_err().to_string();
    assert!(
        problem.contains("email/confirm/body.txt.hbs: does not show refuse_url"),
        "{problem}"
    );
    assert!(!problem.contains("sample-token"), "{problem}");
    let judged = templates.check();
    let (_, verdict) = judged
        .iter()
        .find(|(name, _)| name == "email/confirm/body.txt.hbs")
        .unwrap();
    assert!(verdict.is_err());
    // A notice has no digest's values.
    let wrong = refused(&[("email/sign_in/subject.txt.hbs", "{{digest.title}}")]);
    assert!(wrong.contains("email/sign_in/subject.txt.hbs, line 1"), "{wrong}");
}
