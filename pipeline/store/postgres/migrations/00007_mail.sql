-- The outbox is sent. It stays the line in which mails about claims wait for their first turn; whoever takes one up
-- moves it to deliveries. What must not wait behind the mails of a large import stands there from the start. Both have
-- their numbers from one sequence.

-- +goose Up
CREATE TABLE deliveries (
    id              bigint  PRIMARY KEY,
    kind            text    NOT NULL,
    claim           bigint, -- that it is about; NULL: none
    organization    bigint  REFERENCES organizations, -- whose news it is; NULL: that of the claim
    recipient       text    NOT NULL DEFAULT '', -- address, or URL; empty: found out when it is sent
    news            text, -- JSON; NULL: about a claim
    written_at      bigint  NOT NULL,
    state           text    NOT NULL DEFAULT 'waiting', -- waiting, sent or failed
    attempts        bigint  NOT NULL DEFAULT 0,
    lost            bigint  NOT NULL DEFAULT 0, -- attempts of processes that died
    tried_since     bigint, -- NULL: not yet
    pause           bigint  NOT NULL DEFAULT 0, -- seconds from the last attempt to the next
    next_attempt_at bigint  NOT NULL DEFAULT 0, -- 0: at once
    taken_at        bigint, -- when the last attempt began; NULL: there was none
    lease_until     bigint, -- NULL: nobody is sending it
    sent_at         bigint,
    error           text    NOT NULL DEFAULT '',
    away            boolean NOT NULL DEFAULT false, -- the last attempt found no server that would take anything
    message_id      text    NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_taken ON deliveries (taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX deliveries_claim ON deliveries (claim) WHERE claim IS NOT NULL;

-- Personal links of owners to their choices. The link itself stands in a mail and nowhere else.
CREATE TABLE links (
    hash  bytea  PRIMARY KEY, -- SHA-256 of the link
    claim bigint NOT NULL
);

-- Up to which delayed claim, in the order in which they were made, owners have been reminded so many days before
-- the date.
CREATE TABLE reminders (
    days       bigint PRIMARY KEY,
    claimed_at bigint NOT NULL,
    claim      bigint NOT NULL
);

ALTER TABLE imports ADD COLUMN notify text[]; -- addresses that are told how it went; NULL: none
