//! Signing up, by the form and by the API. What is known of an address makes no difference here: a sign-up
//! is written down, and what becomes of it is decided in the background.

use super::super::App;
use super::fields::{Faults, Understood, field, read_address};
use super::sentry::Sentry;
use super::{Gate, Outcome, ReaderFields, ReaderPage};
use crate::domain::reader_event::Way;
use crate::domain::{EmailAddress, Problem, Result};
use crate::render::{CheckInboxPage, SubscribePage};
use crate::subscriptions::sign_up::{self, SignUpRequest};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// From `/subscribe` to the start page.
const ROOT: &str = "./";
/// The longest sentence to agree to that the API takes, in characters.
const LONGEST_WORDING: usize = 1_000;

/// The form as it was sent.
#[derive(Clone, Default)]
pub struct SubscribeForm {
    /// The address.
    pub address: String,
    /// Name, digests, categories.
    pub fields: ReaderFields,
    /// Whether the box beside the sentence was ticked.
    pub agreed: bool,
    /// What tells people from programs.
    pub sentry: Sentry,
}

/// A sign-up by the API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiSignUp {
    /// The address.
    email: String,
    /// The name.
    #[serde(default)]
    name: String,
    /// Names of digests; none stands for the first.
    #[serde(default)]
    digests: Vec<String>,
    /// Slugs of categories.
    #[serde(default)]
    categories: Vec<String>,
    /// Whether mails should come as text only.
    #[serde(default)]
    text_only: bool,
    /// The sentence that the reader agreed to, as it was shown to them.
    consent: String,
}

/// What the API answers.
#[derive(Debug)]
pub enum ApiAnswer {
    /// It is written down.
    Accepted,
    /// Something has to be put right.
    Faulty(Vec<ApiFault>),
    /// There were enough of these for now.
    TooMany,
}

/// What is wrong with one field of a sign-up by the API.
#[derive(Debug, Serialize)]
pub struct ApiFault {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A sign-up without a fault.
struct SignUp {
    address: EmailAddress,
    understood: Understood,
    text_only: bool,
    wording: String,
    way: Way,
}

impl App {
    fn require_sign_up(&self) -> Result<()> {
        if self.config.subscribe.enabled {
            return Ok(());
        }
        Err(Problem::not_found("signing up is not possible here"))
    }

    /// The empty form; `digests` and `categories` are ticked already.
    ///
    /// # Errors
    /// When signing up is turned off.
    pub fn subscribe_page(&self, digests: Vec<String>, categories: Vec<String>) -> Result<ReaderPage> {
        let first = || self.digests.first().map(|digest| digest.name.to_string());
        let fields = ReaderFields {
            digests: if digests.is_empty() {
                first().into_iter().collect()
            } else {
                digests
            },
            categories,
            ..ReaderFields::default()
        };
        let form = SubscribeForm {
            fields,
            ..SubscribeForm::default()
        };
        self.subscribe_form(&form, &Faults::default())
    }

    fn subscribe_form(&self, form: &SubscribeForm, faults: &Faults) -> Result<ReaderPage> {
        self.require_sign_up()?;
        let names: Vec<_> = self.digests.iter().map(|digest| digest.name.clone()).collect();
        let mut frame = self.frame(ROOT).public("/subscribe", "");
        frame.head.here = "subscribe";
        let digests = self.digest_choices(&form.fields.digests, faults);
        let page = SubscribePage {
            frame,
            faults: faults.0.clone(),
            address: field(&form.address, "address", faults),
            name: field(&form.fields.name, "name", faults),
            several_digests: self.digests.len() > 1 || digests.fault.is_some(),
            digests,
            categories: self.category_choices(&form.fields.categories, faults),
            unchosen_all: self.unchosen_all(&names),
            text_only: form.fields.text_only,
            consent: self.consent_to_sign_up(),
            agreed: form.agreed,
            consent_fault: faults.of("agreed"),
            stamp: self.stamp(),
        };
        let faulty = !faults.0.is_empty();
        self.reader_page(&page, if faulty { Outcome::Faulty } else { Outcome::Good })
    }

    /// Takes the form: the same page, status and work for every address.
    ///
    /// # Errors
    /// When signing up is turned off, or the database does not answer.
    pub async fn sign_up(&self, form: &SubscribeForm, visitor: IpAddr) -> Result<ReaderPage> {
        self.require_sign_up()?;
        let mut faults = Faults::default();
        let address = faults.take("address", read_address(&form.address));
        let understood = self.understand(&form.fields, true, &mut faults);
        let agreed = form.agreed.then_some(());
        let agreed =
            agreed.ok_or_else(|| "Please tick the box: without it we may not write to you.".to_owned());
        faults.take("agreed", agreed);
        let (Some(address), Some(understood), true) = (address, understood, faults.0.is_empty()) else {
            return self.subscribe_form(form, &faults);
        };
        if self.is_suspect(&form.sentry) {
            return self.ask_person(ROOT, "subscribe", &form_fields(form));
        }
        let shown = address.full();
        let sign_up = SignUp {
            address,
            understood,
            text_only: form.fields.text_only,
            wording: self.consent_to_sign_up(),
            way: Way::Form,
        };
        if !self.write_down(sign_up, visitor).await? {
            return self.too_many(ROOT);
        }
        self.good(&CheckInboxPage {
            frame: self.frame(ROOT),
            address: shown,
        })
    }

    /// Takes a sign-up by the API; otherwise as [`App::sign_up`].
    ///
    /// # Errors
    /// When signing up is turned off, or the database does not answer.
    pub async fn sign_up_by_api(&self, sent: ApiSignUp, visitor: IpAddr) -> Result<ApiAnswer> {
        self.require_sign_up()?;
        let first = self.digests.first().map(|digest| digest.name.to_string());
        let fields = ReaderFields {
            name: sent.name,
            digests: if sent.digests.is_empty() {
                first.into_iter().collect()
            } else {
                sent.digests
            },
            categories: sent.categories,
            text_only: sent.text_only,
        };
        let mut faults = Faults::default();
        let address = faults.take("address", read_address(&sent.email));
        let understood = self.understand(&fields, true, &mut faults);
        let wording = faults.take("agreed", read_wording(&sent.consent));
        let (Some(address), Some(understood), Some(wording)) = (address, understood, wording) else {
            let api_fault = |fault: crate::render::FaultContext| ApiFault {
                field: api_field(&fault.id),
                message: fault.text,
            };
            return Ok(ApiAnswer::Faulty(faults.0.into_iter().map(api_fault).collect()));
        };
        let sign_up = SignUp {
            address,
            understood,
            text_only: fields.text_only,
            wording,
            way: Way::Api,
        };
        Ok(if self.write_down(sign_up, visitor).await? {
            ApiAnswer::Accepted
        } else {
            ApiAnswer::TooMany
        })
    }

    /// Writes a sign-up down; false when there were enough of them.
    async fn write_down(&self, sign_up: SignUp, visitor: IpAddr) -> Result<bool> {
        let Some(network) = self.admitted(Gate::SignUp, visitor).await? else {
            return Ok(false);
        };
        let request = SignUpRequest {
            address: sign_up.address,
            name: sign_up.understood.name,
            digests: sign_up.understood.digests,
            categories: sign_up.understood.categories,
            text_only: sign_up.text_only,
            wording: sign_up.wording,
            way: sign_up.way,
            network,
        };
        sign_up::request(&self.store, &request, &self.addressing(), self.clock.now()).await?;
        self.bell.notify_one();
        Ok(true)
    }
}

/// What was filled in, to be sent once more.
fn form_fields(form: &SubscribeForm) -> Vec<(&str, &str)> {
    let fields = &form.fields;
    let mut all = vec![("address", form.address.as_str()), ("name", fields.name.as_str())];
    all.extend(fields.digests.iter().map(|digest| ("digest", digest.as_str())));
    all.extend(
        fields
            .categories
            .iter()
            .map(|category| ("category", category.as_str())),
    );
    all.extend(fields.text_only.then_some(("text_only", "yes")));
    all.push(("agreed", "yes"));
    all
}

fn read_wording(sent: &str) -> std::result::Result<String, String> {
    let wording = crate::domain::text::one_line(sent);
    if wording.is_empty() {
        return Err("send the sentence that the reader agreed to".to_owned());
    }
    if wording.chars().count() > LONGEST_WORDING {
        return Err(format!("send a sentence of at most {LONGEST_WORDING} characters"));
    }
    Ok(wording)
}

/// What the API calls the control `id` of the form.
fn api_field(id: &str) -> &'static str {
    match id {
        "address" => "email",
        "name" => "name",
        "agreed" => "consent",
        _ if id.starts_with("digest") => "digests",
        _ => "categories",
    }
}
