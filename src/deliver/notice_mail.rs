//! The message of a notice, and who can say what it tells.

use async_trait::async_trait;

use super::header;
use super::letter::Letter;
use super::message::{Mailbox, SegmentMessage};
use super::relay::Relay;
use super::worker::Courier;
use crate::domain::{EmailAddress, Problem, Result, Timestamp};
use crate::render::{NoticeBody, NoticeContext, RenderedNotice};
use crate::store::notice_ledger::DueNotice;

/// Names and contents of notices.
#[async_trait]
pub trait Correspondence: Send + Sync {
    /// The same for every attempt.
    fn message_id(&self, notice: i64) -> String;
    /// The envelope sender.
    fn return_path(&self, notice: i64) -> String;
    /// What the templates of `notice` see.
    ///
    /// # Errors
    /// When the database does not answer, or the notice can't be told of.
    async fn context(&self, notice: &DueNotice) -> Result<NoticeContext>;
}

/// The headers of a notice.
pub(super) struct NoticeHead<'a> {
    pub(super) from: Mailbox<'a>,
    pub(super) reply_to: Option<Mailbox<'a>>,
    pub(super) to: &'a EmailAddress,
    pub(super) date: Timestamp,
    /// With its angle brackets.
    pub(super) message_id: &'a str,
    /// Nothing personal.
    pub(super) feedback_id: &'a str,
}

/// Encodes a notice: 7-bit, CRLF, no final dot; no line begins with a dot.
///
/// # Errors
/// When a name of ours can't stand in a header.
pub(super) fn encode(head: &NoticeHead<'_>, mail: &RenderedNotice) -> Result<Vec<u8>> {
    let message_id = head.message_id.trim_start_matches('<').trim_end_matches('>');
    if !super::splice::is_token(message_id) || !super::splice::is_printable(head.feedback_id) {
        return Err(Problem::failed("a notice's name can't stand in a header"));
    }
    let mut out = Vec::with_capacity(mail.html.len() * 5 / 4 + mail.text.len() * 5 / 4 + 2048);
    header::with_angle(&mut out, "From", head.from.name, &head.from.address.full());
    if let Some(reply_to) = &head.reply_to {
        header::with_angle(&mut out, "Reply-To", reply_to.name, &reply_to.address.full());
    }
    out.extend_from_slice(b"To:");
    header::address(&mut out, head.to);
    out.extend_from_slice(b"\r\n");
    header::unstructured(&mut out, "Subject", &mail.subject);
    header::plain(&mut out, "Date", &head.date.rfc2822());
    header::plain(&mut out, "Message-ID", &format!("<{message_id}>"));
    header::plain(&mut out, "Feedback-ID", head.feedback_id);
    // RFC 3834: no machine is to answer.
    header::plain(&mut out, "Auto-Submitted", "auto-generated");
    Ok(SegmentMessage::whole(out, message_id, &mail.text, &mail.html))
}

impl Letter {
    /// Writes the message of a notice to `address`, and signs it as `relay` wants it.
    ///
    /// # Errors
    /// When the notice can't be told of, a template fails, or the message can't be signed.
    pub(super) async fn of_notice(
        courier: &Courier,
        relay: &Relay,
        notice: &DueNotice,
        address: EmailAddress,
    ) -> Result<Self> {
        let context = courier.correspondence.context(notice).await?;
        let mail = courier.composer.notice(&context)?;
        let sender = courier.composer.sender();
        let visitor = match &context.body {
            NoticeBody::Contact { from, .. } => EmailAddress::parse(from).ok(),
            _ => None,
        };
        let reply_to = match &visitor {
            Some(address) => Some(Mailbox { name: None, address }),
            None => sender.reply_to.as_ref().map(Mailbox::of),
        };
        let now = courier.clock.now();
        let message_id = courier.correspondence.message_id(notice.id);
        let head = NoticeHead {
            from: Mailbox::of(&sender.from),
            reply_to,
            to: &address,
            date: now,
            message_id: &message_id,
            feedback_id: &format!("{}:notice:postrider", context.kind().as_str()),
        };
        let mut message = encode(&head, &mail)?;
        relay.sign(&mut message, now).await?;
        Ok(Self {
            return_path: courier.correspondence.return_path(notice.id),
            address,
            message_id,
            message,
        })
    }
}
