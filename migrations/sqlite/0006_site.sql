-- Since when a summary is no longer shown, and why; null while it is.
ALTER TABLE summary ADD COLUMN removed BIGINT;
ALTER TABLE summary ADD COLUMN removed_note TEXT;
CREATE INDEX summary_by_time ON summary (first_seen, id);
CREATE INDEX summary_category_by_slug ON summary_category (slug, summary_id);

-- How often each answer to "Was this summary helpful?" was given.
CREATE TABLE vote (
    summary_id BIGINT NOT NULL REFERENCES summary (id) ON DELETE CASCADE,
    answer     TEXT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (summary_id, answer)
);

-- Who has answered today: a keyed hash, gone after a day.
CREATE TABLE vote_seen (
    hash    TEXT PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX vote_seen_by_end ON vote_seen (expires);
