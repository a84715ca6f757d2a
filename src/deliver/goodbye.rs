//! How a session is left: with QUIT wherever the relay reads commands (RFC 5321, 4.1.1.10).

use std::time::Duration;
use tokio::time::timeout;

use super::session::Session;
use super::transaction::Phase;

/// A relay that does not answer is not waited for.
const GOODBYE: Duration = Duration::from_secs(2);

impl Session {
    /// Says goodbye where the relay listens, without waiting long for an answer.
    pub async fn quit(mut self) {
        let _ = timeout(GOODBYE, self.leave()).await;
    }

    async fn leave(&mut self) {
        if !self.wire.is_alive() {
            return;
        }
        if self.phase == Phase::Announced {
            // No message will follow: what the relay has made of the announcement says how to leave.
            self.phase = self
                .answers(false)
                .await
                .map_or(Phase::Closed, |(phase, _)| phase);
        }
        let before = match self.phase {
            // A relay that waits for a message reads QUIT as a part of it: only closing takes that back.
            Phase::Closed | Phase::Announced | Phase::Message => return,
            Phase::LoneDot => self.phase.words(),
            // QUIT ends a transaction by itself.
            Phase::Ready | Phase::Reset => "",
        };
        self.write(format!("{before}QUIT\r\n")).await;
        if !before.is_empty() {
            let _ = self.wire.next_reply().await;
        }
    }
}
