//! The pages from which admins send: the calls of the command line, each with a page.

mod account;
mod deliveries;
mod draft;
mod overview;
mod sending;
mod sign_in;

pub use draft::DraftView;
pub use sign_in::Opened;

use super::App;
use crate::domain::edition::Report;
use crate::domain::problem::Kind;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::render::Page;
use crate::render::admin::{AdminContext, AdminFrame, EditionRow, TroublePage};
use chrono_tz::Tz;

/// An admin who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Their address.
    pub address: EmailAddress,
    /// What their browser holds.
    token: String,
}

/// A request of a signed-in admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who asks.
    pub admin: Admin,
    /// Leads from the page to the start page of the site, such as `../../`.
    pub root: String,
    /// The word for what was just done ([`said`]), if any.
    pub said: Option<String>,
}

/// Whether a page is what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is.
    Good,
    /// A field of the form can't be used.
    Faulty,
    /// What was asked for does not exist, or not any more.
    Missing,
    /// What was asked for can't be done as things stand.
    Conflict,
    /// The form is not one of ours, or not of this session.
    Refused,
    /// There were too many requests.
    TooMany,
}

/// A page for an admin.
#[derive(Debug)]
pub struct AdminPage {
    /// The whole HTML document.
    pub html: String,
    /// Whether it is what was asked for.
    pub outcome: Outcome,
    /// The page that replaces it after five seconds, if the admin watches; relative to the site's start page.
    pub then: Option<String>,
}

impl AdminPage {
    fn good(html: String) -> Self {
        Self::of(Outcome::Good, html)
    }

    fn of(outcome: Outcome, html: String) -> Self {
        Self {
            html,
            outcome,
            then: None,
        }
    }
}

/// What an action leads to.
#[derive(Debug)]
pub enum Next {
    /// Another page, relative to the site's start page.
    To(String),
    /// A page at once.
    Page(AdminPage),
}

impl Next {
    /// The page of edition `id`, which says `word`.
    fn edition(id: i64, word: &str) -> Self {
        Self::To(format!("admin/editions/{id}?said={word}"))
    }
}

/// What the word of an address that leads to a page says: no page shows what somebody else put into its address.
pub fn said(word: &str) -> Option<&'static str> {
    Some(match word {
        "prepared" => "The draft is ready. Nothing was sent yet.",
        "waits" => "This draft was waiting already.",
        "under-way" => "This edition is not finished yet; it goes on before another one is made.",
        "nothing" => "There is nothing new to send.",
        "too-few" => "There are too few new summaries for an edition.",
        "no-readers" => "Nobody receives this digest yet, so no edition was made.",
        "held" => "A list of readers can't be read, so no edition was made. The log says why.",
        "left-out" => "The summary is left out.",
        "noted" => "The note is saved.",
        "note-gone" => "The edition has no note now.",
        "tested" => "A test is on its way to you.",
        "sent" => "Approved. The messages go out by themselves; you may close this page.",
        "already" => "This edition was approved before. Nothing was sent a second time.",
        "ended" => "This edition was cancelled before. Nothing was sent.",
        "paused" => "Paused. What is in flight ends, and nothing new is begun.",
        "resumed" => "It goes on.",
        "retried" => "It is sent again.",
        "nothing-failed" => "There is nothing to send again.",
        "cancelled" => "Cancelled. What was not sent is not sent any more.",
        "signed-out" => "You are signed out.",
        _ => return None,
    })
}

impl App {
    /// The page that says why something was not done. It is the admin's to read, and stands in the log as well.
    ///
    /// # Errors
    /// What is nobody's fault but ours comes back as it is.
    pub fn admin_trouble(&self, visit: &Visit, problem: Problem) -> Result<AdminPage> {
        let (outcome, heading) = match problem.kind() {
            Kind::NotFound => (Outcome::Missing, "There is nothing here"),
            Kind::Failed => (Outcome::Conflict, "That was not done"),
            Kind::Configuration | Kind::Database => return Err(problem),
        };
        tracing::warn!(admin = %visit.admin.address, %problem, "not done");
        let mut reason = problem.with_causes();
        if let Some(first) = reason.get(..1) {
            reason = first.to_uppercase() + reason.get(1..).unwrap_or_default();
        }
        let page = TroublePage {
            frame: self.frame(&visit.root),
            admin: Some(self.admin_context(visit, "")),
            heading: heading.to_owned(),
            reason: format!("{reason}."),
        };
        Ok(AdminPage::of(outcome, self.templates.page(&page)?))
    }

    /// The page for a form that did not come from a page of ours: nothing is done.
    ///
    /// # Errors
    /// When a template fails.
    pub fn admin_refusal(&self, root: &str) -> Result<AdminPage> {
        let page = TroublePage {
            frame: self.frame(root),
            admin: None,
            heading: "Nothing was done".to_owned(),
            reason: "This form is not from a page that you opened since you signed in. \
                     Open the page again and repeat what you did."
                .to_owned(),
        };
        Ok(AdminPage::of(Outcome::Refused, self.templates.page(&page)?))
    }

    /// A page that shows a form again in which something is to be put right.
    fn faulty_admin_page(&self, page: &impl Page) -> Result<AdminPage> {
        Ok(AdminPage::of(Outcome::Faulty, self.templates.faulty_page(page)?))
    }

    fn admin_page(&self, page: &impl Page) -> Result<AdminPage> {
        Ok(AdminPage::good(self.templates.page(page)?))
    }

    fn admin_frame(&self, visit: &Visit, here: &'static str, title: impl Into<String>) -> AdminFrame {
        AdminFrame {
            frame: self.frame(&visit.root),
            page_title: title.into(),
            admin: self.admin_context(visit, here),
            said: visit.said.as_deref().and_then(said).map(str::to_owned),
        }
    }

    fn admin_context(&self, visit: &Visit, here: &'static str) -> AdminContext {
        AdminContext {
            address: visit.admin.address.full(),
            form_token: visit.admin.form_token(),
            here,
        }
    }

    /// The account of an edition as pages show it.
    fn edition_row(&self, report: &Report) -> EditionRow {
        let zone = self.zone_of(&report.digest);
        EditionRow {
            number: report.id,
            digest: self.publication(Some(&report.digest)).title,
            state: report.state.as_str(),
            summaries: report.summaries.len(),
            made: crate::render::day(report.created.utc().with_timezone(&zone).date_naive()),
            is_planned: report.planned.is_some(),
            audience: grouped(report.audience),
            sent: grouped(report.sent),
            waiting: grouped(report.waiting),
            failed: grouped(report.failed),
            excluded: grouped(report.excluded),
            trouble: report.trouble.clone(),
        }
    }

    /// The zone of the digest `name`; UTC when the configuration no longer has it.
    fn zone_of(&self, name: &str) -> Tz {
        self.digest(name).map_or(Tz::UTC, |digest| digest.timezone)
    }
}

/// An instant for people, in `zone`.
fn moment(time: Timestamp, zone: Tz) -> String {
    let local = time.utc().with_timezone(&zone);
    local.format("%a %-d %b %Y %H:%M %Z").to_string()
}

/// A number with a comma between thousands.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Such as `1 reader`, `1,200 readers`.
fn counted(number: i64, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(number))
}

/// Who received nothing, and why, such as `3 readers: nothing for them`.
fn left_out<'a>(reasons: impl IntoIterator<Item = (&'a str, i64)>) -> Vec<String> {
    let reasons = reasons.into_iter();
    reasons
        .map(|(reason, count)| format!("{}: {}", counted(count, "reader"), reason.replace('_', " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        for (number, text) in [
            (0, "0 readers"),
            (1, "1 reader"),
            (999, "999 readers"),
            (1_000, "1,000 readers"),
            (-1_234_567, "-1,234,567 readers"),
        ] {
            assert_eq!(counted(number, "reader"), text);
        }
    }
}
