-- Domains are found by the domain above them.

-- +goose Up
ALTER TABLE domains ADD COLUMN backwards TEXT NOT NULL DEFAULT ''; -- the domain, from its last letter to its first
UPDATE domains SET backwards = (
    WITH RECURSIVE letters (at, text) AS (
        SELECT length(domains.domain), ''
        UNION ALL SELECT at - 1, text || substr(domains.domain, at, 1) FROM letters WHERE at > 0
    )
    SELECT text FROM letters WHERE at = 0
);
CREATE INDEX domains_backwards ON domains (backwards);
