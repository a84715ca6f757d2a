//! Moving in: exports of other programs, by the real program, into both databases.

use crate::database::Database;
use crate::exports::{listmonk, mailchimp, substack};
use crate::moves::{moved_from, moves_in, number, shown};

crate::on_both! {
    mailchimp_moves_in, listmonk_moves_in, substack_moves_in, an_export_has_no_say_in_what_it_does_not_name,
    who_left_in_one_file_has_left_in_whatever_order,
}

async fn mailchimp_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "mailchimp",
        "--map",
        "Interests=categories",
        "--map",
        "tags=categories",
        "--category",
        "bladder health=urology",
        "--digest",
        "monthly",
    ];
    let said = moves_in(&db, &site, &mailchimp(), &options).await;
    let at = "2024-03-04T05:06:07Z|mailchimp";
    for (address, expected) in [
        (
            "mc0@readers.net",
            format!("Ann B. Tee|confirmed|monthly|urology|{at}"),
        ),
        ("mc1@readers.net", format!("Bo Tee|confirmed|monthly||{at}")),
        ("mc2@readers.net", format!("Tee|confirmed|monthly|oncology|{at}")),
        ("gone0@readers.net", format!("-|unsubscribed|||{at}")),
        ("gone3@readers.net", format!("-|complained|monthly||{at}")),
        ("gone130@readers.net", "-|unsubscribed|||-|mailchimp".to_owned()),
        ("dead0@readers.net", "-|bounced|monthly||-|mailchimp".to_owned()),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
    site.run(&["subscribers", "show", "buyer0@readers.net"])
        .expect_code(1);
    // What no --category names is counted, not guessed.
    let unmapped = &said["total"]["unmapped"];
    assert_eq!(unmapped["\"vip\""], unmapped["\"Old, list\""]);
    assert!(unmapped["\"Heart, lungs\""].as_u64().unwrap() > 1700);
    assert_eq!(unmapped.as_object().unwrap().len(), 3);
}

async fn listmonk_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "listmonk",
        "--as",
        "confirmed",
        "--consent-source",
        "old letter",
        "--digest",
        "Weekly News=weekly",
        "--digest",
        "Monthly letter=monthly",
    ];
    let said = moves_in(&db, &site, &[listmonk()], &options).await;
    let at = "2024-03-04T05:06:07Z|old letter";
    for (address, expected) in [
        (
            "lm0@readers.net",
            format!("Ann B.|confirmed|monthly+weekly||{at}"),
        ),
        ("lm1@readers.net", format!("Ann B.|confirmed|weekly||{at}")),
        ("lm15@readers.net", format!("Ann B.|pending|monthly+weekly||{at}")),
        ("lm6@readers.net", format!("Ann B.|unsubscribed|||{at}")),
        ("lm7@readers.net", format!("Ann B.|unsubscribed|||{at}")),
        ("lm8@readers.net", format!("Ann B.|complained|||{at}")),
        ("lm19@readers.net", format!("Ann B.|confirmed|weekly||{at}")),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
    site.run(&["subscribers", "show", "lm2@readers.net"])
        .expect_code(1);
    assert!(said["total"]["unmapped"]["\"Staff\""].as_u64().unwrap() > 3000);
}

async fn substack_moves_in(db: Database) {
    let site = moved_from(&db);
    let options = [
        "--from",
        "substack",
        "--as",
        "confirmed",
        "--consent-at",
        "2023-05-06",
    ];
    moves_in(&db, &site, &[substack()], &options).await;
    for (address, expected) in [
        (
            "ss0@readers.net",
            "-|confirmed|weekly||2023-05-06T00:00:00Z|substack",
        ),
        (
            "ss2@readers.net",
            "-|confirmed|weekly||2024-03-04T05:06:07Z|substack",
        ),
        (
            "ss7@readers.net",
            "-|unsubscribed|||2024-03-04T05:06:07Z|substack",
        ),
        ("ss18@readers.net", "-|bounced|||2024-03-04T05:06:07Z|substack"),
        ("ss9@readers.net", "-|complained|||2024-03-04T05:06:07Z|substack"),
    ] {
        assert_eq!(shown(&site, address), expected, "{address}");
    }
}

async fn an_export_has_no_say_in_what_it_does_not_name(db: Database) {
    let site = moved_from(&db);
    let add = [
        "subscribers",
        "add",
        "ann@readers.net",
        "--confirmed",
        "--name",
        "Ann",
    ];
    site.run(&[&add[..], &["--digest", "monthly", "--categories", "urology"]].concat())
        .expect_code(0);
    let before = shown(&site, "ann@readers.net");
    site.write(
        "subscribed_a.csv",
        "Email Address,First Name,TAGS,OPTIN_TIME\nANN@readers.net,Anna,vip,2024-01-01 00:00:00\n",
    );
    let file = site.path("subscribed_a.csv");
    let import = [
        "subscribers",
        "import",
        file.to_str().unwrap(),
        "--from",
        "mailchimp",
        "--json",
    ];
    let said = site.run(&import).expect_code(0).json();
    assert_eq!(number(&said["total"], "unchanged"), 1);
    assert_eq!(shown(&site, "ann@readers.net"), before);
    // What is named for it, it has.
    let named = [
        "--map",
        "TAGS=categories",
        "--category",
        "VIP=oncology",
        "--digest",
        "weekly",
    ];
    let said = site
        .run(&[&import[..], &named[..]].concat())
        .expect_code(0)
        .json();
    assert_eq!(number(&said["total"], "updated"), 1);
    let now = shown(&site, "ann@readers.net");
    assert!(
        now.starts_with("Anna|confirmed|monthly+weekly|oncology|"),
        "{now}"
    );
}

async fn who_left_in_one_file_has_left_in_whatever_order(db: Database) {
    let site = moved_from(&db);
    let header = "Email Address,OPTIN_TIME\n";
    let path = |name: &str| site.path(name).to_str().unwrap().to_owned();
    let (subscribed, left) = (path("subscribed_a.csv"), path("unsubscribed_b.csv"));
    for (who, files) in [
        ("ann@readers.net", [&subscribed, &left]),
        ("bea@readers.net", [&left, &subscribed]),
    ] {
        let text = format!("{header}{who},2024-01-01 00:00:00\n");
        site.write("subscribed_a.csv", &text);
        site.write("unsubscribed_b.csv", &text);
        let import = [
            "subscribers",
            "import",
            "--from",
            "mailchimp",
            "--json",
            files[0],
            files[1],
        ];
        let forecast = site
            .run(&[&import[..], &["--dry-run"]].concat())
            .expect_code(0)
            .json();
        let said = site.run(&import).expect_code(0).json();
        assert_eq!(said["files"], forecast["files"]);
        assert_eq!(number(&said["total"], "rows"), 2);
        assert!(shown(&site, who).contains("|unsubscribed||"), "{who}");
    }
}
