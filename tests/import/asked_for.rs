//! What an export leaves open is asked for, in words that say what to add.

use crate::site::Site;

/// Runs `subscribers import NAME` with `options` on a file that holds `text`; what it says.
fn refused(name: &str, text: &str, options: &str, code: i32) -> String {
    let site = Site::new();
    site.write(name, text);
    let file = site.path(name);
    let mut arguments = vec!["subscribers", "import", file.to_str().unwrap()];
    arguments.extend(options.split(' '));
    let said = site.run(&arguments).expect_code(code);
    assert!(!said.err.contains("ann@readers.net"), "{said:?}");
    said.err.replace(&format!("{}: ", file.display()), "")
}

const LISTMONK: &str =
    "uuid,email,name,attributes,status,created_at,updated_at\n1,ann@readers.net,A,{},enabled,,\n";
const SUBSTACK: &str = "email,active_subscription,email_disabled,created_at\nann@readers.net,false,false,\n";

/// Runs each case: options, exit code, and what is said.
fn all(name: &str, text: &str, cases: &[(&str, i32, &str)]) {
    for (options, code, said) in cases {
        let err = refused(name, text, options, *code);
        assert!(err.contains(said), "{options}: {err}");
    }
}

#[test]
fn of_mailchimp() {
    let text = "Email Address,OPTIN_TIME\nann@readers.net,\n";
    all(
        "a.csv",
        text,
        &[
            (
                "--from mailchimp",
                2,
                "the file's name does not say how its readers stand",
            ),
            ("--from mailchimp --as paused", 2, "possible values"),
            ("--as confirmed", 2, "--from <PROGRAM>"),
        ],
    );
    let brought_back = "begins with \"unsubscribed\": these readers don't become confirmed";
    all(
        "unsubscribed_a.csv",
        text,
        &[("--from mailchimp --as confirmed", 2, brought_back)],
    );
    let no_field = "there is no column \"Work\"; the first line has \"Email Address\", \"OPTIN_TIME\"";
    let no_time = "line 2: does not say when the reader agreed: add --consent-at DATE --consent-source TEXT";
    let no_date = "--consent-at: consent_at \"May\" is neither a date such as 2026-01-31 nor a time";
    let no_category = "there is no category \"cardiology\"";
    all(
        "subscribed_a.csv",
        text,
        &[
            ("--from mailchimp", 1, no_time),
            ("--from mailchimp --consent-at May", 2, no_date),
            ("--from mailchimp --map Work=email", 1, no_field),
            (
                "--from mailchimp --map Work=mail",
                2,
                "there is no field \"mail\"",
            ),
            ("--from mailchimp --map Work", 2, "--map \"Work\" is no pair"),
            (
                "--from mailchimp --category VIP=urology",
                2,
                "no column holds the values of --category",
            ),
            (
                "--from mailchimp --map OPTIN_TIME=categories --category VIP=cardiology",
                2,
                no_category,
            ),
            (
                "--from mailchimp --digest daily",
                2,
                "there is no digest \"daily\"",
            ),
        ],
    );
}

#[test]
fn of_listmonk_and_substack() {
    let no_time = "line 2: does not say when the reader agreed: add --consent-at DATE";
    all(
        "a.csv",
        LISTMONK,
        &[
            (
                "--from listmonk",
                2,
                "hint: add --as confirmed if all of them did",
            ),
            ("--from listmonk --as confirmed", 1, no_time),
            (
                "--from listmonk --as pending --digest News=weekly",
                1,
                "no column holds the lists of --digest",
            ),
        ],
    );
    all(
        "a.csv",
        SUBSTACK,
        &[
            (
                "--from substack",
                2,
                "hint: add --as confirmed if all of them agreed",
            ),
            ("--from substack --as confirmed", 1, no_time),
        ],
    );
}

#[test]
fn of_files_of_another_form() {
    let no_column =
        "no column \"email_disabled\", which says who has left; the first line has \"email\", \"name\"";
    all(
        "a.csv",
        "email,name\nann@readers.net,A\n",
        &[("--from substack --as pending", 1, no_column)],
    );
    for (text, said) in [
        (
            "Mail,Name\nann@readers.net,A\n",
            "there is no column of addresses; the first line has \"Mail\", \"Name\"",
        ),
        (
            "Email Address;Name\nann@readers.net;A\n",
            "the cells are separated by semicolons, not by commas",
        ),
        (
            "Email Address\tName\nann@readers.net\tA\n",
            "the cells are separated by tabs, not by commas",
        ),
        ("PK\u{3}\u{4}rest", "this is a ZIP archive"),
        ("", "the list has no first line"),
    ] {
        all("subscribed_a.csv", text, &[("--from mailchimp", 1, said)]);
    }
}
