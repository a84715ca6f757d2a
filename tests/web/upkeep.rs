//! What time does by itself: every step has its turn, whatever becomes of the others.

use crate::in_process::{DAY, InProcess, MINUTE};
use crate::preferences::site;

/// Something to do for every step, long ago.
const TO_DO: [&str; 13] = [
    "UPDATE subscriber SET state = 'paused', paused_until = 5 WHERE id = 1",
    "INSERT INTO subscriber (address, address_key, address_hash, reserved, state, cause, created, changed)
     VALUES ('new@example.org', 'new@example.org', 'new', 1, 'pending', 'reader', 5, 5)",
    "INSERT INTO sign_up (subscriber_id, digests, categories, text_only, wording, way, created, expires)
     VALUES (1, 'weekly', '', 0, 'yes', 'form', 5, 6)",
    "INSERT INTO address_change (subscriber_id, address, address_hash, created, expires)
     VALUES (1, 'x@example.org', 'x', 5, 6)",
    "INSERT INTO network_use (network, bucket, used) VALUES ('network', 1, 1)",
    "INSERT INTO address_turn (mailbox_hash, taken) VALUES ('x', 5)",
    "INSERT INTO sign_in (address_hash, network, created, expires) VALUES ('x', 'network', 5, 6)",
    "INSERT INTO admin_session (hash, address_hash, created, seen, expires) VALUES ('h', 'x', 5, 5, 6)",
    "INSERT INTO vote_seen (hash, expires) VALUES ('h', 6)",
    "INSERT OR REPLACE INTO edition (id, digest, state, regular, created, finished)
     VALUES (1, 'weekly', 'finished', 1, 5, 6)",
    "INSERT INTO segment (id, edition_id) VALUES (1, 1)",
    "INSERT INTO batch (segment_id, no, edition_id) VALUES (1, 0, 1);
     INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state) VALUES (1, 1, 1, 0, 'sent')",
    "UPDATE sweep SET asked = asked + 1, due = 5",
];

/// Each step: the statement that fails, and what shows that the step is not done.
const STEPS: [(&str, &str); 11] = [
    ("UPDATE ON subscriber", "subscriber WHERE state = 'paused'"),
    ("DELETE ON subscriber", "subscriber WHERE state = 'pending'"),
    ("DELETE ON sign_up", "sign_up"),
    ("DELETE ON address_change", "address_change"),
    ("DELETE ON network_use", "network_use"),
    ("DELETE ON address_turn", "address_turn"),
    ("DELETE ON sign_in", "sign_in"),
    ("DELETE ON admin_session", "admin_session"),
    ("DELETE ON vote_seen", "vote_seen"),
    ("DELETE ON delivery", "delivery"),
    ("UPDATE ON sweep", "sweep WHERE due IS NOT NULL"),
];

#[test]
fn a_step_that_fails_keeps_no_other_from_being_done() {
    let site = site();
    let server = InProcess::serve(&site);
    let left = || -> Vec<&str> {
        let is_left = |what: &str| server.number(&format!("SELECT COUNT(*) FROM {what}")) > 0;
        STEPS
            .iter()
            .map(|(_, what)| *what)
            .filter(|what| is_left(what))
            .collect()
    };
    for (statement, what) in STEPS {
        for sql in TO_DO {
            server.execute(sql);
        }
        assert_eq!(left().len(), STEPS.len(), "{:?}", left());
        server.execute(&format!(
            "CREATE TRIGGER no BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'no'); END"
        ));
        // Of a sweep the log tells: what else was done is not called a failure for it.
        assert_eq!(server.tidy().is_ok(), what.starts_with("sweep"), "{statement}");
        assert_eq!(left(), [what], "{statement}");
        server.execute("DROP TRIGGER no");
        server.pass(DAY + 11 * MINUTE);
        server.tidy().unwrap();
        assert_eq!(left(), Vec::<&str>::new(), "{statement}");
        server.execute("DELETE FROM segment");
        server.pass(11 * MINUTE);
    }
}
