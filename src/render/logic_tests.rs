//! Readers' values in logic: found wherever they stand, and right for every reader.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::kind::Kind;
use super::tests::{MJML, SUBJECT, TEXT, folder, load, mjml};
use super::*;

/// Line and value of every use in a mail with these files.
fn uses(files: &[(&str, &str)]) -> Vec<(String, Option<usize>, String)> {
    let folder = folder(files);
    let templates = load(&folder).unwrap_or_else(|problem| panic!("{files:?}: {problem}"));
    let uses = templates.logic("digest").into_iter().map(|found| {
        let place = found.place.replace(&format!("{}/", folder.path().display()), "");
        (place, found.line, found.value.clone())
    });
    uses.collect()
}

fn named(name: &str) -> Reader<'_> {
    Reader {
        name: Some(name).filter(|name| !name.is_empty()),
        unsubscribe_url: "https://www.example.org/u/t?a=b&c=d",
        preferences_url: "https://www.example.org/p/t",
    }
}

/// Subject, text or HTML with the slots as `{name}`, `{leave}`, `{choose}`.
fn shown(pieces: &[Piece]) -> String {
    let text = pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => text.as_str(),
        Piece::Slot(Slot::Name) => "{name}",
        Piece::Slot(Slot::UnsubscribeUrl) => "{leave}",
        Piece::Slot(Slot::PreferencesUrl) => "{choose}",
    });
    text.collect()
}

fn personal(templates: &Templates, name: &str) -> RenderedMail {
    let prepared = templates
        .prepare("digest", &DigestContext::bare_sample())
        .unwrap();
    templates.personal(&prepared, &named(name)).unwrap()
}

#[test]
fn logic_is_found_wherever_it_stands() {
    for (logic, value) in [
        ("{{#if reader.unsubscribe_url}}x{{/if}}", "reader.unsubscribe_url"),
        (
            "{{#unless reader.preferences_url}}x{{/unless}}",
            "reader.preferences_url",
        ),
        ("{{#if reader}}x{{/if}}", "reader"),
        (
            "{{#if count}}{{else if (eq reader.name \"Ann\")}}x{{/if}}",
            "reader.name",
        ),
        ("{{#if count}}{{else}}{{len reader.name}}{{/if}}", "reader.name"),
        ("{{#with reader}}{{name}}{{/with}}", "reader"),
        ("{{#with reader as |who|}}{{who.name}}{{/with}}", "reader"),
        ("{{#each reader}}{{this}}{{/each}}", "reader"),
        ("{{#if (eq reader.name \"Ada\")}}x{{/if}}", "reader.name"),
        (
            "{{#if (and count (not (gt reader.name \"M\")))}}x{{/if}}",
            "reader.name",
        ),
        ("{{#if count includeZero=reader.name}}x{{/if}}", "reader.name"),
        ("{{len reader.name}}", "reader.name"),
        ("{{{len reader.name}}}", "reader.name"),
        ("{{lookup this \"reader\"}}", "this"),
        ("{{#with (lookup this \"reader\")}}{{name}}{{/with}}", "this"),
        ("{{lookup reader \"name\"}}", "reader"),
        ("{{lookup (lookup this \"reader\") \"name\"}}", "this"),
        ("{{> who.txt reader}}", "reader"),
        ("{{> who.txt site name=reader.name}}", "reader.name"),
        ("{{> who.txt site reader}}", "reader"),
        ("{{#> who.txt reader}}{{name}}{{/who.txt}}", "reader"),
        ("{{> block.txt this}}", "this"),
        (
            "{{#each items}}{{#if (not ../reader.name)}}x{{/if}}{{/each}}",
            "../reader.name",
        ),
        (
            "{{#each items}}{{#with ../this}}{{site.name}}{{/with}}{{/each}}",
            "../this",
        ),
        (
            "{{#each items}}{{#if (eq title @root.reader.name)}}x{{/if}}{{/each}}",
            "@root.reader.name",
        ),
        (
            "{{#with site}}{{#if (eq name ../reader.[name])}}x{{/if}}{{/with}}",
            "../reader.[name]",
        ),
        (
            "{{#each items as |reader|}}{{#if reader.title}}x{{/if}}{{/each}}",
            "reader.title",
        ),
    ] {
        let logic_files = [
            ("partials/who.txt.hbs", "{{name}}"),
            (
                "partials/block.txt.hbs",
                "{{#if site.name}}{{> @partial-block}}{{else}}{{/if}}",
            ),
        ];
        let block = logic.contains("block.txt");
        let logic = if block {
            "{{#> block.txt this}}x{{/block.txt}}"
        } else {
            logic
        };
        let files = |file, text| {
            let mut files = logic_files.to_vec();
            files.push((file, text));
            files
        };
        let text = format!("a\n\n{logic}\n{{{{reader.unsubscribe_url}}}}");
        let expected = |file: &str| (file.to_owned(), Some(3), value.to_owned());
        assert_eq!(uses(&files(TEXT, &text)), [expected(TEXT)], "{logic}");
        let html = mjml(&format!("{logic} {{{{reader.unsubscribe_url}}}}"));
        assert_eq!(uses(&files(MJML, &html)), [expected(MJML)], "{logic}");
        assert_eq!(
            uses(&files(SUBJECT, &format!("s\n\n{logic}"))),
            [expected(SUBJECT)],
            "{logic}"
        );
    }
    assert_eq!(
        uses(&[
            (
                "partials/item.txt.hbs",
                "\n{{#if (eq title @root.reader.name)}}x{{/if}}"
            ),
            (
                SUBJECT,
                "{{#if (eq reader.name \"Ann\")}}x{{else}}y{{/if}} {{len reader.name}}"
            ),
        ]),
        [
            (SUBJECT.to_owned(), Some(1), "reader.name".to_owned()),
            (
                "partials/item.txt.hbs".to_owned(),
                Some(2),
                "@root.reader.name".to_owned()
            ),
        ]
    );
}

#[test]
fn printing_a_value_and_asking_for_a_name_is_no_logic() {
    let right = "{{#if reader.name}}A {{reader.name}}{{/if}}{{#unless reader.name}}B{{/unless}}\
                 {{#each items}}{{../reader.unsubscribe_url}}{{{@root.reader.preferences_url}}}\
                 {{#if ../reader.name}}{{title}}{{/if}}{{> who.txt}}{{> who.txt this}}{{/each}}";
    let files = [
        (TEXT, right),
        (
            SUBJECT,
            "{{#if reader.name}}{{reader.name}}, news{{else}}News{{/if}}",
        ),
        (
            "partials/who.txt.hbs",
            "{{@root.reader.name}} {{#if (eq title \"x\")}}y{{/if}}",
        ),
    ];
    assert_eq!(uses(&files), []);
    let templates = load(&folder(&files)).unwrap();
    let mail = |shape| {
        templates
            .digest("digest", &DigestContext::bare_sample(), shape)
            .unwrap()
    };
    assert_eq!(shown(&mail(ReaderShape::Named).subject), "{name}, news");
    assert_eq!(shown(&mail(ReaderShape::Unnamed).subject), "News");
    assert!(shown(&mail(ReaderShape::Named).text).starts_with("A {name}\n{leave}\n"));
    assert!(shown(&mail(ReaderShape::Unnamed).text).starts_with("B\n{leave}\n"));
    // Rendered for one reader, it is the same.
    assert_eq!(
        personal(&templates, "Ann <https://x.example.org> &"),
        mail(ReaderShape::Named)
    );
    assert_eq!(personal(&templates, ""), mail(ReaderShape::Unnamed));
}

#[test]
fn logic_sees_the_value_and_printing_gives_a_slot() {
    let text = "{{#if (eq reader.name \"Ann\")}}Dear Ann{{else if (gt reader.name \"M\")}}After M{{else}}Before{{/if}}\n\
                {{len reader.name}} {{lookup reader \"name\"}} {{#with reader}}{{name}} {{preferences_url}}{{/with}} \
                {{#each reader}}[{{@key}} {{this}}]{{/each}}{{> who.txt site reader=reader.name}}{{or reader.name 0}}\n\
                {{reader.unsubscribe_url}}";
    let templates = load(&folder(&[
        (TEXT, text),
        (MJML, &mjml("{{{lookup reader \"name\"}}}<a href=\"{{reader.unsubscribe_url}}\">{{#if (ne reader.name \"Ann\")}}not Ann{{/if}}</a>")),
        ("partials/who.txt.hbs", "{{reader}}{{name}}"),
        (SUBJECT, "{{#if (lt reader.name \"B\")}}early{{else}}late{{/if}} {{lookup reader \"name\"}}"),
    ]))
    .unwrap();
    let ann = personal(&templates, "Ann");
    assert_eq!(
        shown(&ann.text),
        "Dear Ann\n3 {name} {name}\n{choose}\n[name {name}][preferences_url\n{choose}\n[unsubscribe_url\n{leave}\n{name}Sample Sitetrue\n{leave}\n"
    );
    assert_eq!(shown(&ann.subject), "early {name}");
    let zoe = personal(&templates, "Zo\u{eb} <b>");
    assert!(
        shown(&zoe.text).starts_with("After M\n8 {name} {name}\n"),
        "{}",
        shown(&zoe.text)
    );
    let html = shown(&zoe.html);
    assert!(html.contains("{name}<a href=\"{leave}\">not Ann</a>"), "{html}");
    let nobody = personal(&templates, "");
    assert!(
        shown(&nobody.text).starts_with("Before\n0"),
        "{}",
        shown(&nobody.text)
    );
    assert_eq!(shown(&nobody.subject), "early");
}

#[test]
fn what_the_check_overlooks_shows_when_samples_are_rendered() {
    let both = "{{reader.unsubscribe_url}}{{#if (gt reader.name \"A\")}}x{{/if}}";
    let logic = load(&folder(&[(TEXT, both), (SUBJECT, "{{len reader.name}}")])).unwrap();
    let plain = Templates::load(None, &[]).unwrap();
    for (file, kind) in [
        (TEXT, Kind::MailText),
        (SUBJECT, Kind::Subject),
        (MJML, Kind::MailHtml),
    ] {
        assert_eq!(logic.depends_on_values(file, kind).unwrap(), file != MJML);
        assert!(!plain.depends_on_values(file, kind).unwrap());
    }
}

#[test]
fn one_readers_longer_mail_is_shortened_for_that_reader() {
    let long = "x".repeat(60_000);
    let html = mjml(&format!(
        "{{{{reader.unsubscribe_url}}}}{{{{#if (eq reader.name \"Ann\")}}}}{long}{{{{/if}}}}\
         {{{{#each items}}}}{{{{#each findings}}}}{{{{text}}}}{{{{/each}}}}{{{{/each}}}}"
    ));
    let templates = load(&folder(&[(MJML, &html)])).unwrap();
    let mut context = DigestContext::sample();
    for item in &mut context.items {
        for finding in &mut item.findings {
            finding.text = "y".repeat(3_000);
        }
    }
    let prepared = templates.prepare("digest", &context).unwrap();
    assert!(!prepared.shortened);
    assert!(!templates.personal(&prepared, &named("Bea")).unwrap().shortened);
    assert!(templates.personal(&prepared, &named("Ann")).unwrap().shortened);
}

#[test]
fn a_subject_shows_no_link() {
    for subject in [
        "x {{reader.unsubscribe_url}}",
        "x {{lookup reader \"preferences_url\"}}",
    ] {
        let templates = load(&folder(&[(SUBJECT, subject)])).unwrap();
        let verdicts = templates.check();
        let (_, verdict) = verdicts.into_iter().find(|(name, _)| name == SUBJECT).unwrap();
        let problem = verdict.unwrap_err().to_string();
        assert!(
            problem.contains("subject.txt.hbs: a subject can't show a reader's links"),
            "{problem}"
        );
    }
}

#[test]
fn the_warning_names_file_line_value_and_cost() {
    let folder = folder(&[(TEXT, "\n{{len reader.name}}\n{{reader.unsubscribe_url}}")]);
    let verdicts = Templates::examine(Some(folder.path()), &["digest".to_owned()]).unwrap();
    let said: Vec<String> = verdicts
        .into_iter()
        .flat_map(|(_, verdict)| verdict.unwrap())
        .map(|found| {
            found
                .to_string()
                .replace(&format!("{}/", folder.path().display()), "")
        })
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("email/digest/body.txt.hbs, line 2: reader.name is used in logic, so")
            && said[0].ends_with("ms, some 400 times as much"),
        "{said:?}"
    );
}
