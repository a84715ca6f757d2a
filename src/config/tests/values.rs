//! What is read from where.

use super::*;

#[test]
fn the_least_file_has_defaults_and_complete_paths() {
    let place = Place::new(LEAST);
    let Loaded { config, warnings } = place.load(&[]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(config.site.url, "https://research.example.org");
    assert_eq!(config.site.postal_address, "1 Sample Street, Exampletown");
    assert_eq!(config.database, Database::Sqlite(place.path("data/postrider.db")));
    assert_eq!(config.secret_file, place.path("data/secret"));
    assert_eq!(config.subscribers.folder, place.path("subscribers"));
    assert_eq!(config.relays[0].address, RelayAddress::Outbox(place.path("out")));
    assert_eq!(config.mail.from.name.as_deref(), Some("Example"));
    assert_eq!(config.mail.return_path, "bounces+{token}@example.org");
    assert_eq!(config.delivery.hello, "research.example.org");
    assert_eq!(config.digests[0].schedule, "");
}

#[test]
fn a_source_takes_what_belongs_to_its_kind() {
    let read = |keys: &str| {
        let place = Place::new(&format!("{LEAST}[[source]]\nname = \"s\"\n{keys}\n"));
        let folder = place.folder.path().to_owned();
        load(&place.request(&[]))
            .map(|mut loaded| (loaded.config.sources.remove(0), folder))
            .map_err(|problem| problem.to_string())
    };
    let url = |text: &str| url::Url::parse(text).unwrap();
    let (source, folder) = read("kind = \"folder\"\npath = \"content\"").unwrap();
    assert_eq!(source.origin, Origin::Folder(folder.join("content")));
    let (source, folder) = read("kind = \"pages\"\npath = \"saved\"").unwrap();
    assert_eq!(source.origin, Origin::SavedPages(folder.join("saved")));
    let (source, _) = read(
        "kind = \"pages\"\nurl = \"http://example.org/sitemap.xml\"\ndelay = \"0s\"\nallow_private = true",
    )
    .unwrap();
    assert_eq!(
        source.origin,
        Origin::Sitemap(url("http://example.org/sitemap.xml"))
    );
    assert_eq!((source.delay, source.allow_private), (Duration::ZERO, true));
    let (source, _) = read("kind = \"pages\"\nurls = [\"https://example.org/a\"]").unwrap();
    assert_eq!(source.origin, Origin::Pages(vec![url("https://example.org/a")]));
    let (source, _) = read("kind = \"feed\"\nurl = \"https://example.org/f\"\ncategory = \"oncology\"\nmap = { \"Cancer care\" = \"oncology\" }").unwrap();
    assert_eq!(source.map.get("Cancer care").map(Slug::as_str), Some("oncology"));
    assert_eq!(source.category.as_ref().map(Slug::as_str), Some("oncology"));
    for (keys, expected) in [
        (
            "kind = \"rss\"",
            "source[0].kind: expected \"folder\", \"pages\" or \"feed\", got \"rss\"",
        ),
        ("kind = \"folder\"", "missing key source[0].path"),
        ("kind = \"feed\"", "missing key source[0].url"),
        (
            "kind = \"feed\"\nurl = \"file:///etc/passwd\"",
            "source[0].url: expected an absolute http or https address, got \"file:///etc/passwd\"",
        ),
        (
            "kind = \"feed\"\nurl = \"https://example.org\"\nmap = { a = \"oncolgy\" }",
            "source[0].map.\"a\": unknown category \"oncolgy\"\n  hint: did you mean oncology?",
        ),
        (
            "kind = \"pages\"\npath = \"a\"\nurl = \"https://example.org\"",
            "source[0]: expected one of path, url and urls",
        ),
        (
            "kind = \"folder\"\npath = \"a\"\ncategory = \"oncology\"",
            "source[0].category: not for a source of kind \"folder\"\n  hint: remove it; folder takes path",
        ),
    ] {
        let error = read(keys).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_environment_replaces_any_key_with_its_type() {
    let place = Place::new(&with("[[digest]]", "approve = false\nmax_items = 3"));
    let Loaded { config, warnings } = place.load(&[
        ("POSTRIDER_SITE__NAME", "2026"),
        ("POSTRIDER_DIGEST__0__APPROVE", "true"),
        ("POSTRIDER_DIGEST__0__MAX_ITEMS", "7"),
        ("POSTRIDER_DELIVERY__MAX_AGE", "3d"),
        ("POSTRIDER_SECRET__FILE", "keys"),
        ("POSTRIDER_SOURCE__0__NAME", "site"),
        ("POSTRIDER_SOURCE__0__KIND", "pages"),
        ("POSTRIDER_SOURCE__0__URLS", "[\"https://example.org/a\"]"),
        ("POSTRIDER_CATEGORY__1__SLUG", "urology"),
        ("POSTRIDER_CATEGORY__1__NAME", "Urology"),
        ("POSTRIDER_CONFIG", "x"),
        ("POSTRIDER_TEST_POSTGRES", "x"),
        ("HOME", "x"),
    ]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(config.site.name, "2026");
    assert!(config.digests[0].approve);
    assert_eq!(config.digests[0].max_items, 7);
    assert_eq!(config.delivery.max_age, Duration::from_secs(3 * 86_400));
    assert_eq!(config.secret_file, place.path("keys"));
    assert_eq!(config.sources.len(), 1);
    assert_eq!(config.categories.len(), 2);

    assert_eq!(
        place.error(&[("POSTRIDER_DIGEST__0__MAX_ITEMS", "many")]),
        "environment variable POSTRIDER_DIGEST__0__MAX_ITEMS: expected a whole number from 1 to 60, got \"many\"\n  hint: write a whole number from 1 to 60"
    );
    assert_eq!(
        place
            .load(&[
                ("POSTRIDER_SITE__NAMES", "x"),
                ("POSTRIDER_SITE__TAGLINE", "t"),
                ("POSTRIDER_DIGEST__7__APPROVE", "true")
            ])
            .warnings,
        [
            "environment variable POSTRIDER_DIGEST__7__APPROVE is unknown and was ignored; did you mean POSTRIDER_DIGEST__0__APPROVE?",
            "environment variable POSTRIDER_SITE__NAMES is unknown and was ignored; did you mean POSTRIDER_SITE__NAME?",
        ]
    );
}

#[test]
fn each_relay_has_its_own_limits() {
    let limits = "connections = 9\nmessages = 50\nrate_per_second = 14\nrate_per_hour = 40000\nbackup = true";
    let place = Place::new(&format!(
        "{LEAST}[[relay]]\nname = \"b\"\nurl = \"outbox:b\"\n{limits}\n"
    ));
    let config = place.load(&[("POSTRIDER_DELIVERY__CONNECTIONS", "7")]).config;
    assert_eq!(config.relays[0].limits, Limits::of(7));
    assert!(!config.relays[0].limits.rates.are_limited());
    let given = Limits {
        connections: 9,
        messages: 50,
        rates: Rates {
            per_second: Some(14),
            per_hour: Some(40_000),
        },
        backup: true,
    };
    assert_eq!(config.relays[1].limits, given);
}

#[test]
fn the_command_line_replaces_database_and_relays_with_paths_as_given() {
    let place = Place::new(&format!(
        "{LEAST}[[relay]]\nname = \"b\"\nurl = \"smtp://u@relay.example.org\"\npassword_file = \"missing\"\n"
    ));
    let mut request = place.request(&[]);
    request.database = Some("sqlite:here.db".to_owned());
    request.relay = Some("smtp://relay.example.org?tls=required&ca=ca.pem".to_owned());
    let config = load(&request).unwrap().config;
    assert_eq!(config.database, Database::Sqlite("here.db".into()));
    assert_eq!(config.relays.len(), 1);
    assert_eq!(smtp(&config.relays[0]).ca, Some("ca.pem".into()));
    request.relay = Some("smtp//x".to_owned());
    let error = load(&request).unwrap_err().to_string();
    assert!(
        error.starts_with("--relay (POSTRIDER_RELAY): relay \"smtp//x\""),
        "{error}"
    );
    request.database = Some("mysql://u:secret@host/db?password=secret".to_owned());
    let error = load(&request).unwrap_err().to_string();
    assert_eq!(
        error,
        "--database (POSTRIDER_DATABASE): expected the address of a database, got \"mysql://***@host/db\"\n  hint: write sqlite:PATH or postgres://user@host/database"
    );
}
