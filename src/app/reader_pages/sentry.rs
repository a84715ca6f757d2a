//! Tells programs that fill in every form from people, who are never turned away: they press one more button.

use super::super::App;
use super::ReaderPage;
use crate::domain::Result;
use crate::render::{AskPersonPage, HiddenContext};
use crate::subscriptions::token::Purpose;
use std::time::Duration;

/// How long a form may stay open before it is asked about.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// What stands in place of the time when the button was offered.
const PERSON: i64 = 0;

/// The fields that nobody fills in by hand.
#[derive(Debug, Clone, Default)]
pub struct Sentry {
    /// The field that says "Leave this empty".
    pub homepage: String,
    /// When the form was shown, signed; missing where it was never asked for.
    pub stamp: String,
    /// That the one more button was pressed, signed; empty before.
    pub person: String,
}

impl App {
    /// The present moment, signed, for a form that is shown now.
    pub(in crate::app) fn stamp(&self) -> String {
        let now = self.clock.now();
        self.signer
            .short_lived_token(Purpose::Form, now.0, now.plus(LONGEST))
    }

    /// Whether a form looks as if a program had sent it.
    pub(in crate::app) fn is_suspect(&self, sentry: &Sentry) -> bool {
        let now = self.clock.now();
        let read = |token: &str| self.signer.read_short_lived(Purpose::Form, token, now).ok();
        if read(&sentry.person) == Some(PERSON) {
            return false;
        }
        let least = i64::try_from(self.config.subscribe.minimum_time.as_millis()).unwrap_or(i64::MAX);
        let in_time = read(&sentry.stamp).is_some_and(|shown| {
            shown != PERSON && now.0.checked_sub(shown).is_some_and(|passed| passed >= least)
        });
        !in_time || !sentry.homepage.is_empty()
    }

    /// The page with one more button, which sends `fields` again to `action`.
    pub(in crate::app) fn ask_person(
        &self,
        root: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<ReaderPage> {
        let end = self.clock.now().plus(LONGEST);
        let person = self.signer.short_lived_token(Purpose::Form, PERSON, end);
        let hidden = |(name, value): &(&str, &str)| HiddenContext {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        self.good(&AskPersonPage {
            frame: self.frame(root),
            action: action.to_owned(),
            fields: fields
                .iter()
                .chain([&("person", person.as_str())])
                .map(hidden)
                .collect(),
        })
    }
}
