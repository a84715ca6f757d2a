-- That the owner of a mailbox does not want a certain reader's mails there. They read with us themselves, so
-- that their address is not suppressed for it.
CREATE TABLE address_refusal (
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    mailbox_hash  TEXT NOT NULL,
    refused       BIGINT NOT NULL,
    PRIMARY KEY (subscriber_id, mailbox_hash)
);
CREATE INDEX address_refusal_by_mailbox ON address_refusal (mailbox_hash);

-- Whoever refuses is found by the hash of the address that the mail went to.
CREATE INDEX subscriber_by_hash ON subscriber (address_hash);

-- Who asks for another address; null for everybody else.
ALTER TABLE sign_up_request ADD COLUMN subscriber_id BIGINT REFERENCES subscriber (id) ON DELETE CASCADE;
-- What a reader asked for counts by the mailbox, also after it was ended.
ALTER TABLE address_change ADD COLUMN mailbox_hash TEXT NOT NULL DEFAULT '';
UPDATE address_change SET mailbox_hash = address_hash;
