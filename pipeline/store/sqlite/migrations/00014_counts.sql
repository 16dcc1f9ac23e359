-- What few of many accounts and claims have is found without a look at the others. An import adds to
-- claims_edited only what it edits, and to the rest nothing.

-- +goose Up

-- Which pairs of bytes the address and the names have, folded, as bits: a search looks at those alone that
-- have its own.
ALTER TABLE users ADD COLUMN bigrams INTEGER NOT NULL DEFAULT 0;
UPDATE users SET bigrams = bigrams(concat_ws(char(10), email, first_name, last_name, display_name));

CREATE INDEX claims_edited ON claims (user) WHERE edits IS NOT NULL AND closed_at IS NULL;
CREATE INDEX claims_signed_in ON claims (organization, claimed_at) WHERE signed_in_at IS NOT NULL AND closed_at IS NULL;

-- The claims of a span are of one import.
DELETE FROM claim_spans;
INSERT INTO claim_spans SELECT organization, delayed, claimed_at, min(id), max(id), count(*) FROM (
        SELECT id, organization, delayed, claimed_at, import,
            id - row_number() OVER (PARTITION BY organization, delayed, claimed_at, import ORDER BY id) AS span
        FROM claims WHERE closed_at IS NULL)
    GROUP BY organization, delayed, claimed_at, import, span;
