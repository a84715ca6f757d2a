//! The known word that a mistyped one was probably meant to be.

/// The word of `known` that is nearest to `text`, when it is near enough to be meant.
pub(super) fn to<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (text.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|word| (distance(text, word), word))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, word)| word)
}

/// How many letters must be added, dropped or replaced to turn one text into the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (n, a) in left.to_lowercase().chars().enumerate() {
        let mut next = vec![n + 1];
        for ((b, pair), so_far) in right.iter().zip(row.windows(2)).zip(1..) {
            let &[diagonal, above] = pair else { continue };
            let left = next.get(so_far - 1).copied().unwrap_or(n + 1);
            next.push((diagonal + usize::from(a != *b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["schedule", "timezone", "title", "grace"];
        assert_eq!(to("shedule", known), Some("schedule"));
        assert_eq!(to("time_zone", known), Some("timezone"));
        assert_eq!(to("colour", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
