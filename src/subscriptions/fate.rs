//! What a line of a list does to a reader: the import rules, as one pure function.

use crate::domain::subscriber::{Cause, State, Suppression, may_change};
use crate::store::standings::Standing;

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The address is new.
    Add,
    /// The reader is there and gets the line's state.
    Change,
    /// The reader is there and in that state.
    Update,
    /// The reader is there; the state stays, because somebody else has the say over it.
    Keep,
    /// The address must not come back, not even as a row.
    Refuse(Suppression),
}

/// Whether a reader in `state` receives nothing for good.
pub(super) fn has_left(state: State) -> bool {
    matches!(state, State::Unsubscribed | State::Bounced | State::Complained)
}

/// The suppression that a state brings about.
pub(super) fn suppression_of(state: State) -> Option<Suppression> {
    match state {
        State::Unsubscribed => Some(Suppression::Unsubscribed),
        State::Bounced => Some(Suppression::Bounced),
        State::Complained => Some(Suppression::Complained),
        State::Pending | State::Confirmed | State::Paused => None,
    }
}

/// What becomes of a line that wants `wanted` for a reader of whom `standing` is known.
pub(super) fn fate(standing: Standing, wanted: State, cause: Cause) -> Fate {
    let leaves = has_left(wanted);
    match (standing.subscriber, standing.suppressed) {
        // Who was erased, or refused us, is not written down again, whatever a list says.
        (None, Some(reason @ (Suppression::Erased | Suppression::Refused))) => Fate::Refuse(reason),
        (None, Some(reason)) if !leaves => Fate::Refuse(reason),
        (None, _) => Fate::Add,
        (Some((_, state)), _) if state == wanted => Fate::Update,
        (Some(_), Some(_)) if !leaves => Fate::Keep,
        (Some((_, state)), _) if may_change(state, wanted, cause) => Fate::Change,
        (Some(_), _) => Fate::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Bounced, Complained, Confirmed, Paused, Pending, Unsubscribed};

    #[test]
    fn every_standing_meets_every_line() {
        let there = |state| Some((1, state));
        let erased = Some(Suppression::Erased);
        let left = Some(Suppression::Unsubscribed);
        let refused = Some(Suppression::Refused);
        for (subscriber, suppressed, wanted, expected) in [
            (None, None, Pending, Fate::Add),
            (None, None, Complained, Fate::Add),
            (None, erased, Confirmed, Fate::Refuse(Suppression::Erased)),
            (None, erased, Unsubscribed, Fate::Refuse(Suppression::Erased)),
            (None, refused, Pending, Fate::Refuse(Suppression::Refused)),
            (None, refused, Bounced, Fate::Refuse(Suppression::Refused)),
            (None, left, Pending, Fate::Refuse(Suppression::Unsubscribed)),
            (None, left, Bounced, Fate::Add),
            (there(Pending), None, Confirmed, Fate::Change),
            (there(Pending), left, Confirmed, Fate::Keep),
            (there(Confirmed), None, Pending, Fate::Keep),
            (there(Confirmed), None, Confirmed, Fate::Update),
            (there(Confirmed), None, Unsubscribed, Fate::Change),
            (there(Confirmed), left, Bounced, Fate::Change),
            (there(Paused), None, Confirmed, Fate::Keep),
            (there(Unsubscribed), left, Confirmed, Fate::Keep),
            (there(Unsubscribed), None, Confirmed, Fate::Keep),
            (there(Unsubscribed), None, Bounced, Fate::Change),
            (there(Bounced), None, Confirmed, Fate::Keep),
            (there(Bounced), None, Unsubscribed, Fate::Keep),
            (there(Complained), None, Confirmed, Fate::Keep),
            (there(Complained), None, Bounced, Fate::Keep),
        ] {
            let standing = Standing {
                subscriber,
                suppressed,
                chosen: false,
            };
            assert_eq!(
                fate(standing, wanted, Cause::Import),
                expected,
                "{standing:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn nobody_comes_back_by_a_list_or_an_admin() {
        for cause in [Cause::Import, Cause::Admin] {
            for suppressed in Suppression::ALL.map(Some).into_iter().chain([None]) {
                for state in State::ALL {
                    for wanted in [Pending, Confirmed, Paused] {
                        let standing = Standing {
                            subscriber: Some((1, state)),
                            suppressed,
                            chosen: false,
                        };
                        let changes = fate(standing, wanted, cause) == Fate::Change;
                        assert!(
                            !changes || !has_left(state) && suppressed.is_none(),
                            "{standing:?} {wanted:?}"
                        );
                    }
                }
            }
        }
    }
}
