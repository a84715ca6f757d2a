-- That the owner of an address does not want a certain reader's mails there. They read with us themselves, so
-- that their address is not suppressed for it.
CREATE TABLE address_refusal (
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    address_hash  TEXT NOT NULL,
    refused       BIGINT NOT NULL,
    PRIMARY KEY (subscriber_id, address_hash)
);
CREATE INDEX address_refusal_by_address ON address_refusal (address_hash);

-- Whoever refuses is found by the hash of the address that the mail went to.
CREATE INDEX subscriber_by_hash ON subscriber (address_hash);
