-- Without a rowid: the row is found with its key, which saves a look for each message. Nothing else changes.
CREATE TABLE subscription_by_key (
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    digest        TEXT NOT NULL,
    active        BIGINT NOT NULL,
    ended_by      TEXT,
    created       BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    PRIMARY KEY (subscriber_id, digest)
) WITHOUT ROWID;
INSERT INTO subscription_by_key (subscriber_id, digest, active, ended_by, created, changed)
SELECT subscriber_id, digest, active, ended_by, created, changed FROM subscription
ORDER BY subscriber_id, digest;
DROP TABLE subscription;
ALTER TABLE subscription_by_key RENAME TO subscription;
CREATE INDEX subscription_by_digest ON subscription (digest, active);
