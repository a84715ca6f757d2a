//! Summaries: recognised again, kept whole, and marked for good.

use crate::database::Database;
use crate::plan::{announcement, edition};
use crate::seed::{NOW, arrival, at, many_readers, slug, summaries, summary};
use postrider::domain::problem::Kind;
use postrider::domain::summary::{Fault, Implication, Status, Summary};
use postrider::domain::{Doi, Prose};
use postrider::store::arrivals::Arrival;

crate::on_both! {
    a_summary_is_kept_whole, a_summary_is_known_by_doi_item_and_address, a_link_makes_an_item_known,
    an_update_keeps_what_was_marked, an_update_marks, a_retraction_outlives_a_correction,
    the_blame_alone_is_news, every_change_is_counted, a_slug_gets_a_number, the_latest_come_first,
    an_unknown_summary_is_named, a_segment_holds_its_items_in_order,
}

fn whole() -> Summary {
    let prose = |html: &str| Prose::from_sanitised(html.to_owned());
    Summary {
        journal: Some("Spinal Cord".to_owned()),
        year: Some(2020),
        doi: Some(Doi::parse("10.1000/a(b)").unwrap()),
        published: Some("2020-11-01".parse().unwrap()),
        categories: ["urology", "oncology"].map(slug).to_vec(),
        status: Status::Corrected,
        note: Some("A \"number\".".to_owned()),
        fault: Some(Fault::Paper),
        explanation: prose("<p>Plain — 😀 ]]> 'quotes' $1</p>"),
        duration: Some("28 June to 29 August 2018".to_owned()),
        participants: Some("370".to_owned()),
        evidence: None,
        findings: vec![prose("One & <em>two</em>"), prose("")],
        research_summary: prose(&format!("<p>{}</p>", "long ".repeat(5000))),
        implications: vec![Implication {
            name: "Quality".to_owned(),
            text: prose("<p>Better</p>"),
        }],
        limitations: vec![prose("Few")],
        url: Some("https://example.org/a?b=c&d".to_owned()),
        ..summary("A title — with 😀", None, "")
    }
}

async fn a_summary_is_kept_whole(db: Database) {
    let store = db.open().await;
    let summary = whole();
    let arrival = Arrival {
        entry_id: "https://doi.org/10.1000/a(b)",
        ..arrival(&summary, "hash")
    };
    store.insert_summary(&arrival, at(1)).await.unwrap();
    let stored = store.summary(&summary.slug).await.unwrap();
    assert_eq!(stored.summary, summary);
    assert_eq!((stored.first_seen, stored.updated), (at(1), at(1)));
    assert_eq!(stored.entry_id, "https://doi.org/10.1000/a(b)");
}

async fn a_summary_is_known_by_doi_item_and_address(db: Database) {
    let store = db.open().await;
    let mut one = summary("One", Some("10.1000/one"), "");
    one.url = Some("https://example.org/one".to_owned());
    store.insert_summary(&arrival(&one, "h1"), NOW).await.unwrap();
    let two = summary("Two", Some("10.1000/two"), "");
    store.insert_summary(&arrival(&two, "h2"), NOW).await.unwrap();
    let id = store.summary(&one.slug).await.unwrap().id;
    let stranger = summary("Stranger", None, "");
    let same_doi = summary("Other words", Some("10.1000/ONE"), "");
    let elsewhere = |summary, key, canonical_url| Arrival {
        source: "site",
        key,
        canonical_url,
        ..arrival(summary, "x")
    };
    let address = Some("https://example.org/one");
    for (seen, known, item) in [
        (arrival(&one, "x"), true, true),
        (elsewhere(&same_doi, "k", None), true, false),
        (elsewhere(&stranger, "k", address), true, false),
        (elsewhere(&stranger, "one", None), false, false),
        // The DOI says more than the address.
        (
            elsewhere(&same_doi, "k", Some("https://example.org/none")),
            true,
            false,
        ),
    ] {
        let found = store.known_summary(&seen).await.unwrap();
        assert_eq!(
            found.as_ref().map(|known| known.id),
            known.then_some(id),
            "{seen:?}"
        );
        let item_hash = found.and_then(|known| known.item_hash);
        assert_eq!(item_hash.as_deref(), item.then_some("h1"), "{seen:?}");
    }
    let by_doi = elsewhere(&two, "k", address);
    assert_ne!(
        store.known_summary(&by_doi).await.unwrap().map(|known| known.id),
        Some(id)
    );
}

async fn a_link_makes_an_item_known(db: Database) {
    let store = db.open().await;
    let one = summary("One", Some("10.1000/one"), "");
    store.insert_summary(&arrival(&one, "h1"), NOW).await.unwrap();
    let id = store.summary(&one.slug).await.unwrap().id;
    let other = summary("One elsewhere", None, "");
    let seen = Arrival {
        source: "site",
        ..arrival(&other, "h2")
    };
    assert_eq!(store.known_summary(&seen).await.unwrap(), None);
    store.link_summary(id, &seen).await.unwrap();
    let known = store.known_summary(&seen).await.unwrap().unwrap();
    assert_eq!(
        (known.id, known.owner.as_str(), known.content_hash.as_str()),
        (id, "folder", "h1")
    );
    assert_eq!(known.item_hash.as_deref(), Some("h2"));
    assert_eq!(store.summary(&one.slug).await.unwrap().summary.title, "One");
}

async fn an_update_keeps_what_was_marked(db: Database) {
    let store = db.open().await;
    let one = summary("One", Some("10.1000/one"), "oncology");
    store.insert_summary(&arrival(&one, "h1"), NOW).await.unwrap();
    let id = store.summary(&one.slug).await.unwrap().id;
    store
        .mark_summary(&one.slug, Status::Retracted, Fault::Summary, "All wrong.", at(5))
        .await
        .unwrap();
    let mut changed = summary("One", None, "urology;oncology");
    changed.title = "One, better".to_owned();
    store
        .update_summary(id, &arrival(&changed, "h2"), at(9))
        .await
        .unwrap();
    let stored = store.summary(&one.slug).await.unwrap();
    assert_eq!(stored.summary.title, "One, better");
    assert_eq!(stored.summary.categories, ["urology", "oncology"].map(slug));
    assert_eq!((stored.first_seen, stored.updated), (NOW, at(9)));
    assert_eq!(stored.summary.status, Status::Retracted);
    assert_eq!(stored.summary.note.as_deref(), Some("All wrong."));
    assert_eq!(stored.summary.fault, Some(Fault::Summary));
    // An item without a DOI takes none away.
    assert_eq!(stored.summary.doi, one.doi);
}

async fn an_update_marks(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One"]).await;
    edition(&store, "weekly", &ids).await;
    let mut marked = summary("One", None, "");
    marked.status = Status::Corrected;
    marked.note = Some("A number.".to_owned());
    let announced = async || store.summaries_to_announce("weekly").await.unwrap().len();
    store
        .update_summary(ids[0], &arrival(&marked, "h2"), at(5))
        .await
        .unwrap();
    assert_eq!(announced().await, 1);
    // A sending to those who have not had it tells nobody who had.
    edition(&store, "weekly", &ids).await;
    assert_eq!(announced().await, 1);
    announcement(&store, "weekly", &ids).await;
    assert_eq!(announced().await, 0);
    // The same mark again is no news; another note is.
    store
        .update_summary(ids[0], &arrival(&marked, "h3"), at(6))
        .await
        .unwrap();
    assert_eq!(announced().await, 0);
    marked.note = Some("Another number.".to_owned());
    store
        .update_summary(ids[0], &arrival(&marked, "h4"), at(7))
        .await
        .unwrap();
    assert_eq!(announced().await, 1);
}

async fn a_retraction_outlives_a_correction(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One"]).await;
    edition(&store, "weekly", &ids).await;
    let mut file = summary("One", None, "");
    file.status = Status::Corrected;
    file.note = Some("A number.".to_owned());
    let update = async |file: &Summary, hash, time| {
        store
            .update_summary(ids[0], &arrival(file, hash), at(time))
            .await
            .unwrap();
    };
    update(&file, "h2", 5).await;
    let one = slug("one");
    store
        .mark_summary(&one, Status::Retracted, Fault::Paper, "All wrong.", at(6))
        .await
        .unwrap();
    announcement(&store, "weekly", &ids).await;
    file.title = "One, spelt right".to_owned();
    update(&file, "h3", 7).await;
    let stored = store.summary(&one).await.unwrap().summary;
    assert_eq!(
        (stored.title.as_str(), stored.status),
        ("One, spelt right", Status::Retracted)
    );
    assert_eq!(
        (stored.note.as_deref(), stored.fault),
        (Some("All wrong."), Some(Fault::Paper))
    );
    assert!(store.summaries_to_announce("weekly").await.unwrap().is_empty());
    file.status = Status::Retracted;
    update(&file, "h4", 8).await;
    assert_eq!(
        store.summary(&one).await.unwrap().summary.note.as_deref(),
        Some("A number.")
    );
}

async fn the_blame_alone_is_news(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One"]).await;
    edition(&store, "weekly", &ids).await;
    let mut file = summary("One", None, "");
    file.status = Status::Corrected;
    file.note = Some("A number.".to_owned());
    for (fault, shown, time, told) in [
        (Some(Fault::Paper), Fault::Paper, 5, 1),
        (Some(Fault::Paper), Fault::Paper, 6, 0),
        (Some(Fault::Summary), Fault::Summary, 7, 1),
        // Who says nothing of it, takes nothing back.
        (None, Fault::Summary, 8, 0),
    ] {
        file.fault = fault;
        store
            .update_summary(ids[0], &arrival(&file, "h"), at(time))
            .await
            .unwrap();
        assert_eq!(
            store.summary(&slug("one")).await.unwrap().summary.fault,
            Some(shown)
        );
        assert_eq!(
            store.summaries_to_announce("weekly").await.unwrap().len(),
            told,
            "{fault:?}"
        );
        announcement(&store, "weekly", &ids).await;
    }
}

async fn every_change_is_counted(db: Database) {
    let store = db.open().await;
    let mut seen = vec![store.content_version().await.unwrap()];
    let one = summary("One", None, "");
    store.insert_summary(&arrival(&one, "h1"), NOW).await.unwrap();
    seen.push(store.content_version().await.unwrap());
    let id = store.summary(&one.slug).await.unwrap().id;
    // In the same millisecond, and by a clock that was set back.
    for time in [NOW, postrider::domain::Timestamp(NOW.0 - 1000)] {
        store
            .update_summary(id, &arrival(&one, "h2"), time)
            .await
            .unwrap();
        seen.push(store.content_version().await.unwrap());
        store
            .mark_summary(&one.slug, Status::Retracted, Fault::Paper, "x", time)
            .await
            .unwrap();
        seen.push(store.content_version().await.unwrap());
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    let unknown = store
        .mark_summary(&slug("none"), Status::Retracted, Fault::Paper, "x", NOW)
        .await;
    assert!(unknown.is_err());
    assert_eq!(store.content_version().await.unwrap(), seen[5]);
    assert_eq!(store.count_summaries().await.unwrap(), 1);
}

async fn a_slug_gets_a_number(db: Database) {
    let store = db.open().await;
    for (n, entry) in ["a", "b", "c"].into_iter().enumerate() {
        let one = summary("One", Some(&format!("10.1000/{n}")), "");
        let seen = Arrival {
            key: entry,
            entry_id: entry,
            ..arrival(&one, "h")
        };
        store.insert_summary(&seen, NOW).await.unwrap();
    }
    for (name, entry) in [("one", "a"), ("one-2", "b"), ("one-3", "c")] {
        assert_eq!(store.summary(&slug(name)).await.unwrap().entry_id, entry);
    }
    // Behind a slug of full length it takes the place of what stood there, and the list can still be read.
    let mut long = summary("Long", None, "");
    long.slug = slug(&"a".repeat(120));
    for entry in ["d", "e"] {
        let seen = Arrival {
            key: entry,
            entry_id: entry,
            ..arrival(&long, "h")
        };
        store.insert_summary(&seen, NOW).await.unwrap();
    }
    assert_eq!(store.latest_summaries(9).await.unwrap().len(), 5);
    // An entry id that is taken gets the slug behind it, and stays at its host.
    store
        .insert_summary(
            &Arrival {
                key: "f",
                entry_id: "a",
                ..arrival(&long, "h")
            },
            NOW,
        )
        .await
        .unwrap();
    let slug = format!("{}-3", "a".repeat(118));
    assert_eq!(
        store.latest_summaries(1).await.unwrap()[0].entry_id,
        format!("a#{slug}")
    );
}

async fn the_latest_come_first(db: Database) {
    let store = db.open().await;
    for (title, seconds) in [("Old", 1), ("New", 9), ("Middle", 5), ("Middle too", 5)] {
        let one = summary(title, None, "urology;oncology");
        store
            .insert_summary(&arrival(&one, "h"), at(seconds))
            .await
            .unwrap();
    }
    let titles = async |limit| -> Vec<String> {
        store
            .latest_summaries(limit)
            .await
            .unwrap()
            .into_iter()
            .map(|stored| stored.summary.title)
            .collect()
    };
    assert_eq!(titles(10).await, ["New", "Middle too", "Middle", "Old"]);
    assert_eq!(titles(1).await, ["New"]);
    for stored in store.latest_summaries(10).await.unwrap() {
        assert_eq!(stored.summary.categories, ["urology", "oncology"].map(slug));
    }
}

async fn an_unknown_summary_is_named(db: Database) {
    let store = db.open().await;
    let unknown = slug("unknown");
    for problem in [
        store.summary(&unknown).await.unwrap_err(),
        store
            .mark_summary(&unknown, Status::Corrected, Fault::Paper, "x", NOW)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            (problem.message(), problem.kind()),
            ("there is no summary \"unknown\"", Kind::NotFound)
        );
    }
}

async fn a_segment_holds_its_items_in_order(db: Database) {
    let store = db.open().await;
    many_readers(&store, 1).await;
    let ids = summaries(&store, &["One", "Two", "Three"]).await;
    let order = [ids[2], ids[0]];
    edition(&store, "weekly", &order).await;
    let batch = store.lease_batch("me", NOW, at(60)).await.unwrap().unwrap();
    let held = store.segment_summaries(batch.segment).await.unwrap();
    assert_eq!(
        held.iter().map(|(_, stored)| stored.id).collect::<Vec<_>>(),
        order
    );
}
