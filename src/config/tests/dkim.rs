//! Keys that sign mail, and who signs for which relay.

use super::*;
use crate::domain::dkim::SignedHeaders;

fn key_text(keys: &str) -> String {
    format!("{LEAST}[[dkim]]\nselector = \"jan\"\nkey_file = \"key\"\n{keys}")
}

fn place(text: &str) -> Place {
    let place = Place::new(text);
    place.put("key", &KEY.to_pem().unwrap(), 0o600);
    place
}

#[test]
fn a_key_signs_for_the_domain_of_the_sender_unless_told_otherwise() {
    let text = key_text("")
        + "[[dkim]]\ndomain = \"EXAMPLE.org\"\nselector = \"Feb\"\nkey_file = \"key\"\nactive = false\n";
    let place = place(&text);
    let Loaded { config, warnings } = place.load(&[]);
    assert_eq!(warnings, Vec::<String>::new());
    let read: Vec<_> = config
        .dkim
        .iter()
        .map(|key| (key.identity.to_string(), key.active))
        .collect();
    assert_eq!(
        read,
        [
            ("jan._domainkey.example.org".to_owned(), true),
            ("feb._domainkey.example.org".to_owned(), false)
        ]
    );
    assert_eq!(config.dkim[0].key_file, place.path("key"));
    let pem = KEY.to_pem().unwrap();
    let shown = format!("{:?}", config.dkim);
    assert!(!pem.lines().any(|line| shown.contains(line)), "{shown}");
    // A domain above that of the sender is aligned with it.
    let above = key_text("domain = \"example.org\"\n").replace("news@example.org", "news@mail.example.org");
    assert_eq!(
        super::dkim::place(&above).load(&[]).config.dkim[0]
            .identity
            .domain,
        "example.org"
    );
}

#[test]
fn a_key_that_cannot_be_used_is_an_error() {
    let key = KEY.to_pem().unwrap();
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    for (keys, file, expected) in [
        (
            "domain = \"example.com\"\n",
            key.as_str(),
            "config.toml:18: dkim[0].domain: example.com is neither the domain of [mail] from, example.org, nor above it\n  hint: write example.org: a signature of another domain does not count for your sender address",
        ),
        (
            "domain = \"ample.org\"\n",
            &key,
            "config.toml:18: dkim[0].domain: ample.org is neither the domain of [mail] from, example.org, nor above it",
        ),
        (
            "domain = \"org\"\n",
            &key,
            "config.toml:18: dkim[0].domain: org is neither the domain of [mail] from, example.org, nor above it",
        ),
        (
            "domain = \"x y\"\n",
            &key,
            "config.toml:21: dkim[0].domain: expected a domain, got \"x y\"",
        ),
        (
            "",
            "",
            "config.toml:18: dkim[0].key_file: key: it holds no private key in PEM form",
        ),
        (
            "",
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "config.toml:18: dkim[0].key_file: key: it holds no private key in PEM form",
        ),
        (
            "",
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
            "config.toml:18: dkim[0].key_file: key: it holds no RSA key that can be read",
        ),
        (
            "",
            &key.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            "config.toml:18: dkim[0].key_file: key: its key is encrypted",
        ),
        (
            "[[dkim]]\nselector = \"JAN\"\nkey_file = \"key\"\n",
            &key,
            "config.toml:21: dkim[1].selector: used twice: \"jan\"",
        ),
    ] {
        let place = place(&key_text(keys));
        place.put("key", file, 0o600);
        let error = place
            .error(&[])
            .replace(&place.path("").display().to_string(), "");
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains(&body[100..140]), "the key was shown: {error}");
    }
    for (old, new, expected) in [
        (
            "selector = \"jan\"\n",
            "",
            "config.toml:18: missing key dkim[0].selector\n  hint: add selector = \"postrider-202601\"",
        ),
        (
            "key_file = \"key\"\n",
            "",
            "config.toml:18: missing key dkim[0].key_file",
        ),
        (
            "\"jan\"",
            "\"j_n\"",
            "config.toml:19: dkim[0].selector: expected a selector, got \"j_n\"",
        ),
        (
            "\"key\"",
            "\"none\"",
            "config.toml:18: dkim[0].key_file: there is no file none\n  hint: `postrider dkim generate --domain example.org --selector jan --out FILE` makes one",
        ),
    ] {
        let error = place(&key_text("").replace(old, new)).error(&[]);
        assert!(error.starts_with(expected), "{error}");
    }
    let open = place(&key_text(""));
    open.put("key", &key, 0o644);
    assert_eq!(
        open.error(&[]),
        "config.toml:18: dkim[0].key_file: others can read the secret file key\n  hint: chmod 600 key"
    );
}

#[test]
fn a_relay_says_who_signs_and_what() {
    let read = |lines: &str| {
        let text = LEAST.replace(
            "url = \"outbox:out\"\n",
            &format!("url = \"outbox:out\"\n{lines}\n"),
        );
        load(&Place::new(&text).request(&[]))
            .map(|loaded| {
                loaded.config.relays[0]
                    .signed
                    .clone()
                    .map(|list| list.names().to_vec())
            })
            .map_err(|problem| problem.to_string())
    };
    let standard = SignedHeaders::default().names().to_vec();
    assert_eq!(read("").unwrap(), Some(standard.clone()));
    assert_eq!(
        read("dkim = \"sign\"\ndkim_headers = \"standard\"").unwrap(),
        Some(standard.clone())
    );
    assert_eq!(read("dkim = \"self\"").unwrap(), None);
    let rewritten = read("dkim_headers = \"rewritten\"").unwrap().unwrap();
    let without: Vec<_> = standard.iter().filter(|name| !rewritten.contains(name)).collect();
    assert_eq!(without, ["Date", "Message-ID"]);
    assert_eq!(
        read("dkim_headers = [\"Subject\", \"from\"]").unwrap().unwrap(),
        ["Subject", "from"]
    );
    for (lines, expected) in [
        (
            "dkim = \"no\"",
            "relay[0].dkim: expected \"sign\" or \"self\", got \"no\"",
        ),
        (
            "dkim_headers = \"ses\"",
            "relay[0].dkim_headers: there is no list of header fields \"ses\"",
        ),
        (
            "dkim_headers = [\"To\", \"Subject\"]",
            "relay[0].dkim_headers: From is not among the signed header fields",
        ),
        (
            "dkim_headers = []",
            "relay[0].dkim_headers: From is not among the signed header fields",
        ),
        (
            "dkim_headers = [\"From\", \"from\"]",
            "relay[0].dkim_headers: named twice: \"from\"",
        ),
        (
            "dkim_headers = [\"From\", \"To:\"]",
            "relay[0].dkim_headers: no name of a header field: \"To:\"",
        ),
        (
            "dkim_headers = [\"From\", \"Received\"]",
            "relay[0].dkim_headers: Received changes on the way and can't be signed",
        ),
        (
            "dkim_headers = 3",
            "relay[0].dkim_headers: expected text between double quotes, got 3",
        ),
        (
            "dkim = \"self\"\ndkim_headers = \"standard\"",
            "relay[0].dkim_headers: has no use where the relay signs by itself",
        ),
    ] {
        let error = read(lines).unwrap_err();
        assert!(error.contains(expected) && error.contains("hint: "), "{error}");
    }
    let place = Place::new(&LEAST.replace("outbox:out\"", "outbox:out\"\ndkim = \"self\""));
    let mut request = place.request(&[]);
    request.relay = Some("smtp://127.0.0.1:25".to_owned());
    let replaced = load(&request).unwrap().config.relays;
    assert_eq!(replaced[0].signed, Some(SignedHeaders::default()));
}
