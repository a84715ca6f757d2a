//! What a mail would show now, and one sent as a test.

use super::App;
use crate::deliver::compose::Issue;
use crate::deliver::message::Envelope;
use crate::deliver::retry::Verdict;
use crate::deliver::splice::ReaderValues;
use crate::deliver::worker::Identity;
use crate::domain::edition::{ItemKind, State};
use crate::domain::summary::StoredSummary;
use crate::domain::{Digest, EmailAddress, Problem, Result, Slug};
use crate::edition::{Request, goes_out, nothing_left};
use crate::store::editions::Edition;
use serde::Serialize;

/// What was sent as a test.
#[derive(Debug, Serialize)]
pub struct TestMail {
    /// The relay that took it.
    pub relay: String,
    /// Its last words.
    pub said: String,
    /// Slugs of the summaries it shows.
    pub summaries: Vec<Slug>,
    /// Where they are from.
    pub shows: Shows,
}

impl App {
    /// Sends one mail to `address` that counts for nobody: what the next edition would hold, or what
    /// the last one held when there is nothing new.
    ///
    /// # Errors
    /// When there is nothing to show, or no relay takes the mail.
    pub async fn send_test(
        &self,
        digest: &Digest,
        request: &Request,
        address: &EmailAddress,
    ) -> Result<TestMail> {
        self.refuse_unmailable(address).await?;
        let showcase = self.showcase(digest, request).await?;
        self.send_shown(digest, showcase, address).await
    }

    /// Sends what edition `id` holds to `address`, as [`App::send_test`] does.
    ///
    /// # Errors
    /// When there is no such edition, or no relay takes the mail.
    pub async fn send_test_of(&self, id: i64, address: &EmailAddress) -> Result<TestMail> {
        self.refuse_unmailable(address).await?;
        let edition = self.store.edition(id).await?;
        let showcase = Showcase {
            items: self.draft_summaries(id).await?,
            note: edition.note,
            draft: Some(id),
            shows: Shows::Draft,
        };
        let digest = self.digest(&edition.digest)?;
        self.send_shown(digest, showcase.with_something()?, address).await
    }

    async fn send_shown(
        &self,
        digest: &Digest,
        showcase: Showcase,
        address: &EmailAddress,
    ) -> Result<TestMail> {
        let Showcase {
            items, note, shows, ..
        } = showcase;
        let now = self.clock.now();
        let mail = self.composer.compose(&Issue {
            digest,
            number: 0,
            time: now,
            note: note.as_deref(),
            items: &items,
            segment: 0,
        })?;
        let mut unique = [0u8; 8];
        self.random.fill(&mut unique)?;
        // Reader 0 is nobody: its links are good and change nothing.
        let message_id = self.names.message_id(0, i64::from_be_bytes(unique) & i64::MAX);
        let mut message = Vec::new();
        mail.write(
            &ReaderValues {
                to: address,
                name: None,
                message_id: &message_id,
                date: &now.rfc2822(),
                unsubscribe_url: &self.names.unsubscribe_url(digest.name.as_str(), 0),
                preferences_url: &self.names.preferences_url(digest.name.as_str(), 0, 0),
            },
            &mut message,
        )?;
        let return_path = self.names.return_path(0, 0);
        let envelope = Envelope {
            from: &return_path,
            to: address,
            message_id: &message_id,
        };
        let mut last = Problem::configuration("there is no relay");
        for (relay, _) in self.relays()? {
            let mut connection = match relay.connect().await {
                Ok(connection) => connection,
                Err(trouble) => {
                    last = Problem::from(trouble).at(format!("relay {:?}", relay.name()));
                    continue;
                }
            };
            let mut message = message.clone();
            relay.sign(&mut message, now).await?;
            let attempt = connection.send(&envelope, &message, async { Ok(()) }).await;
            connection.quit().await;
            if attempt.verdict == Verdict::Sent {
                return Ok(TestMail {
                    relay: relay.name().to_owned(),
                    said: attempt.log_text(),
                    summaries: items.into_iter().map(|(_, stored)| stored.summary.slug).collect(),
                    shows,
                });
            }
            last = Problem::failed(format!(
                "relay {:?} did not take the test: {}",
                relay.name(),
                attempt.log_text()
            ))
            .hint("`postrider check` looks at every relay");
        }
        Err(last)
    }

    /// Not even a test goes to somebody who complained, or to a domain that nobody has by way of a real relay.
    async fn refuse_unmailable(&self, address: &EmailAddress) -> Result<()> {
        let refused = |why: &str| {
            Problem::failed(format!("{} gets no test: {why}", address.full())).hint("name another address")
        };
        if let Some(reason) = self.suppression_of(address).await? {
            return Err(refused(&format!("the address is {}", reason.as_str())));
        }
        if address.is_reserved() && self.config.relays.iter().any(|relay| !relay.address.is_local()) {
            return Err(refused("its domain is reserved for examples"));
        }
        Ok(())
    }

    /// The edition of `digest` that waits for approval.
    pub(super) async fn draft(&self, digest: &Digest) -> Result<Option<Edition>> {
        let drafts = self
            .store
            .editions_in(Some(digest.name.as_str()), &[State::Draft])
            .await?;
        Ok(drafts.into_iter().find(|draft| draft.regular))
    }

    /// What goes out of the draft `id`: not what was removed or retracted while it waited.
    pub(super) async fn draft_summaries(&self, id: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let mut items = self.store.edition_summaries(id).await?;
        items.retain(|(kind, stored)| goes_out(*kind, stored));
        Ok(items)
    }

    /// What a mail of `digest` would show now: a waiting draft, else what is new, else the latest edition.
    /// That there is nothing in it is a problem.
    pub(super) async fn showcase(&self, digest: &Digest, request: &Request) -> Result<Showcase> {
        self.next_or_latest(digest, request).await?.with_something()
    }

    async fn next_or_latest(&self, digest: &Digest, request: &Request) -> Result<Showcase> {
        let name = digest.name.as_str();
        if *request == Request::Next
            && let Some(draft) = self.draft(digest).await?
        {
            return Ok(Showcase {
                items: self.draft_summaries(draft.id).await?,
                note: draft.note,
                draft: Some(draft.id),
                shows: Shows::Draft,
            });
        }
        let without_note = |items, shows| Showcase {
            items,
            note: None,
            draft: None,
            shows,
        };
        let next = self.planner().contents(digest, request).await?;
        if !next.is_empty() {
            return Ok(without_note(next, Shows::Next));
        }
        match self.store.editions_in(Some(name), &State::ALL).await?.last() {
            Some(last) => Ok(without_note(
                self.store.edition_summaries(last.id).await?,
                Shows::Latest,
            )),
            None => Err(Problem::failed(format!("digest {name:?} has nothing to show"))
                .hint("gather some summaries first: `postrider gather`")),
        }
    }
}

/// What a mail would show now.
pub(super) struct Showcase {
    pub(super) items: Vec<(ItemKind, StoredSummary)>,
    /// The editor's note of a draft.
    pub(super) note: Option<String>,
    /// The draft that is shown.
    pub(super) draft: Option<i64>,
    pub(super) shows: Shows,
}

impl Showcase {
    /// The same, unless everything was left out or withdrawn: nobody is shown a mail about nothing.
    fn with_something(self) -> Result<Self> {
        if !self.items.is_empty() {
            return Ok(self);
        }
        Err(match self.draft {
            Some(id) => nothing_left(id),
            None => Problem::failed("the latest edition holds nothing to show"),
        })
    }
}

/// Where a preview or test takes its summaries from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// A draft that waits for approval.
    Draft,
    /// What the next edition would hold.
    Next,
    /// The latest edition, since nothing is new.
    Latest,
}

impl Shows {
    /// The same in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "the draft that waits for approval",
            Self::Next => "the next edition",
            Self::Latest => "the latest edition again, since nothing is new",
        }
    }
}
