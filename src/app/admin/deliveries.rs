//! Who got what, page by page.

use super::super::App;
use super::{AdminPage, Visit, moment};
use crate::domain::delivery::{Report, State};
use crate::domain::edition::Report as Account;
use crate::domain::{Problem, Result};
use crate::render::admin::{DeliveriesPage, DeliveryContext, Filter};
use crate::store::oversight::DeliveryPlace;
use chrono_tz::Tz;

/// Deliveries on a page.
const DELIVERIES: usize = 100;

/// What can be looked at: its word in addresses, its name, its states.
const FILTERS: [(&str, &str, &[State]); 5] = [
    ("", "All", &State::ALL),
    ("failed", "Failed", &[State::Failed, State::Expired]),
    ("waiting", "Waiting", &[State::Waiting, State::Uncertain]),
    ("sent", "Sent", &[State::Sent]),
    ("left-out", "Left out", &[State::Excluded]),
];

impl App {
    /// The deliveries of edition `id` which `filter` names (empty for all), from `from` on; both as the page
    /// itself has put them into its links.
    ///
    /// # Errors
    /// When there is no such edition, filter or place.
    pub async fn admin_deliveries(
        &self,
        visit: &Visit,
        id: i64,
        filter: &str,
        from: Option<&str>,
    ) -> Result<AdminPage> {
        let report = self.store.edition_report(id).await?;
        let (_, _, states) = FILTERS
            .into_iter()
            .find(|(word, _, _)| *word == filter)
            .ok_or_else(|| Problem::not_found(format!("there are no deliveries called {filter:?}")))?;
        let place = from.map(read_place).transpose()?;
        // Looking for a state that no delivery is in would read them all.
        let states: Vec<State> = states
            .iter()
            .copied()
            .filter(|state| has(&report, *state))
            .collect();
        let (rows, next) = self.store.delivery_page(id, &states, place, DELIVERIES).await?;
        let zone = self.zone_of(&report.digest);
        let href = |word: &str| match word {
            "" => "deliveries".to_owned(),
            word => format!("deliveries?state={word}"),
        };
        let row = self.edition_row(&report);
        self.admin_page(&DeliveriesPage {
            frame: self.admin_frame(visit, "", format!("Who got edition {id}")),
            edition: row,
            filters: FILTERS
                .into_iter()
                .map(|(word, name, _)| Filter {
                    name,
                    href: href(word),
                    is_here: word == filter,
                })
                .collect(),
            deliveries: rows.iter().map(|(_, report)| shown(report, zone)).collect(),
            is_first: place.is_none(),
            first: href(filter),
            is_paged: place.is_some() || next.is_some(),
            next: next.map(|next| {
                let (state, after) = (next.state.as_str(), next.after);
                format!("deliveries?state={filter}&from={state}.{after}")
            }),
        })
    }
}

/// Whether there may be deliveries in `state`.
fn has(account: &Account, state: State) -> bool {
    let count = match state {
        State::Failed | State::Expired => account.failed,
        State::Waiting | State::Uncertain => account.waiting,
        State::Sent => account.sent,
        State::Excluded => account.excluded,
    };
    count > 0
}

fn read_place(text: &str) -> Result<DeliveryPlace> {
    let place = text.split_once('.').and_then(|(state, after)| {
        Some(DeliveryPlace {
            state: State::parse(state)?,
            after: after.parse().ok()?,
        })
    });
    place.ok_or_else(|| Problem::not_found(format!("there is no page of deliveries that begins at {text:?}")))
}

fn shown(report: &Report, zone: Tz) -> DeliveryContext {
    DeliveryContext {
        address: report.address.as_str().to_owned(),
        state: match report.state {
            State::Waiting => "waiting",
            State::Uncertain => "may have arrived",
            State::Sent => "sent",
            State::Failed => "failed",
            State::Expired => "failed: too old",
            State::Excluded => "left out",
        },
        attempts: report.attempts,
        code: report.code,
        text: report.text.as_deref().map(|text| text.replace('_', " ")),
        next_attempt: report.next_attempt.map(|at| moment(at, zone)),
    }
}
