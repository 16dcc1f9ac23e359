-- What an import writes is kept small: a claim is a row and an entry in claims_open, and what comes one after the
-- other is told once.

-- +goose Up

-- Where the open claims of an organization are, in the order in which they were made: among the claims from first
-- to last those that are alike. Few others stand between them, for claims are added alike ones together. Spans of
-- the same kind and time do not overlap.
CREATE TABLE claim_spans (
    organization INTEGER NOT NULL, -- the claiming one
    delayed      INTEGER NOT NULL,
    claimed_at   INTEGER NOT NULL,
    first        INTEGER NOT NULL, -- claims.id
    last         INTEGER NOT NULL,
    open         INTEGER NOT NULL, -- how many of them there are
    PRIMARY KEY (organization, delayed, claimed_at, first)
) STRICT, WITHOUT ROWID;
INSERT INTO claim_spans SELECT organization, delayed, claimed_at, min(id), max(id), count(*) FROM (
        SELECT id, organization, delayed, claimed_at,
            id - row_number() OVER (PARTITION BY organization, delayed, claimed_at ORDER BY id) AS span
        FROM claims WHERE closed_at IS NULL)
    GROUP BY organization, delayed, claimed_at, span;

-- Whoever inserts claims adds their span; what becomes of one is followed here.
-- +goose StatementBegin
CREATE TRIGGER claim_changed AFTER UPDATE OF delayed, claimed_at, closed_at ON claims
WHEN OLD.closed_at IS NULL AND (NEW.closed_at IS NOT NULL OR NEW.delayed <> OLD.delayed OR NEW.claimed_at <> OLD.claimed_at) BEGIN
    UPDATE claim_spans SET open = open - 1
        WHERE organization = OLD.organization AND delayed = OLD.delayed AND claimed_at = OLD.claimed_at AND OLD.id BETWEEN first AND last;
    DELETE FROM claim_spans
        WHERE organization = OLD.organization AND delayed = OLD.delayed AND claimed_at = OLD.claimed_at AND OLD.id BETWEEN first AND last AND open = 0;
    INSERT INTO claim_spans SELECT NEW.organization, NEW.delayed, NEW.claimed_at, NEW.id, NEW.id, 0
        WHERE NEW.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM claim_spans
            WHERE organization = NEW.organization AND delayed = NEW.delayed AND claimed_at = NEW.claimed_at AND NEW.id BETWEEN first AND last);
    UPDATE claim_spans SET open = open + 1
        WHERE NEW.closed_at IS NULL
        AND organization = NEW.organization AND delayed = NEW.delayed AND claimed_at = NEW.claimed_at AND NEW.id BETWEEN first AND last;
END;
-- +goose StatementEnd

DROP INDEX claims_immediate;
DROP INDEX claims_delayed;

-- The line: so many mails, of which id and claim are the last one's. The numbers and the claims of those before it
-- go up to these one by one.
ALTER TABLE outbox ADD COLUMN mails INTEGER NOT NULL DEFAULT 1;
CREATE TABLE together AS SELECT max(id) AS id, max(claim) AS claim, kind, written_at, count(*) AS mails FROM (
        SELECT id, claim, kind, written_at,
            id - row_number() OVER (PARTITION BY kind, written_at, id - claim ORDER BY id) AS stretch
        FROM outbox)
    GROUP BY kind, written_at, id - claim, stretch;
DELETE FROM outbox;
INSERT INTO outbox (id, claim, kind, written_at, mails) SELECT id, claim, kind, written_at, mails FROM together ORDER BY id;
DROP TABLE together;
