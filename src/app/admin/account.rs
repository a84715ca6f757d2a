//! The page of an edition: a draft to be worked on, or the account of what became of it.

use super::super::App;
use super::{AdminPage, DraftView, Visit, counted, left_out};
use crate::domain::Result;
use crate::domain::edition::{Report, State};
use crate::render::admin::LedgerPage;

impl App {
    /// The page of edition `id`; `view` says what is shown of a draft, and `watched` whether the account of
    /// one under way is to be loaded again and again.
    ///
    /// # Errors
    /// When there is none.
    pub async fn admin_edition(
        &self,
        visit: &Visit,
        id: i64,
        view: &DraftView,
        watched: bool,
    ) -> Result<AdminPage> {
        let report = self.store.edition_report(id).await?;
        if report.state == State::Draft {
            return self.admin_draft(visit, id, view, None).await;
        }
        self.admin_ledger(visit, &report, watched).await
    }

    async fn admin_ledger(&self, visit: &Visit, report: &Report, watched: bool) -> Result<AdminPage> {
        let id = report.id;
        let row = self.edition_row(report);
        let items = self.store.edition_summaries(id).await?;
        let settled = report.sent + report.failed + report.excluded;
        let is_moving = matches!(report.state, State::Planned | State::Sending | State::Waiting);
        let reasons = report.excluded_by.iter();
        let mut page = self.admin_page(&LedgerPage {
            frame: self.admin_frame(visit, "", format!("Edition {id} of {}", row.digest)),
            stands: stands(report.state),
            titles: items
                .iter()
                .map(|(_, stored)| stored.summary.title.clone())
                .collect(),
            note: report.note.clone(),
            settled,
            audience: report.audience,
            percent: (settled * 100).checked_div(report.audience).unwrap_or(100),
            left_out: left_out(reasons.map(|(reason, count)| (reason.as_str(), *count))),
            held: (report.held > 0).then(|| counted(report.held, "message")),
            is_moving,
            is_watched: watched,
            can_pause: is_moving,
            can_resume: report.state == State::Paused,
            again: match (report.state, report.failed > 0, report.held > 0) {
                (State::Cancelled, ..) | (_, false, false) => None,
                (_, true, false) => Some("what failed"),
                (_, false, true) => Some("what may have arrived"),
                (_, true, true) => Some("what failed and what may have arrived"),
            },
            can_cancel: is_moving || report.state == State::Paused,
            edition: row,
        })?;
        if watched && is_moving {
            page.then = Some(format!("admin/editions/{id}?watch=1"));
        }
        Ok(page)
    }
}

/// What a state means for people.
fn stands(state: State) -> &'static str {
    match state {
        State::Draft => "It is a draft.",
        State::Planned => "It is about to go out.",
        State::Sending => "Messages go out now.",
        State::Waiting => "Some messages wait for a later attempt.",
        State::Paused => "It is paused.",
        State::Finished => "It is finished: every message is settled.",
        State::Cancelled => "It was cancelled.",
    }
}
