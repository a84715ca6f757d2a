//! The second look, approval, and what can be done to an edition that is approved.

use super::super::App;
use super::draft::Draft;
use super::{AdminPage, Next, Outcome, Visit, counted, left_out};
use crate::domain::edition::State;
use crate::domain::problem::Kind;
use crate::domain::{Problem, Result};
use crate::render::admin::{CancelPage, SendPage};

/// The number of readers may change by so many percent between the second look and the word to send: people
/// come and go all the time, but a list that was put into the folder meanwhile deserves another look.
const CHANGE: i64 = 5;

impl App {
    /// The second look at the draft `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_send_page(&self, visit: &Visit, id: i64) -> Result<Next> {
        let draft = self.draft_with_items(id).await?;
        if draft.edition.state != State::Draft {
            return Ok(Next::edition(id, "already"));
        }
        let (readers, excluded) = self.readers_of_draft(&draft).await?;
        Ok(Next::Page(
            self.second_look(visit, &draft, readers, &excluded, None).await?,
        ))
    }

    /// Approves the draft `id`, for the `seen` readers of the second look; the background delivers it.
    /// Once it is approved, doing it again changes nothing.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_approve(&self, visit: &Visit, id: i64, seen: Option<i64>) -> Result<Next> {
        let outcome = self.approve_as_seen(visit, id, seen).await;
        match outcome {
            // Somebody else was quicker.
            Err(problem)
                if problem.kind() == Kind::Failed && self.store.edition(id).await?.state != State::Draft =>
            {
                tracing::info!(admin = %visit.admin.address, edition = id, "approved before");
                Ok(Next::edition(id, "already"))
            }
            outcome => outcome,
        }
    }

    async fn approve_as_seen(&self, visit: &Visit, id: i64, seen: Option<i64>) -> Result<Next> {
        if self.store.edition(id).await?.state != State::Draft {
            return Ok(Next::edition(id, "already"));
        }
        // First, so that the number is that of the approval, which finds them read.
        self.import_changed_lists().await?;
        let draft = self.draft_with_items(id).await?;
        let (readers, excluded) = self.readers_of_draft(&draft).await?;
        let near = |seen: &i64| (readers - seen).abs().saturating_mul(100) <= seen.saturating_mul(CHANGE);
        if readers == 0 || !seen.is_some_and(|seen| near(&seen)) {
            let mut page = self.second_look(visit, &draft, readers, &excluded, seen).await?;
            page.outcome = Outcome::Conflict;
            return Ok(Next::Page(page));
        }
        self.approve(id).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, readers, "approved");
        Ok(Next::To(format!("admin/editions/{id}?watch=1&said=sent")))
    }

    async fn second_look(
        &self,
        visit: &Visit,
        draft: &Draft<'_>,
        readers: i64,
        excluded: &[(&'static str, i64)],
        was: Option<i64>,
    ) -> Result<AdminPage> {
        let id = draft.edition.id;
        if draft.items.is_empty() {
            return Err(Problem::failed("nothing is left in this draft").hint("cancel it"));
        }
        let note = draft.edition.note.as_deref();
        let subject = self.sample_mail(draft.digest, &draft.items, note)?.subject;
        let titles = draft.items.iter().map(|(_, stored)| stored.summary.title.clone());
        self.admin_page(&SendPage {
            frame: self.admin_frame(visit, "", format!("Send edition {id}?")),
            edition: self.edition_row(&self.store.edition_report(id).await?),
            subject,
            titles: titles.collect(),
            has_note: note.is_some(),
            readers: counted(readers, "reader"),
            count: readers,
            left_out: left_out(excluded.iter().copied()),
            was: was.map(|was| counted(was, "reader")),
        })
    }

    /// Pauses edition `id`.
    ///
    /// # Errors
    /// As [`App::pause_edition`].
    pub async fn admin_pause(&self, visit: &Visit, id: i64) -> Result<Next> {
        self.pause_edition(id).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, "paused");
        Ok(Next::edition(id, "paused"))
    }

    /// Lets edition `id` go on.
    ///
    /// # Errors
    /// As [`App::resume_edition`].
    pub async fn admin_resume(&self, visit: &Visit, id: i64) -> Result<Next> {
        self.resume_edition(id).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, "resumed");
        Ok(Next::To(format!("admin/editions/{id}?watch=1&said=resumed")))
    }

    /// Sends again what failed or is held in edition `id`.
    ///
    /// # Errors
    /// As [`App::retry_edition`].
    pub async fn admin_retry(&self, visit: &Visit, id: i64) -> Result<Next> {
        let (retried, _) = self.retry_edition(id).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, again = retried.again, "retried");
        if retried.again == 0 {
            return Ok(Next::edition(id, "nothing-failed"));
        }
        Ok(Next::To(format!("admin/editions/{id}?watch=1&said=retried")))
    }

    /// The second look before edition `id` ends.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_cancel_page(&self, visit: &Visit, id: i64) -> Result<Next> {
        let report = self.store.edition_report(id).await?;
        if matches!(report.state, State::Finished | State::Cancelled) {
            return Ok(Next::To(format!("admin/editions/{id}")));
        }
        let page = self.admin_page(&CancelPage {
            frame: self.admin_frame(visit, "", format!("Cancel edition {id}?")),
            edition: self.edition_row(&report),
            waiting: counted(report.waiting, "reader"),
        })?;
        Ok(Next::Page(page))
    }

    /// Ends edition `id`.
    ///
    /// # Errors
    /// As [`App::cancel_edition`].
    pub async fn admin_cancel(&self, visit: &Visit, id: i64) -> Result<Next> {
        let (cancelled, _) = self.cancel_edition(id).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, given_up = cancelled.given_up, "cancelled");
        Ok(Next::edition(id, "cancelled"))
    }
}
