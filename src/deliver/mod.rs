//! From a segment's text to a relay's reply. Only this module speaks SMTP.
//!
//! `message` encodes what the readers of a segment share, `splice` puts in what differs, `relay`
//! opens connections, `session` or `outbox` hands a message over, and `retry` says what came of it.

mod batch_round;
mod bell;
mod board;
mod brake;
mod carrier;
pub mod compose;
mod curfew;
pub mod dkim;
mod dkim_field;
pub mod exposition;
mod goodbye;
mod handover;
mod header;
mod health;
mod lane;
mod leased;
mod letter;
pub mod message;
mod meter;
pub mod notice_mail;
mod notice_outcome;
mod notice_round;
mod open;
mod outbox;
pub mod outbox_erasure;
mod outcome;
mod pace;
mod patience;
mod place;
mod quoted;
mod recorder;
pub mod relay;
pub mod reply;
pub mod retry;
pub mod segment_mail;
pub mod session;
mod slowing;
pub mod splice;
mod stream;
mod tenure;
mod tls;
mod transaction;
mod unfit;
pub mod worker;

pub use brake::Limit;
pub use message::{Envelope, Mailbox, MessageHead, Part, SegmentMessage};
pub use meter::Meter;
pub use open::RelayTrouble;
pub use outbox::Outbox;
pub use relay::{Connection, Relay};
pub use retry::{Attempt, Happened, Stage, Verdict, judge, next_attempt};
pub use session::{Session, SessionSettings, Timeouts};
pub use splice::ReaderValues;
