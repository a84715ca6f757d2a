//! A list and a reader at the same moment. On SQLite one waits for the other from the start.

use crate::database::Database;
use crate::seed::{NOW, reader, readers};
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::State;
use postrider::store::import::{Entry, Subscribing};
use sqlx::Executor;

const ANN: &str = "ann@readers.net";

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
