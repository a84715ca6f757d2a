//! Each error names file, line, key, value and fix.

use super::*;

#[test]
fn an_unknown_key_is_an_error_that_names_what_was_meant() {
    assert_eq!(
        error_of(&with("[[digest]]", "shedule = \"0 8 * * 1\"")),
        "config.toml:16: unknown key digest[0].shedule\n  hint: did you mean schedule? keys of digest[0]: name, title, \
         schedule, timezone, grace, min_items, max_items, first_edition_items, approve, unchosen, templates"
    );
    let error = error_of(&LEAST.replace("[mail]", "[male]"));
    assert!(
        error.starts_with("config.toml:7: unknown key male\n  hint: did you mean mail? sections: site,"),
        "{error}"
    );
    let error = error_of(&with("[site]", "mail.from = \"x\""));
    assert!(
        error.starts_with("config.toml:2: unknown key site.mail\n"),
        "{error}"
    );
}

#[test]
fn a_bad_value_is_an_error_that_names_place_value_and_fix() {
    for (section, line, expected) in [
        (
            "[[digest]]",
            "timezone = \"Europe/Lodnon\"",
            "config.toml:16: digest[0].timezone: unknown time zone \"Europe/Lodnon\"\n  hint: did you mean Europe/London? write a name such as \"Europe/London\" or \"UTC\"",
        ),
        (
            "[[digest]]",
            "approve = \"yes\"",
            "config.toml:16: digest[0].approve: expected true or false, got \"yes\"\n  hint: write true or false",
        ),
        (
            "[[digest]]",
            "max_items = -1",
            "config.toml:16: digest[0].max_items: expected a whole number from 1 to 60, got -1\n  hint: write a whole number from 1 to 60",
        ),
        (
            "[[digest]]",
            "grace = 12",
            "config.toml:16: digest[0].grace: expected text between double quotes, got 12\n  hint: write text between double quotes",
        ),
        (
            "[[digest]]",
            "schedule = \"bad\"",
            "config.toml:16: digest[0].schedule: not a schedule: \"bad\"\n  hint: write five fields",
        ),
        (
            "[[digest]]",
            "templates = \"../web\"",
            "config.toml:16: digest[0].templates: expected the name of a folder, got \"../web\"\n  hint: use letters, digits, - and _; the folder lies in templates/email",
        ),
        (
            "[[digest]]",
            "templates = \"confirm\"",
            "config.toml:16: digest[0].templates: \"confirm\" holds the templates of mails to single readers\n  hint: give the digest's folder in templates/email another name",
        ),
        (
            "[delivery]",
            "uncertain = \"drop\"",
            "config.toml:19: delivery.uncertain: expected \"retry\" or \"hold\", got \"drop\"\n  hint: \"retry\" sends it again with the same Message-ID, \"hold\" waits for your word",
        ),
        (
            "[delivery]",
            "pause_failed_percent = 101",
            "config.toml:19: delivery.pause_failed_percent: expected a whole number from 0 to 100, got 101\n  hint: write a whole number from 0 to 100",
        ),
        (
            "[delivery]",
            "pause_failed_least = 0",
            "config.toml:19: delivery.pause_failed_least: expected a whole number from 1 to 1000000000, got 0\n  hint: write a whole number from 1 to 1000000000",
        ),
        (
            "[[category]]",
            "description = []",
            "config.toml:13: category[0].description: expected text between double quotes, got a list\n  hint: write text between double quotes",
        ),
        (
            "[serve]",
            "trusted_proxies = [\"proxy\"]",
            "config.toml:19: serve.trusted_proxies: expected an address or a network, got \"proxy\"\n  hint: write an address such as 127.0.0.1, or a network such as 10.0.0.0/8 or fd00::/8",
        ),
        (
            "[serve]",
            "listen = \"localhost:80\"",
            "config.toml:19: serve.listen: expected an IP address and a port, got \"localhost:80\"\n  hint: write 127.0.0.1:8080 for this machine only, 0.0.0.0:8080 or [::]:8080 for every network",
        ),
        (
            "[delivery]",
            "max_age = \"two days\"",
            "config.toml:19: delivery.max_age: expected a duration, got \"two days\"\n  hint: write a whole number and a unit: \"30s\", \"5m\", \"1h\", \"2d\" or \"1w\"",
        ),
        (
            "[delivery]",
            "retry_max = \"30s\"",
            "config.toml:18: delivery.retry_max: shorter than retry_first: 30s\n  hint: write at least the duration of retry_first",
        ),
        (
            "[[relay]]",
            "rate_per_second = 0",
            "config.toml:10: relay[0].rate_per_second: expected a whole number from 1 to 100000, got 0\n  hint: write a whole number from 1 to 100000",
        ),
        (
            "[[relay]]",
            "backup = true",
            "config.toml:9: relay[0].backup: no relay is left that this one could be the backup of\n  hint: leave backup out of at least one [[relay]]",
        ),
        (
            "[delivery]",
            "lease = \"4s\"",
            "config.toml:19: delivery.lease: expected at least 5s, got \"4s\"\n  hint: write a longer duration",
        ),
        (
            "[templates]",
            "folder = \"nowhere\"",
            "config.toml:18: templates.folder: no such folder: nowhere\n  hint: make the folder, or remove the key to use the templates that are compiled in",
        ),
    ] {
        let text = if LEAST.contains(section) {
            with(section, line)
        } else {
            format!("{LEAST}{section}\n{line}\n")
        };
        assert_eq!(error_of(&text), expected);
    }
    for (old, new, expected) in [
        (
            "\"https://research.example.org/\"",
            "\"research.example.org\"",
            "config.toml:3: site.url: expected an absolute http or https address, got \"research.example.org\"",
        ),
        (
            "slug = \"oncology\"",
            "slug = \"all\"",
            "config.toml:13: category[0].slug: reserved for the feed of every summary: \"all\"",
        ),
        (
            "Example <news@example.org>",
            "Example",
            "config.toml:8: mail.from: address E***: has no @",
        ),
        (
            "title = \"Weekly\"\n",
            "",
            "config.toml:15: missing key digest[0].title",
        ),
        (
            "[mail]\nfrom = \"Example <news@example.org>\"",
            "",
            "config.toml: missing key mail.from",
        ),
        (
            "[[relay]]\nname = \"outbox\"\nurl = \"outbox:out\"",
            "",
            "config.toml has no [[relay]]",
        ),
        (
            "[[digest]]",
            "[digest]",
            "config.toml:15: expected a list of tables, got digest",
        ),
        (
            "name = \"Oncology\"",
            "name = Oncology",
            "config.toml:14: not TOML: ",
        ),
        ("[site]", "mail = 3\n[site]", "config.toml:8: not TOML: "),
        (
            "[mail]\nfrom",
            "[site.mail]\nfrom",
            "config.toml:7: unknown key site.mail",
        ),
    ] {
        let error = error_of(&LEAST.replace(old, new));
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn names_are_used_once() {
    for (again, expected) in [
        (
            "[[digest]]\nname = \"weekly\"\ntitle = \"x\"",
            "config.toml:18: digest[1].name: used twice: \"weekly\"",
        ),
        (
            "[[relay]]\nname = \"outbox\"\nurl = \"outbox:x\"",
            "config.toml:18: relay[1].name: used twice: \"outbox\"",
        ),
        (
            "[[category]]\nslug = \"oncology\"\nname = \"x\"",
            "config.toml:18: category[1].slug: used twice: \"oncology\"",
        ),
        (
            "[[category]]\nslug = \"x\"\nname = \"ONCOLOGY\"",
            "config.toml:18: category[1].name: used twice: \"ONCOLOGY\"",
        ),
        (
            "[[source]]\nname = \"a\"\nkind = \"folder\"\npath = \"a\"\n[[source]]\nname = \"a\"\nkind = \"folder\"\npath = \"b\"",
            "config.toml:22: source[1].name: used twice: \"a\"",
        ),
    ] {
        let error = error_of(&format!("{LEAST}{again}\n"));
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let place = Place::new(LEAST);
    std::fs::remove_file(place.path("config.toml")).unwrap();
    let error = place.error(&[]);
    assert!(
        error.starts_with("cannot read the configuration config.toml: No such file"),
        "{error}"
    );
}

#[test]
fn long_links_and_a_missing_postal_address_are_warnings() {
    let text = LEAST.replace(
        "research.example.org/",
        "research-summaries-in-plain-language.example.org/",
    );
    let text = text.replace("1 Sample Street\nExampletown", "");
    let warnings = Place::new(&text).load(&[]).warnings;
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[0].contains("site.url: readers' links have 89 characters"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].contains("site.postal_address is empty"),
        "{warnings:?}"
    );
}
