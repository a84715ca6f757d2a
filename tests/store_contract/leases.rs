//! Leases: one holder at a time, freed by release, by time, or by the death of the holder.

use crate::database::Database;
use crate::seed::{NOW, at};
use postrider::domain::{Clock, Timestamp};
use postrider::store::{lease, owner};
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

crate::on_both! {
    a_lease_is_exclusive, only_one_of_many_takes_a_lease, a_lease_runs_out, a_waiting_process_gets_it,
    waiting_ends_with_words, a_dead_process_holds_nothing,
}

async fn a_lease_is_exclusive(db: Database) {
    let store = db.open().await;
    let first = lease::take(&store, "weekly", NOW).await.unwrap().unwrap();
    assert!(lease::take(&store, "weekly", NOW).await.unwrap().is_none());
    assert!(
        lease::take(&db.open().await, "weekly", NOW)
            .await
            .unwrap()
            .is_none()
    );
    let other = lease::take(&store, "monthly", NOW).await.unwrap();
    assert!(other.is_some());
    first.release().await.unwrap();
    assert!(lease::take(&store, "weekly", NOW).await.unwrap().is_some());
}

async fn only_one_of_many_takes_a_lease(db: Database) {
    let store = db.open().await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { lease::take(&store, "weekly", NOW).await.unwrap() })
        })
        .collect();
    let mut held = Vec::new();
    for task in tasks {
        held.extend(task.await.unwrap());
    }
    assert_eq!(held.len(), 1);
}

async fn a_lease_runs_out(db: Database) {
    let store = db.open().await;
    let slow = lease::take(&store, "weekly", NOW).await.unwrap().unwrap();
    assert!(lease::take(&store, "weekly", at(60)).await.unwrap().is_none());
    let next = lease::take(&store, "weekly", at(61)).await.unwrap().unwrap();
    // The first holder can't give away what is no longer its own.
    slow.release().await.unwrap();
    assert!(lease::take(&store, "weekly", at(62)).await.unwrap().is_none());
    next.release().await.unwrap();
    assert!(lease::take(&store, "weekly", at(62)).await.unwrap().is_some());
}

/// A clock that goes on by a second whenever it is read.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        at(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

async fn a_waiting_process_gets_it(db: Database) {
    let store = db.open().await;
    let first = lease::take(&store, "weekly", NOW).await.unwrap().unwrap();
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            let clock = Ticking(AtomicU64::new(0));
            lease::wait_for(&store, "weekly", &clock, Duration::from_secs(100_000)).await
        })
    };
    first.release().await.unwrap();
    waiting.await.unwrap().unwrap().release().await.unwrap();
}

async fn waiting_ends_with_words(db: Database) {
    let store = db.open().await;
    let _held = lease::take(&store, "weekly", NOW).await.unwrap().unwrap();
    let clock = Ticking(AtomicU64::new(0));
    let problem = lease::wait_for(&store, "weekly", &clock, Duration::from_secs(4))
        .await
        .unwrap_err();
    assert_eq!(
        problem.message(),
        "another process has been busy with \"weekly\" for 4s"
    );
    assert!(problem.hint_text().is_some());
}

/// A process that holds the lease `weekly`, and its name as an owner.
pub fn holder(db: &Database) -> (Child, String) {
    let mut process = db.start("leases::as_a_holder");
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let owner = lines.find_map(|line| Some(line.unwrap().split_once("holding as ")?.1.to_owned()));
    (process, owner.expect("the process says who it is"))
}

#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
async fn as_a_holder() {
    let store = Database::of_parent().open().await;
    let _held = lease::take(&store, "weekly", NOW).await.unwrap().unwrap();
    println!("holding as {}", owner::new());
    // Until the parent closes the pipe, or kills this process.
    let _ = std::io::stdin().read(&mut [0]);
}

async fn a_dead_process_holds_nothing(db: Database) {
    let store = db.open().await;
    let (mut process, owner) = holder(&db);
    assert!(!owner::is_dead(&owner, true));
    assert!(lease::take(&store, "weekly", NOW).await.unwrap().is_none());
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(owner::is_dead(&owner, false));
    assert!(lease::take(&store, "weekly", NOW).await.unwrap().is_some());
}
