-- What few of many claims have is found by itself. An import adds to the first of these only what it edits, and to the
-- second nothing.

-- +goose Up
CREATE INDEX claims_edited ON claims (user) WHERE edits IS NOT NULL AND closed_at IS NULL;
CREATE INDEX claims_signed_in ON claims (organization, claimed_at) WHERE signed_in_at IS NOT NULL AND closed_at IS NULL;
