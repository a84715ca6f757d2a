-- Mails to a single reader, with their deliveries. address: where it goes, when that is not the subscriber's.
-- data: JSON, what its templates need. next_attempt is null once it is final.
CREATE TABLE notice (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    subscriber_id BIGINT REFERENCES subscriber (id) ON DELETE CASCADE,
    address       TEXT,
    address_hash  TEXT NOT NULL,
    data          TEXT NOT NULL,
    created       BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    state         TEXT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    code          BIGINT,
    text          TEXT,
    relay         TEXT,
    next_attempt  BIGINT,
    owner         TEXT,
    until         BIGINT,
    ended         BIGINT
);
CREATE INDEX notice_due ON notice (next_attempt) WHERE next_attempt IS NOT NULL;
CREATE INDEX notice_by_owner ON notice (owner) WHERE owner IS NOT NULL;
CREATE INDEX notice_by_address ON notice (address_hash, created);
CREATE INDEX notice_by_subscriber ON notice (subscriber_id);
