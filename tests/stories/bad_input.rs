//! Input that is wrong or hostile costs only itself.

use crate::account::{counts, json, only_edition, publish};
use crate::mail::{mail_to, take_outbox};
use crate::site::Site;
use serde_json::json;

#[test]
fn wrong_files_cost_only_themselves() {
    let site = Site::new();
    site.readers(&[("ann@example.org", "")]);
    site.summary("good", "urology");
    site.summary("lost", "urology,cardiology");
    site.write(
        "content/torn.md",
        "+++\ntitle = \"Torn\n+++\n\n## Simple Explanation\n\nText.\n",
    );
    site.write("content/bare.md", "# No front matter\n");
    std::fs::write(site.path("content/bytes.md"), [0xFF, 0xFE, 0, 1, 2]).unwrap();
    site.write("content/README.md", "Not a summary.");
    site.write("content/_draft.md", "Not yet.");
    site.write("content/.hidden.md", "No.");
    let said = publish(&site, 0);
    let rejected = said["sources"][0]["rejected"].as_array().unwrap();
    assert_eq!(
        (&said["sources"][0]["new"], rejected.len()),
        (&json!(1), 4),
        "{said:#}"
    );
    for (file, reason) in [
        ("lost.md", "\"cardiology\""),
        ("torn.md", "line 2"),
        ("bare.md", "no front matter"),
        ("bytes.md", ""),
    ] {
        let found = rejected
            .iter()
            .find(|item| item["place"].as_str().unwrap().ends_with(file));
        let item = found.unwrap_or_else(|| panic!("{file} is not named: {said:#}"));
        assert!(item["reason"].as_str().unwrap().contains(reason), "{item}");
    }
    assert_eq!(counts(&only_edition(&said)), [1, 0, 0, 0]);
    let said = site.run(&["gather"]).expect_code(0);
    assert!(
        said.err.contains("lost.md") && said.err.contains("cardiology"),
        "{said:?}"
    );
    // Mended, it comes.
    site.summary("lost", "urology");
    assert_eq!(
        crate::account::texts(&only_edition(&publish(&site, 0))["summaries"]),
        ["lost"]
    );
}

#[test]
fn a_wrong_list_says_where_and_holds_the_edition_until_it_is_right() {
    let site = Site::new();
    site.summary("one", "urology");
    site.readers(&[("ann@example.org", "")]);
    site.write(
        "subscribers/wrong.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         bea@example.org,,weekly,,confirmed,2026-01-01,test\n\
         cy@example.org,,weekly,,confirmed,,\n\
         dee@example.org,,dayly,,pending,,\n\
         nobody,,weekly,,pending,,\n",
    );
    let said = publish(&site, 1);
    // It may name readers who are to receive the edition, or who have left.
    assert_eq!(said["digests"][0]["outcome"], "held", "{said:#}");
    assert!(site.outbox().is_empty());
    let failed = said["lists"]
        .as_array()
        .unwrap()
        .iter()
        .find(|list| list["file"] == "wrong.csv")
        .unwrap();
    let why = failed["failed"].as_str().unwrap();
    for line in ["line 3", "line 4", "line 5", "\"dayly\"", "has no @"] {
        assert!(why.contains(line), "{line}: {why}");
    }
    let import = site.path("subscribers/wrong.csv");
    let import = import.to_str().unwrap();
    assert!(
        json(&site, &["subscribers", "import", import], 1)["error"]
            .as_str()
            .unwrap()
            .contains("line 3")
    );
    let taken = json(&site, &["subscribers", "import", import, "--skip-invalid"], 0);
    assert_eq!((&taken["added"], &taken["invalid_count"]), (&json!(1), &json!(3)));
    std::fs::remove_file(site.path("subscribers/wrong.csv")).unwrap();
    assert_eq!(counts(&only_edition(&publish(&site, 0))), [2, 0, 0, 0]);
}

#[test]
fn hostile_names_start_no_header() {
    let site = Site::new();
    site.summary("one", "urology");
    let header = "email,name,digest,categories,status,consent_at,consent_source\n";
    let name = "\"Eve\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>\"";
    site.write(
        "subscribers/list.csv",
        &format!("{header}eve@example.org,{name},weekly,,confirmed,2026-01-01,test\n"),
    );
    let said = publish(&site, 0);
    assert_eq!(said["lists"][0]["added"], 1, "{said:#}");
    for raw in site.outbox() {
        let head = raw.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(!head.contains("\r\nbcc:") && !head.contains("\nbcc:"), "{head}");
    }
    let mails = take_outbox(&site);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "eve@example.org");
    assert!(!mails[0].html.contains("<script"), "{}", mails[0].html);
    assert!(
        mails[0]
            .text
            .contains("Hello Eve Bcc: victim@example.com <script>alert(1)</script>,"),
        "{}",
        mails[0].text
    );
}

#[test]
fn every_script_and_emoji_arrives_as_it_was_written() {
    let site = Site::new();
    site.configure("", "");
    let title = "סיכום שבועי 🦴 ملخص — Übersicht & \\\"Neues\\\"";
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.write(
        "config.toml",
        &config.replace("title = \"Weekly digest\"", &format!("title = \"{title}\"")),
    );
    site.write(
        "content/script.md",
        "+++\ntitle = \"Blase 🫧 und שלפוחית <b>\"\ndoi = \"10.5555/x\"\npublished = 2026-01-02\n\
         categories = [\"urology\"]\n+++\n\n## Simple Explanation\n\nعربي, עברית, 中文 and 🦴.\n\n.A line with a dot\n",
    );
    site.write(
        "subscribers/list.csv",
        "email,name,digest,categories,status,consent_at,consent_source\n\
         dana@example.org,דנה לדוגמה,weekly,,confirmed,2026-01-01,test\n\
         chloe@example.org,\"Müller-Østergård, \"\"Chloë\"\" 🌻\",weekly,,confirmed,2026-01-01,test\n",
    );
    publish(&site, 0);
    for raw in site.outbox() {
        assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998));
    }
    let mails = take_outbox(&site);
    let dana = mail_to(&mails, "dana@example.org");
    assert!(
        dana.subject
            .starts_with("סיכום שבועי 🦴 ملخص — Übersicht & \"Neues\", "),
        "{}",
        dana.subject
    );
    assert!(dana.text.contains("Hello דנה לדוגמה,"));
    assert!(
        dana.text.contains("Blase 🫧 und שלפוחית <b>") && dana.text.contains("عربي, עברית, 中文 and 🦴.")
    );
    assert!(
        dana.html.contains("Blase 🫧 und שלפוחית &lt;b&gt;")
            && dana.html.contains("عربي, עברית, 中文 and 🦴.")
    );
    assert!(dana.text.contains(".A line with a dot"));
    let chloe = mail_to(&mails, "chloe@example.org");
    assert!(
        chloe.text.contains("Hello Müller-Østergård, \"Chloë\" 🌻,"),
        "{}",
        chloe.text
    );
}
