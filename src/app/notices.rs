//! Notices: what their templates see, and the word to the courier that one was written.

use super::names::Names;
use super::{App, name_of};
use crate::deliver::notice_mail::Correspondence;
use crate::deliver::worker::Identity;
use crate::domain::digest::Unchosen;
use crate::domain::notice::NoticeData;
use crate::domain::text::one_line;
use crate::domain::{Category, Clock, Digest, Problem, Result, Site, Slug, Timestamp};
use crate::render::{LatestContext, NoticeBody, NoticeContext, NoticeFrame, PublicationContext, day};
use crate::schedule::runner;
use crate::store::Store;
use crate::store::notice_ledger::DueNotice;
use crate::subscriptions::token::Purpose;
use async_trait::async_trait;
use chrono::Datelike;
use std::sync::Arc;
use std::time::Duration;

/// How long "never write again" works: longer than anybody leaves a mail unread.
const REFUSABLE: Duration = Duration::from_secs(30 * 24 * 3600);

impl App {
    /// Tells the couriers of this process that a notice was written. Call it when its transaction is committed;
    /// without it, or in another process, a notice is found within a second.
    pub fn notices_waiting(&self) {
        for courier in self.watch.couriers() {
            courier.notice_written();
        }
    }

    pub(super) fn correspondent(&self) -> Correspondent {
        Correspondent {
            names: Arc::clone(&self.names),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            frame: NoticeFrame {
                site: self.config.site.clone(),
                contact: self.contact(),
            },
            digests: Arc::clone(&self.digests),
            categories: Arc::clone(&self.categories),
        }
    }
}

/// Knows what notices tell.
pub(super) struct Correspondent {
    names: Arc<Names>,
    store: Store,
    clock: Arc<dyn Clock>,
    frame: NoticeFrame,
    digests: Arc<[Digest]>,
    categories: Arc<[Category]>,
}

#[async_trait]
impl Correspondence for Correspondent {
    fn message_id(&self, notice: i64) -> String {
        self.names.notice_message_id(notice)
    }

    fn return_path(&self, notice: i64) -> String {
        self.names.notice_return_path(notice)
    }

    async fn context(&self, notice: &DueNotice) -> Result<NoticeContext> {
        Ok(NoticeContext {
            frame: self.frame.clone(),
            body: self.body(notice).await?,
        })
    }
}

impl Correspondent {
    async fn body(&self, notice: &DueNotice) -> Result<NoticeBody> {
        let names = &self.names;
        let name = notice.name.clone();
        let created = notice.created;
        let end = notice.data.link_end(created).unwrap_or(notice.ends);
        let good_for = spelled(end.since(created));
        Ok(match &notice.data {
            NoticeData::Confirm {
                sign_up,
                digests,
                categories,
                ..
            } => NoticeBody::Confirm {
                digests: digests.iter().map(|digest| self.publication(digest)).collect(),
                categories: self.category_names(categories),
                confirm_url: names.short_lived("/confirm/", Purpose::Confirm, *sign_up, end),
                refuse_url: self.refuse_url(notice),
                good_for,
            },
            NoticeData::Welcome { digest } => self.welcome(notice, digest).await?,
            NoticeData::PreferencesLink { digest } => NoticeBody::PreferencesLink {
                name,
                preferences_url: self.preferences_url(notice, digest)?,
                digest: self.publication(digest),
            },
            NoticeData::AccountLink {} => NoticeBody::AccountLink {
                name,
                account_url: {
                    let subscriber = subscriber_of(notice)?;
                    names.account_url(subscriber, notice.link_generation, end)
                },
                good_for,
            },
            NoticeData::NewAddress { change, .. } => NoticeBody::NewAddress {
                confirm_url: names.short_lived("/address/", Purpose::NewAddress, *change, end),
                refuse_url: self.refuse_url(notice),
                good_for,
            },
            NoticeData::AddressChanged {} => NoticeBody::AddressChanged { name },
            NoticeData::SignIn { sign_in } => NoticeBody::SignIn {
                sign_in_url: names.short_lived("/admin/session/", Purpose::SignIn, *sign_in, end),
                good_for,
            },
            NoticeData::Contact { from, name, text } => NoticeBody::Contact {
                from: from.as_str().to_owned(),
                name: name.as_deref().map(|name| one_line(&harmless(name))),
                lines: text.lines().map(harmless).collect(),
            },
        })
    }

    fn refuse_url(&self, notice: &DueNotice) -> String {
        let end = notice.created.plus(REFUSABLE);
        self.names
            .short_lived("/refuse/", Purpose::Refuse, notice.id, end)
    }

    async fn welcome(&self, notice: &DueNotice, digest: &Slug) -> Result<NoticeBody> {
        let subscriber = subscriber_of(notice)?;
        let reader = self.store.subscriber_by_id(subscriber).await?;
        let choice = reader.map(|reader| reader.categories).unwrap_or_default();
        let chosen: Vec<Slug> = choice.slugs().cloned().collect();
        let known = self.known(digest);
        let next_edition = match known {
            Some(known) => runner::next_run(known, self.clock.now())?.map(|at| weekday(at, known)),
            None => None,
        };
        let latest = match self.site().pages {
            true => self.store.latest_finished(digest.as_str()).await?,
            false => None,
        };
        Ok(NoticeBody::Welcome {
            name: notice.name.clone(),
            digest: self.publication(digest),
            all_categories: known.is_some_and(|known| known.unchosen == Unchosen::All),
            categories: self.category_names(&chosen),
            next_edition,
            latest: latest.map(|(number, time)| LatestContext {
                url: self.site().link(&format!("/archive/{number}")),
                date: day(local(time, known)),
            }),
            preferences_url: self.preferences_url(notice, digest)?,
            unsubscribe_url: self.names.unsubscribe_url(digest.as_str(), subscriber),
        })
    }

    fn site(&self) -> &Site {
        &self.frame.site
    }

    fn preferences_url(&self, notice: &DueNotice, digest: &Slug) -> Result<String> {
        let subscriber = subscriber_of(notice)?;
        Ok(self
            .names
            .preferences_url(digest.as_str(), subscriber, notice.link_generation))
    }

    fn known(&self, name: &Slug) -> Option<&Digest> {
        self.digests.iter().find(|digest| digest.name == *name)
    }

    /// The digest that readers see; its own name when the configuration no longer has it.
    fn publication(&self, name: &Slug) -> PublicationContext {
        self.known(name).map_or_else(
            || PublicationContext {
                name: name.to_string(),
                title: name.to_string(),
            },
            PublicationContext::from,
        )
    }

    fn category_names(&self, slugs: &[Slug]) -> Vec<String> {
        slugs.iter().map(|slug| name_of(&self.categories, slug)).collect()
    }
}

fn subscriber_of(notice: &DueNotice) -> Result<i64> {
    let kind = notice.data.kind().as_str();
    notice
        .subscriber
        .ok_or_else(|| Problem::failed(format!("the {kind} notice {} is about nobody", notice.id)))
}

fn local(time: Timestamp, digest: Option<&Digest>) -> chrono::NaiveDate {
    let zone = digest.map_or(chrono_tz::Tz::UTC, |digest| digest.timezone);
    time.utc().with_timezone(&zone).date_naive()
}

/// A day such as `Monday, 5 January 2026`.
fn weekday(time: Timestamp, digest: &Digest) -> String {
    let date = local(time, Some(digest));
    format!(
        "{}, {} {} {}",
        date.format("%A"),
        date.day(),
        date.format("%B"),
        date.year()
    )
}

/// `text` without the marks that turn the direction of what follows: a link must not be shown backwards.
fn harmless(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|&c| !turns(c)).collect()
}

/// A time such as `30 minutes`, `24 hours` or `7 days`, rounded down to what can be promised.
fn spelled(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2_880 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words_that_keep_their_promise() {
        for (seconds, words) in [
            (59, "0 minutes"),
            (60, "1 minute"),
            (30 * 60, "30 minutes"),
            (24 * 3600, "24 hours"),
            (3 * 3600 - 1, "2 hours"),
            (7 * 86_400, "7 days"),
        ] {
            assert_eq!(spelled(Duration::from_secs(seconds)), words);
        }
    }
}
