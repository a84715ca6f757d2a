-- Whether bytes of erased rows may still lie in the database's files. One row. asked: how often a sweep was asked
-- for; due: since when, null when there is nothing to sweep; tried: when the last one began; rewritten: up to
-- which asking the file of SQLite was written anew.
CREATE TABLE sweep (
    id        BIGINT PRIMARY KEY,
    asked     BIGINT NOT NULL,
    due       BIGINT,
    tried     BIGINT,
    rewritten BIGINT NOT NULL
);
INSERT INTO sweep (id, asked, rewritten) VALUES (1, 0, 0);
