-- The slots of a relay's rate that nobody has taken yet begin here: microseconds of this database's clock.
CREATE TABLE relay_rate (
    relay     TEXT PRIMARY KEY,
    next_slot BIGINT NOT NULL
);

-- How many slots were taken in each span of ten seconds.
CREATE TABLE relay_hour (
    relay  TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    used   BIGINT NOT NULL,
    PRIMARY KEY (relay, bucket)
);

-- What each process knows of a relay; no row while all is well.
CREATE TABLE relay_state (
    relay        TEXT NOT NULL,
    node         TEXT NOT NULL,
    state        TEXT NOT NULL,
    since        BIGINT NOT NULL,
    until        BIGINT,
    failures     BIGINT NOT NULL,
    why          TEXT,
    connections  BIGINT NOT NULL,
    slowed_to    BIGINT,
    pause        BIGINT,
    slowed_since BIGINT,
    full_until   BIGINT,
    seen         BIGINT NOT NULL,
    PRIMARY KEY (relay, node)
);
