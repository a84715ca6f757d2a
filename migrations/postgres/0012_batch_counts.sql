-- What became of the deliveries of a batch that nobody works on, so that an edition's account is a sum over its
-- batches. counted: 1 while these columns and batch_exclusion tell it; 0 from the lease to the return, and when
-- nobody has counted since: then the rows themselves are counted. failed: refused; expired is apart.
ALTER TABLE batch ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN expired BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN excluded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;

-- Why a batch's excluded deliveries are: a count for each reason.
CREATE TABLE batch_exclusion (
    segment_id BIGINT NOT NULL,
    batch_no   BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (segment_id, batch_no, reason),
    FOREIGN KEY (segment_id, batch_no) REFERENCES batch (segment_id, no) ON DELETE CASCADE
);

UPDATE batch SET (size, sent, failed, expired, held, excluded) = (
    SELECT COUNT(*),
        COUNT(CASE WHEN d.state = 'sent' THEN 1 END),
        COUNT(CASE WHEN d.state = 'failed' THEN 1 END),
        COUNT(CASE WHEN d.state = 'expired' THEN 1 END),
        COUNT(CASE WHEN d.state = 'uncertain' AND d.next_attempt IS NULL THEN 1 END),
        COUNT(CASE WHEN d.state = 'excluded' THEN 1 END)
    FROM delivery d WHERE d.segment_id = batch.segment_id AND d.batch_no = batch.no)
WHERE owner IS NULL;

INSERT INTO batch_exclusion (segment_id, batch_no, reason, count)
SELECT b.segment_id, b.no, COALESCE(d.text, ''), COUNT(*)
FROM batch b JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
WHERE b.excluded > 0 AND d.state = 'excluded'
GROUP BY b.segment_id, b.no, COALESCE(d.text, '');

UPDATE batch SET counted = 1 WHERE owner IS NULL;
