//! What an admin says of one reader: a pending one is asked to confirm, within the limits of the form.

use crate::database::Database;
use crate::links::{addressing, confirm_link, notices, signer};
use crate::seed::{NOW, address, at, reader, readers, settings, slug, suppress};
use postrider::domain::problem::Kind;
use postrider::domain::subscriber::{Choice, State, Suppression};
use postrider::subscriptions::admin::{NewReader, add, remove, show};
use postrider::subscriptions::{confirm, sign_up};

crate::on_both! {
    whom_an_admin_adds_is_asked, nobody_else_is_asked, an_admin_names_what_is_there, an_admin_removes,
}

fn new(who: &str, confirmed: bool) -> NewReader {
    NewReader {
        address: address(who),
        confirmed,
        name: Some("Ann".to_owned()),
        digests: vec![slug("monthly")],
        categories: Some(Choice::parse("urology").unwrap()),
        wording: "I agree.".to_owned(),
    }
}

async fn whom_an_admin_adds_is_asked(db: Database) {
    let store = db.open().await;
    for (minutes, expected) in [(0, 1), (5, 1), (10, 2), (20, 3), (30, 3)] {
        let now = at(minutes * 60);
        add(&store, &new("a@readers.net", false), &settings(), now)
            .await
            .unwrap();
        sign_up::process(&store, &addressing(), now).await.unwrap();
        assert_eq!(notices(&db, "confirm").await, expected, "{minutes}");
    }
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!((ann.state, ann.consent_at), (State::Pending, None));
    let asked = "SELECT COUNT(*) FROM sign_up WHERE way = 'cli'";
    assert_eq!(db.number(asked).await, 3);
    let token = confirm_link(&db).await;
    let offer = confirm::confirm(&store, &signer(), &token, at(3600))
        .await
        .unwrap();
    assert_eq!(offer.good().unwrap().wording, "I agree.");
    let ann = reader(&store, "a@readers.net").await;
    assert_eq!(
        (ann.state, ann.digests.join(";").as_str(), ann.consent_at),
        (State::Confirmed, "monthly", Some(at(3600)))
    );
    assert_eq!(
        (ann.name.as_deref(), ann.categories.to_string().as_str()),
        (Some("Ann"), "urology")
    );
}

async fn nobody_else_is_asked(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "reads@readers.net,,weekly,,confirmed",
            "dead@readers.net,,weekly,,pending",
            "left@readers.net,,weekly,,unsubscribed",
        ],
    )
    .await;
    let hash = addressing().known(&address("dead@readers.net")).hash;
    suppress(&store, &hash, Suppression::Bounced).await;
    // Pending by a list, and refused at another address of the mailbox.
    readers(&store, &["no+1@readers.net,,weekly,,pending"]).await;
    let mut change = store.begin_change(NOW).await.unwrap();
    let mailbox = addressing().known(&address("no@readers.net")).mailbox;
    change.refuse_mailbox(&mailbox).await.unwrap();
    change.commit().await.unwrap();
    for (who, confirmed, refused) in [
        ("reads", false, None),
        ("agreed", true, None),
        ("dead", false, Some("bounced")),
        ("no+1", false, Some("refused")),
        ("left", false, Some("unsubscribed")),
    ] {
        let who = format!("{who}@readers.net");
        let added = add(&store, &new(&who, confirmed), &settings(), NOW).await;
        let told = added.err().map(|problem| problem.message().to_owned());
        let expected =
            refused.map(|reason| format!("{} is not added: the address is {reason}", address(&who)));
        assert_eq!(told, expected);
        let queued = "SELECT COUNT(*) FROM sign_up_request";
        assert_eq!(db.number(queued).await, 0, "{who}");
    }
    assert_eq!(
        reader(&store, "dead@readers.net").await.name,
        None,
        "nothing is kept"
    );
}

async fn an_admin_names_what_is_there(db: Database) {
    let store = db.open().await;
    let wrong = NewReader {
        digests: vec![slug("daily")],
        ..new("a@readers.net", true)
    };
    let problem = add(&store, &wrong, &settings(), NOW).await.unwrap_err();
    assert_eq!(
        (problem.message(), problem.kind()),
        ("there is no digest \"daily\"", Kind::Configuration)
    );
    let wrong = NewReader {
        categories: Some(Choice::parse("cardiology").unwrap()),
        ..new("a@readers.net", true)
    };
    let problem = add(&store, &wrong, &settings(), NOW).await.unwrap_err();
    assert_eq!(
        problem.message(),
        "category \"cardiology\" is not in the configuration"
    );
    assert_eq!(store.count_subscribers().await.unwrap(), []);
}

async fn an_admin_removes(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly;monthly,,confirmed"]).await;
    for _ in 0..2 {
        remove(&store, &address("A@readers.net"), &settings(), NOW)
            .await
            .unwrap();
        let ann = show(&store, &address("a@readers.net"), &settings())
            .await
            .unwrap();
        assert_eq!((ann.state, ann.digests.len()), (State::Unsubscribed, 0));
    }
    assert_eq!(
        readers(&store, &["a@readers.net,,weekly,,confirmed"]).await.kept,
        1
    );
    let problem = remove(&store, &address("x@readers.net"), &settings(), NOW)
        .await
        .unwrap_err();
    assert_eq!(problem.message(), "there is no subscriber x***@r***.net");
    assert_eq!(problem.kind(), Kind::NotFound);
}
