-- Links with which admins sign in. address_hash and network: keyed hashes, by which the asking is limited;
-- used: when somebody signed in with it. Rows that ended are deleted by the next one.
CREATE TABLE sign_in (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    address_hash TEXT NOT NULL,
    network      TEXT NOT NULL,
    created      BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    used         BIGINT
);
CREATE INDEX sign_in_by_address ON sign_in (address_hash, created);
CREATE INDEX sign_in_by_network ON sign_in (network, created);
CREATE INDEX sign_in_by_end ON sign_in (expires);

-- Admins who are signed in. hash: of what their browser holds; seen: when they last asked for a page.
CREATE TABLE admin_session (
    hash         TEXT PRIMARY KEY,
    address_hash TEXT NOT NULL,
    created      BIGINT NOT NULL,
    seen         BIGINT NOT NULL,
    expires      BIGINT NOT NULL
);
