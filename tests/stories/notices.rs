//! Mails to single readers, through the whole program: what arrives, and what stays of it.

use crate::database::Database;
use crate::relay::{Script, ScriptedRelay, say};
use crate::site::Site;
use mail_parser::{HeaderValue, MessageParser};
use postrider::domain::notice::{NoticeData, NoticeKind};
use postrider::domain::{Clock, Slug, SystemClock};
use postrider::store::Store;
use postrider::store::notices::NewNotice;
use std::time::Duration;

const READER: &str = "ann@example.org";
const TYPED: &str = "Buyspam Now";

/// A site whose one reader is in `state` and has typed something else than a name.
fn site(state: &str) -> Site {
    let site = Site::new();
    let head = "email,name,digest,categories,status,consent_at,consent_source";
    site.write(
        "subscribers/list.csv",
        &format!("{head}\n{READER},{TYPED},weekly,urology,{state},2026-01-01,form\n"),
    );
    site.run(&["publish"]).expect_code(0);
    site
}

async fn store(site: &Site) -> Store {
    let url = format!("sqlite:{}", site.path("data/postrider.db").display());
    Store::open(&url, 2).await.unwrap()
}

fn data(kind: NoticeKind) -> NoticeData {
    let weekly = Slug::parse("weekly").unwrap();
    let expires = SystemClock.now().plus(Duration::from_secs(24 * 3600));
    match kind {
        NoticeKind::Confirm => NoticeData::Confirm {
            sign_up: 12,
            digests: vec![weekly],
            categories: vec![Slug::parse("urology").unwrap()],
            expires,
        },
        NoticeKind::Welcome => NoticeData::Welcome { digest: weekly },
        NoticeKind::PreferencesLink => NoticeData::PreferencesLink { digest: weekly },
        NoticeKind::AccountLink => NoticeData::AccountLink {},
        NoticeKind::NewAddress => NoticeData::NewAddress { change: 3, expires },
        NoticeKind::AddressChanged => NoticeData::AddressChanged {},
        NoticeKind::SignIn => NoticeData::SignIn { sign_in: 4 },
        NoticeKind::Contact => NoticeData::Contact {
            from: "visitor@example.com".into(),
            name: Some("Vi <b>\r\nBcc: x@example.com".to_owned()),
            text: "One\n<script>\u{202e}=?utf-8?q?x?= \u{1F600}\n.\nend".to_owned(),
        },
    }
}

/// Where a kind goes when that is not the reader's address.
fn elsewhere(kind: NoticeKind) -> Option<&'static str> {
    match kind {
        NoticeKind::NewAddress => Some("new@example.org"),
        NoticeKind::AddressChanged => Some("old@example.org"),
        NoticeKind::SignIn | NoticeKind::Contact => Some("admin@example.org"),
        _ => None,
    }
}

async fn write(store: &Store, kind: NoticeKind) -> i64 {
    let reader = store.subscriber(READER).await.unwrap().unwrap();
    let about_nobody = matches!(kind, NoticeKind::SignIn | NoticeKind::Contact);
    let notice = NewNotice {
        subscriber: (!about_nobody).then_some(reader.id),
        address: elsewhere(kind).map(str::to_owned),
        address_hash: elsewhere(kind).map_or(reader.address_hash, str::to_owned),
        mailbox_hash: None,
        data: data(kind),
    };
    let mut change = store.begin_change(SystemClock.now()).await.unwrap();
    let id = change.notify(&notice).await.unwrap();
    change.commit().await.unwrap();
    id
}

/// What every message must be, whatever it is for.
fn assert_standards(raw: &str, kind: NoticeKind) {
    assert!(raw.is_ascii(), "{kind:?}");
    for line in raw.split("\r\n") {
        assert!(
            line.len() <= 78 && !line.contains(['\r', '\n']),
            "{kind:?}: {line}"
        );
    }
    let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Auto-Submitted",
        "Feedback-ID",
    ] {
        let count = mail.headers().iter().filter(|header| header.name() == name);
        assert_eq!(count.count(), 1, "{kind:?}: {name}\n{raw}");
    }
    for name in ["List-Unsubscribe", "List-Id", "Precedence", "Bcc", "Cc"] {
        assert!(mail.header(name).is_none(), "{kind:?}: {name}");
    }
    let automatic = mail.header("Auto-Submitted").and_then(HeaderValue::as_text);
    assert_eq!(automatic, Some("auto-generated"), "{kind:?}");
    let text = mail.body_text(0).unwrap();
    let html = mail.body_html(0).unwrap();
    assert!(
        raw.find("Content-Type: text/plain") < raw.find("Content-Type: text/html"),
        "{kind:?}"
    );
    for part in [&text, &html] {
        assert!(part.contains("1 Street"), "{kind:?}: no postal address");
        let why = ["You receive this mail because", "most likely by you"];
        assert!(why.iter().any(|why| part.contains(why)), "{kind:?}: {part}");
    }
    for line in text.lines().filter(|line| line.contains("https://")) {
        assert!(
            line.starts_with("https://") && !line.contains(' '),
            "{kind:?}: {line}"
        );
        assert!(line.len() <= 76, "{kind:?}: {line}");
        let shown = html.replace("&#x3D;", "=");
        assert!(
            shown.contains(line.trim_end()),
            "{kind:?}: {line} is in one part alone"
        );
    }
    for wanted in [
        "lang=\"en\"",
        "<h1",
        "font-size:16px",
        "color-scheme",
        "prefers-color-scheme",
        "<title>",
    ] {
        assert!(html.contains(wanted), "{kind:?}: no {wanted}");
    }
    assert_eq!(html.matches("<h1").count(), 1, "{kind:?}");
    for foreign in ["fonts.googleapis", "<script", "<img"] {
        assert!(!html.contains(foreign), "{kind:?}: {foreign}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_arrives_as_a_message_should_and_leaves_nothing_behind() {
    let site = site("confirmed");
    let store = store(&site).await;
    let database = Database::at(&format!("sqlite:{}", site.path("data/postrider.db").display()));
    let mut ids = Vec::new();
    for kind in NoticeKind::ALL {
        site.empty_outbox();
        let id = write(&store, kind).await;
        let said = site.run(&["publish", "--json"]).expect_code(0);
        assert_eq!(said.json()["notices_waiting"], 0);
        let outbox = site.outbox();
        assert_eq!(outbox.len(), 1, "{kind:?}");
        assert_standards(&outbox[0], kind);
        let mail = MessageParser::default().parse(outbox[0].as_bytes()).unwrap();
        let to = mail.to().unwrap().first().unwrap().address();
        assert_eq!(to, Some(elsewhere(kind).unwrap_or(READER)), "{kind:?}");
        ids.push(mail.message_id().unwrap().to_owned());
        let text = mail.body_text(0).unwrap();
        let html = mail.body_html(0).unwrap();
        let path = match kind {
            NoticeKind::Confirm => "/confirm/",
            NoticeKind::Welcome | NoticeKind::PreferencesLink => "/p/",
            NoticeKind::AccountLink => "/account/",
            NoticeKind::NewAddress => "/address/",
            NoticeKind::SignIn => "/admin/session/",
            NoticeKind::AddressChanged | NoticeKind::Contact => "https://site.example.org",
        };
        assert!(text.contains(path), "{kind:?}: {text}");
        if matches!(kind, NoticeKind::Confirm | NoticeKind::NewAddress) {
            assert!(!outbox[0].contains("Buyspam"), "{text}");
            assert!(text.contains("/refuse/") && html.contains("/refuse/"), "{text}");
        }
        if kind == NoticeKind::Confirm {
            assert!(
                text.contains("- Weekly digest") && text.contains("- Urology"),
                "{text}"
            );
            assert!(text.contains("/refuse/") && text.contains("24 hours"), "{text}");
        }
        let answers_to = mail
            .reply_to()
            .and_then(|to| to.first()?.address().map(str::to_owned));
        let visitor = (kind == NoticeKind::Contact).then(|| "visitor@example.com".to_owned());
        assert_eq!(answers_to, visitor, "{kind:?}");
        if kind == NoticeKind::Contact {
            assert!(
                html.contains("&lt;script&gt;") && !html.contains('\u{202e}'),
                "{html}"
            );
            assert!(
                text.contains("Vi <b> Bcc: x@example.com (visitor@example.com) wrote"),
                "{text}"
            );
        }
        let clean = format!(
            "SELECT COUNT(*) FROM notice WHERE id = {id} AND state = 'sent' AND address IS NULL
                 AND data = '{{}}' AND code IS NULL AND next_attempt IS NULL AND ended IS NOT NULL"
        );
        assert_eq!(database.number(&clean).await, 1, "{kind:?}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), NoticeKind::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_puts_off_waits_and_is_shown() {
    let mut site = site("pending");
    let relay =
        ScriptedRelay::start(Script::default().always("RCPT", say("451 4.2.0 ann@example.org later")));
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    site.environment = vec![("POSTRIDER_RELAY".to_owned(), url)];
    let store = store(&site).await;
    write(&store, NoticeKind::Confirm).await;
    let said = site.run(&["publish", "--json"]).expect_code(3);
    assert_eq!(said.json()["notices_waiting"], 1);
    let status = site.run(&["status", "--json"]).json();
    assert_eq!(status["notices"]["waiting"], 1);
    assert!(status["notices"]["oldest"].is_string());
    let status = site.run(&["status"]);
    assert!(
        status.out.contains("1 mail to single readers waiting"),
        "{status:?}"
    );
    relay.heal("");
    site.run(&["publish", "--wait"]).expect_code(0);
    let taken = relay.taken();
    assert_eq!(taken.len(), 1);
    assert!(
        taken[0].from.contains('@') && taken[0].from != "news@example.org",
        "{:?}",
        taken[0].from
    );
    assert_eq!(taken[0].to, [READER]);
    assert_eq!(site.run(&["status", "--json"]).json()["notices"]["waiting"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_nobodys_gets_nothing_through_a_real_relay() {
    let site = site("confirmed");
    let store = store(&site).await;
    let far = "[[relay]]\nname = \"far\"\nurl = \"smtp://mail.readers.net\"\n";
    site.configure("", far);
    write(&store, NoticeKind::AccountLink).await;
    write(&store, NoticeKind::SignIn).await;
    let said = site.run(&["publish", "--json"]).expect_code(0);
    assert_eq!(said.json()["notices_waiting"], 0);
    assert_eq!(site.outbox().len(), 0);
    let database = Database::at(&format!("sqlite:{}", site.path("data/postrider.db").display()));
    let barred = "SELECT COUNT(*) FROM notice WHERE state = 'excluded' AND text = 'reserved_domain'";
    assert_eq!(database.number(barred).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_ends_its_reader() {
    let mut site = site("pending");
    let relay =
        ScriptedRelay::start(Script::default().always("RCPT", say("550 5.1.1 <ann@example.org> who?")));
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    site.environment = vec![("POSTRIDER_RELAY".to_owned(), url)];
    let store = store(&site).await;
    write(&store, NoticeKind::Confirm).await;
    site.run(&["publish"]).expect_code(0);
    let reader = store.subscriber(READER).await.unwrap().unwrap();
    assert_eq!(reader.state, postrider::domain::subscriber::State::Bounced);
    // What is written to them after that is not sent.
    write(&store, NoticeKind::PreferencesLink).await;
    site.run(&["publish"]).expect_code(0);
    assert_eq!(relay.commands("RCPT").len(), 1);
    let database = Database::at(&format!("sqlite:{}", site.path("data/postrider.db").display()));
    let failed =
        "SELECT COUNT(*) FROM notice WHERE state = 'failed' AND code = 550 AND text LIKE '5.1.1 <…>%'";
    assert_eq!(database.number(failed).await, 1);
    let left = "SELECT COUNT(*) FROM notice WHERE state = 'excluded' AND text = 'bounced' AND attempts = 0";
    assert_eq!(database.number(left).await, 1);
}
