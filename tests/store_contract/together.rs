//! A list and a reader at the same moment, or the upkeep and a reader. On SQLite one waits for the other from the start.

use crate::database::Database;
use crate::links::{addressing, events, notices, sign_up, wish};
use crate::seed::{NOW, at, reader, readers};
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::{Choice, State};
use postrider::store::import::{Entry, Subscribing};
use postrider::store::sign_ups::Wish;
use postrider::subscriptions::sign_up as sign_ups;
use sqlx::Executor;

const ANN: &str = "ann@readers.net";
const WEEK: u64 = 7 * 86_400;

fn subscribing(digest: &str) -> Subscribing {
    Subscribing {
        key: ANN.into(),
        digest: digest.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_leaves_a_readers_word_alone() {
    let test = |db: Database| async move {
        let store = db.open().await;
        readers(&store, &["ann@readers.net,,weekly;monthly,,confirmed"]).await;
        let mut click = db.connect().await;
        click.execute("BEGIN").await.unwrap();
        click
            .execute("UPDATE subscription SET active = 0, ended_by = 'reader' WHERE digest = 'monthly'")
            .await
            .unwrap();
        let mut import = store.begin_import(NOW).await.unwrap();
        let list = tokio::spawn(async move {
            let ended = import.end_others(&[subscribing("weekly")]).await.unwrap();
            import.commit().await.unwrap();
            ended
        });
        db.somebody_waits().await;
        click.execute("COMMIT").await.unwrap();
        assert_eq!(list.await.unwrap(), Vec::<i64>::new());
        let theirs = "SELECT COUNT(*) FROM subscription WHERE active = 0 AND ended_by = 'reader'";
        assert_eq!(db.number(theirs).await, 1);
    };
    Database::postgres().await.run(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_and_a_click_do_not_block_each_other() {
    let test = |db: Database| async move {
        let store = db.open().await;
        readers(&store, &["ann@readers.net,,weekly,,confirmed"]).await;
        let ann = reader(&store, ANN).await.id;
        let mut import = store.begin_import(NOW).await.unwrap();
        let renamed = Entry {
            address: ANN.into(),
            key: ANN.into(),
            hash: "hash".to_owned(),
            reserved: 0,
            name: Some("Ann".to_owned()),
            state: "confirmed",
            cause: "import",
            categories: String::new(),
            consent_at: None,
            consent_source: None,
            was: "confirmed",
        };
        assert_eq!(import.write(&[renamed]).await.unwrap(), [ann]);
        let click = {
            let store = store.clone();
            tokio::spawn(async move { store.end_subscription(ann, "weekly", Way::Link, NOW).await })
        };
        db.somebody_waits().await;
        assert!(
            import
                .subscribe(&[subscribing("weekly")])
                .await
                .unwrap()
                .is_empty()
        );
        import.commit().await.unwrap();
        assert!(click.await.unwrap().unwrap());
        let theirs = "SELECT COUNT(*) FROM subscription WHERE active = 0 AND ended_by = 'reader'";
        assert_eq!(db.number(theirs).await, 1);
        assert_eq!(reader(&store, ANN).await.state, State::Unsubscribed);
    };
    Database::postgres().await.run(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_while_they_are_being_forgotten_stays() {
    let test = |db: Database| async move {
        let store = db.open().await;
        sign_up(&store, ANN, NOW).await;
        sign_up(&store, "bob@readers.net", NOW).await;
        let id = reader(&store, ANN).await.id;
        db.execute("DELETE FROM sign_up").await;
        let mut asking = store.begin_change(at(WEEK)).await.unwrap();
        asking.reader(id).await.unwrap();
        let forgetting = {
            let store = store.clone();
            tokio::spawn(async move { store.forget_unconfirmed(NOW, at(WEEK)).await.unwrap() })
        };
        db.somebody_waits().await;
        let wish = Wish {
            name: None,
            digests: Vec::new(),
            categories: Choice::default(),
            text_only: false,
            wording: String::new(),
            way: Way::Form,
        };
        asking.add_sign_up(id, &wish, at(2 * WEEK)).await.unwrap();
        asking.commit().await.unwrap();
        assert_eq!(forgetting.await.unwrap(), 1);
        assert_eq!(reader(&store, ANN).await.id, id);
        assert!(store.subscriber("bob@readers.net").await.unwrap().is_none());
        let link = format!("SELECT COUNT(*) FROM sign_up WHERE subscriber_id = {id}");
        let mail =
            format!("SELECT COUNT(*) FROM notice WHERE subscriber_id = {id} AND next_attempt IS NOT NULL");
        assert_eq!((db.number(&link).await, db.number(&mail).await), (1, 1));
    };
    Database::postgres().await.run(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_forgotten_while_they_ask_again_begins_anew() {
    let test = |db: Database| async move {
        let store = db.open().await;
        sign_up(&store, ANN, NOW).await;
        let before = reader(&store, ANN).await.id;
        let mut forgetting = db.connect().await;
        forgetting.execute("BEGIN").await.unwrap();
        forgetting
            .execute("SELECT id FROM subscriber FOR UPDATE")
            .await
            .unwrap();
        sign_ups::request(&store, &wish(ANN), &addressing(), at(WEEK))
            .await
            .unwrap();
        let asking = {
            let store = store.clone();
            tokio::spawn(async move { sign_ups::process(&store, &addressing(), at(WEEK)).await.unwrap() })
        };
        db.somebody_waits().await;
        forgetting.execute("DELETE FROM subscriber").await.unwrap();
        forgetting.execute("COMMIT").await.unwrap();
        assert_eq!(asking.await.unwrap(), 1);
        let ann = reader(&store, ANN).await;
        assert!(ann.id != before && ann.state == State::Pending);
        // Those of the first time went with the row.
        assert_eq!(
            (notices(&db, "confirm").await, events(&db, "pending").await),
            (1, 1)
        );
    };
    Database::postgres().await.run(test).await;
}
