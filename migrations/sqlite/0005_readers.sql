ALTER TABLE subscriber ADD COLUMN paused_until BIGINT;
ALTER TABLE subscriber ADD COLUMN text_only BIGINT NOT NULL DEFAULT 0;
-- 'reader' once the reader chose on a page: lists leave name, digests and categories alone from then on.
ALTER TABLE subscriber ADD COLUMN chosen_by TEXT;
CREATE INDEX subscriber_by_pause ON subscriber (paused_until) WHERE paused_until IS NOT NULL;
CREATE INDEX subscriber_by_sign_up ON subscriber (created) WHERE state = 'pending' AND cause = 'reader';

-- What happened to a reader, by which way. wording: the sentence they agreed to. Holds no address.
CREATE TABLE reader_event (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    at            BIGINT NOT NULL,
    what          TEXT NOT NULL,
    way           TEXT NOT NULL,
    wording       TEXT,
    detail        TEXT
);
CREATE INDEX reader_event_by_subscriber ON reader_event (subscriber_id);

-- What the form and the API wrote down, until somebody decides on it.
CREATE TABLE sign_up_request (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    address      TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT,
    digests      TEXT NOT NULL,
    categories   TEXT NOT NULL,
    text_only    BIGINT NOT NULL,
    wording      TEXT NOT NULL,
    way          TEXT NOT NULL,
    network      TEXT NOT NULL,
    created      BIGINT NOT NULL
);
CREATE INDEX sign_up_request_by_address ON sign_up_request (address_hash);

-- What a confirmation mail offers. confirmed: when it was taken up.
CREATE TABLE sign_up (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    name          TEXT,
    digests       TEXT NOT NULL,
    categories    TEXT NOT NULL,
    text_only     BIGINT NOT NULL,
    wording       TEXT NOT NULL,
    way           TEXT NOT NULL,
    created       BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    confirmed     BIGINT
);
CREATE INDEX sign_up_by_subscriber ON sign_up (subscriber_id);
CREATE INDEX sign_up_by_end ON sign_up (expires);

-- A new address that its owner has still to confirm.
CREATE TABLE address_change (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id BIGINT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    address       TEXT NOT NULL,
    address_hash  TEXT NOT NULL,
    created       BIGINT NOT NULL,
    expires       BIGINT NOT NULL
);
CREATE INDEX address_change_by_subscriber ON address_change (subscriber_id);
CREATE INDEX address_change_by_address ON address_change (address_hash);

-- One row for each address about which somebody decides: whoever writes it has the others wait.
CREATE TABLE address_turn (
    address_hash TEXT PRIMARY KEY,
    taken        BIGINT NOT NULL
);

-- How many requests each network made in each span of ten minutes, by a salted hash.
CREATE TABLE network_use (
    network TEXT NOT NULL,
    bucket  BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    PRIMARY KEY (network, bucket)
);
CREATE INDEX network_use_by_time ON network_use (bucket);
