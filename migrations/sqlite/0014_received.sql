-- 1 once a relay has taken a message of it: somebody has the link to its page from then on.
ALTER TABLE edition ADD COLUMN received BIGINT NOT NULL DEFAULT 0;
UPDATE edition SET received = 1 WHERE pruned_sent > 0
    OR EXISTS (SELECT 1 FROM delivery d WHERE d.edition_id = edition.id AND d.state = 'sent');
