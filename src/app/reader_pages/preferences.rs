//! What a reader receives: seen and changed by the link of their mails.

use super::super::App;
use super::fields::{Faults, field};
use super::{Outcome, ReaderFields, ReaderPage};
use crate::deliver::worker::Identity;
use crate::domain::subscriber::{Choice, State};
use crate::domain::{Result, Timestamp};
use crate::render::{ChoicesContext, OptionContext, PreferencesPage};
use crate::subscriptions::link::Opened;
use crate::subscriptions::preferences::{self, Choices, NewChoices};
use crate::subscriptions::token::Purpose;
use std::time::Duration;

/// From `/p/TOKEN` to the start page.
const ROOT: &str = "../";
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How long a pause may be: what the form sends, what people read, and days.
const PAUSES: [(&str, &str, u32); 4] = [
    ("two-weeks", "Pause for two weeks", 14),
    ("one-month", "Pause for one month", 30),
    ("three-months", "Pause for three months", 91),
    ("six-months", "Pause for six months", 182),
];
/// Mails as usual; ends a pause.
const AS_USUAL: &str = "as-usual";
/// The pause stays as it is.
const AS_IT_IS: &str = "as-it-is";

/// The form as it was sent.
#[derive(Clone, Default)]
pub struct PreferencesForm {
    /// Name, digests, categories.
    pub fields: ReaderFields,
    /// What the list of pauses says.
    pub pause: String,
}

/// What comes of the form.
#[derive(Debug)]
pub enum PreferencesAnswer {
    /// All of it is saved.
    Saved,
    /// Something is to be seen first.
    Page(ReaderPage),
}

/// What the form asks of a pause.
#[derive(Clone, Copy)]
enum Pause {
    AsItIs,
    Ends,
    Lasts(Duration),
}

impl App {
    /// What the reader of `token` receives; nothing changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn preferences_page(&self, token: &str, saved: bool) -> Result<ReaderPage> {
        match preferences::peek(&self.store, &self.signer, token).await {
            Ok(Opened::Good(choices)) => {
                let form = shown(&choices);
                self.preferences_form(token, &choices, &form, &Faults::default(), saved)
            }
            Ok(Opened::Gone) => self.nobodys_preferences(token).await,
            Ok(Opened::Expired) => self.expired_link(ROOT, false),
            Err(problem) => self.bad_link(problem, ROOT),
        }
    }

    /// Saves what the reader of `token` wants from now on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn save_preferences(&self, token: &str, form: &PreferencesForm) -> Result<PreferencesAnswer> {
        let choices = match preferences::peek(&self.store, &self.signer, token).await {
            Ok(Opened::Good(choices)) if is_active(&choices) => choices,
            Ok(Opened::Expired) => return Ok(PreferencesAnswer::Page(self.expired_link(ROOT, false)?)),
            Ok(_) => return Ok(PreferencesAnswer::Page(self.nobodys_preferences(token).await?)),
            Err(problem) => return Ok(PreferencesAnswer::Page(self.bad_link(problem, ROOT)?)),
        };
        let mut faults = Faults::default();
        let understood = self.understand(&form.fields, false, &mut faults);
        let pause = faults.take("pause", read_pause(&form.pause));
        let (Some(understood), Some(pause)) = (understood, pause) else {
            let page = self.preferences_form(token, &choices, form, &faults, false);
            return Ok(PreferencesAnswer::Page(page?));
        };
        let wanted = NewChoices {
            digests: understood.digests,
            categories: understood.categories,
            name: understood.name,
            text_only: form.fields.text_only,
        };
        let now = self.clock.now();
        let (store, signer) = (&self.store, &self.signer);
        preferences::change(store, signer, token, &wanted, &self.consent_to_choices(), now).await?;
        // Whoever wants no digest has left, and has nothing to pause.
        if !wanted.digests.is_empty() {
            match pause {
                Pause::Lasts(time) => {
                    preferences::pause(store, signer, token, now.plus(time), now).await?;
                }
                Pause::Ends if choices.state == State::Paused => {
                    preferences::resume(store, signer, token, now).await?;
                }
                Pause::Ends | Pause::AsItIs => {}
            }
        }
        Ok(PreferencesAnswer::Saved)
    }

    /// The page of a reader who is gone.
    async fn nobodys_preferences(&self, token: &str) -> Result<ReaderPage> {
        let choices = Choices {
            subscriber: 0,
            digest: self.digest_of_link(token).await?,
            digests: Vec::new(),
            categories: Choice::default(),
            name: None,
            text_only: false,
            paused_until: None,
            state: State::Unsubscribed,
        };
        let form = shown(&choices);
        self.preferences_form(token, &choices, &form, &Faults::default(), false)
    }

    /// The digest whose mail held the link.
    async fn digest_of_link(&self, token: &str) -> Result<Option<String>> {
        match self.signer.read_reader_token(Purpose::Preferences, token) {
            Ok(reader) => self.store.digest_of_number(reader.digest_number).await,
            Err(_) => Ok(None),
        }
    }

    fn preferences_form(
        &self,
        token: &str,
        choices: &Choices,
        form: &PreferencesForm,
        faults: &Faults,
        saved: bool,
    ) -> Result<ReaderPage> {
        // The digest of the link, unless the reader has left it and receives others.
        let receives = |digest: &&String| choices.digests.contains(digest) || choices.digests.is_empty();
        let digest = choices
            .digest
            .as_ref()
            .filter(receives)
            .or(choices.digests.first());
        let unsubscribe = self
            .names
            .unsubscribe_url(digest.map_or("", String::as_str), choices.subscriber);
        let offered: Vec<_> = self.digests.iter().map(|digest| digest.name.clone()).collect();
        let receives_all = offered
            .iter()
            .all(|name| choices.digests.iter().any(|digest| digest == name.as_str()));
        let digests = self.digest_choices(&form.fields.digests, faults);
        let page = PreferencesPage {
            frame: self.frame(ROOT),
            digest: self.publication(digest.map(String::as_str)),
            active: is_active(choices),
            saved,
            faults: faults.0.clone(),
            several_digests: offered.len() > 1 || !receives_all || digests.fault.is_some(),
            digests,
            categories: self.category_choices(&form.fields.categories, faults),
            unchosen_all: self.unchosen_all(&offered),
            consent: self.consent_to_choices(),
            name: field(&form.fields.name, "name", faults),
            text_only: form.fields.text_only,
            paused_until: choices.paused_until.map(|until| self.day(until)),
            pauses: self.pauses(choices, &form.pause, faults),
            action: format!("../p/{token}"),
            unsubscribe: self.relative(&unsubscribe),
            account: format!("../p/{token}/account"),
        };
        let faulty = !faults.0.is_empty();
        self.reader_page(&page, if faulty { Outcome::Faulty } else { Outcome::Good })
    }

    /// The lines of the list of pauses.
    fn pauses(&self, choices: &Choices, chosen: &str, faults: &Faults) -> ChoicesContext {
        let option = |value: &str, label: String| OptionContext {
            id: format!("pause-{value}"),
            name: "pause".to_owned(),
            value: value.to_owned(),
            label,
            description: None,
            chosen: value == chosen,
        };
        let mut options = Vec::new();
        if choices.paused_until.is_some() {
            // The page tells above until when; the date would not fit into the list on a narrow screen.
            options.push(option(AS_IT_IS, "Stay paused, as now".to_owned()));
            options.push(option(AS_USUAL, "Every edition, from now on".to_owned()));
        } else {
            options.push(option(AS_USUAL, "Every edition".to_owned()));
        }
        options.extend(PAUSES.map(|(value, label, _)| option(value, label.to_owned())));
        ChoicesContext {
            options,
            fault: faults.of("pause"),
        }
    }

    /// A day such as `5 March 2027`, in the zone of the first digest.
    fn day(&self, time: Timestamp) -> String {
        let zone = self
            .digests
            .first()
            .map_or(chrono_tz::UTC, |digest| digest.timezone);
        time.utc().with_timezone(&zone).format("%-d %B %Y").to_string()
    }
}

fn is_active(choices: &Choices) -> bool {
    matches!(choices.state, State::Confirmed | State::Paused)
}

/// The form as it stands for a reader.
fn shown(choices: &Choices) -> PreferencesForm {
    let pause = if choices.paused_until.is_some() {
        AS_IT_IS
    } else {
        AS_USUAL
    };
    PreferencesForm {
        fields: ReaderFields {
            name: choices.name.clone().unwrap_or_default(),
            digests: choices.digests.clone(),
            categories: choices.categories.slugs().map(ToString::to_string).collect(),
            text_only: choices.text_only,
        },
        pause: pause.to_owned(),
    }
}

fn read_pause(sent: &str) -> std::result::Result<Pause, String> {
    match sent {
        "" | AS_IT_IS => Ok(Pause::AsItIs),
        AS_USUAL => Ok(Pause::Ends),
        _ => PAUSES
            .iter()
            .find(|(value, ..)| *value == sent)
            .map(|(.., days)| Pause::Lasts(DAY * *days))
            .ok_or_else(|| "Please choose how many mails you want.".to_owned()),
    }
}
