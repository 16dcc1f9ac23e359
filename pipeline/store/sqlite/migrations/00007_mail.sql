-- The outbox is sent. It stays the line in which mails about claims wait for their first turn, so that an import
-- writes as little as before; whoever takes one up moves it to deliveries. What must not wait behind the mails of a
-- large import stands there from the start. Both have their numbers from one sequence (AUTOINCREMENT), which are
-- never used again: people name mails by them.

-- +goose Up
CREATE TABLE outbox_2 (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    claim      INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    written_at INTEGER -- NULL: when the claim was made
) STRICT;
INSERT INTO outbox_2 (id, claim, kind, written_at) SELECT id, claim, kind, written_at FROM outbox ORDER BY id;
DROP TABLE outbox;
ALTER TABLE outbox_2 RENAME TO outbox;

CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL,
    claim           INTEGER, -- that it is about; NULL: none
    organization    INTEGER REFERENCES organizations, -- whose news it is; NULL: that of the claim
    recipient       TEXT    NOT NULL DEFAULT '', -- address, or URL; empty: found out when it is sent
    news            TEXT, -- JSON; NULL: about a claim
    written_at      INTEGER NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'waiting', -- waiting, sent or failed
    attempts        INTEGER NOT NULL DEFAULT 0,
    lost            INTEGER NOT NULL DEFAULT 0, -- attempts of processes that died
    tried_since     INTEGER, -- NULL: not yet
    pause           INTEGER NOT NULL DEFAULT 0, -- seconds from the last attempt to the next
    next_attempt_at INTEGER NOT NULL DEFAULT 0, -- 0: at once
    taken_at        INTEGER, -- when the last attempt began; NULL: there was none
    lease_until     INTEGER, -- NULL: nobody is sending it
    sent_at         INTEGER,
    error           TEXT    NOT NULL DEFAULT '',
    away            INTEGER NOT NULL DEFAULT 0, -- the last attempt found no server that would take anything
    message_id      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_taken ON deliveries (taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX deliveries_claim ON deliveries (claim) WHERE claim IS NOT NULL;

-- Personal links of owners to their choices. The link itself stands in a mail and nowhere else.
CREATE TABLE links (
    hash  BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the link
    claim INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Up to which delayed claim, in the order in which they were made, owners have been reminded so many days before
-- the date.
CREATE TABLE reminders (
    days       INTEGER PRIMARY KEY,
    claimed_at INTEGER NOT NULL,
    claim      INTEGER NOT NULL
) STRICT;

ALTER TABLE imports ADD COLUMN notify TEXT; -- JSON list of addresses that are told how it went; NULL: none
