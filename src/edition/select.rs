//! Which summaries an edition holds.

use crate::domain::edition::ItemKind;
use crate::domain::summary::{Status, StoredSummary};
use crate::domain::{Digest, Problem, Result, Slug};
use crate::store::audience::MOST_ITEMS;
use crate::store::editions::Item;

/// What an edition could hold.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Neither carried nor skipped by the digest; the first gathered first.
    pub new: Vec<StoredSummary>,
    /// Carried, and marked since.
    pub marked: Vec<StoredSummary>,
    /// Whether the digest has had no edition yet.
    pub first: bool,
}

/// What an edition holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Corrections and retractions first, then the newest.
    pub items: Vec<Item>,
    /// What the digest will never carry.
    pub skipped: Vec<i64>,
}

/// Chooses for the next regular edition; `None` when there is nothing to send yet.
pub(super) fn next(digest: &Digest, candidates: Candidates) -> Option<Selection> {
    let mut new = candidates.new;
    let mut skipped = Vec::new();
    let limit = if candidates.first {
        digest.first_edition_items
    } else {
        digest.max_items
    };
    let mut items: Vec<Item> = candidates
        .marked
        .iter()
        .take(MOST_ITEMS)
        .map(|summary| Item {
            summary: summary.id,
            kind: kind_of_mark(summary.summary.status),
        })
        .collect();
    if new.len() < usize::try_from(digest.min_items).unwrap_or(usize::MAX) {
        new.clear();
    }
    let room = usize::try_from(limit)
        .unwrap_or(MOST_ITEMS)
        .min(MOST_ITEMS - items.len());
    if candidates.first {
        newest_first(&mut new);
        skipped.extend(new.iter().skip(room).map(|summary| summary.id));
        new.truncate(room);
    } else {
        // The longest waiting go first, so that a full digest starves none of them.
        new.truncate(room);
        newest_first(&mut new);
    }
    items.extend(new.iter().map(|summary| Item {
        summary: summary.id,
        kind: ItemKind::New,
    }));
    (!items.is_empty()).then_some(Selection { items, skipped })
}

/// Chooses what was asked for by name.
pub(super) fn only(summaries: &[StoredSummary]) -> Result<Selection> {
    let mut items: Vec<Item> = Vec::new();
    for summary in summaries {
        let slug: &Slug = &summary.summary.slug;
        if summary.summary.status == Status::Retracted {
            return Err(
                Problem::failed(format!("summary {:?} is retracted", slug.as_str()))
                    .hint("a retraction is announced by the next edition; take it out of --only"),
            );
        }
        if summary.removed.is_some() {
            return Err(
                Problem::failed(format!("summary {:?} was removed", slug.as_str())).hint(format!(
                    "take it out of --only, or say `postrider summaries restore {slug}`"
                )),
            );
        }
        if items.iter().all(|item| item.summary != summary.id) {
            items.push(Item {
                summary: summary.id,
                kind: ItemKind::New,
            });
        }
    }
    if items.len() > MOST_ITEMS {
        return Err(
            Problem::failed(format!("{} summaries are too many for one edition", items.len()))
                .hint(format!("name at most {MOST_ITEMS}")),
        );
    }
    Ok(Selection {
        items,
        skipped: Vec::new(),
    })
}

fn kind_of_mark(status: Status) -> ItemKind {
    match status {
        Status::Retracted => ItemKind::Retraction,
        Status::Corrected | Status::Published => ItemKind::Correction,
    }
}

fn newest_first(summaries: &mut [StoredSummary]) {
    summaries.sort_by_key(|s| std::cmp::Reverse((s.summary.published, s.first_seen, s.id)));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::{Summary, Timestamp, digest::Unchosen};
    use std::time::Duration;

    fn digest(min: u32, max: u32, first: u32) -> Digest {
        Digest {
            name: Slug::parse("weekly").unwrap(),
            title: "Weekly".into(),
            schedule: String::new(),
            timezone: chrono_tz::UTC,
            grace: Duration::ZERO,
            min_items: min,
            max_items: max,
            first_edition_items: first,
            approve: false,
            unchosen: Unchosen::All,
            templates: "digest".into(),
        }
    }

    fn summary(id: i64, published: &str) -> StoredSummary {
        let mut summary = Summary::new(Slug::parse(&format!("s{id}")).unwrap(), "T".into());
        summary.published = published.parse().ok();
        StoredSummary {
            id,
            entry_id: id.to_string(),
            first_seen: Timestamp(id),
            updated: Timestamp(id),
            marked: None,
            removed: None,
            summary,
        }
    }

    fn ids(selection: Option<Selection>) -> (Vec<i64>, Vec<i64>) {
        let selection = selection.unwrap_or_default();
        (
            selection.items.iter().map(|item| item.summary).collect(),
            selection.skipped,
        )
    }

    fn three() -> Vec<StoredSummary> {
        vec![
            summary(1, "2024-01-01"),
            summary(2, "2026-01-01"),
            summary(3, "2025-01-01"),
        ]
    }

    #[test]
    fn the_first_edition_takes_the_newest_and_skips_the_rest() {
        let candidates = Candidates {
            new: three(),
            marked: vec![],
            first: true,
        };
        assert_eq!(ids(next(&digest(1, 10, 2), candidates)), (vec![2, 3], vec![1]));
    }

    #[test]
    fn above_the_maximum_the_longest_waiting_go_and_nothing_is_skipped() {
        let candidates = Candidates {
            new: three(),
            marked: vec![],
            first: false,
        };
        assert_eq!(ids(next(&digest(1, 2, 9), candidates)), (vec![2, 1], vec![]));
    }

    #[test]
    fn below_the_minimum_new_ones_wait_but_a_correction_goes() {
        let candidates = Candidates {
            new: three(),
            marked: vec![],
            first: false,
        };
        assert_eq!(next(&digest(4, 9, 9), candidates), None);
        let mut retracted = summary(9, "2020-01-01");
        retracted.summary.status = Status::Retracted;
        let candidates = Candidates {
            new: three(),
            marked: vec![retracted],
            first: false,
        };
        let selection = next(&digest(4, 9, 9), candidates).unwrap();
        assert_eq!(
            selection.items,
            vec![Item {
                summary: 9,
                kind: ItemKind::Retraction
            }]
        );
    }

    #[test]
    fn only_refuses_what_was_retracted_and_folds_doubles() {
        let mut retracted = summary(9, "2020-01-01");
        retracted.summary.status = Status::Retracted;
        assert!(only(&[retracted]).is_err());
        let twice = [summary(1, "2024-01-01"), summary(1, "2024-01-01")];
        assert_eq!(only(&twice).unwrap().items.len(), 1);
    }
}
