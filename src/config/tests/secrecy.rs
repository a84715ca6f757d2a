//! Passwords and keys: where they may stand, and that they are never shown.

use super::*;

#[test]
fn passwords_come_from_closed_files() {
    let text = LEAST.replace(
        "url = \"outbox:out\"",
        "url = \"smtp://us%40er@relay.example.org:587?ca=ca.pem\"\npassword_file = \"relay-password\"",
    ) + "[database]\nurl = \"postgres://app@db.example.org/news\"\npassword_file = \"db-password\"\n";
    let place = Place::new(&text);
    assert!(
        place
            .error(&[])
            .starts_with("config.toml:19: database.password_file: cannot read db-password: No such file")
    );
    place.put("db-password", "p@ss %41/word\n", 0o600);
    place.put("relay-password", "p:%41@\n", 0o640);
    assert_eq!(
        place
            .error(&[])
            .replace(&place.folder.path().display().to_string(), "DIR"),
        "config.toml:9: relay[0].password_file: others can read the secret file relay-password\n  hint: chmod 600 relay-password"
    );
    place.put("relay-password", "p:%41@\n", 0o600);
    let Loaded { config, warnings } = place.load(&[]);
    assert_eq!(warnings, Vec::<String>::new());
    let relay = smtp(&config.relays[0]);
    let credentials = relay.credentials.as_ref().unwrap();
    assert_eq!(
        (credentials.user.as_str(), credentials.password.as_str()),
        ("us@er", "p:%41@")
    );
    assert_eq!(relay.ca, Some(place.path("ca.pem")));
    let Database::Postgres(url) = &config.database else {
        panic!("no PostgreSQL")
    };
    assert_eq!(url, "postgres://app:p%40ss%20%2541%2Fword@db.example.org/news");
    let shown = format!("{config:?} {:?} {} {relay:?}", config.database, config.database);
    assert!(!shown.contains("word") && !shown.contains("41"), "{shown}");
}

#[test]
fn an_open_file_with_a_password_is_a_warning() {
    for line in [
        "url = \"smtp://u:secret@relay.example.org\"",
        "url = \"smtps://u:secret@relay.example.org\"",
    ] {
        let place = Place::new(&LEAST.replace("url = \"outbox:out\"", line));
        let warnings = place.load(&[]).warnings;
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("config.toml holds a password and others can read it: chmod 600 "),
            "{warnings:?}"
        );
        assert!(!warnings[0].contains("secret"));
        place.put("config.toml", &LEAST.replace("url = \"outbox:out\"", line), 0o600);
        assert_eq!(place.load(&[]).warnings, Vec::<String>::new());
    }
    let error = error_of(&LEAST.replace("\"outbox:out\"", "\"smtp://u:secret@relay.example.org\n"));
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn an_open_token_secret_is_refused() {
    let place = Place::new(&format!("{LEAST}[secret]\nfile = \"key\"\n"));
    place.put("key", "1 00\n", 0o604);
    assert_eq!(
        place.error(&[]),
        "config.toml:18: secret.file: others can read the secret file key\n  hint: chmod 600 key"
    );
}
