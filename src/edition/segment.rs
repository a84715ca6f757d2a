//! Who gets what: groups of readers become segments.

use crate::domain::digest::Unchosen;
use crate::domain::edition::ItemKind;
use crate::domain::subscriber::Choice;
use crate::store::audience::{Group, PlannedItem};
use std::collections::BTreeMap;

/// Readers who chose categories that the edition does not touch, or chose none where none means nothing.
pub(super) const NOTHING_FOR_THEM: &str = "nothing_for_them";
/// Readers who had everything that would have been theirs.
pub(super) const ALREADY_RECEIVED: &str = "already_received";
/// Readers whose domain can't belong to anybody, while a real relay is used.
pub(super) const RESERVED_DOMAIN: &str = "reserved_domain";

/// The segments of an edition, and who is left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Assignment<'a> {
    /// Selection of summaries → the groups that receive it.
    pub segments: BTreeMap<Vec<i64>, Vec<&'a Group>>,
    /// Reason → readers.
    pub excluded: BTreeMap<&'static str, i64>,
}

/// Puts every group into the segment of its selection, or excludes it with a reason.
pub(super) fn assign<'a>(items: &[PlannedItem], groups: &'a [Group], unchosen: Unchosen) -> Assignment<'a> {
    let mut assignment = Assignment::default();
    for group in groups {
        let selection: Vec<i64> = items
            .iter()
            .filter(|item| receives(item, group, unchosen))
            .map(|item| item.summary)
            .collect();
        let reason = if group.barred {
            RESERVED_DOMAIN
        } else if !selection.is_empty() {
            assignment.segments.entry(selection).or_default().push(group);
            continue;
        } else if items
            .iter()
            .any(|item| item.kind == ItemKind::New && meets(item, &group.choice, unchosen))
        {
            ALREADY_RECEIVED
        } else {
            NOTHING_FOR_THEM
        };
        *assignment.excluded.entry(reason).or_default() += group.count;
    }
    assignment
}

/// Whether the readers of `group` receive `item`.
fn receives(item: &PlannedItem, group: &Group, unchosen: Unchosen) -> bool {
    let had = group.had >> item.position & 1 == 1;
    match item.kind {
        ItemKind::New => !had && meets(item, &group.choice, unchosen),
        ItemKind::Correction | ItemKind::Retraction if item.receivers_known => had,
        // Some of them may be known still.
        ItemKind::Correction | ItemKind::Retraction => had || meets(item, &group.choice, unchosen),
    }
}

/// Whether the categories of a summary meet a reader's choice.
pub(super) fn meets(item: &PlannedItem, choice: &Choice, unchosen: Unchosen) -> bool {
    if choice.is_empty() {
        unchosen == Unchosen::All
    } else {
        item.categories.iter().any(|category| choice.contains(category))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::Slug;
    use crate::domain::summary::Status;

    fn item(summary: i64, kind: ItemKind, position: i64, categories: &[&str]) -> PlannedItem {
        PlannedItem {
            summary,
            kind,
            position,
            categories: categories.iter().map(|c| Slug::parse(c).unwrap()).collect(),
            receivers_known: true,
            status: Status::Published,
            removed: false,
        }
    }

    fn group(choice: &str, had: i64, count: i64) -> Group {
        Group {
            choice: Choice::parse(choice).unwrap(),
            had,
            barred: false,
            count,
        }
    }

    #[test]
    fn readers_of_one_selection_share_a_segment_whatever_they_chose() {
        let items = [
            item(1, ItemKind::New, 0, &["a", "b"]),
            item(2, ItemKind::New, 1, &["c"]),
        ];
        let groups = [
            group("a", 0, 1),
            group("a;b", 0, 2),
            group("", 0, 4),
            group("d", 0, 8),
        ];
        let assignment = assign(&items, &groups, Unchosen::All);
        assert_eq!(assignment.segments[&vec![1]], vec![&groups[0], &groups[1]]);
        assert_eq!(assignment.segments[&vec![1, 2]], vec![&groups[2]]);
        assert_eq!(assignment.excluded, BTreeMap::from([(NOTHING_FOR_THEM, 8)]));
        let assignment = assign(&items, &groups, Unchosen::None);
        assert_eq!(assignment.excluded, BTreeMap::from([(NOTHING_FOR_THEM, 12)]));
    }

    #[test]
    fn a_correction_goes_to_those_who_had_it_and_a_new_one_to_those_who_had_not() {
        let items = [
            item(1, ItemKind::Retraction, 0, &["a"]),
            item(2, ItemKind::New, 1, &["a"]),
        ];
        let groups = [
            group("", 0b00, 1),
            group("", 0b01, 2),
            group("", 0b11, 4),
            group("", 0b10, 8),
        ];
        let assignment = assign(&items, &groups, Unchosen::All);
        assert_eq!(assignment.segments[&vec![2]], vec![&groups[0]]);
        assert_eq!(assignment.segments[&vec![1, 2]], vec![&groups[1]]);
        assert_eq!(assignment.segments[&vec![1]], vec![&groups[2]]);
        assert_eq!(assignment.excluded, BTreeMap::from([(ALREADY_RECEIVED, 8)]));
    }

    #[test]
    fn a_correction_whose_receivers_were_pruned_goes_to_everyone_it_meets() {
        let mut correction = item(1, ItemKind::Correction, 0, &["a"]);
        correction.receivers_known = false;
        let groups = [group("a", 0, 1), group("b", 0, 2)];
        let assignment = assign(&[correction], &groups, Unchosen::All);
        assert_eq!(assignment.segments[&vec![1]], vec![&groups[0]]);
        assert_eq!(assignment.excluded, BTreeMap::from([(NOTHING_FOR_THEM, 2)]));
    }
}
