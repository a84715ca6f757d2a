//! What an outcome means: the one place where transient and permanent are told apart.

use std::fmt;
use std::time::Duration;

use super::reply::{Reply, hide_addresses, tidy};
use crate::domain::Timestamp;

/// How far a session had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Name look-up and TCP.
    Connect,
    /// The relay's first words.
    Greeting,
    /// EHLO.
    Ehlo,
    /// STARTTLS and the TLS handshake.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The message and its final dot.
    Body,
}

impl Stage {
    /// Whether no delivery is under way yet.
    pub fn is_before_mail(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Greeting | Self::Ehlo | Self::StartTls | Self::Auth
        )
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "the greeting",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Body => "the message",
        })
    }
}

/// Why no reply came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// The connection was closed or reset.
    Dropped(String),
    /// Nothing came in time.
    TimedOut,
    /// What came is no SMTP reply, or not one that can stand here.
    Garbage(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(why) => write!(f, "connection lost ({why})"),
            Self::TimedOut => f.write_str("no reply in time"),
            Self::Garbage(what) => f.write_str(what),
        }
    }
}

/// What happened to one message, or to a connection that was to carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The relay answered.
    Reply(Stage, Reply),
    /// No answer; the final dot had not left.
    NoReply(Stage, Silence),
    /// No answer after the final dot: the relay may have taken the message.
    NoReplyAfterDot(Silence),
    /// The connection could not be protected as configured, or no common way to log in was offered.
    Unsafe(Stage, String),
    /// The outbox was written.
    Written,
    /// The outbox cannot be written, as with a full disk.
    NotWritten(String),
    /// Our own trouble with this one message; nothing of it can have arrived.
    Local(String),
}

/// What it means for the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The relay has taken the message.
    Sent,
    /// To be tried again later.
    Retry,
    /// Possibly taken; to be tried again with the same Message-ID.
    Uncertain,
    /// Refused for good.
    Fail {
        /// The relay says that no such mailbox exists.
        dead_address: bool,
    },
    /// The relay's own trouble: the delivery is untouched, and the relay backs off.
    RelayDown,
    /// The session ended before anything was said about this delivery: it goes over the next one.
    Untouched,
}

/// Judges an outcome.
///
/// 5xx to RCPT, to DATA and after the final dot is final for the delivery; before RCPT it is the
/// relay's trouble. 421 closes the connection and says nothing about the delivery.
pub fn judge(happened: &Happened) -> Verdict {
    match happened {
        Happened::Reply(stage, reply) => judge_reply(*stage, reply),
        Happened::NoReply(stage, _) if stage.is_before_mail() => Verdict::RelayDown,
        Happened::NoReply(..) | Happened::Local(_) => Verdict::Retry,
        Happened::NoReplyAfterDot(_) => Verdict::Uncertain,
        Happened::Unsafe(..) | Happened::NotWritten(_) => Verdict::RelayDown,
        Happened::Written => Verdict::Sent,
    }
}

fn judge_reply(stage: Stage, reply: &Reply) -> Verdict {
    match reply.class() {
        2 if stage == Stage::Body => Verdict::Sent,
        _ if stage.is_before_mail() => Verdict::RelayDown,
        5 if stage == Stage::Mail => Verdict::RelayDown,
        5 => Verdict::Fail {
            dead_address: stage == Stage::Rcpt && says_dead(reply),
        },
        // 4xx, and a positive reply that ended nothing.
        _ => Verdict::Retry,
    }
}

/// 5.1.7 and 5.1.8 blame the sender, 5.7.x our reputation: those addresses live.
fn says_dead(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((5, 1, 1 | 2 | 3 | 6 | 10)))
}

impl Happened {
    /// Whether this is about the session rather than about the message that was to begin: the end of the
    /// connection, a sender that is put off, or one recipient too many (RFC 3463, 4.5.3).
    pub(super) fn ends_session(&self) -> bool {
        match self {
            Self::Reply(Stage::Mail, reply) => reply.class() == 4,
            Self::Reply(Stage::Rcpt, reply) => reply.class() == 4 && reply.enhanced == Some((4, 5, 3)),
            Self::NoReply(Stage::Mail, Silence::Dropped(_)) => true,
            _ => false,
        }
    }

    /// The relay's reply code.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Reply(_, reply) => Some(reply.code),
            _ => None,
        }
    }

    /// Where it ended.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Reply(stage, _) | Self::NoReply(stage, _) | Self::Unsafe(stage, _) => Some(*stage),
            Self::NoReplyAfterDot(_) => Some(Stage::Body),
            Self::Written | Self::NotWritten(_) | Self::Local(_) => None,
        }
    }

    /// One line for the ledger: the relay's words, or ours. It may hold an address.
    pub fn text(&self) -> String {
        tidy(&match self {
            Self::Reply(_, reply) => reply.text.clone(),
            Self::NoReply(stage, silence) => format!("{silence} in {stage}"),
            Self::NoReplyAfterDot(silence) => format!("{silence} after the final dot"),
            Self::Unsafe(_, what) | Self::NotWritten(what) | Self::Local(what) => what.clone(),
            Self::Written => "written".to_owned(),
        })
    }
}

/// The outcome of one message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it means for the delivery.
    pub verdict: Verdict,
    /// Where it ended; none for an outbox.
    pub stage: Option<Stage>,
    /// The relay's reply code.
    pub code: Option<u16>,
    /// One line of at most 500 characters for the ledger; it may hold an address, [`Attempt::log_text`] does not.
    pub text: Option<String>,
    /// Whether the session can take the next message.
    pub session_usable: bool,
}

impl Attempt {
    /// Judges what happened.
    pub fn of(happened: &Happened, session_usable: bool) -> Self {
        Self {
            verdict: judge(happened),
            stage: happened.stage(),
            code: happened.code(),
            text: Some(happened.text()).filter(|text| !text.is_empty()),
            session_usable,
        }
    }

    /// The session ended, and not because of this message.
    pub fn untouched(why: &str) -> Self {
        Self {
            verdict: Verdict::Untouched,
            stage: None,
            code: None,
            text: Some(tidy(why)),
            session_usable: false,
        }
    }

    /// Code and text with the addresses in it masked.
    pub fn log_text(&self) -> String {
        let text = hide_addresses(self.text.as_deref().unwrap_or_default());
        match self.code {
            Some(code) => format!("{code} {text}").trim_end().to_owned(),
            None => text,
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("verdict", &self.verdict)
            .field("stage", &self.stage)
            .field("said", &self.log_text())
            .field("session_usable", &self.session_usable)
            .finish()
    }
}

/// How long to wait after `attempts` attempts (1 = the first failed): doubling from `first` to `max`,
/// spread by 20 % either way with `unit_random` in `[0, 1)`.
pub fn next_attempt(attempts: u32, first: Duration, max: Duration, unit_random: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    let wait = first.saturating_mul(1 << doublings).min(max);
    let spread = 0.8 + 0.4 * unit_random.clamp(0.0, 1.0);
    Duration::try_from_secs_f64(wait.as_secs_f64() * spread).unwrap_or(max)
}

/// `wait` after `now`, rounded up to a tenth of the back-off without its spread.
///
/// What was deferred together is then due in few groups: a batch is leased anew for each.
pub fn due_after(now: Timestamp, wait: Duration, attempts: u32, first: Duration, max: Duration) -> Timestamp {
    let step = next_attempt(attempts, first, max, 0.5).as_millis() / 10;
    let step = i64::try_from(step).unwrap_or(i64::MAX).max(1);
    let at = now.plus(wait).0;
    Timestamp(at.saturating_add((step - at.rem_euclid(step)).rem_euclid(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stage: Stage, line: &str) -> Happened {
        let code = line
            .get(..3)
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        Happened::Reply(stage, Reply::new(code, &[line.get(4..).unwrap_or_default()]))
    }

    #[test]
    fn tells_transient_from_permanent_and_the_relay_from_the_reader() {
        use Stage::*;
        use Verdict::*;
        let fail = Fail { dead_address: false };
        let dead = Fail { dead_address: true };
        for (stage, line, verdict) in [
            (Body, "250 ok", Sent),
            (Greeting, "554 go away", RelayDown),
            (Greeting, "421 busy", RelayDown),
            (Ehlo, "502 what", RelayDown),
            (Ehlo, "451 later", RelayDown),
            (StartTls, "454 not now", RelayDown),
            (StartTls, "554 no", RelayDown),
            (Auth, "535 5.7.8 wrong", RelayDown),
            (Auth, "454 4.7.0 later", RelayDown),
            (Mail, "550 5.1.8 sender", RelayDown),
            (Mail, "530 5.7.0 log in", RelayDown),
            (Mail, "450 wait", Retry),
            (Mail, "421 too many", Retry),
            (Rcpt, "421 4.7.0 bye", Retry),
            (Rcpt, "450 4.2.1 greylisted", Retry),
            (Rcpt, "451 4.1.1 not sure", Retry),
            (Rcpt, "452 4.2.2 full", Retry),
            (Rcpt, "550", fail),
            (Rcpt, "550 no enhanced code", fail),
            (Rcpt, "550 5.1.1 no such user", dead),
            (Rcpt, "550 5.1.2 no such host", dead),
            (Rcpt, "553 5.1.3 syntax", dead),
            (Rcpt, "551 5.1.6 moved", dead),
            (Rcpt, "556 5.1.10 null MX", dead),
            (Rcpt, "550 5.1.4 ambiguous", fail),
            (Rcpt, "550 5.1.7 sender", fail),
            (Rcpt, "550 5.1.8 sender", fail),
            (Rcpt, "550 5.2.1 disabled", fail),
            (Rcpt, "552 5.2.2 full", fail),
            (Rcpt, "554 5.7.1 reputation", fail),
            (Data, "554 5.1.1 not RCPT", fail),
            (Data, "451 later", Retry),
            (Body, "554 5.1.1 not RCPT", fail),
            (Body, "552 too big", fail),
            (Body, "452 full", Retry),
            (Body, "421 bye", Retry),
        ] {
            assert_eq!(judge(&reply(stage, line)), verdict, "{stage:?} {line}");
        }
    }

    #[test]
    fn silence_after_the_dot_is_uncertain_and_before_it_is_not() {
        let lost = || Silence::Dropped("reset".to_owned());
        for (happened, verdict) in [
            (Happened::NoReply(Stage::Connect, lost()), Verdict::RelayDown),
            (
                Happened::NoReply(Stage::Greeting, Silence::TimedOut),
                Verdict::RelayDown,
            ),
            (Happened::NoReply(Stage::Auth, lost()), Verdict::RelayDown),
            (Happened::NoReply(Stage::Mail, lost()), Verdict::Retry),
            (
                Happened::NoReply(Stage::Rcpt, Silence::Garbage("x".into())),
                Verdict::Retry,
            ),
            (Happened::NoReply(Stage::Data, Silence::TimedOut), Verdict::Retry),
            (Happened::NoReply(Stage::Body, lost()), Verdict::Retry),
            (Happened::NoReplyAfterDot(lost()), Verdict::Uncertain),
            (Happened::NoReplyAfterDot(Silence::TimedOut), Verdict::Uncertain),
            (
                Happened::NoReplyAfterDot(Silence::Garbage("x".into())),
                Verdict::Uncertain,
            ),
            (Happened::Unsafe(Stage::StartTls, "x".into()), Verdict::RelayDown),
            (Happened::NotWritten("disk full".into()), Verdict::RelayDown),
            (Happened::Local("x".into()), Verdict::Retry),
        ] {
            assert_eq!(judge(&happened), verdict, "{happened:?}");
        }
    }

    #[test]
    fn waits_longer_each_time_up_to_the_maximum() {
        let (first, max) = (Duration::from_secs(300), Duration::from_secs(3600));
        let wait = |attempts, random| next_attempt(attempts, first, max, random).as_secs();
        assert_eq!(
            [1, 2, 3, 4, 5, 99].map(|n| wait(n, 0.5)),
            [300, 600, 1200, 2400, 3600, 3600]
        );
        assert_eq!((wait(1, 0.0), wait(0, 0.5)), (240, 300));
        assert!((355..=360).contains(&wait(1, 0.999)));
        assert_eq!(next_attempt(40, Duration::MAX, Duration::MAX, 0.9), Duration::MAX);
    }

    #[test]
    fn what_is_deferred_together_is_due_in_few_groups_and_never_early() {
        let (first, max) = (Duration::from_secs(60), Duration::from_secs(3600));
        let groups: std::collections::BTreeSet<i64> = (0..500_u32)
            .map(|n| {
                let now = Timestamp(1_768_003_200_123).plus(Duration::from_millis(u64::from(n)));
                let wait = next_attempt(1, first, max, f64::from(n) / 500.0);
                let due = due_after(now, wait, 1, first, max);
                assert!((0..6000).contains(&(due.0 - now.plus(wait).0)), "{due} {wait:?}");
                due.0
            })
            .collect();
        assert!(groups.len() <= 6, "{groups:?}");
        due_after(
            Timestamp(i64::MAX),
            Duration::MAX,
            40,
            Duration::MAX,
            Duration::MAX,
        );
    }
}
