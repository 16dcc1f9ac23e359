-- What few of many claims have is found by itself. An import adds to the first of these only what it edits, and to the
-- second nothing.

-- +goose Up
CREATE INDEX claims_edited ON claims (user) WHERE edits IS NOT NULL AND closed_at IS NULL;
CREATE INDEX claims_signed_in ON claims (organization, claimed_at) WHERE signed_in_at IS NOT NULL AND closed_at IS NULL;

-- The claims of a span are of one import.
DELETE FROM claim_spans;
INSERT INTO claim_spans SELECT organization, delayed, claimed_at, min(id), max(id), count(*) FROM (
        SELECT id, organization, delayed, claimed_at, import,
            id - row_number() OVER (PARTITION BY organization, delayed, claimed_at, import ORDER BY id) AS span
        FROM claims WHERE closed_at IS NULL)
    GROUP BY organization, delayed, claimed_at, import, span;
