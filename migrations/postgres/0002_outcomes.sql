-- What became of a batch's deliveries, as of the last time that it was given back; while somebody holds it,
-- the rows themselves are counted. held: uncertain ones that wait for an admin's word.
ALTER TABLE batch ADD COLUMN sent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

-- What was sent and refused before an admin let the edition go on: the limit that pauses it counts from there.
ALTER TABLE edition ADD COLUMN sent_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE edition ADD COLUMN failed_before BIGINT NOT NULL DEFAULT 0;
CREATE INDEX batch_held ON batch (edition_id) WHERE held > 0;
