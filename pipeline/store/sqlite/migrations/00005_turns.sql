-- Imports that nobody attends are driven by any process, and organizations take turns.

-- +goose Up
CREATE TABLE turns (
    organization INTEGER PRIMARY KEY REFERENCES organizations,
    taken_at     INTEGER NOT NULL -- when its turn last came, in milliseconds
) STRICT;
CREATE INDEX imports_open ON imports (id) WHERE state IN ('queued', 'applying') AND NOT attended;
