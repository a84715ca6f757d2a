//! Planning: who is in the audience, grouped how, in which batches; and planned once.

use crate::database::Database;
use crate::plan::{DAY, begin, draft, edition, finish};
use crate::seed::{NOW, at, list, many_readers, reader, readers, settings, summaries, suppress};
use postrider::domain::delivery::State as Delivery;
use postrider::domain::edition::State;
use postrider::domain::reader_event::Way;
use postrider::domain::subscriber::Suppression;
use postrider::store::Store;
use postrider::store::ledger::Outcome;
use postrider::subscriptions::import::{address_hash, import};

crate::on_both! {
    deliveries_come_in_batches_of_500, readers_are_grouped_by_choice, what_a_reader_had_is_a_bit,
    only_what_may_have_arrived_was_had, outsiders_are_not_counted, reserved_addresses_are_barred,
    readers_who_arrive_meanwhile_do_not_break_the_sum, a_draft_is_planned_once, an_abandoned_plan_leaves_nothing,
    an_edition_for_nobody_is_finished, sixty_items_have_a_bit_each,
}

async fn deliveries_come_in_batches_of_500(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1203).await;
    let ids = summaries(&store, &["One|oncology"]).await;
    let mut planning = begin(&store, "weekly", &ids, false).await;
    let groups = planning.groups().await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(
        (groups[0].count, groups[0].had, groups[0].choice.is_empty()),
        (1203, 0, true)
    );
    let id = finish(planning, &ids).await;
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.audience, report.waiting),
        (State::Planned, 1203, 1203)
    );
    assert_eq!((report.planned, report.finished), (Some(NOW), None));
    assert_eq!(store.edition(id).await.unwrap().expires, Some(at(DAY)));
    for (batch, size) in [(0, 500), (1, 500), (2, 203)] {
        let sql = format!(
            "SELECT COUNT(*) FROM delivery d JOIN batch b ON b.segment_id = d.segment_id
            AND b.no = d.batch_no WHERE d.batch_no = {batch} AND b.due = {}",
            NOW.0
        );
        assert_eq!(db.number(&sql).await, size);
    }
    assert_eq!(db.number("SELECT COUNT(*) FROM batch").await, 3);
}

async fn readers_are_grouped_by_choice(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly,urology;oncology,confirmed",
            "c@readers.net,,weekly;monthly,oncology;urology,confirmed",
            "d@readers.net,,weekly,surgery,confirmed",
            "e@readers.net,,monthly,surgery,confirmed",
        ],
    )
    .await;
    let ids = summaries(&store, &["One|oncology;surgery", "Two"]).await;
    let mut planning = begin(&store, "weekly", &[ids[1], ids[0]], false).await;
    let items = planning.items().await.unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item.summary,
                item.position,
                item.categories.iter().map(|c| c.as_str()).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [(ids[1], 0, vec![]), (ids[0], 1, vec!["oncology", "surgery"])]
    );
    assert!(items.iter().all(|item| !item.receivers_known));
    let groups = planning.groups().await.unwrap();
    let counts: Vec<_> = groups.iter().map(|g| (g.choice.to_string(), g.count)).collect();
    assert_eq!(
        counts,
        [
            (String::new(), 1),
            ("oncology;urology".to_owned(), 2),
            ("surgery".to_owned(), 1)
        ]
    );
    // Two segments and a reason; the sums hold.
    planning
        .add_segment(&ids, &[&groups[0], &groups[1]])
        .await
        .unwrap();
    planning.add_segment(&ids[..1], &[]).await.unwrap();
    planning
        .exclude("nothing_for_them", groups[2].count)
        .await
        .unwrap();
    let id = planning.commit(NOW, at(DAY)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!((report.audience, report.waiting, report.excluded), (4, 3, 1));
    assert_eq!(report.excluded_by.get("nothing_for_them"), Some(&1));
    assert_eq!(
        report.summaries.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        ["two", "one"]
    );
}

async fn set(store: &Store, edition: i64, subscriber: i64, state: Delivery) {
    let outcome = Outcome {
        edition,
        subscriber,
        state,
        attempt: 1,
        code: None,
        text: None,
        relay: None,
        next_attempt: None,
        dead: None,
    };
    store.record(&[outcome]).await.unwrap();
}

async fn had(store: &Store, digest: &str, ids: &[i64]) -> Vec<(i64, i64)> {
    let mut planning = begin(store, digest, ids, false).await;
    let groups = planning.groups().await.unwrap();
    planning.abandon().await.unwrap();
    groups.iter().map(|group| (group.had, group.count)).collect()
}

async fn what_a_reader_had_is_a_bit(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly;monthly,,confirmed",
            "b@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let ids = summaries(&store, &["One", "Two", "Three"]).await;
    let first = edition(&store, "weekly", &[ids[0], ids[2]]).await;
    readers(&store, &["c@readers.net,,weekly,,confirmed"]).await;
    // Two had items 1 and 2 of this one; the third reader came later.
    assert_eq!(
        had(&store, "weekly", &[ids[1], ids[0], ids[2]]).await,
        [(0, 1), (6, 2)]
    );
    // Another digest did not send it.
    assert_eq!(had(&store, "monthly", &ids).await, [(0, 1)]);
    // Having had it twice is having had it.
    edition(&store, "weekly", &[ids[0]]).await;
    assert_eq!(had(&store, "weekly", &[ids[0], ids[2]]).await, [(1, 1), (3, 2)]);
    let mut planning = begin(&store, "weekly", &[ids[0], ids[1]], false).await;
    let known: Vec<_> = planning
        .items()
        .await
        .unwrap()
        .iter()
        .map(|i| i.receivers_known)
        .collect();
    assert_eq!(known, [true, false]);
    planning.abandon().await.unwrap();
    assert_eq!(store.edition(first).await.unwrap().digest, "weekly");
}

async fn only_what_may_have_arrived_was_had(db: Database) {
    let store = db.open().await;
    let states = [
        Delivery::Sent,
        Delivery::Waiting,
        Delivery::Uncertain,
        Delivery::Failed,
        Delivery::Expired,
        Delivery::Excluded,
    ];
    many_readers(&store, states.len()).await;
    let ids = summaries(&store, &["One"]).await;
    let id = edition(&store, "weekly", &ids).await;
    for (n, state) in states.into_iter().enumerate() {
        let who = reader(&store, &format!("reader-{n}@readers.net")).await.id;
        set(&store, id, who, state).await;
    }
    assert_eq!(had(&store, "weekly", &ids).await, [(0, 3), (1, 3)]);
}

async fn outsiders_are_not_counted(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "in@readers.net,,weekly,,confirmed",
            "pending@readers.net,,weekly,,pending",
            "paused@readers.net,,weekly,,paused",
            "left@readers.net,,weekly,,unsubscribed",
            "bounced@readers.net,,weekly,,bounced",
            "complained@readers.net,,weekly,,complained",
            "monthly@readers.net,,monthly,,confirmed",
            "leaver@readers.net,,weekly;monthly,,confirmed",
            "dead@readers.net,,weekly,,confirmed",
            "erased@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let leaver = reader(&store, "leaver@readers.net").await.id;
    store
        .end_subscription(leaver, "weekly", Way::Link, NOW)
        .await
        .unwrap();
    for (who, reason) in [
        ("dead@readers.net", Suppression::Bounced),
        // This one blocks lists and admins only: who confirmed again is in.
        ("erased@readers.net", Suppression::Erased),
    ] {
        suppress(&store, &address_hash(who, &settings().salt), reason).await;
    }
    let ids = summaries(&store, &["One"]).await;
    let id = edition(&store, "weekly", &ids).await;
    let reports = store.delivery_reports(id).await.unwrap();
    let addresses: Vec<_> = reports
        .iter()
        .map(|(_, report)| report.address.as_str())
        .collect();
    assert_eq!(addresses, ["in@readers.net", "erased@readers.net"]);
    assert_eq!(store.edition_report(id).await.unwrap().audience, 2);
}

async fn reserved_addresses_are_barred(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@example.org,,weekly,,confirmed",
            "b@sub.example.com,,weekly,,confirmed",
            "c@readers.net,,weekly,,confirmed",
        ],
    )
    .await;
    let ids = summaries(&store, &["One"]).await;
    let planning = begin(&store, "weekly", &ids, true).await;
    let barred = finish(planning, &ids).await;
    let report = store.edition_report(barred).await.unwrap();
    assert_eq!((report.audience, report.waiting, report.excluded), (3, 1, 2));
    assert_eq!(report.excluded_by.get("reserved_domain"), Some(&2));
    let report = store
        .edition_report(edition(&store, "weekly", &ids).await)
        .await
        .unwrap();
    assert_eq!((report.audience, report.waiting, report.excluded), (3, 3, 0));
}

async fn readers_who_arrive_meanwhile_do_not_break_the_sum(db: Database) {
    let store = db.open().await;
    readers(
        &store,
        &[
            "a@readers.net,,weekly,,confirmed",
            "b@readers.net,,weekly,surgery,confirmed",
        ],
    )
    .await;
    let ids = summaries(&store, &["One|oncology"]).await;
    let mut planning = begin(&store, "weekly", &ids, false).await;
    let groups = planning.groups().await.unwrap();
    let arrivals = {
        let store = store.clone();
        tokio::spawn(async move {
            let text = list(&[
                "c@readers.net,,weekly,,confirmed",
                "d@readers.net,,weekly,surgery,confirmed",
                "e@readers.net,,weekly,urology,confirmed",
                // These two change places: the one would be lost, the other counted twice.
                "a@readers.net,,weekly,surgery,confirmed",
                "b@readers.net,,weekly,,confirmed",
            ]);
            import(&store, text.as_bytes(), &settings(), NOW).await.unwrap()
        })
    };
    planning.add_segment(&ids, &[&groups[0]]).await.unwrap();
    planning
        .exclude("nothing_for_them", groups[1].count)
        .await
        .unwrap();
    // SQLite lets them in after the planning, PostgreSQL in the middle of it.
    let id = if store.is_of_one_machine() {
        let id = planning.commit(NOW, at(DAY)).await.unwrap();
        arrivals.await.unwrap();
        id
    } else {
        arrivals.await.unwrap();
        planning.commit(NOW, at(DAY)).await.unwrap()
    };
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        report.audience,
        report.sent + report.waiting + report.failed + report.excluded
    );
    assert_eq!((report.audience, report.waiting, report.excluded), (2, 1, 1));
    let reports = store.delivery_reports(id).await.unwrap();
    let addresses: Vec<_> = reports
        .iter()
        .map(|(_, report)| report.address.as_str())
        .collect();
    assert_eq!(addresses, ["a@readers.net"]);
}

async fn a_draft_is_planned_once(db: Database) {
    let store = db.open().await;
    many_readers(&store, 3).await;
    let ids = summaries(&store, &["One"]).await;
    let id = draft(&store, "weekly", &ids).await;
    assert_eq!(store.edition(id).await.unwrap().state, State::Draft);
    let first = store.plan_draft(id, false, None).await.unwrap();
    let second = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .plan_draft(id, false, None)
                .await
                .map(|planning| planning.id())
        })
    };
    assert_eq!(finish(first, &ids).await, id);
    let problem = second.await.unwrap().unwrap_err();
    assert_eq!(problem.message(), format!("edition {id} is planned, not a draft"));
    assert!(store.plan_draft(id, false, None).await.is_err());
    assert_eq!(store.edition_report(id).await.unwrap().audience, 3);
    assert_eq!(db.number("SELECT COUNT(*) FROM delivery").await, 3);
}

async fn an_abandoned_plan_leaves_nothing(db: Database) {
    let store = db.open().await;
    many_readers(&store, 3).await;
    let ids = summaries(&store, &["One"]).await;
    begin(&store, "weekly", &ids, false)
        .await
        .abandon()
        .await
        .unwrap();
    drop(begin(&store, "weekly", &ids, false).await);
    assert!(!store.has_editions("weekly").await.unwrap());
    assert_eq!(store.summaries_new_to("weekly").await.unwrap().len(), 1);
    // A draft that could not be planned stays one.
    let id = draft(&store, "weekly", &ids).await;
    store
        .plan_draft(id, false, None)
        .await
        .unwrap()
        .abandon()
        .await
        .unwrap();
    assert_eq!(store.edition(id).await.unwrap().state, State::Draft);
}

async fn an_edition_for_nobody_is_finished(db: Database) {
    let store = db.open().await;
    readers(&store, &["a@readers.net,,weekly,surgery,confirmed"]).await;
    let ids = summaries(&store, &["One"]).await;
    let mut planning = begin(&store, "weekly", &ids, false).await;
    planning.exclude("nothing_for_them", 1).await.unwrap();
    let id = planning.commit(NOW, at(DAY)).await.unwrap();
    let report = store.edition_report(id).await.unwrap();
    assert_eq!(
        (report.state, report.audience, report.finished),
        (State::Finished, 1, Some(NOW))
    );
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn sixty_items_have_a_bit_each(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let titles: Vec<_> = (0..60).map(|n| format!("Title {n}")).collect();
    let ids = summaries(&store, &titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    edition(&store, "weekly", &ids).await;
    assert_eq!(had(&store, "weekly", &ids).await, [((1 << 60) - 1, 1)]);
}
