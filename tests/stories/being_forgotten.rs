//! Being forgotten: whatever a reader has left behind in database, logs, outbox and lists, a raw search finds
//! none of it afterwards.

use crate::account::{json, publish, site_on};
use crate::database::Database;
use crate::relay::{Script, ScriptedRelay, say};
use crate::site::{Server, Site};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postrider::domain::notice::NoticeData;
use postrider::domain::{Clock, SystemClock};
use postrider::store::Store;
use postrider::store::notices::NewNotice;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

on_both! { nothing_is_found_of_a_forgotten_reader, an_address_that_only_stands_in_a_list_or_outbox_is_forgotten_too }

const ADDRESS: &str = "Erase.Me+tag@readers.net";
pub const NAME: &str = "Zebulonia";
const HEAD: &str = "email,name,digest,categories,status,consent_at,consent_source\n";

/// What base64 makes of `text` wherever it stands in a longer one.
fn in_base64(text: &str) -> Vec<String> {
    let alone = |lead: usize| {
        let whole = STANDARD.encode(format!("{}{text}", "x".repeat(lead)));
        // Without the groups of four that its neighbours have a part in.
        let skip = if lead == 0 { 0 } else { 4 };
        whole[skip..whole.len() - 4].to_owned()
    };
    (0..3).map(alone).collect()
}

/// Every form that is looked for.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for text in [ADDRESS.to_owned(), ADDRESS.to_lowercase(), NAME.to_owned()] {
        let percent = text.replace('+', "%2B").replace('@', "%40");
        forms.extend([percent.to_lowercase(), percent, text.replace('@', "%40")]);
        forms.extend(in_base64(&text));
        forms.push(text);
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Where any of the forms stands: in files as they are on the disk, and in every text of a PostgreSQL database.
pub async fn found(site: &Site, database: &Database) -> Vec<String> {
    let mut places = Vec::new();
    let mut all = files(site.root());
    if let Some(path) = database.url.strip_prefix("sqlite:") {
        all.extend(files(Path::new(path).parent().unwrap()));
    } else {
        let mut connection = database.connect().await;
        let columns =
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public' AND data_type = 'text'";
        for column in sqlx::query(columns).fetch_all(&mut connection).await.unwrap() {
            let (table, column): (String, String) = (column.get(0), column.get(1));
            for form in forms() {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE strpos({column}, '{form}') > 0");
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
                if row.unwrap().get::<i64, _>(0) > 0 {
                    places.push(format!("{form} in {table}.{column}"));
                }
            }
        }
    }
    for file in all {
        // SQLite's log goes when the last connection is closed.
        let bytes = match fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            bytes => bytes.unwrap(),
        };
        for form in forms() {
            if bytes.windows(form.len()).any(|window| window == form.as_bytes()) {
                places.push(format!("{form} in {}", file.display()));
            }
        }
    }
    places
}

/// Runs a command to its end and keeps what it logged, in a file that is searched as well.
fn logged(site: &Site, name: &str, format: &str, relay: &str, arguments: &[&str]) {
    let log = File::create(site.path(name)).unwrap();
    site.command(arguments)
        .env("POSTRIDER_RELAY", relay)
        .env("POSTRIDER_LOG_FORMAT", format)
        .env("RUST_LOG", "debug")
        .stdout(Stdio::null())
        .stderr(log)
        .status()
        .unwrap();
}

pub fn serve(site: &Site, name: &str) -> Server {
    let mut child = site
        .command(&["serve", "--listen", "127.0.0.1:0", "--no-schedule"])
        .env("POSTRIDER_LOG_FORMAT", "json")
        .env("RUST_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(File::create(site.path(name)).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    Server::of(child, url)
}

pub fn post(server: &Server, path: &str, kind: &str, body: &str) -> String {
    let host = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn sign_up(server: &Server) {
    let wish = json!({"email": ADDRESS, "name": NAME, "consent": "Yes."});
    let answer = post(server, "/api/subscribe", "application/json", &wish.to_string());
    assert!(answer.contains(" 202 "), "{answer}");
}

/// Waits until so many messages in the outbox hold `text`.
fn wait_for(site: &Site, text: &str, count: usize) {
    let begun = Instant::now();
    while site.outbox().iter().filter(|mail| mail.contains(text)).count() < count {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{text}: {:#?}",
            site.outbox()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The reader is in every place where one can be.
pub async fn leave_traces(site: &Site, database: &Database) -> Server {
    site.summary("one", "urology");
    let list = format!(
        "{HEAD}ann@readers.net,\"Ann, \r\nB\",weekly,,confirmed,2026-01-01,form\n\n\
         \" {ADDRESS} \",{NAME},weekly,,confirmed,2026-01-01,form\nbea@readers.net,,weekly,,confirmed,2026-01-01,form"
    );
    site.write("subscribers/list.csv", &list);
    fs::set_permissions(
        site.path("subscribers/list.csv"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    // The first edition reaches them.
    publish(site, 0);
    // The second is refused, by a relay that repeats the address in every way.
    let said = format!(
        "550 5.7.1 <{ADDRESS}> erase.me+tag@readers.net http://relay.example.org/?to=erase.me%2Btag%40readers.net"
    );
    let relay = ScriptedRelay::start(Script::default().to("Erase.Me", "RCPT", say(&said)));
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    for (n, format) in ["text", "json"].into_iter().enumerate() {
        site.summary(&format!("refused-{n}"), "urology");
        logged(site, &format!("publish-{format}.log"), format, &url, &["publish"]);
    }
    // A message to the admins that is delivered, and one that waits.
    let server = serve(site, "serve.log");
    let message = format!("name={NAME}&email=Erase.Me%2Btag%40readers.net&message=I+am+{NAME}");
    let form = "application/x-www-form-urlencoded";
    // A program that sends a form which it never saw presses one more button.
    let asked = post(&server, "/contact", form, &message);
    let (_, person) = asked.split_once("name=\"person\" value=\"").expect(&asked);
    let person = person.split('"').next().unwrap();
    let answer = post(&server, "/contact", form, &format!("{message}&person={person}"));
    assert!(answer.contains(" 303 ") || answer.contains(" 200 "), "{answer}");
    sign_up(&server);
    wait_for(site, "Reply-To", 1);
    let store = Store::open(&database.url, 1).await.unwrap();
    let waiting = NewNotice {
        subscriber: None,
        address: Some("admin@example.org".to_owned()),
        address_hash: "admin".to_owned(),
        mailbox_hash: None,
        data: NoticeData::Contact {
            from: ADDRESS.into(),
            name: Some(NAME.to_owned()),
            text: "Hello".to_owned(),
        },
    };
    let later = SystemClock.now().plus(Duration::from_secs(3600));
    let mut change = store.begin_change(SystemClock.now()).await.unwrap();
    let id = change.notify(&waiting).await.unwrap();
    change.commit().await.unwrap();
    database
        .execute(&format!(
            "UPDATE notice SET next_attempt = {} WHERE id = {id}",
            later.0
        ))
        .await;
    store.close().await;
    server
}

async fn nothing_is_found_of_a_forgotten_reader(database: Database) {
    let site = site_on(&database);
    let server = leave_traces(&site, &database).await;
    let before = found(&site, &database).await.join("\n");
    let kept = if database.url.starts_with("sqlite") {
        "postrider.db"
    } else {
        "delivery.text"
    };
    for place in [kept, "outbox", "list.csv"] {
        assert!(before.contains(place), "{place} is not in {before}");
    }
    for log in [".log", "serve.log"] {
        assert!(!before.contains(log), "{before}");
    }
    let data = json(&site, &["subscribers", "data", ADDRESS], 0);
    assert_eq!(data["subscriber"]["name"], NAME);
    assert_eq!(data["deliveries"].as_array().unwrap().len(), 3, "{data:#}");

    // While the server goes on.
    let said = json(&site, &["subscribers", "forget", ADDRESS], 0);
    assert_eq!(
        (
            &said["subscriber"],
            &said["rows"],
            &said["lists"],
            &said["address"]
        ),
        (
            &json!(true),
            &json!(1),
            &json!(["list.csv"]),
            &json!("E***@r***.net")
        )
    );
    assert!(said["messages"].as_u64().unwrap() >= 2, "{said}");
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
    assert_eq!(server.stop(), 0);
    assert_eq!(found(&site, &database).await, Vec::<String>::new());

    // The others are as they were, to the byte.
    let list = fs::read_to_string(site.path("subscribers/list.csv")).unwrap();
    assert_eq!(
        list,
        format!(
            "{HEAD}ann@readers.net,\"Ann, \r\nB\",weekly,,confirmed,2026-01-01,form\n\
             bea@readers.net,,weekly,,confirmed,2026-01-01,form"
        )
    );
    let mode = fs::metadata(site.path("subscribers/list.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let suppressed = "SELECT COUNT(*) FROM suppression WHERE reason = 'erased'";
    assert_eq!(database.number(suppressed).await, 1);
    let account = json(&site, &["editions", "show", "2", "--deliveries"], 0);
    assert_eq!(account["failed"], 1, "{account:#}");
    // Again: nothing is left to do. The list that was written anew is no other list.
    let again = json(&site, &["subscribers", "forget", ADDRESS], 0);
    assert_eq!(
        (&again["subscriber"], &again["rows"], &again["messages"]),
        (&json!(false), &json!(0), &json!(0))
    );
    assert_eq!(publish(&site, 0)["lists"], json!([]));

    // No list brings them back; they themselves can come.
    site.write(
        "subscribers/more.csv",
        &format!("{HEAD}{ADDRESS},,weekly,,confirmed,2026-01-01,form\n"),
    );
    assert_eq!(publish(&site, 0)["lists"][0]["refused"], json!({"erased": 1}));
    fs::remove_file(site.path("subscribers/more.csv")).unwrap();
    let server = serve(&site, "serve-again.log");
    sign_up(&server);
    wait_for(&site, "/confirm/", 1);
    assert_eq!(
        json(&site, &["subscribers", "show", ADDRESS], 0)["state"],
        "pending"
    );
    drop(server);
}

async fn an_address_that_only_stands_in_a_list_or_outbox_is_forgotten_too(database: Database) {
    let site = site_on(&database);
    site.write(
        "subscribers/list.csv",
        &format!("{HEAD}{},,weekly,,pending,,\n", ADDRESS.to_lowercase()),
    );
    fs::create_dir(site.path("outbox")).unwrap();
    site.write("outbox/old.eml", &format!("To: {NAME} <{ADDRESS}>\r\n\r\nHello"));
    site.run(&["subscribers", "data", ADDRESS]).expect_code(1);
    // What can't be done by itself is told, and not a word of it names the address.
    site.write(
        "subscribers/notes.txt",
        &format!("call {}", ADDRESS.to_uppercase()),
    );
    site.write("subscribers/broken.csv", &format!("{HEAD}{ADDRESS},\"open\n"));
    let said = site.run(&["subscribers", "forget", ADDRESS]).expect_code(1);
    for part in [
        "1 message deleted",
        "1 row taken out of lists (list.csv)",
        "was no subscriber",
    ] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    for part in [
        "notes.txt names the address still",
        "broken.csv: nothing was taken out: line 2",
    ] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    assert!(
        !format!("{said:?}").to_lowercase().contains("erase.me"),
        "{said:?}"
    );
    for file in ["notes.txt", "broken.csv"] {
        fs::remove_file(site.path("subscribers").join(file)).unwrap();
    }
    site.run(&["subscribers", "forget", ADDRESS, "--yes"])
        .expect_code(0);
    assert_eq!(found(&site, &database).await, Vec::<String>::new());
}
