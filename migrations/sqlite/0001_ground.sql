-- Times are UTC milliseconds; flags are 0 or 1.

CREATE TABLE summary (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    slug             TEXT NOT NULL UNIQUE,
    entry_id         TEXT NOT NULL UNIQUE,
    doi              TEXT UNIQUE,
    url              TEXT,
    canonical_url    TEXT UNIQUE,
    title            TEXT NOT NULL,
    journal          TEXT,
    year             BIGINT,
    published        TEXT,
    status           TEXT NOT NULL,
    note             TEXT,
    fault            TEXT,
    explanation      TEXT NOT NULL,
    duration         TEXT,
    participants     TEXT,
    evidence         TEXT,
    findings         TEXT NOT NULL,
    research_summary TEXT NOT NULL,
    implications     TEXT NOT NULL,
    limitations      TEXT NOT NULL,
    source           TEXT NOT NULL,
    content_hash     TEXT NOT NULL,
    first_seen       BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    marked           BIGINT
);

CREATE TABLE summary_category (
    summary_id BIGINT NOT NULL REFERENCES summary (id) ON DELETE CASCADE,
    slug       TEXT NOT NULL,
    position   BIGINT NOT NULL,
    PRIMARY KEY (summary_id, slug)
);

-- What each source has shown, so that the same item is recognised again.
CREATE TABLE summary_source (
    source     TEXT NOT NULL,
    item_key   TEXT NOT NULL,
    summary_id BIGINT NOT NULL REFERENCES summary (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    PRIMARY KEY (source, item_key)
);

CREATE TABLE fetch_state (
    source        TEXT NOT NULL,
    address       TEXT NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    moved_to      TEXT,
    not_before    BIGINT,
    gone          BIGINT NOT NULL DEFAULT 0,
    resume        TEXT,
    PRIMARY KEY (source, address)
);

CREATE TABLE edition (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    digest   TEXT NOT NULL,
    state    TEXT NOT NULL,
    -- 0 when its summaries were asked for by name.
    regular  BIGINT NOT NULL,
    note     TEXT,
    created  BIGINT NOT NULL,
    planned  BIGINT,
    expires  BIGINT,
    finished BIGINT,
    audience BIGINT NOT NULL DEFAULT 0,
    trouble  TEXT
);
CREATE INDEX edition_by_digest ON edition (digest, state);

CREATE TABLE edition_item (
    edition_id BIGINT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    summary_id BIGINT NOT NULL REFERENCES summary (id),
    kind       TEXT NOT NULL,
    position   BIGINT NOT NULL,
    PRIMARY KEY (edition_id, summary_id)
);

-- What a digest has carried or skipped; announced is the newest mark its readers were told of.
CREATE TABLE digest_item (
    digest     TEXT NOT NULL,
    summary_id BIGINT NOT NULL REFERENCES summary (id) ON DELETE CASCADE,
    edition_id BIGINT NOT NULL,
    outcome    TEXT NOT NULL,
    announced  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (digest, summary_id)
);

CREATE TABLE edition_exclusion (
    edition_id BIGINT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    reason     TEXT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (edition_id, reason)
);

CREATE TABLE segment (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    edition_id BIGINT NOT NULL REFERENCES edition (id) ON DELETE CASCADE
);
CREATE INDEX segment_by_edition ON segment (edition_id);

CREATE TABLE segment_item (
    segment_id BIGINT NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    summary_id BIGINT NOT NULL REFERENCES summary (id),
    position   BIGINT NOT NULL,
    PRIMARY KEY (segment_id, summary_id)
);
CREATE INDEX segment_item_by_summary ON segment_item (summary_id);

-- Which readers fall into which segment: their choice, and what they had of the edition's items.
CREATE TABLE segment_key (
    edition_id BIGINT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    categories TEXT NOT NULL,
    had        BIGINT NOT NULL,
    segment_id BIGINT NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    PRIMARY KEY (edition_id, categories, had)
);

-- due is null when every delivery of the batch is final.
CREATE TABLE batch (
    segment_id BIGINT NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    no         BIGINT NOT NULL,
    edition_id BIGINT NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    due        BIGINT,
    owner      TEXT,
    until      BIGINT,
    PRIMARY KEY (segment_id, no)
);
CREATE INDEX batch_due ON batch (due) WHERE due IS NOT NULL;
CREATE INDEX batch_by_edition ON batch (edition_id);
CREATE INDEX batch_by_owner ON batch (owner) WHERE owner IS NOT NULL;

-- No foreign keys: looking each up would double the time of planning.
CREATE TABLE delivery (
    edition_id    BIGINT NOT NULL,
    subscriber_id BIGINT NOT NULL,
    segment_id    BIGINT NOT NULL,
    batch_no      BIGINT NOT NULL,
    state         TEXT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    code          BIGINT,
    text          TEXT,
    relay         TEXT,
    next_attempt  BIGINT,
    PRIMARY KEY (edition_id, subscriber_id)
) WITHOUT ROWID;
CREATE INDEX delivery_by_batch ON delivery (segment_id, batch_no);
CREATE INDEX delivery_by_subscriber ON delivery (subscriber_id, edition_id);

CREATE TABLE subscriber (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    address        TEXT NOT NULL,
    address_key    TEXT NOT NULL UNIQUE,
    address_hash   TEXT NOT NULL,
    reserved       BIGINT NOT NULL,
    name           TEXT,
    state          TEXT NOT NULL,
    cause          TEXT NOT NULL,
    categories     TEXT NOT NULL DEFAULT '',
    consent_at     BIGINT,
    consent_source TEXT,
    created        BIGINT NOT NULL,
    changed        BIGINT NOT NULL
);

CREATE TABLE subscription (
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    digest        TEXT NOT NULL,
    active        BIGINT NOT NULL,
    ended_by      TEXT,
    created       BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    PRIMARY KEY (subscriber_id, digest)
);
CREATE INDEX subscription_by_digest ON subscription (digest, active);

-- The address is kept as a salted hash only.
CREATE TABLE suppression (
    address_hash TEXT PRIMARY KEY,
    reason       TEXT NOT NULL,
    created      BIGINT NOT NULL
);

CREATE TABLE list_file (
    path     TEXT PRIMARY KEY,
    hash     TEXT NOT NULL,
    imported BIGINT NOT NULL
);

CREATE TABLE schedule_run (
    digest TEXT PRIMARY KEY,
    last   BIGINT NOT NULL
);

CREATE TABLE api_token (
    name    TEXT PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

-- Short numbers for digests, so that signed links stay short.
CREATE TABLE digest_number (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

-- summaries: how often one was stored, changed or marked.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- When the bytes of each feed last changed.
CREATE TABLE feed_state (
    name     TEXT PRIMARY KEY,
    etag     TEXT NOT NULL,
    modified BIGINT NOT NULL
);
