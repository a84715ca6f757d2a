//! "Was this summary helpful?": a count for each answer, and nothing that is a reader's.

use super::{App, research::Shown};
use crate::domain::helpful::Answer;
use crate::domain::text::hex;
use crate::domain::{Result, Timestamp};
use crate::render::{HelpfulPage, RemovedPage};
use aws_lc_rs::hmac;
use std::net::IpAddr;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

impl App {
    /// The page that asks; an answer that a link brought counts only when the button is pressed.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn helpful_page(&self, slug: &str, answer: Option<Answer>) -> Result<Shown> {
        self.helpful(slug, answer, None).await
    }

    /// Counts `answer`, once a day for a visitor and a few times for a network; thanks for it, and says whether
    /// it counts.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn give_answer(
        &self,
        slug: &str,
        answer: Answer,
        visitor: IpAddr,
        program: &str,
    ) -> Result<Shown> {
        let stored = self.stored(slug).await?;
        let mut counted = false;
        if stored.removed.is_none() {
            let now = self.clock.now();
            let who = self.voter(stored.id, &format!("{visitor}\n{program}"), now);
            let network = self.voter(stored.id, &self.addressing().network(visitor), now);
            let expires = now.plus(DAY);
            let voter = (who.as_str(), network.as_str());
            counted = self.store.vote(stored.id, answer, voter, expires, now).await?;
        }
        self.helpful(slug, Some(answer), Some(counted)).await
    }

    /// `counted`: whether an answer that was given counts; `None` while none was.
    async fn helpful(&self, slug: &str, answer: Option<Answer>, counted: Option<bool>) -> Result<Shown> {
        let stored = self.stored(slug).await?;
        let frame = self.frame("../../");
        if let Some(removal) = &stored.removed {
            let page = RemovedPage::new(frame, &removal.note, removal.at);
            return Ok(Shown::Removed(self.templates.page(&page)?));
        }
        let summary = self.shown(&stored);
        let page = self.public_page(&HelpfulPage {
            frame,
            summary_title: summary.full_title,
            slug: summary.item.slug,
            answer: answer.map(Answer::as_str),
            done: counted.is_some(),
            counted: counted.unwrap_or_default(),
        })?;
        Ok(Shown::Summary(page))
    }

    /// Tells that `who` has answered today, and nothing else: the key changes every day.
    fn voter(&self, summary: i64, who: &str, now: Timestamp) -> String {
        let day = now.0.div_euclid(24 * 3600 * 1000);
        let master = hmac::Key::new(hmac::HMAC_SHA256, self.signer.visitors_salt().as_bytes());
        let today = hmac::sign(&master, format!("helpful {day}").as_bytes());
        let today = hmac::Key::new(hmac::HMAC_SHA256, today.as_ref());
        let tag = hmac::sign(&today, format!("{summary}\n{who}").as_bytes());
        hex(tag.as_ref().get(..16).unwrap_or_default())
    }
}
