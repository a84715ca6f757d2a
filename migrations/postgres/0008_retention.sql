-- When the rows of who received it began to be deleted, and how many of these were sent and failed; what was
-- excluded stands in edition_exclusion by then.
ALTER TABLE edition ADD COLUMN pruned BIGINT;
ALTER TABLE edition ADD COLUMN pruned_sent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE edition ADD COLUMN pruned_failed BIGINT NOT NULL DEFAULT 0;

-- Addresses that a reader gave up for another one, as keyed hashes: what is left of them is erased with the
-- reader.
CREATE TABLE former_address (
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    address_hash  TEXT NOT NULL,
    given_up      BIGINT NOT NULL,
    PRIMARY KEY (subscriber_id, address_hash)
);
CREATE INDEX former_address_by_address ON former_address (address_hash);
