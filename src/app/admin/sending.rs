//! The second look, approval, and what can be done to an edition that is approved.

use super::super::App;
use super::draft::Draft;
use super::{AdminPage, Next, Outcome, Visit, counted, left_out};
use crate::app::interventions::SeenAs;
use crate::domain::Result;
use crate::domain::edition::State;
use crate::domain::problem::Kind;
use crate::domain::text::hex;
use crate::edition::{Seen, nothing_left};
use crate::render::admin::{CancelPage, SendPage};
use aws_lc_rs::digest::{SHA256, digest};

/// The number of readers may change by so many percent between the second look and the word to send: people
/// come and go all the time, but a list that was put into the folder meanwhile deserves another look.
const CHANGE: i64 = 5;

/// What an admin saw of a draft before the look that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: it is the first look.
    Never,
    /// So many readers, and something else than now if it `changed`.
    Looked { seen: Option<i64>, changed: bool },
}

/// Leads to edition `id`, about which somebody decided before.
fn decided(id: i64, state: State) -> Next {
    Next::edition(
        id,
        if state == State::Cancelled {
            "ended"
        } else {
            "already"
        },
    )
}

impl App {
    /// The second look at the draft `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_send_page(&self, visit: &Visit, id: i64) -> Result<Next> {
        let outcome = self.first_look(visit, id).await;
        self.unless_decided(id, outcome).await
    }

    async fn first_look(&self, visit: &Visit, id: i64) -> Result<Next> {
        let draft = self.draft_with_items(id).await?;
        if draft.edition.state != State::Draft {
            return Ok(decided(id, draft.edition.state));
        }
        let (readers, excluded) = self.readers_of_draft(&draft).await?;
        if let Some(next) = self.decided_meanwhile(id).await? {
            return Ok(next);
        }
        Ok(Next::Page(
            self.second_look(visit, &draft, readers, &excluded, Before::Never)
                .await?,
        ))
    }

    /// Approves the draft `id` for the `seen` readers of the second look, as it was there (`print`); the
    /// background delivers it. Once it is approved, doing it again changes nothing.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_approve(
        &self,
        visit: &Visit,
        id: i64,
        seen: Option<i64>,
        print: &str,
    ) -> Result<Next> {
        let outcome = self.approve_as_seen(visit, id, seen, print).await;
        self.unless_decided(id, outcome).await
    }

    /// What failed because somebody else was quicker leads to what became of edition `id`.
    async fn unless_decided(&self, id: i64, outcome: Result<Next>) -> Result<Next> {
        match outcome {
            Err(problem) if problem.kind() == Kind::Failed => match self.store.edition(id).await?.state {
                State::Draft => Err(problem),
                state => Ok(decided(id, state)),
            },
            outcome => outcome,
        }
    }

    /// Where the draft `id` is none any more: whoever was quicker has changed what was counted of it before.
    async fn decided_meanwhile(&self, id: i64) -> Result<Option<Next>> {
        let state = self.store.edition(id).await?.state;
        Ok((state != State::Draft).then(|| decided(id, state)))
    }

    async fn approve_as_seen(&self, visit: &Visit, id: i64, seen: Option<i64>, print: &str) -> Result<Next> {
        let state = self.store.edition(id).await?.state;
        if state != State::Draft {
            return Ok(decided(id, state));
        }
        // First, so that the number is that of the approval, which finds them read.
        self.import_changed_lists().await?;
        let draft = self.draft_with_items(id).await?;
        let (readers, excluded) = self.readers_of_draft(&draft).await?;
        let near = |seen: &i64| (readers - seen).abs().saturating_mul(100) <= seen.saturating_mul(CHANGE);
        let changed = self.print(&draft)? != print;
        if changed || readers == 0 || !seen.is_some_and(|seen| near(&seen)) {
            if let Some(next) = self.decided_meanwhile(id).await? {
                return Ok(next);
            }
            let before = Before::Looked { seen, changed };
            let mut page = self
                .second_look(visit, &draft, readers, &excluded, before)
                .await?;
            page.outcome = Outcome::Conflict;
            return Ok(Next::Page(page));
        }
        let items = draft.items.iter();
        let seen = Seen {
            items: items.map(|(kind, stored)| (stored.id, *kind)).collect(),
            note: draft.edition.note.clone(),
        };
        self.approve(id, Some(&seen)).await?;
        tracing::info!(admin = %visit.admin.address, edition = id, readers, "approved");
        Ok(Next::edition(id, "sent"))
    }

    async fn second_look(
        &self,
        visit: &Visit,
        draft: &Draft<'_>,
        readers: i64,
        excluded: &[(&'static str, i64)],
        before: Before,
    ) -> Result<AdminPage> {
        let id = draft.edition.id;
        if draft.items.is_empty() {
            return Err(nothing_left(id));
        }
        let note = draft.edition.note.as_deref();
        let subject = self.subject_of(draft)?;
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
            print: self.print(draft)?,
            is_again: before != Before::Never,
            is_changed: matches!(before, Before::Looked { changed: true, .. }),
            was: match before {
                Before::Looked { seen: Some(was), .. } if was != readers => Some(counted(was, "reader")),
                _ => None,
            },
        })
    }

    fn subject_of(&self, draft: &Draft<'_>) -> Result<String> {
        let note = draft.edition.note.as_deref();
        Ok(self.sample_mail(draft.digest, &draft.items, note)?.subject)
    }

    /// Tells whether `draft` is what somebody saw: what it holds, each as it was last changed, note and subject.
    fn print(&self, draft: &Draft<'_>) -> Result<String> {
        if draft.items.is_empty() {
            return Err(nothing_left(draft.edition.id));
        }
        let mut text = format!("{:?}\n{:?}\n", self.subject_of(draft)?, draft.edition.note);
        for (kind, stored) in &draft.items {
            text += &format!("{} {} {}\n", kind.as_str(), stored.id, stored.updated.0);
        }
        let hash = digest(&SHA256, text.as_bytes());
        Ok(hex(hash.as_ref().get(..16).unwrap_or_default()))
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
        Ok(Next::edition(id, "resumed"))
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
        Ok(Next::edition(id, "retried"))
    }

    /// The second look before edition `id` ends.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_cancel_page(&self, visit: &Visit, id: i64) -> Result<Next> {
        self.cancel_look(visit, id, false).await
    }

    async fn cancel_look(&self, visit: &Visit, id: i64, is_changed: bool) -> Result<Next> {
        let report = self.store.edition_report(id).await?;
        if matches!(report.state, State::Finished | State::Cancelled) {
            return Ok(Next::To(format!("admin/editions/{id}")));
        }
        let mut page = self.admin_page(&CancelPage {
            frame: self.admin_frame(visit, "", format!("Cancel edition {id}?")),
            edition: self.edition_row(&report),
            waiting: counted(report.waiting, "reader"),
            is_changed,
        })?;
        if is_changed {
            page.outcome = Outcome::Conflict;
        }
        Ok(Next::Page(page))
    }

    /// Ends edition `id`, if it still is what was `seen` at the second look: `draft` or `approved`.
    ///
    /// # Errors
    /// As [`App::cancel_edition`].
    pub async fn admin_cancel(&self, visit: &Visit, id: i64, seen: &str) -> Result<Next> {
        let seen = match seen {
            "draft" => SeenAs::Draft,
            "approved" => SeenAs::Approved,
            _ => return self.cancel_look(visit, id, true).await,
        };
        let cancelled = match self.cancel_edition(id, Some(seen)).await {
            Ok((cancelled, _)) => cancelled,
            Err(problem) if problem.kind() == Kind::Failed => {
                return match self.store.edition(id).await?.state {
                    State::Finished => Err(problem),
                    State::Cancelled => Ok(Next::edition(id, "cancelled")),
                    _ => self.cancel_look(visit, id, true).await,
                };
            }
            Err(problem) => return Err(problem),
        };
        tracing::info!(admin = %visit.admin.address, edition = id, given_up = cancelled.given_up, "cancelled");
        Ok(Next::edition(id, "cancelled"))
    }
}
