//! A list and a reader at the same moment. On SQLite one waits for the other from the start.

use crate::database::Database;
use crate::seed::{NOW, reader, readers};
use postrider::domain::subscriber::Cause;
use postrider::store::import::Subscribing;
use sqlx::Executor;

const ANN: &str = "ann@readers.net";

fn subscribing(digest: &str) -> Subscribing {
    Subscribing {
        key: ANN.to_owned(),
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
